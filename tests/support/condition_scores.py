"""Scores of two models on clean audio and in conditions, as tables in memory."""

import numpy as np
import pandas as pd

KEY = ["file", "start", "end"]
CONDITIONS = ["phone", "noise", "quiet"]


def metadata(speakers=10, utterances=40, seed=0):
    """Metadata of speakers, the first half of them women."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(speakers), utterances)
    return pd.DataFrame(
        {
            "file": [f"{number:04}.wav" for number in range(len(who))],
            "start": 0.0,
            "end": 1.0,
            "speaker": [f"s{number:02}" for number in who],
            "gender": np.where(who < speakers // 2, "female", "male"),
            "emotion": rng.choice(["anger", "calm", "joy"], len(who)),
        }
    )


def classification(table, seed=0, accuracies=None):
    """Scores by model and condition: `phone` turns women into men, `quiet` changes nothing."""
    rng = np.random.default_rng(seed)
    label = table["gender"].to_numpy(object)
    other = np.where(label == "male", "female", "male")
    scores = {}
    for model, accuracy in (accuracies or {"small": 0.85, "big": 0.95}).items():
        right = rng.random(len(table)) < accuracy
        noisy = np.where(rng.random(len(table)) < 0.1, rng.random(len(table)) < 0.5, right)
        of_condition = {
            "clean": right,
            "phone": right & (label == "male"),
            "noise": noisy.astype(bool),
            "quiet": right,
        }
        scores[model] = {
            name: table[KEY].assign(
                label=label, prediction=np.where(ok, label, other), loss=(~ok).astype(float)
            )
            for name, ok in of_condition.items()
        }
    return scores


def regression(table, seed=0):
    """Scores of a model of the age: `phone` makes women ten years older, `noise` is random."""
    rng = np.random.default_rng(seed)
    label = 20.0 + table["speaker"].str[1:].astype(int).to_numpy()
    clean = label + rng.normal(0, 3, len(table))
    of_condition = {
        "clean": clean,
        "phone": clean + 10 * (table["gender"] == "female").to_numpy(),
        "noise": clean + rng.normal(0, 1, len(table)),
        "quiet": clean,
    }
    return {
        "small": {
            name: table[KEY].assign(
                label=label, prediction=prediction, loss=np.abs(prediction - label)
            )
            for name, prediction in of_condition.items()
        }
    }
