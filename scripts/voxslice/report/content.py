"""The tables of the report as plain data: what is in each cell, and by what it sorts."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from voxslice.report.answer import rule_text
from voxslice.report.numbers import NONE, Measure, counted, decimal, duration, probability, share
from voxslice.report.study import Model, Study, by_severity
from voxslice.rules import MISSING, as_text, is_numeric

LONGEST = 12
"""More categories than this make no readable matrix."""
FAILURES_SHOWN = 20


@dataclass(frozen=True)
class Cell:
    """A table cell.

    Args:
        text: what is shown
        key: what the column sorts by, None for the text
        note: shown small beneath
        shade: 0 (good) to 1 (bad) of a shaded cell
        mark: a class of its own (`confirmed`, `suggested`, `model-0`)
    """

    text: str
    key: float | None = None
    note: str = ""
    shade: float | None = None
    mark: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: shown
        unit: shown after the title
        number: whether it holds numbers
        meaning: shown when pointed at
        model: position of the model whose symbol stands in front of the title
        before: word in front of the symbol
    """

    title: str
    unit: str = ""
    number: bool = True
    meaning: str = ""
    model: int | None = None
    before: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Matrix:
    """A shaded matrix with a name on each side."""

    caption: str
    down: str
    across: str
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class Regression:
    """A slice in which the better model of a pair is the worse one."""

    rule: str
    text: str


@dataclass(frozen=True)
class Facts:
    """Names and what is said of each."""

    title: str
    rows: Sequence[tuple[str, str]] = field(default_factory=list)


def _plain(text: object) -> Cell:
    return Cell(str(text))


def _number(text: str, key: float, **more: object) -> Cell:
    return Cell(text, key if math.isfinite(key) else None, **more)  # type: ignore[arg-type]


def _size(value: float | None, unit: float) -> Cell:
    """A size of a model; one that is given as a table of predictions has none."""
    size = math.nan if value is None else value / unit
    return _number(decimal(size, 1), size)


def _model(study: Study, name: str) -> Cell:
    position = next(i for i, model in enumerate(study.models) if model.name == name)
    return Cell(name, mark=f"model-{position}")


# what was compared


def dataset_facts(study: Study) -> Facts:
    """The dataset: origin, licence, size."""
    settings, files = study.dataset_settings, study.files
    rows = [
        ("Name", _origin(settings)),
        ("What it is", settings["note"]),
        ("Licence", settings["license"]),
        ("Speech", "synthetic" if settings["synthetic"] else ""),
        ("Utterances", f"{len(files):,}"),
        ("Duration", duration(float(files["duration"].sum()))),
        ("Speakers", f"{files['speaker'].nunique():,}" if "speaker" in files else "not known"),
        ("Columns", ", ".join(settings["columns"])),
        ("Kept", _filter(settings)),
    ]
    return Facts("Dataset", [row for row in rows if row[1]])


def _origin(settings: Mapping[str, Any]) -> str:
    """What a dataset is called where it comes from; of a local one not where it lies."""
    if "audb" in settings:
        return f"{settings['audb']['name']} {settings['audb']['version']}"
    if "csv" in settings:
        return Path(settings["csv"]["path"]).name
    return Path(settings["audformat"]["path"]).name


def _filter(settings: Mapping[str, Any]) -> str:
    """The filter in words."""
    return "; ".join(
        f"{column} {', '.join(str(value) for value in values)}"
        for column, values in settings.get("filter", {}).items()
    )


