"""What a condition does to the audio, in words."""

from collections.abc import Callable, Mapping
from typing import Any

from voxslice.report.numbers import MINUS

CODECS = {
    "g711": "the codec G.711 of the telephone",
    "gsm": "the codec GSM of mobile phones",
    "opus": "the codec Opus",
    "mp3": "MP3",
    "vorbis": "the codec Vorbis",
}
NOISES = {
    "white": "white noise",
    "pink": "pink noise",
    "speech-shaped": "noise with the spectrum of speech",
    "babble": "other speakers in the background",
}


def in_words(settings: Mapping[str, Any]) -> str:
    """Describe a condition.

    Args:
        settings: settings of the condition, as in the config

    Returns:
        such as `white noise, 10 dB below the speech`
    """
    [describe] = [words for kind, words in KINDS.items() if kind in settings]
    return describe(settings)


def _codec(settings: Mapping[str, Any]) -> str:
    rate = f" at {settings['kbps']:g} kbit/s" if "kbps" in settings else ""
    return CODECS[settings["codec"]] + rate


def _noise(settings: Mapping[str, Any]) -> str:
    noise, ratio = NOISES.get(settings["noise"], "recorded noise"), settings["snr"]
    if ratio == 0:
        return f"{noise}, as loud as the speech"
    return f"{noise}, {abs(ratio):g} dB {'below' if ratio > 0 else 'above'} the speech"


def _room(settings: Mapping[str, Any]) -> str:
    room = settings["room"]
    if isinstance(room, str):
        return "a room of which an impulse response was recorded"
    return f"a room with a reverberation time of {room:g} s"


def _gain(settings: Mapping[str, Any]) -> str:
    change = settings["gain"]
    return f"the level is changed by {MINUS if change < 0 else ''}{abs(change):g} dB"


def _clip(settings: Mapping[str, Any]) -> str:
    return f"{100 * settings['clip']:g} % of the samples are clipped"


def _band(settings: Mapping[str, Any]) -> str:
    low, high = settings["band"]
    return f"only frequencies from {low:,g} to {high:,g} Hz"


def _crop(settings: Mapping[str, Any]) -> str:
    return f"only the middle {settings['crop']:g} s"


KINDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "codec": _codec,
    "noise": _noise,
    "room": _room,
    "gain": _gain,
    "clip": _clip,
    "band": _band,
    "crop": _crop,
}
