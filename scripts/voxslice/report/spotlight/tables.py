"""The tables of the interactive view: one of the utterances and one of the slices.

The workflow writes them. `scripts/view.py` opens them and computes nothing.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from voxslice.decisions.collect import LIST_COLUMNS
from voxslice.report.principal_components import principal_components
from voxslice.report.shown_columns import visible_table
from voxslice.report.spotlight.issues import in_order
from voxslice.report.study import rule_text
from voxslice.rule_conditions import is_numeric
from voxslice.sampling import sampled
from voxslice.shown_text import shown
from voxslice.task import Task
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY

AUDIO, WINDOW, SUMMARY = "audio", "window", "summary"
MAP = ["map_x", "map_y"]
"""Columns that are not in the table on the screen, because other widgets show them."""
TABLE, LAYOUT, ISSUES = "table.parquet", "layout.json", "issues.json"
SLICES, SLICES_LAYOUT = "slices.parquet", "slices.layout.json"
"""Names of the files in the folder of a view."""
NOT_SCORED, MISSING = "not scored", "missing"
"""Text for a prediction that a model did not make, and for metadata that are missing."""
CORRECT = pd.CategoricalDtype(["wrong", "right"])
"""Whether a prediction is right. The palette of the view begins with red and blue."""


def select(
    metadata: pd.DataFrame, scores: Mapping[str, pd.DataFrame], *, max_rows: int, seed: int
) -> tuple[pd.DataFrame, int]:
    """Choose the utterances of a view: all that at least one model has scored, or a sample.

    Args:
        metadata: Metadata of all utterances.
        scores: Scores of each model.
        max_rows: Largest number of rows of a view.
        seed: Seed of the sample. All utterances are equally likely to be drawn.

    Returns:
        The rows of the metadata in their order, without the digests of copies, and the number of
        rows before sampling.
    """
    scored = pd.concat([table[KEY] for table in scores.values()]).drop_duplicates()
    rows = metadata.drop(columns=COPIES, errors="ignore").merge(scored, on=KEY, how="inner")
    total = len(rows)
    return rows.iloc[sampled(total, max_rows, seed)].reset_index(drop=True), total


def place(audio: str | Path, folder: str | Path) -> str:
    """The path by which a view finds its audio.

    Audio that the workflow has downloaded has a relative path, so that it can be moved together
    with the view.

    Args:
        audio: Folder of the audio: absolute, or relative to the folder of the study.
        folder: Folder of the view, relative to the folder of the study.

    Returns:
        An absolute path as it is, or the path from the view to the audio.
    """
    return str(audio) if Path(audio).is_absolute() else os.path.relpath(audio, folder)


def make_table(
    rows: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    *,
    task: Task,
    audio: str,
    files: Sequence[str],
    embedding: tuple[pd.DataFrame, np.ndarray] | None,
    seed: int,
) -> pd.DataFrame:
    """Make the table of the utterances, one row per utterance.

    Args:
        rows: Metadata of the utterances, as `select` returns them.
        scores: Scores of each model.
        task: Task that is measured.
        audio: Folder of the audio: absolute, or relative to the folder of the view.
        files: Name of each utterance's file in the folder of the audio.
        embedding: Keys and matrix of the embedding that the map shows, None for no map.
        seed: Seed of the map.

    Returns:
        A table with `audio` (path), `file`, `label`, the columns of each model, and the metadata.
        The columns of a model are `<model>_prediction`, `<model>_correct` (`right` or `wrong`),
        `<model>_loss` and `<model>_p_<class>`. `summary` and `<model>_summary` hold them as text.
        `map_x` and `map_y` are the map. `window` is the start and end in seconds, if utterances are
        parts of files. Label and predictions share one categorical type, because Spotlight compares
        the codes of categories, not their names. A missing prediction is `not scored`, missing text
        is `missing`. Control characters of all text but the paths are visible.
    """
    table = rows
    parts = table["file"].duplicated(keep=False) | (table["start"] > 0)
    view = pd.DataFrame({AUDIO: [str(PurePosixPath(audio) / name) for name in files]})
    view["file"] = table["file"]
    if parts.any():
        view[WINDOW] = list(table[["start", "end"]].to_numpy(np.float32))
    if task.is_classification:
        classes = dict.fromkeys(
            name for each in scores.values() for name in each["prediction"].cat.categories
        )
        if any(len(table.merge(each[KEY], on=KEY)) < len(table) for each in scores.values()):
            classes[NOT_SCORED] = None
        shared = pd.CategoricalDtype(list(classes))
    own: dict[str, list[str]] = {}
    for position, (model, each) in enumerate(scores.items()):
        before = set(view)
        joined = table[KEY].merge(each, on=KEY, how="left")
        if position == 0 or view["label"].isna().any():
            label = joined["label"].astype(shared if task.is_classification else float)
            view["label"] = label if position == 0 else view["label"].fillna(label)
        if task.is_classification:
            predicted = joined["prediction"].astype(object)
            view[f"{model}_prediction"] = predicted.fillna(NOT_SCORED).astype(shared)
            right = joined["loss"].map({0.0: "right", 1.0: "wrong"})
            view[f"{model}_correct"] = _filled(right.astype(CORRECT), NOT_SCORED)
            for name in [column for column in each if column.startswith("p_")]:
                view[f"{model}_{name}"] = joined[name]
        else:
            view[f"{model}_prediction"] = joined["prediction"]
        view[f"{model}_loss"] = joined["loss"]
        own[model] = [name for name in view if name not in before and name != "label"]
    # label and predictions first, model after model; probabilities last
    given = [name for name in (AUDIO, "file", WINDOW, "label") if name in view]
    ends = ("prediction", "correct", "loss")
    lead = [f"{model}_{end}" for model in scores for end in ends if f"{model}_{end}" in own[model]]
    view = view[[*given, *lead, *(name for name in view if name not in (*given, *lead))]].copy()
    of_models = set(view)
    for name in [column for column in table if column not in KEY]:
        view[_free(name, view)] = _plain(table[name])
    metadata = [name for name in view if name not in of_models]
    view[SUMMARY] = _texts(view, {name: name for name in ["file", "label", *metadata]})
    for model, columns in own.items():
        names = {name: name.removeprefix(f"{model}_") for name in columns}
        view[f"{model}_{SUMMARY}"] = _texts(view, names, f"{model} \u00b7 ")
    if embedding is not None:
        view[MAP] = _map(table, *embedding, seed=seed)
    return visible_table(view, raw=[AUDIO, SUMMARY, *(f"{model}_{SUMMARY}" for model in own)])


def make_collected_table(
    summary: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    audio: Mapping[str, str],
    files: Mapping[str, Mapping[str, str]],
) -> pd.DataFrame:
    """Make the table of the utterances to collect, one row per utterance of a list.

    Args:
        summary: Table of the lists, one row per failure mode.
        lists: List of each failure mode, by the id of the mode.
        audio: Folder of the audio of each dataset: absolute, or relative to the folder of the view.
        files: Name of each file in the folder of the audio, by dataset and file.

    Returns:
        A table with `audio` (path), `file`, `window` (start and end in seconds), `mode` (in words),
        `rank`, `probability`, `dataset` and `expected` (the expected share of members among the
        first utterances of the list; missing if it is not known).
    """
    rows = [
        lists[str(row["mode"])].assign(mode=str(row["name"]), expected=row["precision"])
        for row in summary.to_dict("records")
        if len(lists[str(row["mode"])])
    ]
    empty = pd.DataFrame(columns=["mode", "expected", *LIST_COLUMNS])
    table = pd.concat(rows or [empty], ignore_index=True)
    paths = [
        str(PurePosixPath(audio[dataset]) / files[dataset][file])
        for dataset, file in zip(table["dataset"], table["file"], strict=True)
    ]
    view = pd.DataFrame(
        {AUDIO: np.array(paths, dtype=object), "file": table["file"].astype(object)}
    )
    view[WINDOW] = list(table[["start", "end"]].to_numpy(np.float32))
    view["mode"] = table["mode"].astype("category")
    view["rank"] = table["rank"].astype(int)
    view["probability"] = table["probability"].astype(float)
    view["dataset"] = table["dataset"].astype("category")
    view["expected"] = table["expected"].astype(float)
    return visible_table(view, raw=[AUDIO])


def _free(name: str, view: pd.DataFrame) -> str:
    """The name of a metadata column in the view, changed if another column has this name."""
    taken = name in view or name in (WINDOW, SUMMARY, *MAP)
    return f"metadata_{name}" if taken else name


def _texts(view: pd.DataFrame, names: Mapping[str, str], start: str = "") -> list[str]:
    """Write some columns of each row as text for the inspector, under the given names."""
    titles = [shown(name) for name in names.values()]
    return [
        start
        + ", ".join(
            f"{title} {value:.3g}" if isinstance(value, float) else f"{title} {shown(str(value))}"
            for title, value in zip(titles, row, strict=True)
        )
        for row in view[list(names)].itertuples(index=False, name=None)
    ]


def _plain(column: pd.Series) -> pd.Series:
    """Turn a metadata column into a type that Spotlight shows: numbers, or categories of text."""
    if is_numeric(column):
        return column.astype(float)
    text = column.astype("string").astype(object)
    return _filled(text.where(text.notna(), None).astype("category"), MISSING)


def _filled(column: pd.Series, text: str) -> pd.Series:
    """Name missing values of a categorical column, because Spotlight shows them as `undefined`."""
    if not column.isna().any():
        return column
    known = column.cat.categories
    named = column if text in known else column.cat.add_categories([text])
    return named.fillna(text)


def _map(table: pd.DataFrame, keys: pd.DataFrame, matrix: np.ndarray, *, seed: int) -> np.ndarray:
    """The first two principal components of an embedding, shape (rows, 2).

    Utterances without an embedding are at the centre.
    """
    order = pd.MultiIndex.from_frame(keys[KEY]).get_indexer(pd.MultiIndex.from_frame(table[KEY]))
    points = np.zeros((len(table), 2), dtype=np.float32)
    known = order >= 0
    points[known], _ = principal_components(matrix[order[known]], seed=seed)
    return points


def make_slice_table(
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    scores: Mapping[str, pd.DataFrame],
    mode_slices: pd.DataFrame,
    *,
    task: Task,
) -> pd.DataFrame:
    """Make the table of the slices, one row per slice, in the order of the report.

    Args:
        slices: Table of the slices of each model.
        members: Keys of the utterances in the slices of each model.
        scores: Scores of each model.
        mode_slices: Links between failure modes and slices.
        task: Task that is measured.

    Returns:
        `model` for which the slice was found, `rule` (or name), `mode` that holds it, `confirmed`,
        the numbers of the slice, and `<model>_value`, the metric of each model on the utterances of
        the slice.
    """
    table = in_order(slices)
    table["rule"] = [rule_text(row) for _, row in table.iterrows()]
    first = mode_slices.drop_duplicates(["model", "slice"])
    table = table.merge(first[["mode", "model", "slice"]], on=["model", "slice"], how="left")
    losses = {
        model: each.set_index(KEY)["loss"].astype(float).sort_index()
        for model, each in scores.items()
    }
    for model, loss in losses.items():
        values = []
        for row in table.to_dict("records"):
            inside = members[row["model"]]
            inside = pd.MultiIndex.from_frame(inside.loc[inside["slice"] == row["slice"], KEY])
            mean = float(loss[loss.index.isin(inside)].mean())
            values.append(task.metric_of(mean))
        table[f"{model}_value"] = np.array(values, dtype=float)
    kinds = pd.CategoricalDtype(["confirmed", "not confirmed"])
    table["confirmed"] = table["confirmed"].map(
        {True: kinds.categories[0], False: kinds.categories[1]}
    )
    table["confirmed"] = table["confirmed"].astype(kinds)
    for name in ("model", "mode", "finder", "search", "evidence"):
        table[name] = _plain(table[name].astype("string"))
    names = [
        "model",
        "rule",
        "slice",
        "mode",
        "confirmed",
        "support",
        "speakers",
        "value",
        "rest",
        "drop",
    ]
    names += ["low", "high", "q", *(f"{model}_value" for model in scores)]
    names += ["evidence", "finder", "search", "note"]
    return visible_table(table[names]).assign(rule=table["rule"].map(shown))
