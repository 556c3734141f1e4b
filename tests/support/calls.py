"""Recordings of several utterances of synthetic voices, whose times are known."""

from functools import cache

import numpy as np
from voxslice.demo.corpus import SENTENCES
from voxslice.demo.speech import SAMPLING_RATE, Utterance, synthesise
from voxslice.demo.voices import STYLES, training_voices


@cache
def utterances(number=6):
    """Synthesise utterances of different voices, without silence around them."""
    voices, texts = training_voices(2, seed=0), list(SENTENCES.values())
    spoken = (
        Utterance(texts[index % len(texts)], voices[index % len(voices)], STYLES["neutral"])
        for index in range(number)
    )
    signals = []
    for signal in synthesise(spoken, seed=0):
        loud = np.flatnonzero(np.abs(signal) > 0.005)
        signals.append(signal[loud[0] : loud[-1] + 1])
    return signals


def call(pauses, signals=None):
    """Join utterances, each after a pause in seconds, and end with another pause of 1 s.

    Returns:
        the signal with faint noise, and an array with start and end of each utterance in seconds
    """
    signals = utterances(len(pauses)) if signals is None else signals
    parts, times, passed = [], [], 0.0
    for pause, signal in zip(pauses, signals, strict=True):
        parts += [np.zeros(round(pause * SAMPLING_RATE), np.float32), signal]
        start = passed + pause
        passed = start + len(signal) / SAMPLING_RATE
        times.append((start, passed))
    parts.append(np.zeros(SAMPLING_RATE, np.float32))
    whole = np.concatenate(parts)
    faint = 1e-4 * np.random.default_rng(0).standard_normal(len(whole))
    return (whole + faint).astype(np.float32), np.array(times)
