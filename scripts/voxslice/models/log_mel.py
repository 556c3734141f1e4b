"""Log-mel features of feature extractors of transformers, as nodes of a graph.

The graph of such a model starts at the features. Their computation is in a config file beside it.
The nodes compute in 64 bits, because the logarithm of a quiet band shows the rounding errors of a
loud one in 32 bits. The features agree with those of transformers to 1e-4.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import ceil, log
from typing import Any

import librosa
import numpy as np
import onnx
from onnx import TensorProto, helper

from voxslice.errors import InputError
from voxslice.models.graph_edits import GraphEditor

SIGNAL = "input_values"
"""Name of the input for the signal that replaces the input for the features."""
KALDI_RATE = 16000
"""Sampling rate in Hz for which the features of Kaldi are computed here."""
KALDI_FRAME, KALDI_HOP, KALDI_FFT = 400, 160, 512
"""Samples of a frame (25 ms), from frame to frame (10 ms), and of its Fourier transform."""
KALDI_LOWEST = 20
"""Lowest frequency of the mel filters of Kaldi, in Hz."""
PREEMPHASIS = 0.97
"""Part of the sample before that Kaldi subtracts from each sample of a frame."""
MAX_FRAMES = 100_000
"""Most frames of a feature extractor: 1,000 s."""


@dataclass(frozen=True)
class Whisper:
    """Settings of the feature extractor of Whisper, as in preprocessor_config.json."""

    feature_size: int = 80
    sampling_rate: int = 16000
    hop_length: int = 160
    chunk_length: int = 30
    n_fft: int = 400
    padding_value: float = 0.0
    dither: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Bands and frames of the features."""
        return self.feature_size, self.chunk_length * self.sampling_rate // self.hop_length

    @property
    def seconds(self) -> float:
        """Duration of the audio that the features cover."""
        return self.chunk_length