def model_table(study: Study) -> Table:
    """The models: size, origin, checksum, licence; those that only give an embedding at the end."""
    columns = [
        Column("Model", number=False),
        Column("Parameters", "millions"),
        Column("Size", "MB"),
        Column("Licence", number=False),
        Column("Origin, SHA-256 and what it is", number=False),
    ]
    listed = [(_model(study, m.name), m.settings, m.card) for m in study.models]
    listed += [
        (Cell(name, note="not compared"), settings, card)
        for name, (settings, card) in study.embedders.items()
    ]
    rows = [
        [
            name,
            _size(card["parameters"], 1e6),
            _size(card["size_mb"], 1),
            _plain(settings["license"]),
            Cell(f"{card['origin']} \u00b7 {card['sha256']}", note=settings["note"], mark="long"),
        ]
        for name, settings, card in listed
    ]
    return Table("The models", columns, rows)


def setting_facts(study: Study) -> Facts:
    """Settings that decide the numbers."""
    task = study.task_settings
    rows = [("Task", f"{study.task}: {task['type']} of the column {study.target}")]
    if study.classification:
        rows.append(("Labels", ", ".join(task["labels"])))
    for name, view in study.views.items():
        looked = [*view["features"], *([f"embedding of {view['embedding']}"] if "embedding" in view
                                       else [])]  # fmt: skip
        rows.append(
            (
                f"Slices \u201c{name}\u201d",
                f"{view['finder']} on {', '.join(looked)}; at least"
                f" {counted(view['min_support'], 'utterance')}",
            )
        )
    drop = study.measure
    rows += [
        ("Smallest drop of a suggestion", f"{drop.number(task['min_drop'])} {drop.step}".rstrip()),
        ("Intervals", f"95 %, {study.resamples:,} bootstrap resamples of speakers"),
        ("Seed", str(study.seed)),
        ("Made with", ", ".join(f"{name} {version}" for name, version in study.versions.items())),
    ]
    if study.speakers is None:
        rows = [(k, v.replace("of speakers", "of utterances")) for k, v in rows]
    return Facts("Settings", rows)


# overall


def metric_table(study: Study) -> Table:
    """All metrics of all models with their intervals."""
    names = list(dict.fromkeys(study.metrics["metric"]))
    columns = [Column("Model", number=False)]
    for name in names:
        measure = study.measures[name]
        columns.append(Column(_capital(measure.title), measure.unit))
    columns += [Column("Utterances"), Column("Speakers")]
    rows = []
    for model in study.models:
        table = study.metrics[study.metrics["model"] == model.name].set_index("metric")
        cells = [_model(study, model.name)]
        for name in names:
            row, measure = table.loc[name], study.measures[name]
            cells.append(
                _number(
                    measure.number(row["value"]),
                    row["value"],
                    note=measure.interval(row["low"], row["high"]),
                )
            )
        first = table.iloc[0]
        cells += [_count(first["n"]), _count(first["speakers"])]
        rows.append(cells)
    return Table("Metrics with 95 % intervals", columns, rows)


def _count(value: float) -> Cell:
    return Cell(NONE) if pd.isna(value) else _number(f"{int(value):,}", int(value))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def confusion_matrices(study: Study) -> list[Matrix]:
    """True label against predicted class, one matrix a model, shaded by the share of the errors."""
    matrices = []
    for model in study.models:
        table = study.confusion[study.confusion["model"] == model.name]
        counts = table.pivot_table(
            index="label", columns="prediction", values="count", sort=False, observed=False
        )
        rows = []
        for label, line in counts.iterrows():
            total = line.sum()
            cells = [
                Cell(
                    f"{int(count):,}",
                    note=share(count / total) if total else "",
                    shade=None if name == label or not total else count / total,
                    mark="right" if name == label else "",
                )
                for name, count in line.items()
            ]
            rows.append((str(label), cells))
        matrices.append(
            Matrix(model.name, "true", "predicted", [str(name) for name in counts.columns], rows)
        )
    return matrices


# slices


def heat_columns(study: Study) -> list[str]:
    """Two categorical columns for the heat map, the target first where it is one."""
    names = [name for name in study.categories if name == study.target]
    names += [name for name in study.categories if name != study.target]
    return names[:2]


