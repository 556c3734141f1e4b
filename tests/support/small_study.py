"""A study that runs in seconds: short noises of four speakers, two tiny models, two tasks."""

import itertools
import shutil
import zipfile

import numpy as np
import pandas as pd
from small_inputs import noise, write_audio, write_model
from snakemake_cli import ROOT

GENDER = {
    "type": "classification",
    "target": "gender",
    "output": "logits_gender",
    "labels": ["female", "male"],
    "min_drop": 0.1,
}
"""A task for models of `small_inputs.write_model`."""


def copy_workflow(folder):
    """Copy what Snakemake runs, so that a test may edit it."""
    for name in ("rules", "scripts", "config", "profiles", "envs", "workflow"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")
    return folder


def write_data(folder, *, utterances=6):
    """Write audio and a table of four speakers; return the dataset of a config."""
    rows = []
    speakers = [("a", "female", 30), ("b", "male", 40), ("c", "female", 50), ("d", "male", 60)]
    for seed, (speaker, number) in enumerate(itertools.product(speakers, range(utterances))):
        name, gender, age = speaker
        file = f"{name}{number}.wav"
        # models answer by loudness, so they are right on some of the files
        write_audio(folder / "audio" / file, noise(0.3, seed=seed) * np.float32(0.2 + number / 9))
        emotion = ["anger", "neutral"][number % 2]
        rows.append([file, name, gender, age, emotion, number])
    columns = ["file", "speaker", "gender", "age", "emotion", "take"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "voices.csv", index=False)
    return {
        "csv": {"path": str(folder / "voices.csv"), "audio": str(folder / "audio")},
        "columns": {name: {"column": name} for name in columns[1:]},
        "license": "CC0-1.0",
    }


def write_models(folder, names=("first", "second")):
    """Write archives of tiny models; return the models of a config."""
    models = {}
    for name in names:
        source = write_model(folder / name)
        archive = folder / f"{name}.zip"
        with zipfile.ZipFile(archive, "w") as file:
            for part in ("model.onnx", "model.yaml"):
                file.write(source / part, f"{name}/{part}")
        models[name] = {"url": archive.as_uri(), "tasks": ["gender", "age"], "license": "MIT"}
    return models


def study_config(folder):
    """Write data and models into a folder and return the config of a study of them."""
    return {
        "resamples": 200,
        "costs": {"durations": [0.3], "repetitions": 1, "seconds": 0},
        "datasets": {"voices": write_data(folder)},
        "models": write_models(folder),
        "tasks": {
            "gender": {**GENDER},
            "age": {
                "type": "regression",
                "target": "age",
                "output": "logits_age",
                "unit": "years",
                "min_drop": 5,
            },
        },
        "searches": {
            "metadata": {
                "finder": "subgroups",
                "features": ["gender", "emotion", "take"],
                "min_support": 3,
            }
        },
    }
