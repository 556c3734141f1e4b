"""The section on what was compared: models, dataset and settings."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from voxslice.report.numbers import counted, decimal, duration
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Facts, Table, model_cell, number, plain
from voxslice.rule_conditions import as_text, is_numeric
from voxslice.scores.scale import PROBABILITIES


def dataset_facts(study: Study) -> Facts:
    """List origin, licence, size and labels of the dataset."""
    settings, metadata = study.dataset_settings, study.metadata
    rows = [
        ("Name", _origin(settings)),
        ("Description", settings["note"]),
        ("Licence", settings["license"]),
        ("Speech", "synthetic" if settings["synthetic"] else ""),
        ("Utterances", f"{len(metadata):,}"),
        ("Duration", duration(study.durations.sum()) if len(study.durations) else "not known"),
        (
            "Speakers",
            f"{metadata['speaker'].nunique():,}" if "speaker" in metadata else "not known",
        ),
        ("Filter", _filter(settings)),
        ("Columns", ", ".join(settings["columns"])),
        (f"Labels ({study.target})", _labels(study)),
    ]
    return Facts("Dataset", [row for row in rows if row[1]])


def _origin(settings: Mapping[str, Any]) -> str:
    """The name of a dataset at its source; for local data the last part of its path."""
    if "audb" in settings:
        return f"{settings['audb']['name']} {settings['audb']['version']}"
    if "csv" in settings:
        return Path(settings["csv"]["path"]).name
    return Path(settings["audformat"]["path"]).name


def _filter(settings: Mapping[str, Any]) -> str:
    """The filter of the dataset in words; empty if there is none."""
    return "; ".join(
        f"{column} {', '.join(str(value) for value in values)}"
        for column, values in settings.get("filter", {}).items()
    )


def _labels(study: Study) -> str:
    """The range of the labels if they are numbers, otherwise the count of each label."""
    column = study.metadata[study.target]
    if is_numeric(column):
        values = column.dropna().astype(float)
        return f"{values.min():,.4g} to {values.max():,.4g} {study.unit}".rstrip()
    counts = pd.Series(as_text(column)).value_counts()
    wanted = study.task_settings.get("labels", list(counts.index))
    return ", ".join(f"{name} {counts.get(name, 0):,}" for name in wanted)


def model_table(study: Study) -> Table:
    """Make the table of the models.

    Args:
        study: the study

    Returns:
        size, origin, checksum and licence of each model; models that are not compared come last
    """
    columns = [
        Column("Model", number=False),
        Column("Parameters", "millions"),
        Column("Size", "MB"),
        Column("Licence", number=False),
        Column("Origin, SHA-256 and description", number=False),
    ]
    listed = [
        (
            model_cell(study, model.name),
            model.settings,
            model.card,
            _note(model.settings, model.card, model.summary["scale"]),
        )
        for model in study.models
    ]
    listed += [
        (Cell(name, note="not compared"), settings, card, _note(settings, card))
        for name, (settings, card) in study.embedders.items()
    ]
    rows = [
        [
            name,
            _size(card["parameters"], 1e6),
            _size(card["size_mb"], 1),
            plain(settings["license"]),
            Cell(f"{card['origin']} \u00b7 {card['sha256']}", note=note, mark="long"),
        ]
        for name, settings, card, note in listed
    ]
    return Table("The models", columns, rows)


def _note(settings: Mapping[str, Any], card: Mapping[str, Any], scale: str | None = None) -> str:
    """The note in the config, with remarks on code of the model and on probabilities."""
    notes = [settings["note"]]
    if "transform" in card:
        notes.append(
            "Its features are computed by code of its own"
            f" ({', '.join(card['transform']['classes'])}), which the config trusts."
        )
    if scale == PROBABILITIES:
        notes.append("Its output contains probabilities, which are used without change.")
    return " ".join(note for note in notes if note)


def _size(value: float | None, unit: float) -> Cell:
    """Make a cell with a size of a model, or a dash if it is not known."""
    size = math.nan if value is None else value / unit
    return number(decimal(size, 1), size)


def setting_facts(study: Study) -> Facts:
    """List the settings on which the numbers depend."""
    task, measure = study.task_settings, study.measure
    rows = [("Task", f"{study.task}: {task['type']}, true values in the column {study.target}")]
    if study.classification:
        rows.append(("Labels", ", ".join(task["labels"])))
    for name, search in study.searches.items():
        features = list(search["features"])
        features += [f"embedding of {search['embedding_of']}"] if "embedding_of" in search else []
        rows.append(
            (
                f"Search \u201c{name}\u201d",
                f"{search['finder']} on {', '.join(features)}; slices of at least"
                f" {counted(search['min_support'], 'utterance')}",
            )
        )
    unit = "utterance" if study.speakers is None else "speaker"
    margin = task.get("margin")
    if any(search["finder"] == "sliceguard" for search in study.searches.values()):
        drop = task.get("min_drop")
        text = measure.change(drop) if drop else "half of the overall error of the model"
        rows.append(("Smallest drop that sliceguard suggests", text))
    rows += [
        ("Margin of equivalence", measure.change(margin) if margin else "not set"),
        ("Intervals", f"95 %, by {unit}"),
        ("Resamples", f"{study.resamples:,} for intervals of differences"),
        ("Seed", str(study.seed)),
        ("Workflow", f"git commit {study.commit}" if study.commit else ""),
        ("Software", ", ".join(f"{name} {version}" for name, version in study.versions.items())),
    ]
    return Facts("Settings", [row for row in rows if row[1]])
