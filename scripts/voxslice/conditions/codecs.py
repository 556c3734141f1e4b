"""Codecs that encode and decode a signal in memory, with libsndfile and FFmpeg."""

import functools
import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import audresample
import av
import numpy as np
import soundfile

from voxslice.conditions.convolution import convolved
from voxslice.conditions.effects import fitted
from voxslice.conditions.noises import shaped_noise

TELEPHONE_RATE = 8000
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
FULL_RATE = 48000
"""Sampling rate in Hz for signals whose own rate a codec does not have."""
OPUS_KBPS = (6, 256)
"""Lowest and highest bit rate of Opus for one channel."""
OPUS_WIDE_KBPS = 9
"""Bit rate from which Opus keeps frequencies above 4 kHz. Below, encoding at 8 kHz is faster."""
MP3_KBPS = {16000: (8, 64), 32000: (8, 160), FULL_RATE + 1: (32, 320)}
"""Bit rates of MP3 by the sampling rate that the signal is below."""
VORBIS_STEPS = 12
"""Halvings of the range of compression levels in the search for the bit rate of Vorbis."""
TEST_SECONDS = 0.5
"""Duration of the noise by which the delay of a codec is measured."""


@dataclass(frozen=True)
class Encoding:
    """How libsndfile encodes a signal.

    Attributes:
        format: format of the file
        subtype: encoding of the samples
        rate: sampling rate in Hz at which the signal is encoded
        settings: further settings of `soundfile.write`
    """

    format: str
    subtype: str
    rate: int
    settings: Mapping[str, float | str] = field(default_factory=dict)

    def encoded(self, signal: np.ndarray) -> bytes:
        """Encode a signal.

        Args:
            signal: shape (samples,), at the sampling rate of the encoding

        Returns:
            content of the encoded file
        """
        file = io.BytesIO()
        soundfile.write(
            file, signal, self.rate, format=self.format, subtype=self.subtype, **self.settings
        )
        return file.getvalue()


@dataclass(frozen=True)
class OpusEncoding:
    """How FFmpeg encodes a signal with Opus, in a quarter of the time that libsndfile needs.

    Attributes:
        rate: sampling rate in Hz at which the signal is encoded
        kbps: bit rate in kbit/s
    """

    rate: int
    kbps: float

    def encoded(self, signal: np.ndarray) -> bytes:
        """Encode a signal.

        Args:
            signal: float32 of shape (samples,), at the sampling rate of the encoding

        Returns:
            content of the encoded file
        """
        file = io.BytesIO()
        # without the option, the file would have a random number
        with av.open(file, "w", format="ogg", options={"fflags": "bitexact"}) as container:
            stream = container.add_stream("libopus", rate=self.rate, layout="mono")
            stream.codec_context.format = "flt"
            stream.codec_context.bit_rate = round(1000 * self.kbps)
            samples = np.asarray(signal, np.float32)[np.newaxis]
            frame = av.AudioFrame.from_ndarray(samples, format="flt", layout="mono")
            frame.sample_rate = self.rate
            container.mux([*stream.encode(frame), *stream.encode(None)])
        return file.getvalue()


def through_codec(
    signal: np.ndarray, rate: int, codec: str, kbps: float | None = None
) -> np.ndarray:
    """Encode and decode a signal, as a telephone or a compressed recording does.

    Args:
        signal: float32 of shape (samples,), not empty; values beyond 1 are clipped
        rate: sampling rate in Hz
        codec: `g711` (mu-law), `gsm` (GSM 06.10), `opus`, `mp3` or `vorbis`
        kbps: bit rate of the last three in kbit/s. The nearest bit rate that the codec has at the
            sampling rate is used

    Returns:
        float32 of shape (samples,), at the same sampling rate and without delay
    """
    encoding = _encoding(codec, kbps, rate)
    sent = audresample.resample(signal.clip(-1, 1)[np.newaxis], rate, encoding.rate)[0]
    decoded = _decoded(encoding.encoded(sent.clip(-1, 1)))
    received = fitted(decoded[_delay(codec, kbps, rate) :], len(sent))
    back = audresample.resample(received[np.newaxis], encoding.rate, rate)[0]
    return fitted(back, len(signal))


@functools.cache
def _encoding(codec: str, kbps: float | None, rate: int) -> Encoding | OpusEncoding:
    """The encoding of a signal of a sampling rate."""
    if codec == "g711":
        return Encoding("WAV", "ULAW", TELEPHONE_RATE)
    if codec == "gsm":
        return Encoding("WAV", "GSM610", TELEPHONE_RATE)
    if kbps is None:
        raise ValueError(f"the codec {codec} needs a bit rate")
    if codec == "opus":
        own = rate if rate in OPUS_RATES else FULL_RATE
        own = TELEPHONE_RATE if kbps < OPUS_WIDE_KBPS else own
        return OpusEncoding(own, float(np.clip(kbps, *OPUS_KBPS)))
    if codec == "mp3":
        own = rate if rate in MP3_RATES else FULL_RATE
        limits = next(limits for below, limits in MP3_KBPS.items() if own < below)
        settings: dict[str, float | str] = {"bitrate_mode": "CONSTANT"}
        settings["compression_level"] = _level(kbps, *limits)
        return Encoding("MP3", "MPEG_LAYER_III", own, settings)
    own = rate if 8000 <= rate <= FULL_RATE else FULL_RATE
    return Encoding("OGG", "VORBIS", own, {"compression_level": _vorbis_level(kbps, own)})


def _decoded(content: bytes) -> np.ndarray:
    """Decode a file as float32. The codec may have delayed or extended the signal."""
    return soundfile.read(io.BytesIO(content), dtype="float32")[0]


def _level(kbps: float, lowest: float, highest: float) -> float:
    """Compression level for a bit rate: 0 for the highest, almost 1 for the lowest."""
    return float(np.clip((highest - kbps) / (highest - lowest), 0, 0.999))


def _vorbis_level(kbps: float, rate: int) -> float:
    """Compression level at which Vorbis states the bit rate in its header."""
    silence = np.zeros(rate // 100, np.float32)
    low, high = 0.0, 1.0
    for _ in range(VORBIS_STEPS):
        level = (low + high) / 2
        encoded = Encoding("OGG", "VORBIS", rate, {"compression_level": level}).encoded(silence)
        start = encoded.index(b"\x01vorbis") + 20  # after version, channels, rate and maximum
        (nominal,) = struct.unpack_from("<i", encoded, start)
        low, high = (level, high) if nominal > 1000 * kbps else (low, level)
    return (low + high) / 2


@functools.cache
def _delay(codec: str, kbps: float | None, rate: int) -> int:
    """Samples by which a codec delays a signal, at the sampling rate of its encoding."""
    encoding = _encoding(codec, kbps, rate)
    samples = round(TEST_SECONDS * encoding.rate)
    # low frequencies are those that every codec keeps
    noise = shaped_noise(
        samples, encoding.rate, np.array([1e3, 4e3]), np.array([1, 1e-6]), np.random.default_rng(0)
    )
    sent = 0.5 * noise / np.abs(noise).max()
    match = convolved(_decoded(encoding.encoded(sent)), sent[::-1])
    return max(0, int(match.argmax()) - (len(sent) - 1))
