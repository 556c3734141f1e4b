"""Inference: one pass of a model over utterances, all outputs at once."""

from collections.abc import Iterator
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

from voxslice.data.audio import read_audio, require_folder, resampled
from voxslice.data.file_names import locate
from voxslice.errors import InputError, MachineError, reason_of
from voxslice.files import whole, write_csv
from voxslice.inference.read_ahead import Room, read_ahead
from voxslice.models.install import label_columns, labels_of
from voxslice.models.sessions import load, run
from voxslice.models.time_limits import MAX_SECONDS, TimeLimitError, time_limit
from voxslice.utterance_keys import KEY
from voxslice.workload import room_mb, utterance_mb

BATCH = 1024
"""Utterances that are written at a time: their results, not their audio, are held in memory."""
MAX_STOPPED = 10
"""Utterances of a job that may exceed the time limit; one more ends the job."""


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


class Utterances:
    """Reads utterances and scores them with a model, or finds the reason why it cannot."""

    def __init__(
        self,
        model: audonnx.Model,
        audio: str | Path,
        sampling_rate: int,
        longest: float,
        room: Room,
        max_seconds: float,
    ) -> None:
        self._model = model
        self._room = room
        self._outputs = list(model.outputs)
        self._audio = Path(audio)
        self._sampling_rate = sampling_rate
        self._longest = longest
        self._max_seconds = max_seconds
        self._stopped = 0
        self._running: set[onnxruntime.RunOptions] = set()
        self._is_given_up = False

    def give_up(self) -> None:
        """Stop all computations that are running."""
        self._is_given_up = True
        for options in list(self._running):
            options.terminate = True

    def read(self, row: tuple[str, float, float]) -> Signal | str:
        """Read an utterance.

        Args:
            row: path relative to the audio folder, start and end in seconds

        Returns:
            the audio, or the reason why it cannot be read

        Raises:
            MachineError: if the machine is at fault, or if the folder is gone or empty
        """
        file, start, end = row
        try:
            audio = read_audio(locate(self._audio, file), start, end, self._longest)
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
                self._room.taken(utterance_mb(seconds)),
                time_limit(self._max_seconds, "The model") as options,
            ):
                self._running.add(options)
                if self._is_given_up:
                    raise InputError("the job was interrupted")
                try:
                    outputs = run(self._model, signal.samples, self._outputs, options)
                finally:
                    self._running.discard(options)
            vectors = {name: np.ravel(value) for name, value in outputs.items()}
            for name, vector in vectors.items():
                if not np.isfinite(vector).all():
                    raise InputError(f"the output {name} is not finite")
                if len(vector) != len(self._model.outputs[name].labels):
                    raise InputError(f"the output {name} is not one vector an utterance")
        except TimeLimitError as error:
            self._stopped += 1
            if self._stopped > MAX_STOPPED:  # a model that never ends would take years
                raise MachineError(
                    f"The model took longer than {self._max_seconds:g} s for each of"
                    f" {self._stopped} utterances: use another model or raise"
                    " limits.model_seconds."
                ) from error
            return str(error)
        except Exception as error:  # an utterance that the model refuses must not stop the others
            reason = reason_of(error, f"An utterance of {seconds:g} s")
            if isinstance(error, InputError):
                return reason
            return f"the model fails on this utterance of {seconds:g} s ({reason})"
        return Score(vectors, signal.silence)


def predict(
    utterances: pd.DataFrame,
    *,
    audio: str | Path,
    model: str | Path,
    embedding_output: str,
    sampling_rate: int,
    threads: int,
    device: str,
    longest: float = inf,
    max_seconds: float = MAX_SECONDS,
    predictions: str | Path,
    failures: str | Path,
    silence: str | Path,
) -> None:
    """Score utterances with a model and write its predictions and what could not be scored.

    An utterance is computed on by itself: a batch would have to be padded, and models hear padding.

    Args:
        utterances: `file`, `start`, `end` (seconds), one row an utterance
        audio: folder that the files are relative to
        model: folder with model.onnx and model.yaml
        embedding_output: name of the output that becomes the column `embedding`
        sampling_rate: that the model expects, in Hz
        threads: utterances that are scored at the same time on the processor, or read for a GPU;
            the results do not depend on it
        device: `cpu` or `cuda`
        longest: seconds; an utterance that lasts longer is a failure, and its audio is not read
        predictions: Parquet file to write: the keys, one float32 column a label, and `embedding`
            where the model has that output
        failures: CSV file to write: the keys and `reason` of the utterances that are not scored
        silence: CSV file to write: the keys and `reason` of the scored utterances that are silent

    Raises:
        InputError: where two columns of the predictions would have the same name, or the device
            cannot be used
        MachineError: where the machine is at fault that an utterance could not be scored
    """
    # One session and one thread an utterance, several utterances at a time. Of wav2vec 2.0 with six
    # layers on two cores, two threads inside of the operators are as fast on a quiet machine, but
    # take 1.3 to 1.8 times the processor's time on a busy one, and most where utterances are short;
    # a session for each core, as shards side by side have it, is no faster, with the weights twice.
    loaded = load(model, threads=1, device=device)
    labels = labels_of(loaded)
    columns = label_columns(labels, embedding_output)
    schema = _schema(columns, len(labels[embedding_output]) if embedding_output in labels else None)
    rows = zip(*(utterances[name] for name in KEY), strict=True)
    workers = 1 if device == "cuda" else threads
    # long ones take turns, so that the job keeps to the memory that its rule asks for
    durations = (utterances["end"] - utterances["start"]).clip(upper=longest)
    room = Room(room_mb(durations.max() if len(durations) else 0, threads=workers))
    score = Utterances(loaded, audio, sampling_rate, longest, room, max_seconds)
    failed: list[dict] = []
    silent: list[dict] = []
    with (
        whole(predictions) as temporary,
        pq.ParquetWriter(temporary, schema) as writer,
        closing(
            read_ahead(
                score.read,
                score.compute,
                rows,
                readers=threads,
                workers=workers,
                give_up=score.give_up,
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
            writer.write_table(_table(keys[good], scored, columns, embedding_output, schema))
    for rows_found, path in ((failed, failures), (silent, silence)):
        write_csv(pd.DataFrame(rows_found, columns=[*KEY, "reason"]), path)


def _batches(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(table), BATCH):
        yield table.iloc[start : start + BATCH]


def _schema(columns: dict[str, list[str]], dimensions: int | None) -> pa.Schema:
    fields = [("file", pa.string()), ("start", pa.float64()), ("end", pa.float64())]
    fields += [(label, pa.float32()) for labels in columns.values() for label in labels]
    if dimensions is not None:
        fields.append(("embedding", pa.list_(pa.float32(), dimensions)))
    return pa.schema(fields)


def _table(
    keys: pd.DataFrame,
    scored: list[dict[str, np.ndarray]],
    columns: dict[str, list[str]],
    embedding_output: str,
    schema: pa.Schema,
) -> pa.Table:
    arrays = [pa.array(keys[name]) for name in KEY]
    for output, labels in columns.items():
        for position in range(len(labels)):
            values = np.array([row[output][position] for row in scored], dtype=np.float32)
            arrays.append(pa.array(values))
    if "embedding" in schema.names:
        dimensions = schema.field("embedding").type.list_size
        flat = np.array([row[embedding_output] for row in scored], dtype=np.float32).reshape(-1)
        arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), dimensions))
    return pa.Table.from_arrays(arrays, schema=schema)