def heat_maps(study: Study) -> list[Matrix]:
    """The metric over two categorical columns, one matrix a model; rows have more categories."""
    names = heat_columns(study)
    if not names:
        return []
    across, down = (names[0], None) if len(names) == 1 else _by_size(study, names)
    table = study.joined
    columns = _levels(table[across])
    lines = [None] if down is None else _levels(table[down])
    losses = [table[f"_loss_{position}"].to_numpy() for position in range(len(study.models))]
    masks = {
        (line, column): (as_text(table[across]) == column)
        & (np.ones(len(table), bool) if down is None else as_text(table[down]) == line)
        for line in lines
        for column in columns
    }
    top = max((loss[m].mean() for loss in losses for m in masks.values() if m.any()), default=1)
    scale = 1.0 if study.classification else top or 1.0
    matrices = []
    for model, loss in zip(study.models, losses, strict=True):
        rows = []
        for line in lines:
            cells = []
            for column in columns:
                mask = masks[line, column]
                if not mask.any():
                    cells.append(Cell(NONE))
                    continue
                mean = float(loss[mask].mean())
                value = 1 - mean if study.classification else mean
                cells.append(
                    Cell(study.measure.number(value), value, f"n {mask.sum()}", mean / scale)
                )
            rows.append((line or "all", cells))
        matrices.append(Matrix(model.name, down or "", across, columns, rows))
    return matrices


def _by_size(study: Study, names: Sequence[str]) -> tuple[str, str]:
    first, second = sorted(names, key=lambda name: study.files[name].nunique())
    return first, second


def _levels(column: pd.Series) -> list[str]:
    names = sorted(set(as_text(column)))
    return [n for n in names if n != MISSING] + [n for n in names if n == MISSING]


def slice_table(study: Study, model: Model) -> Table:
    """The slices of one model, confirmed ones first, then by drop."""
    measure = study.measure
    rest = "higher" if measure.rises else "lower"
    columns = [
        Column("Slice", number=False, meaning="rule on the metadata"),
        Column("Found by", number=False, meaning="view and finder"),
        Column("Utter\u00adances"),
        Column("Speakers"),
        Column(_capital(_short(measure)), measure.unit, meaning="inside the slice"),
        Column("Else\u00adwhere", measure.unit, meaning=f"outside the slice; {rest} is expected"),
        Column("Drop", measure.step, meaning="how much worse it is inside, with 95 % interval"),
        Column("q", meaning="p adjusted for everything that was searched"),
        Column("Evidence", number=False, meaning="the test that confirms the slice, or why none"),
    ]
    rows = []
    for _, row in by_severity(model.slices).iterrows():
        rows.append(
            [
                Cell(rule_text(row), note=_fit(row)),
                Cell(str(row["view"]), note=_found_by(row)),
                _count(row["support"]),
                _count(row["speakers"]),
                _number(measure.number(row["value"]), row["value"]),
                _number(measure.number(row["rest"]), row["rest"]),
                _number(
                    measure.signed(row["drop"]),
                    row["drop"],
                    note=_edges(measure, row),
                ),
                _number(probability(float(row["q"])), float(row["q"])),
                Cell(
                    "confirmed" if row["confirmed"] else "suggested",
                    note=_said(row["evidence"]) or _said(row["note"]),
                    mark="confirmed" if row["confirmed"] else "suggested",
                ),
            ]
        )
    return Table(f"Slices of {model.name}", columns, rows)


def _id(row: pd.Series) -> str:
    """What stands under a rule: the id of the slice, where the rule is not made of it."""
    if row["slice"] == "all":
        return ""
    return "no rule fits it" if row["rule"] == "no rule" else str(row["slice"])


def _fit(row: pd.Series) -> str:
    """The id of a slice and, where the rule only describes it, how well it does."""
    name = _id(row)
    if row["rule"] == "no rule" or min(row["precision"], row["recall"]) == 1:
        return name
    precision, recall = decimal(100 * row["precision"], 0), decimal(100 * row["recall"], 0)
    return f"{name} · rule: precision {precision} %, recall {recall} %"