@dataclass(frozen=True)
class SpectrogramTransformer:
    """Settings of the feature extractor of AST, as in preprocessor_config.json."""

    num_mel_bins: int = 128
    max_length: int = 1024
    sampling_rate: int = KALDI_RATE
    do_normalize: bool = True
    mean: float = -4.2677393
    std: float = 4.5689974

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and bands of the features."""
        return self.max_length, self.num_mel_bins

    @property
    def seconds(self) -> float:
        """Duration of the audio that the features cover."""
        return ((self.max_length - 1) * KALDI_HOP + KALDI_FRAME) / self.sampling_rate


Settings = Whisper | SpectrogramTransformer
EXTRACTORS: dict[str, type[Settings]] = {
    "WhisperFeatureExtractor": Whisper,
    "ASTFeatureExtractor": SpectrogramTransformer,
}
"""Settings by `feature_extractor_type` in preprocessor_config.json."""


def read_settings(extractor: Mapping[str, Any], origin: str) -> Settings | None:
    """Read the settings of a feature extractor that can become part of a graph.

    Args:
        extractor: Content of preprocessor_config.json.
        origin: Path or repository that the model came from, for messages.

    Returns:
        The settings, or None if the feature extractor computes no log-mel features, or others.

    Raises:
        InputError: A setting is not a number of the right kind, or is not supported.
    """
    name = str(extractor.get("feature_extractor_type"))
    if name not in EXTRACTORS:
        return None
    kind = EXTRACTORS[name]
    found = {field.name: extractor[field.name] for field in fields(kind) if field.name in extractor}
    for field in fields(kind):
        value = found.get(field.name, field.default)
        if isinstance(value, bool) != (field.type is bool) or not isinstance(value, int | float):
            raise _wrong(name, field.name, value, origin)
        if field.type is int and (not isinstance(value, int) or not 0 < value < 10**6):
            raise _wrong(name, field.name, value, origin)
    settings = kind(**found)
    if max(settings.shape) > MAX_FRAMES or min(settings.shape) < 1:
        raise _wrong(name, "chunk_length or max_length", max(settings.shape), origin)
    if isinstance(settings, Whisper):
        if settings.dither:  # it is random
            raise _wrong(name, "dither", settings.dither, origin)
        if settings.n_fft % 2:
            raise _wrong(name, "n_fft", settings.n_fft, origin)
    elif settings.sampling_rate != KALDI_RATE:
        raise _wrong(name, "sampling_rate", settings.sampling_rate, origin)
    elif settings.do_normalize and not settings.std:
        raise _wrong(name, "std", settings.std, origin)
    return settings


def _wrong(name: str, key: str, value: object, origin: str) -> InputError:
    return InputError(
        f"The preprocessor_config.json of the model from {origin} sets {key} of {name} to"
        f" {str(value)[:50]}, which cannot become part of the graph: use another model."
    )


def add_front_end(graph: onnx.ModelProto, settings: Settings, origin: str) -> None:
    """Let a model that takes log-mel features take a signal of any length instead.

    The duration that the features cover is printed, because the rest of an utterance is not used.

    Args:
        graph: Model with one input, which is changed in place.
        settings: What `read_settings` returned.
        origin: Path or repository that the model came from, for messages.

    Raises:
        InputError: The model takes other features.
    """
    stored = {tensor.name for tensor in graph.graph.initializer}
    inputs = [value for value in graph.graph.input if value.name not in stored]
    sizes = [entry.dim_value for entry in inputs[0].type.tensor_type.shape.dim] if inputs else []
    fits = len(sizes) == 3 and all(
        size in (0, wanted)  # 0 is a size of any value
        for size, wanted in zip(sizes, (1, *settings.shape), strict=True)
    )
    if len(inputs) != 1 or not fits:
        listed = ", ".join(f"{value.name} ({', '.join(_shape(value))})" for value in inputs)
        raise InputError(
            f"The model from {origin} has the inputs {listed}, but the feature extractor in its"
            f" preprocessor_config.json computes features of the shape {settings.shape}: export"
            " the model again, with its own preprocessor_config.json."
        )
    [value] = inputs
    editor = GraphEditor(graph, origin)
    features = editor.detach_input(value.name)
    value.CopyFrom(helper.make_tensor_value_info(SIGNAL, TensorProto.FLOAT, [1, "samples"]))
    if isinstance(settings, Whisper):
        found = _whisper(editor, settings)
    else:
        found = _kaldi(editor, settings)
    wide = editor.add("Unsqueeze", [found, _integers(editor, [0])])
    editor.add("Cast", [wide], features, to=TensorProto.FLOAT)
    editor.finish_input()
    print(
        f"The model uses the first {settings.seconds:g} s of an utterance. Set window to use all of"
        " longer ones."
    )


def _shape(value: onnx.ValueInfoProto) -> list[str]:
    """Sizes of the axes of an input, as text."""
    return [str(entry.dim_value or "any") for entry in value.type.tensor_type.shape.dim]


def _whisper(editor: GraphEditor, settings: Whisper) -> str:
    """Features of Whisper: (bands, frames), from a signal that is cut or extended to its length."""
    bands, frames = settings.shape
    size, half = settings.n_fft, settings.n_fft // 2
    signal = _of_length(
        editor, settings.chunk_length * settings.sampling_rate, settings.padding_value
    )
    edges = _integers(editor, [0, half, 0, half])
    signal = editor.add("Pad", [signal, edges], mode="reflect")
    window = np.hanning(size + 1)[:-1]
    filters = librosa.filters.mel(
        sr=settings.sampling_rate,
        n_fft=size,
        n_mels=bands,
        fmax=8000,
        dtype=np.float64,
    )
    kernel = window[:, None] * _fourier(size, size)
    mel = _mel_power(editor, signal, kernel, filters.T, frames, settings.hop_length)
    mel = editor.add("Max", [mel, editor.constant(np.array(1e-10))])
    mel = editor.add("Div", [editor.add("Log", [mel]), editor.constant(np.array(log(10)))])
    flat = editor.add("Reshape", [mel, _integers(editor, [-1])])
    loudest = editor.reduce("ReduceMax", flat, 0)
    quietest = editor.add("Sub", [loudest, editor.constant(np.array(8.0))])
    mel, four = editor.add("Max", [mel, quietest]), editor.constant(np.array(4.0))
    mel = editor.add("Div", [editor.add("Add", [mel, four]), four])
    return editor.add("Transpose", [mel], perm=[1, 0])


def _kaldi(editor: GraphEditor, settings: SpectrogramTransformer) -> str:
    """Features of AST: (frames, bands). Frames after the end of the signal are 0 before scaling."""
    frames, bands = settings.shape
    length = editor.add("Shape", [SIGNAL])
    samples = editor.add("Gather", [length, _integers(editor, [1])], axis=0)
    beyond = editor.add("Sub", [samples, _integers(editor, [KALDI_FRAME - KALDI_HOP])])
    whole = editor.add("Div", [beyond, _integers(editor, [KALDI_HOP])])
    inside = editor.add("Less", [_integers(editor, np.arange(frames)[:, None]), whole])

    # all that is done to a frame is linear: centring, preemphasis, window, Fourier transform
    centre = np.eye(KALDI_FRAME) - 1 / KALDI_FRAME
    emphasis = np.eye(KALDI_FRAME) - PREEMPHASIS * np.eye(KALDI_FRAME, k=1)
    emphasis[0, 0] -= PREEMPHASIS  # the sample before the first one counts as equal to it
    window = np.hanning(KALDI_FRAME)[:, None]
    kernel = centre @ emphasis @ (window * _fourier(KALDI_FRAME, KALDI_FFT))
    filters = _kaldi_filters(bands)
    signal = _of_length(editor, (frames + ceil(KALDI_FRAME / KALDI_HOP)) * KALDI_HOP, 0.0)
    mel = _mel_power(editor, signal, kernel, filters, frames, KALDI_HOP)
    floor = editor.constant(np.array(float(np.finfo(np.float32).eps)))
    mel = editor.add("Log", [editor.add("Max", [mel, floor])])
    mel = editor.add("Where", [inside, mel, editor.constant(np.array(0.0))])
    if not settings.do_normalize:
        return mel
    mel = editor.add("Sub", [mel, editor.constant(np.array(float(settings.mean)))])
    return editor.add("Div", [mel, editor.constant(np.array(2.0 * settings.std))])


def _kaldi_filters(bands: int) -> np.ndarray:
    """Triangles on the mel scale of Kaldi, of the shape (frequencies, bands)."""

    def mel(frequency: np.ndarray | float) -> np.ndarray:
        return 1127 * np.log1p(np.asarray(frequency) / 700)

    edges = np.linspace(mel(KALDI_LOWEST), mel(KALDI_RATE / 2), bands + 2)
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    own = mel(np.arange(KALDI_FFT // 2 + 1) * KALDI_RATE / KALDI_FFT)[:, None]
    rising, falling = (own - low) / (middle - low), (high - own) / (high - middle)
    return np.maximum(0, np.minimum(rising, falling))


def _fourier(size: int, length: int) -> np.ndarray:
    """Cosines and sines of the Fourier transform of a frame, of the shape (samples, 2 * bins)."""
    angles = 2 * np.pi * np.outer(np.arange(size), np.arange(length // 2 + 1)) / length
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def _of_length(editor: GraphEditor, samples: int, value: float) -> str:
    """The signal, cut or extended with a value to a number of samples."""
    zero, one, end = (_integers(editor, [number]) for number in (0, 1, samples))
    signal = editor.add("Slice", [SIGNAL, zero, end, one])
    own = editor.add("Gather", [editor.add("Shape", [signal]), one], axis=0)
    missing = editor.add("Sub", [end, own])
    edges = editor.add("Concat", [_integers(editor, [0, 0, 0]), missing], axis=0)
    return editor.add("Pad", [signal, edges, editor.constant(np.array(value, np.float32))])


def _mel_power(
    editor: GraphEditor,
    signal: str,
    kernel: np.ndarray,
    filters: np.ndarray,
    frames: int,
    hop: int,
) -> str:
    """Mel power of each frame, of the shape (frames, bands).

    Args:
        editor: Editor of the model.
        signal: Value of the shape (1, samples), which has at least the samples of the last frame.
        kernel: Real and imaginary parts of a frame's spectrum, (samples of a frame, 2 * bins).
        filters: Mel filters, (bins, bands).
        frames: Number of frames.
        hop: Samples from frame to frame.

    Returns:
        The name of the value, in 64 bits.
    """
    parts = ceil(len(kernel) / hop)  # a frame is so many hops, of which the last may be cut
    zero, one = _integers(editor, [0]), _integers(editor, [1])
    end = _integers(editor, [(frames + parts - 1) * hop])
    signal = editor.add("Slice", [signal, zero, end, one])
    signal = editor.add("Cast", [signal], to=TensorProto.DOUBLE)
    hops = editor.add("Reshape", [signal, _integers(editor, [frames + parts - 1, hop])])
    shifted = [
        editor.add(
            "Slice",
            [hops, _integers(editor, [part]), _integers(editor, [part + frames]), zero],
        )
        for part in range(parts)
    ]
    frame = editor.add("Concat", shifted, axis=1)
    kernel = np.pad(kernel, ((0, parts * hop - len(kernel)), (0, 0)))
    spectrum = editor.add("MatMul", [frame, editor.constant(kernel)])
    power = editor.add("Mul", [spectrum, spectrum])
    return editor.add("MatMul", [power, editor.constant(np.concatenate([filters, filters]))])


def _integers(editor: GraphEditor, values: Any) -> str:
    """Store integers of 64 bits, as ONNX wants them for shapes and positions."""
    return editor.constant(np.asarray(values, np.int64))
