"""Small studies for the tests of the report, with numbers that can be counted by hand."""

import copy
import functools

import numpy as np
import pandas as pd
import soundfile
from modes_tables import with_modes
from voxslice.classes import Classes
from voxslice.comparison import by_speaker, compare, groups
from voxslice.comparison.gates import GATE_COLUMNS
from voxslice.report.page.render import derive, render
from voxslice.report.study import Embedding, Model, Study
from voxslice.scores import metrics
from voxslice.scores.scores import score_classes, score_values
from voxslice.slices.study_level import STUDY_COLUMNS
from voxslice.slices.table import LIMIT_COLUMNS, SLICE_COLUMNS, slice_id, summarise
from voxslice.task import Task
from voxslice.utterance_keys import KEY, match_rows

HOSTILE = "<script>alert(1)</script>.wav"
UTTERANCES = 24


def make_metadata(*, speakers=True, emotion=True):
    """24 utterances of six speakers; the first has a hostile name."""
    metadata = pd.DataFrame(
        {
            "file": [HOSTILE, *(f"{i:02}.wav" for i in range(1, UTTERANCES))],
            "start": 0.0,
            "end": 1.0,
            "duration": 1.0,
        }
    )
    if speakers:
        metadata["speaker"] = [f"s{i % 6}" for i in range(UTTERANCES)]
    metadata["gender"] = ["female", "male"] * (UTTERANCES // 2)
    if emotion:
        metadata["emotion"] = ["anger"] * 8 + ["neutral"] * 8 + ["sadness"] * 8
    metadata["age"] = 20.0 + np.arange(UTTERANCES)
    return metadata


def class_scores(metadata, wrong):
    """Scores of a model that is wrong on the given rows."""
    right = metadata["gender"].eq("female")
    said_female = right ^ metadata.index.isin(wrong)
    predictions = metadata[KEY].assign(
        female=np.where(said_female, 2.0, 0.0),
        male=np.where(said_female, 0.0, 1.5),
        child=-3.0,
    )
    return score_classes(
        predictions,
        metadata["gender"],
        classes=["female", "male", "child"],
        task=Classes(["female", "male"]),
    )


def value_scores(metadata, errors):
    """Scores of a model that is off by the given errors."""
    predictions = metadata[KEY].assign(age=(metadata["age"] + errors) / 100)
    return score_values(predictions, metadata["age"], column="age", scale=100)


SEARCHED = pd.DataFrame(
    {
        "search": ["subgroups", "metadata"],
        "finder": ["subgroups", "sliceguard"],
        "searched": pd.array([1234, None], dtype="Int64"),
        "depth": pd.array([3, None], dtype="Int64"),
        "found": [2, 3],
        "confirmed": [1, 0],
        "p": [0.001, 1.0],
        **dict.fromkeys(LIMIT_COLUMNS, np.nan),
        "utterances": 24,
    }
)


def all_hold(task, names):
    """Searches of a study that all hold in it, without figures of their own."""
    rows = [("made", task, name, search, True) for name in names for search in SEARCHED["search"]]
    columns = ["dataset", "task", "model", "search", "holds"]
    return pd.DataFrame(rows, columns=columns).reindex(columns=STUDY_COLUMNS)


def make_slice(scores, rows, rule, speakers, *, task, confirmed=False):
    """A slice of the given rows."""
    mask = np.isin(np.arange(len(scores)), rows)
    name = slice_id(scores[mask])
    row = {
        "slice": name, "finder": "sliceguard", "search": "metadata", "rule": rule,
        "precision": 1.0, "recall": 1.0, "p": 0.001 if confirmed else np.nan,
        "q": 0.004 if confirmed else np.nan, "confirmed": confirmed,
        "evidence": "within speakers" if confirmed else np.nan,
    }  # fmt: skip
    row |= summarise(mask, scores["loss"].to_numpy(), speakers, task)
    row = pd.DataFrame([row], columns=SLICE_COLUMNS)
    return row, scores.loc[mask, KEY].assign(slice=name)


def make_costs(names):
    """Costs of some models: each is twice as slow as the one before."""
    rows = [
        {
            "model": name, "machine": "here", "device": "cpu", "threads": threads,
            "seconds": seconds, "size_mb": 1.5, "parameters": 2_000_000, "load_s": 0.1,
            "rtf": 0.01 * 2**place / threads, "p50_ms": 10.0 * 2**place * seconds / threads,
            "p95_ms": 12.0 * 2**place * seconds / threads, "p99_ms": 13.0, "repetitions": 10,
            "peak_mb": 100.0,
        }
        for place, name in enumerate(names)
        for threads in (1, 2)
        for seconds in (1.0, 3.0)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_study(**options):
    """A study of made-up scores that a test may change. The options are those of `_computed`."""
    return copy.deepcopy(_computed(**options))


@functools.cache  # most of the time of these tests
def _computed(
    *,
    classification=True,
    speakers=True,
    emotion=True,
    models=2,
    slices=True,
    confirmed=False,
    margin=None,
    mapped=False,
    costs=False,
    metric=None,
):
    """The tables of a study: model b fixes rows 1, 3, 5 of a and breaks 16, 18."""
    metadata = make_metadata(speakers=speakers, emotion=emotion)
    known = metadata["speaker"].to_numpy(dtype=str) if speakers else None
    noise = np.random.default_rng(0).normal(size=UTTERANCES)
    tables = {
        "a": class_scores(metadata, [1, 3, 5, 7])
        if classification
        else value_scores(metadata, 5 + noise),
        "b": class_scores(metadata, [7, 16, 18])
        if classification
        else value_scores(metadata, noise),
        "c": class_scores(metadata, range(12))
        if classification
        else value_scores(metadata, 9 + noise),
    }
    tables = dict(list(tables.items())[:models])
    labels = ["female", "male"] if classification else None
    kind = "classification" if classification else "regression"
    task = Task(kind, margin=margin, overall=metric)
    found = {}
    for name, scores in tables.items():
        parts = []
        if slices:
            rows = {"a": [1, 3, 5, 7], "b": [16, 18, 20], "c": [0, 1, 2]}[name]
            rule = {"a": "gender = male & emotion = anger", "b": "<b>x</b>", "c": "no rule"}[name]
            parts = [make_slice(scores, rows, rule, known, task=task, confirmed=confirmed)]
        found[name] = (
            pd.concat([part[0] for part in parts])
            if parts
            else pd.DataFrame(columns=SLICE_COLUMNS),
            pd.concat([part[1] for part in parts])
            if parts
            else pd.DataFrame(columns=["slice", *KEY]),
        )
    keys, aligned = groups.align(tables)
    slices = groups.slice_groups(keys, [found[n][0] for n in tables], [found[n][1] for n in tables])
    measured = [
        metrics.measure(scores, known, labels=labels).assign(model=name)
        for name, scores in tables.items()
    ]
    confusions = [
        metrics.confusion_table(scores, labels).assign(model=name)
        for name, scores in tables.items()
        if labels
    ]
    settings = {
        "type": "classification",
        "target": "gender",
        "labels": labels,
        "min_drop": 0.15,
        "metric": metric or "accuracy",
    }
    if not classification:
        settings = {
            "type": "regression",
            "target": "age",
            "unit": "years",
            "min_drop": 3.0,
            "metric": metric or "mae",
        }
    if margin:
        settings["margin"] = margin
    compared_ = compare.compare(
        aligned,
        slices,
        known,
        task=task,
        resamples=200,
        seed=0,
    )
    study = Study(
        dataset="made",
        task="gender" if classification else "age",
        dataset_settings={
            "audb": {"name": "made", "version": "1.0.0"},
            "columns": {
                name: {"column": name}
                for name in metadata.columns
                if name not in (*KEY, "duration")
            },
            "license": "CC0-1.0",
            "note": "",
            "synthetic": False,
            "people_columns": [n for n in ("speaker", "gender", "age") if n in metadata],
            "channel_columns": ["snr"],
        },
        task_settings=settings,
        searches={"metadata": {"finder": "sliceguard", "features": ["gender"], "min_support": 3}},
        seed=0,
        resamples=200,
        shortest=3.0,
        gate=0.99,
        command="snakemake results/report/made/gender.html --cores all",
        commit="abc1234",
        versions={"Python": "3"},
        metadata=metadata,
        models=[
            Model(
                name,
                {"license": "MIT", "note": "A model."},
                {"origin": "https://example.org", "sha256": "0" * 64, "size_mb": 1.5,
                 "parameters": 2_000_000, "outputs": {}},
                {"scale": "logits" if classification else None, "notes": []},
                scores,
                *found[name],
                SEARCHED,
                pd.DataFrame(columns=[*KEY, "reason"]),
            )
            for name, scores in tables.items()
        ],
        study_searches=all_hold("gender" if classification else "age", tables),
        sources={},
        pair=list(tables)[:: max(len(tables) - 1, 1)],
        embedders={},
        metrics=pd.concat(measured, ignore_index=True),
        confusion=pd.concat(confusions, ignore_index=True) if confusions else pd.DataFrame(),
        comparison=compared_,
        regressions=compare.regressions(compared_),
        speaker_table=by_speaker.speaker_table(
            tables, metadata, task=task, resamples=200, seed=0
        ),
        speaker_pairs=by_speaker.pair_table(
            tables,
            metadata,
            metrics=list(dict.fromkeys([task.overall_metric, task.metric])),
            margin=margin,
            resamples=200,
            seed=0,
        ),
        gates=pd.DataFrame(columns=GATE_COLUMNS),
        costs=make_costs(tables) if costs else pd.DataFrame(),
        embedding=make_embedding(metadata[KEY]) if mapped else None,
        silence=pd.DataFrame(columns=[*KEY, "reason"]),
        measure_tables={},
    )  # fmt: skip
    return with_modes(study)


def make_embedding(keys):
    """An embedding of some utterances, drawn at random."""
    matrix = np.random.default_rng(1).normal(size=(len(keys), 5)).astype(np.float32)
    return Embedding("ears", keys, lambda wanted: match_rows(wanted, keys, matrix))


LIBRARY = "window.vegaEmbed = () => '</script>';"


def page_of(study, audio, max_megabytes=10):
    return render(study, derive(study), audio=audio, library=LIBRARY, max_megabytes=max_megabytes)


def write_noise(folder):
    """Write a second of noise for each utterance of the study."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=8000)
    for name in make_metadata()["file"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise, 8000, format="WAV")
    return folder
