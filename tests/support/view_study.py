"""Six utterances, scores of models and slices for the tests of the interactive view."""

import json

import numpy as np
import pandas as pd
from voxslice.classes import Classes
from voxslice.report.spotlight import tables
from voxslice.report.spotlight.tables import select
from voxslice.scores.scores import score_classes
from voxslice.slices.table import SLICE_COLUMNS
from voxslice.task import Task
from voxslice.utterance_keys import KEY

COUNT = 6


def make_metadata(**columns):
    """Six utterances with metadata."""
    metadata = pd.DataFrame(
        {
            "file": [f"wav/{i}.wav" for i in range(COUNT)],
            "start": 0.0,
            "end": 1.0,
            "duration": 1.0,
            "gender": pd.Categorical(["male", "female"] * 3, categories=["male", "female"]),
            "known": [True, False, None] * 2,
        }
    )
    return metadata.assign(**columns)


def class_scores(metadata, classes, wrong=()):
    """Scores of a model with the given classes, wrong on the given rows."""
    predictions = metadata[KEY].copy()
    other = {"male": "female", "female": "male"}
    predicted = [
        other[label] if i in wrong else label
        for i, label in enumerate(metadata["gender"].astype(str))
    ]
    for name in classes:
        predictions[name] = [3.0 if name == one else 0.0 for one in predicted]
    return score_classes(
        predictions, metadata["gender"], classes=classes, task=Classes(["female", "male"])
    )


def make_table(metadata, scores, **changes):
    settings = {
        "task": Task("classification"),
        "audio": "../../../../resources/made/audio",
        "embedding": None,
        "seed": 0,
    }
    rows, _ = select(metadata, scores, max_rows=1000, seed=0)
    settings["files"] = rows["file"]
    return tables.make_table(rows, scores, **{**settings, **changes})


def make_slice(rows, **columns):
    row = dict.fromkeys(SLICE_COLUMNS, np.nan) | {
        "finder": "subgroups", "search": "metadata",
        "slice": "abc", "rule": "gender = male", "support": len(rows), "speakers": 2,
        "value": 0.5, "rest": 0.9, "drop": 0.4, "confirmed": False,
    }  # fmt: skip
    table = pd.DataFrame([row | columns])
    metadata = make_metadata()
    return table, metadata.loc[rows, KEY].assign(slice=table["slice"].iloc[0])


def make_modes(rows, slices=("abc",), mode="1", models=("a",), **columns):
    """A mode of the given rows that holds slices of models: table, members and links."""
    keys = make_metadata().loc[rows, KEY]
    table = pd.DataFrame(
        [
            {"mode": mode, "model": model, "name": "male", "rule": "gender = male",
             "support": len(rows), "speakers": 2, "value": 0.5, "rest": 0.9, "confirmed": True,
             "evidence": "within speakers", "share_of_errors": 0.75, "share_of_utterances": 0.5,
             "confusion": np.nan} | columns
            for model in models
        ],
        columns=None if models else ["mode", "model", "name", "confirmed"],
    )  # fmt: skip
    links = [
        {"mode": mode, "model": model, "search": "metadata", "slice": name, "share": 1.0}
        for model in models
        for name in slices
    ]
    columns = ["mode", "model", "search", "slice", "share"]
    return table, keys.assign(mode=mode), pd.DataFrame(links, columns=columns)


NO_MODES = make_modes([0], slices=[], models=[], mode="none")
"""Tables of a study without failure modes."""


def widgets(layout):
    """All widgets of a layout as (type, config)."""
    found = []

    def walk(node):
        if node.get("kind") == "widget":
            config = dict(node["config"] or {})
            if node["type"] == "inspector":
                config.pop("visibleColumns")  # here it is a count
            found.append((node["type"], config))
        for child in node.get("children") or []:
            walk(child)

    walk(json.loads(layout.model_dump_json(by_alias=True)))
    return found
