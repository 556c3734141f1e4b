"""Checks of a model's outputs when it is fetched: lengths, repeatability, and reference outputs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import audonnx
import numpy as np

from voxslice.errors import InputError, reason_of
from voxslice.models.sessions import run
from voxslice.models.speech_noise import speech_like
from voxslice.models.time_limits import TimeLimitError, time_limit
from voxslice.models.windows import Windows

SECONDS = (1, 3.3, 10)
"""Durations on which a model is tried: frozen lengths and wrong reshapes fail on one of them."""
RATE = 16000
"""Sampling rate of the signals. The model may expect another one, which changes only durations."""
REPEATED = 1e-4
"""Largest relative difference of two runs on the same signal."""
AGREEMENT = 1e-4
"""Largest difference from a reference output, relative to its largest value if that is above 1."""
MAX_REFERENCE_BYTES = 10**8
"""Largest file of reference outputs that is read."""


class Checker:
    """Runs a model on signals and checks what it gives."""

    def __init__(
        self,
        model: audonnx.Model,
        outputs: Sequence[str],
        *,
        windows: Windows | None,
        sampling_rate: int = RATE,
        origin: str,
        max_seconds: float,
    ) -> None:
        """Take a model and the outputs that are checked.

        Args:
            model: Model that takes one signal.
            outputs: Names of outputs that give one vector per utterance.
            windows: Windows that the model is run on; None for whole signals.
            sampling_rate: Sampling rate in Hz, which a transform of the model is given.
            origin: URL or path that the model came from, for messages.
            max_seconds: Longest time of one run, in seconds.
        """
        self._model = model
        self._outputs = list(outputs)
        self._windows = windows
        self._sampling_rate = sampling_rate
        self._origin = origin
        self._max_seconds = max_seconds

    def check_lengths(self) -> None:
        """Check that signals of several lengths run, and that outputs are the same again.

        Outputs that are not finite, or equal for all signals, are only printed, because the signals
        are noise.

        Raises:
            InputError: The model fails on some of the lengths, or gives other outputs for the same
                signal.
        """
        signals = [speech_like(seconds, RATE, seed) for seed, seconds in enumerate(SECONDS)]
        results: list[Mapping[str, np.ndarray]] = []
        failures: list[tuple[float, str]] = []
        for seconds, signal in zip(SECONDS, signals, strict=True):
            result = self._run(signal, f"{seconds:g} s of noise")
            if isinstance(result, str):
                failures.append((seconds, result))
            else:
                results.append(result)
        if failures and results:
            seconds, reason = failures[0]
            raise InputError(
                f"The model from {self._origin} runs on some durations but fails on {seconds:g} s"
                f" ({reason[:200]}): export it with a length of any size, or set window."
            )
        if not results:
            return
        for name in self._outputs:
            values = [result[name] for result in results]
            if not all(np.isfinite(value).all() for value in values):
                print(f"The output {name} is not finite on noise.")
            elif all(np.array_equal(values[0], value) for value in values[1:]) and values[1:]:
                print(
                    f"The output {name} is the same for different signals: if this holds for speech"
                    " as well, its head was not trained, or it does not depend on the signal."
                )
        again = self._run(signals[0], f"{SECONDS[0]:g} s of noise")
        if not isinstance(again, str):
            self._require_same(results[0], again)

    def check_reference(self, path: Path) -> None:
        """Compare outputs with those that the source of the model has computed.

        Args:
            path: Archive of numpy with the arrays `signal_0` (samples) and `<output>_0` (values),
                and so on for further numbers.

        Raises:
            InputError: The file cannot be read, or an output differs.
        """
        arrays = self._read(path)
        number = 0
        while f"signal_{number}" in arrays:
            signal = np.asarray(arrays[f"signal_{number}"], np.float32).reshape(1, -1)
            result = self._run(signal, f"signal_{number} of {path.name}")
            if isinstance(result, str):
                raise InputError(
                    f"The model from {self._origin} fails on signal_{number} of {path.name}"
                    f" ({result[:200]}): export it again."
                )
            for name, value in result.items():
                if f"{name}_{number}" in arrays:
                    self._require_agreement(name, number, value, arrays[f"{name}_{number}"])
            number += 1
        if not number:
            raise InputError(
                f"The file {path.name} of the model from {self._origin} has no array signal_0:"
                " write signal_0 and the outputs for it, as docs/models.md describes."
            )
        print(f"The outputs agree with {path.name} for {number} signals.")

    def _run(self, signal: np.ndarray, what: str) -> Mapping[str, np.ndarray] | str:
        """Outputs for a signal, or the reason why there are none."""
        try:
            with time_limit(
                self._max_seconds, f"Running the model from {self._origin} on {what}"
            ) as options:
                return run(
                    self._model,
                    signal,
                    self._outputs,
                    options,
                    self._windows,
                    sampling_rate=self._sampling_rate,
                )
        except TimeLimitError:
            raise
        except Exception as error:  # onnxruntime raises a dozen kinds
            return reason_of(error, f"{what} by the model from {self._origin}")

    def _require_same(
        self, first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]
    ) -> None:
        for name, value in first.items():
            if not np.allclose(value, second[name], rtol=REPEATED, atol=REPEATED, equal_nan=True):
                raise InputError(
                    f"The model from {self._origin} gives another {name} when it is run again on"
                    " the same signal: export it without dropout and other random operations"
                    " (model.eval() in PyTorch)."
                )

    def _read(self, path: Path) -> Mapping[str, np.ndarray]:
        try:
            if path.stat().st_size > MAX_REFERENCE_BYTES:
                raise ValueError("it is too large")
            with np.load(path, allow_pickle=False) as file:
                return {str(name): file[name] for name in file.files}
        except Exception as error:  # numpy and zipfile raise a dozen kinds
            raise InputError(
                f"The file {path.name} of the model from {self._origin} cannot be read"
                f" ({' '.join(str(error).split())[:200]}): write it with numpy.savez."
            ) from error

    def _require_agreement(
        self, name: str, number: int, value: np.ndarray, expected: np.ndarray
    ) -> None:
        value, expected = np.ravel(value), np.ravel(expected)
        if value.shape != expected.shape:
            raise InputError(
                f"The output {name} of the model from {self._origin} has {value.size} numbers for"
                f" signal_{number}, but the reference {expected.size}: correct the reference."
            )
        furthest = float(np.abs(value - expected).max())
        if not furthest <= AGREEMENT * max(1.0, float(np.abs(expected).max())):
            raise InputError(
                f"The output {name} of the model from {self._origin} differs by {furthest:.2g} from"
                f" the reference for signal_{number}: check the normalisation, the weights and the"
                " export."
            )