def _found_by(row: pd.Series) -> str:
    """The finder and, where it was tried, how often the slice comes back with another seed."""
    if pd.isna(row["stability"]):
        return str(row["finder"])
    return f"{row['finder']} · {decimal(100 * row['stability'], 0)} % stable"


def _said(value: object) -> str:
    return "" if pd.isna(value) else str(value)


def searched(model: Model) -> list[str]:
    """What was searched for slices of one model, and how much of it was confirmed."""
    said = []
    for row in model.searches.to_dict(orient="records"):
        found, confirmed = int(row["found"]), int(row["confirmed"])
        if not pd.isna(row["searched"]):
            text = f"{counted(int(row['searched']), 'rule')} searched and tested together"
            text += f", {confirmed} of {counted(found, 'slice')} shown are confirmed" * (found > 0)
        elif found:
            text = f"{row['finder']} suggested {counted(found, 'slice')}"
            text += f", {confirmed} of them confirmed on speakers that were held out"
        else:
            text = f"{row['finder']} suggested no slice"
        said.append(f"{_capital(row['view'])}: {text}.")
    return said


def _edges(measure: Measure, row: pd.Series) -> str:
    """Interval of a difference; resampling speakers says nothing where there is only one."""
    if pd.notna(row["speakers"]) and row["speakers"] == 1:
        return "one speaker"
    return measure.interval(row["low"], row["high"])


def _short(measure: Measure) -> str:
    return "MAE" if measure.title == "mean absolute error" else measure.title


# model against model


def comparison_table(study: Study, a: Model, b: Model) -> Table:
    """One pair of models, overall and on every slice."""
    measure = study.measure
    first, second = study.models.index(a), study.models.index(b)
    columns = [
        Column("Slice", number=False),
        Column("Utter\u00adances", meaning="and their speakers"),
        Column(a.name, measure.unit, model=first),
        Column(b.name, measure.unit, model=second),
        Column("Difference", measure.step, meaning=f"{b.name} minus {a.name}, 95 % interval"),
    ]
    if study.classification:
        columns += [
            Column("wrong", meaning=f"only {a.name} is wrong", model=first, before="Only"),
            Column("wrong", meaning=f"only {b.name} is wrong", model=second, before="Only"),
        ]
    columns += [
        Column("q", meaning="p adjusted for all rows of the comparison"),
        Column("Verdict", number=False, meaning=f"on {b.name}, against {a.name}"),
    ]
    rows = []
    for _, row in pair_rows(study, a, b).iterrows():
        cells = [
            Cell(rule_text(row), note=_id(row)),
            replace(_count(row["support"]), note=_speakers(row["speakers"])),
            _number(measure.number(row["value_a"]), row["value_a"]),
            _number(measure.number(row["value_b"]), row["value_b"]),
            _number(
                measure.signed(row["difference"]),
                row["difference"],
                note=_edges(measure, row),
            ),
        ]
        if study.classification:
            cells += [_count(row["only_a_wrong"]), _count(row["only_b_wrong"])]
        cells += [_number(probability(row["q"]), row["q"]), _verdict(row)]
        rows.append(cells)
    return Table(f"{b.name} against {a.name}", columns, rows)


def _speakers(count: float) -> str:
    return "" if pd.isna(count) else counted(int(count), "speaker")


def _verdict(row: pd.Series) -> Cell:
    """Whether the second model is better or worse, and what to bear in mind with it."""
    notes = []
    if str(row["strictly"]) == "True":  # missing where it has no meaning
        notes.append("strictly")
    if str(row["equivalent"]) == "True" and row["verdict"] != "equivalent":
        notes.append("equivalent")
    if not row["reliable"]:
        notes.append("few speakers")
    return Cell(row["verdict"], note=", ".join(notes), mark=f"verdict-{row['verdict']}")


