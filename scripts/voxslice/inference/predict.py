"""Run a model on utterances: all outputs that the study reads, in one pass."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from math import inf
from pathlib import Path
from typing import NamedTuple

import audonnx
import numpy as np
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from voxslice.data.audio import Audio, read_audio, require_folder, resampled
from voxslice.data.file_names import locate
from voxslice.errors import InputError, MachineError, reason_of
from voxslice.files import whole, write_csv
from voxslice.inference.read_ahead import MemoryBudget, read_ahead
from voxslice.models.install import labels_of
from voxslice.models.outputs import label_columns, unfit
from voxslice.models.sessions import load, run, windows_of
from voxslice.models.time_limits import MAX_SECONDS, TimeLimitError, time_limit
from voxslice.models.windows import Windows
from voxslice.utterance_keys import KEY
from voxslice.workload import room_mb, utterance_mb

BATCH = 1024
"""Utterances that are written together. Their results are held in memory, but not their audio."""
MAX_STOPPED = 10
"""Utterances of a job that may exceed the time limit; one more ends the job."""


Row = tuple[str, float, float]
"""Key of an utterance: file, start and end in seconds."""


class Signal(NamedTuple):
    """Audio of one utterance.

    Attributes:
        samples: float32 of shape (1, samples), at the sampling rate of the model
        silence: why it is silent, see `voxslice.data.audio.Audio`
    """

    samples: np.ndarray
    silence: str


class Score(NamedTuple):
    """Outputs of the model on one utterance.

    Attributes:
        vectors: one vector per output, by the name of the output
        silence: why the utterance is silent, see `voxslice.data.audio.Audio`
    """

    vectors: dict[str, np.ndarray]
    silence: str


class Scorer:
    """Read utterances and run a model on them. Failures are returned as reasons in text."""

    def __init__(
        self,
        model: audonnx.Model,
        outputs: Sequence[str],
        *,
        audio: str | Path,
        sampling_rate: int,
        longest: float,
        max_seconds: float,
        memory: MemoryBudget,
        windows: Windows | None = None,
        change: Callable[[Audio, Row], Audio] | None = None,
    ) -> None:
        self._windows = windows
        self._change = change
        self._model = model
        self._sizes = {name: len(model.outputs[name].labels) for name in outputs}
        self._audio = Path(audio)
        self._sampling_rate = sampling_rate
        self._longest = longest
        self._max_seconds = max_seconds
        self._memory = memory
        self._stopped = 0
        self._running: set[onnxruntime.RunOptions] = set()
        self._is_given_up = False

    def give_up(self) -> None:
        """Stop all computations that are running."""
        self._is_given_up = True
        for options in list(self._running):
            options.terminate = True

    def read(self, row: Row) -> Signal | str:
        """Read the audio of an utterance, and change it if the model is run in a condition.

        Args:
            row: Path relative to the audio folder, start and end in seconds.

        Returns:
            the audio, or the reason why it cannot be read

        Raises:
            MachineError: if the machine is at fault, or if the folder is missing or empty
        """
        file, start, end = row
        try:
            audio = read_audio(locate(self._audio, file), start, end, self._longest)
            if self._change is not None:
                audio = self._change(audio, row)
            return Signal(resampled(audio, self._sampling_rate), audio.silence)
        except Exception as error:  # a broken file must not stop the others
            require_folder(self._audio)
            return reason_of(error, file)

    def compute(self, signal: Signal | str) -> Score | str:
        """Score an utterance.

        Args:
            signal: what `read` returned

        Returns:
            the outputs of the model, or the reason why there are none

        Raises:
            MachineError: if the machine is at fault
        """
        if isinstance(signal, str):
            return signal
        seconds = signal.samples.shape[1] / self._sampling_rate
        try:
            with (
                self._memory.reserve(utterance_mb(seconds)),
                time_limit(self._max_seconds, "The model") as options,
            ):
                self._running.add(options)
                if self._is_given_up:
                    raise InputError("the job was interrupted")
                try:
                    outputs = run(
                        self._model,
                        signal.samples,
                        list(self._sizes),
                        options,
                        self._windows,
                        sampling_rate=self._sampling_rate,
                    )
                finally:
                    self._running.discard(options)
            for name, value in outputs.items():
                reason = unfit(name, value, self._sizes[name])
                if reason:
                    raise InputError(reason)
                if not np.isfinite(value).all():
                    raise InputError(f"the output {name} is not finite")
        except TimeLimitError as error:
            self._stopped += 1
            if self._stopped > MAX_STOPPED:  # a model that never ends would take years
                raise MachineError(
                    f"The model took longer than {self._max_seconds:g} s for each of"
                    f" {self._stopped} utterances: use another model or raise"
                    " limits.model_seconds."
                ) from error
            return str(error)
        except Exception as error:  # one utterance must not stop the others
            reason = reason_of(error, f"An utterance of {seconds:g} s")
            if isinstance(error, InputError):
                return reason
            return f"the model fails on this utterance of {seconds:g} s ({reason})"
        vectors = {name: np.ravel(value) for name, value in outputs.items()}
        return Score(vectors, signal.silence)


def predict(
    utterances: pd.DataFrame,
    *,
    audio: str | Path,
    model: str | Path,
    outputs: Sequence[str] | None = None,
    embedding_output: str | None,
    sampling_rate: int,
    threads: int,
    device: str,
    longest: float = inf,
    max_seconds: float = MAX_SECONDS,
    change: Callable[[Audio, Row], Audio] | None = None,
    predictions: str | Path,
    failures: str | Path,
    silence: str | Path,
) -> None:
    """Run a model on utterances, and write its predictions and the utterances that failed.

    Each utterance is computed alone: in a batch it would have to be padded, which changes the
    predictions of models.

    Args:
        utterances: `file`, `start` and `end` (seconds), one row per utterance.
        audio: Folder that the files are relative to.
        model: Folder with model.onnx and model.yaml.
        outputs: Names of the outputs whose labels become columns. None for all outputs but the
            embedding.
        embedding_output: Name of the output that becomes the column `embedding`. None, or a name
            that the model does not have, for no such column.
        sampling_rate: Sampling rate that the model expects, in Hz.
        threads: Number of utterances that are read and computed at the same time. The results do
            not depend on it.
        device: `cpu` or `cuda`.
        longest: Longest utterance in seconds. A longer one is a failure, and its audio is not read.
        max_seconds: Longest time to compute one utterance, in seconds.
        change: Function that changes the audio of an utterance before it is resampled; several
            threads call it at the same time. None for the audio as it is.
        predictions: Parquet file to write: the keys, one float32 column per label, and `embedding`.
        failures: CSV file to write: the keys and `reason`.
        silence: CSV file to write: the keys and `reason` of the scored utterances that are silent.

    Raises:
        InputError: Two columns of the predictions would have the same name, or the device cannot be
            used.
        MachineError: The machine failed while an utterance was computed.
    """
    # One session with one thread per utterance, and several utterances at a time. For wav2vec 2.0
    # with six layers on two cores, two threads inside of the operators are as fast on a quiet
    # machine. On a busy machine they take 1.3 to 1.8 times the processor time, most for short
    # utterances. One session per core is no faster and needs memory for the weights twice.
    # On an H200, four utterances at a time take 0.4 of the time of one at a time (docs/gpu.md).
    loaded = load(model, threads=1, device=device)
    labels = labels_of(loaded)
    if outputs is None:
        outputs = [name for name in labels if name != embedding_output]
    columns = {name: labels[name] for name in outputs}
    embedding = embedding_output if embedding_output in labels else None
    dimensions = len(labels[embedding]) if embedding is not None else None
    schema = _schema(label_columns(columns, Path(model).name), dimensions)
    rows = zip(*(utterances[name] for name in KEY), strict=True)
    # long utterances take turns, so that the job needs no more memory than its rule requests
    durations = (utterances["end"] - utterances["start"]).clip(upper=longest)
    budget = room_mb(durations.max() if len(durations) else 0, threads=threads)
    scorer = Scorer(
        loaded,
        list(dict.fromkeys([*outputs, *([embedding] if embedding is not None else [])])),
        audio=audio,
        sampling_rate=sampling_rate,
        longest=longest,
        max_seconds=max_seconds,
        memory=MemoryBudget(budget),
        windows=windows_of(model),
        change=change,
    )
    failed: list[dict] = []
    silent: list[dict] = []
    with (
        whole(predictions) as temporary,
        pq.ParquetWriter(temporary, schema) as writer,
        closing(
            read_ahead(
                scorer.read,
                scorer.compute,
                rows,
                readers=threads,
                workers=threads,
                give_up=scorer.give_up,
            )
        ) as stream,
        tqdm(total=len(utterances), desc=Path(model).name, unit="utterance") as progress,
    ):
        for keys in _batches(utterances[KEY]):
            results = []
            for result in islice(stream, len(keys)):
                results.append(result)
                progress.update()
            scored = []
            good = []
            for key, result in zip(keys.to_dict(orient="records"), results, strict=True):
                good.append(isinstance(result, Score))
                if isinstance(result, str):
                    failed.append({**key, "reason": result})
                    continue
                scored.append(result.vectors)
                if result.silence:
                    silent.append({**key, "reason": result.silence})
            writer.write_table(_table(keys[good], scored, columns, embedding, schema))
    for rows_found, path in ((failed, failures), (silent, silence)):
        write_csv(pd.DataFrame(rows_found, columns=[*KEY, "reason"]), path)


def _batches(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Parts of a table of at most `BATCH` rows."""
    for start in range(0, len(table), BATCH):
        yield table.iloc[start : start + BATCH]


def _schema(columns: Sequence[str], dimensions: int | None) -> pa.Schema:
    """Schema of the predictions: keys, one column per label, and the embedding if it is read."""
    fields = [("file", pa.string()), ("start", pa.float64()), ("end", pa.float64())]
    fields += [(label, pa.float32()) for label in columns]
    if dimensions is not None:
        fields.append(("embedding", pa.list_(pa.float32(), dimensions)))
    return pa.schema(fields)


def _table(
    keys: pd.DataFrame,
    vectors: Sequence[Mapping[str, np.ndarray]],
    columns: Mapping[str, Sequence[str]],
    embedding: str | None,
    schema: pa.Schema,
) -> pa.Table:
    """Predictions of some utterances, one vector per output and utterance."""
    arrays = [pa.array(keys[name]) for name in KEY]
    for output, labels in columns.items():
        for position in range(len(labels)):
            values = np.array([row[output][position] for row in vectors], dtype=np.float32)
            arrays.append(pa.array(values))
    if embedding is not None:
        dimensions = schema.field("embedding").type.list_size
        flat = np.array([row[embedding] for row in vectors], dtype=np.float32).reshape(-1)
        arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), dimensions))
    return pa.Table.from_arrays(arrays, schema=schema)
