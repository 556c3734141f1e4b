"""Voices and emotional styles of the embedded study, as numbers.

A voice in a style is written as an espeak-ng voice variant, a small text file
(https://github.com/espeak-ng/espeak-ng/blob/master/docs/voices.md). The values are chosen for this
study and checked by measurement; they are no norms. The direction and order of the emotional
changes (pitch, pitch range, rate, loudness) are those commonly reported for acted emotions, for
example in Scherer (2003), Vocal communication of emotion, Speech Communication 40(1-2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GENDERS = ("female", "male", "child")


@dataclass(frozen=True)
class Voice:
    """A synthetic voice.

    Attributes:
        name: Unique name; letters, digits and hyphens only.
        gender: One of `GENDERS`, which are female, male and child.
        age: Nominal age in years. A higher age makes a voice lower (through `pitch`), slower,
            rougher, less steady and duller.
        pitch: Lowest pitch of calm speech in Hz.
        tract: Formant frequencies in percent of the synthesiser's default (male) voice.
        breath: Strength of the breath noise, 0 to 10.
        temper: How strongly the voice expresses an emotion; 1 is as in `STYLES`.
    """

    name: str
    gender: str
    age: int
    pitch: float
    tract: float
    breath: int = 0
    temper: float = 1.0


@dataclass(frozen=True)
class Style:
    """How an emotion changes calm speech.

    Attributes:
        pitch: Factor on the pitch.
        span: Factor on the pitch range.
        rate: Factor on the speaking rate.
        volume: Factor on the amplitude.
        bright: Spectral balance, -1 (dull) to 1 (bright).
    """

    pitch: float = 1.0
    span: float = 1.0
    rate: float = 1.0
    volume: float = 1.0
    bright: float = 0.0


STYLES = {
    "anger": Style(pitch=1.50, span=1.4, rate=1.12, volume=1.5, bright=0.3),
    "boredom": Style(pitch=0.92, span=0.5, rate=0.80, volume=0.8, bright=-0.2),
    "disgust": Style(pitch=0.95, span=0.8, rate=0.88, volume=1.1, bright=0.1),
    "fear": Style(pitch=1.40, span=0.8, rate=1.30, volume=0.9, bright=0.0),
    "happiness": Style(pitch=1.30, span=1.8, rate=1.10, volume=1.3, bright=0.2),
    "neutral": Style(),
    "sadness": Style(pitch=0.88, span=0.6, rate=0.75, volume=0.6, bright=-0.4),
}

EVALUATION_VOICES = (
    Voice("1", "female", 21, pitch=165, tract=112, breath=2),
    Voice("2", "male", 23, pitch=98, tract=94),
    Voice("3", "female", 29, pitch=158, tract=115, breath=4, temper=1.1),
    Voice("4", "male", 31, pitch=94, tract=95, temper=0.9),
    Voice("5", "female", 38, pitch=152, tract=110, breath=1),
    Voice("6", "male", 42, pitch=94, tract=96, breath=1, temper=1.1),
    Voice("7", "female", 47, pitch=148, tract=113, breath=3, temper=0.9),
    Voice("8", "male", 55, pitch=90, tract=96),
    Voice("9", "female", 61, pitch=142, tract=111, breath=2),
    Voice("10", "male", 68, pitch=84, tract=99, breath=1),
    Voice("11", "female", 24, pitch=168, tract=115, breath=1),
    Voice("12", "male", 26, pitch=96, tract=93, temper=0.9),
    Voice("13", "female", 35, pitch=156, tract=115, temper=0.9),
    Voice("14", "male", 37, pitch=93, tract=96, breath=2, temper=0.9),
    Voice("15", "female", 40, pitch=151, tract=115, breath=1, temper=1.1),
    Voice("16", "male", 46, pitch=95, tract=97, breath=4, temper=0.9),
    Voice("17", "female", 44, pitch=160, tract=115, breath=2),
    Voice("18", "male", 51, pitch=97, tract=95, breath=2),
    Voice("19", "female", 33, pitch=158, tract=115, breath=4, temper=1.1),
    Voice("20", "male", 63, pitch=88, tract=98, temper=1.1),
)


def training_voices(per_gender: int, seed: int) -> list[Voice]:
    """Draw voices for training; none of them is an evaluation voice.

    Args:
        per_gender: Voices of each of the three genders.
        seed: Seed of the draw.

    Returns:
        `3 * per_gender` voices, named `female-0`, `male-0`, `child-0`, `female-1` and so on.
    """
    rng = np.random.default_rng(seed)
    voices = []
    for number in range(per_gender):
        for gender in GENDERS:
            # Ages are drawn stratified, because a few independent draws would leave gaps.
            share = (number + rng.uniform()) / per_gender
            age = 5 + 7 * share if gender == "child" else 20 + 50 * share
            middle, lowering = {"female": (153, 0.6), "male": (95, 0.4), "child": (235, 4.0)}[
                gender
            ]
            centre = {"female": 45, "male": 45, "child": 8.5}[gender]
            tract = {"female": (108, 117), "male": (93, 102), "child": (124, 134)}[gender]
            voices.append(
                Voice(
                    name=f"{gender}-{number}",
                    gender=gender,
                    age=round(age),
                    pitch=round(middle - lowering * (age - centre) + rng.uniform(-8, 8), 1),
                    tract=round(rng.uniform(*tract), 1),
                    breath=int(rng.integers(0, 5)),
                    temper=round(rng.uniform(0.85, 1.15), 2),
                )
            )
    return voices


def variant(voice: Voice, style: Style) -> str:
    """Write a voice in a style as an espeak-ng voice variant.

    Args:
        voice: Voice that speaks.
        style: Emotional style.

    Returns:
        Text of the variant file.
    """
    years = _years(voice)
    pitch = voice.pitch * style.pitch**voice.temper
    top = pitch * (1 + 0.44 * style.span**voice.temper)
    bright = style.bright * voice.temper - 0.6 * years
    high = round(voice.tract * (1 - 0.1 * years))
    formants = [f"formant {n} {voice.tract:.0f} 100 {100 + 30 * years:.0f}" for n in (1, 2, 3)]
    formants += [f"formant {n} {voice.tract:.0f} {high} 100" for n in (4, 5, 6)]
    lines = [
        "language variant",
        f"name {voice.name}",
        f"pitch {pitch:.0f} {top:.0f}",
        *formants,
        f"roughness {round(1 + 4 * years)}",
        f"flutter {round(2 + 10 * years)}",
        f"tone 600 170 1200 {135 * (1 + 0.3 * bright):.0f} 2000 {110 * (1 + 0.5 * bright):.0f}",
    ]
    if voice.breath:
        lines.append("breath 0" + f" {voice.breath}" * 7)
    return "\n".join(lines) + "\n"


def rate(voice: Voice, style: Style) -> int:
    """Speaking rate of a voice in a style.

    Args:
        voice: Voice that speaks; an old voice speaks about a quarter slower.
        style: Emotional style.

    Returns:
        Words per minute.
    """
    return round(185 * style.rate**voice.temper * (1 - 0.25 * _years(voice)))


def volume(voice: Voice, style: Style) -> int:
    """Volume of a voice in a style.

    Args:
        voice: Voice that speaks.
        style: Emotional style.

    Returns:
        Volume of the synthesiser, whose default is 100.
    """
    return round(32 * style.volume**voice.temper)


def _years(voice: Voice) -> float:
    """Map the ages from 20 to 70 years to 0 to 1. A child gets 0."""
    return float(np.clip((voice.age - 20) / 50, 0, 1))