def pair_rows(study: Study, a: Model, b: Model) -> pd.DataFrame:
    """Rows of the comparison for a pair of models: overall, then where the second is best first."""
    table = study.comparison
    table = table[(table["model_a"] == a.name) & (table["model_b"] == b.name)]
    overall = table["slice"] == "all"
    ascending = [not study.measure.rises, True]
    rest = table[~overall].sort_values(["difference", "slice"], ascending=ascending)
    return pd.concat([table[overall], rest], ignore_index=True)


def pairs(study: Study) -> list[tuple[Model, Model]]:
    """Pairs of models in the order of the comparison."""
    models = {model.name: model for model in study.models}
    names = study.comparison[["model_a", "model_b"]].drop_duplicates()
    return [(models[a], models[b]) for a, b in names.itertuples(index=False)]


def regressions(study: Study, a: Model, b: Model) -> tuple[str, list[Regression]]:
    """Slices in which the model of a pair that is better overall is the worse one.

    Returns:
        the id of the better model, and the slices, worst first
    """
    measure, rows = study.measure, pair_rows(study, a, b)
    overall = rows.iloc[0]["difference"]
    b_better = overall > 0 if measure.rises else overall < 0
    better, worse = (b, a) if b_better else (a, b)
    sign = 1 if b_better == measure.rises else -1
    lost = rows[(rows["slice"] != "all") & (sign * rows["difference"] < 0)]
    lost = lost.assign(loss=sign * lost["difference"]).sort_values(["loss", "slice"])
    return better.name, [
        Regression(
            rule_text(row),
            f"{measure.text(row['value_b' if b_better else 'value_a'])} against"
            f" {measure.text(row['value_a' if b_better else 'value_b'])} of {worse.name}, in"
            f" {counted(int(row['support']), 'utterance')}"
            + (
                ""
                if pd.isna(row["speakers"])
                else f" of {counted(int(row['speakers']), 'speaker')}"
            )
            + (f" (q = {probability(row['q'])})" if row["q"] >= 0.001 else " (q < 0.001)"),
        )
        for _, row in lost.iterrows()
    ]


# data and limits


def label_table(study: Study) -> Table | None:
    """Utterances and speakers of each true label; None where it is a number."""
    column = study.files[study.target]
    if is_numeric(column):
        return None
    text = as_text(column)
    known = "speaker" in study.files
    columns = [Column(study.target, number=False), Column("Utterances"), Column("Share", "%")]
    columns += [Column("Speakers")] if known else []
    rows = []
    for name in _levels(column):
        mask = text == name
        cells = [
            _plain(name),
            _count(mask.sum()),
            _number(decimal(100 * mask.mean(), 1), mask.mean()),
        ]
        if known:
            cells.append(_count(study.files.loc[mask, "speaker"].nunique()))
        rows.append(cells)
    return Table("True labels", columns, rows)


def failure_table(study: Study) -> tuple[Table | None, int]:
    """Utterances that could not be scored, and how many more there are than are shown."""
    failures = [(model.name, row) for model in study.models for _, row in model.failures.iterrows()]
    if not failures:
        return None, 0
    columns = [Column(name, number=False) for name in ("Model", "File", "Reason")]
    rows = [
        [_model(study, name), Cell(str(row["file"]), mark="long"), _plain(row["reason"])]
        for name, row in failures[:FAILURES_SHOWN]
    ]
    return (
        Table("Utterances that could not be scored", columns, rows),
        max(len(failures) - FAILURES_SHOWN, 0),
    )


def spread(values: pd.Series, unit: str) -> str:
    """Smallest, middle and greatest of some numbers, in a sentence's form."""
    values = values.dropna().astype(float)
    low, middle, high = (f"{v:,.4g}" for v in values.quantile([0, 0.5, 1]))
    if low == high:
        return f"{low} {unit}".rstrip()
    return f"{low} to {high} {unit}, half of them up to {middle}".replace(" ,", ",")
