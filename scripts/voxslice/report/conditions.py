"""The part on conditions: what a phone, a room or a noise changes, for whom, and why."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from voxslice.comparison.compare import ALL
from voxslice.conditions.outcomes import CLEAN
from voxslice.conditions.tables import MODE_KIND
from voxslice.files import as_booleans
from voxslice.report.condition_words import in_words
from voxslice.report.numbers import NONE, Measure, probability, probability_of, share
from voxslice.report.study import Study
from voxslice.report.tables import (
    Cell,
    Column,
    Matrix,
    Table,
    capital,
    count,
    model_cell,
    number,
    text_of,
)
from voxslice.task import Task

MAX_EFFECTS = 5
"""Largest number of effects that are told in sentences."""
MAX_GROUPS = 8
"""Largest number of groups in the heat map of a model."""
SIGNIFICANT = 0.05
"""Largest adjusted p-value of an effect that is told."""


def worst_sentence(worst: pd.DataFrame, measures: Mapping[str, Measure]) -> str:
    """Name the worst condition of each model, beside the mean over all conditions.

    Args:
        worst: table of the worst conditions, see
            `voxslice.conditions.outcomes.worst_conditions`
        measures: the metrics by their names

    Returns:
        one sentence, empty if no model was run in conditions
    """
    parts = []
    for row in worst.to_dict("records"):
        measure = measures[row["metric"]]
        if not _is_worse(measure, row["difference"]):
            parts.append(f"no condition makes {row['model']} worse")
            continue
        *others, last = _tied(row)
        names = f"{', '.join(others)} and {last} are" if others else f"{last} is"
        parts.append(
            f"{names} the worst condition{'s' if others else ''} of {row['model']}"
            f" ({measure.short} {measure.text(row['value'])} instead of"
            f" {measure.text(row['clean'])}; mean over {row['conditions']} conditions"
            f" {measure.text(row['mean'])})"
        )
    text = ", and ".join(parts)
    return capital(f"{text}.") if text else ""


def headline(study: Study) -> str:
    """Name the largest cost of a condition, and how many others cost as much.

    Args:
        study: results of the workflow

    Returns:
        a few words
    """
    worst, measure = study.condition_worst, study.overall_measure
    costs = worst["difference"] * (-1 if measure.rises else 1)
    row = worst.loc[costs.idxmax()]
    if not _is_worse(measure, row["difference"]):
        return "none makes a model worse"
    first, *others = _tied(row)
    names = f"{first} and {len(others)} more each cost" if others else f"{first} costs"
    return f"{names} {row['model']} {measure.change(row['difference'])}"


def _tied(row: Mapping[str, Any]) -> list[str]:
    """The worst conditions of a model: one, or several that are as bad as each other."""
    return [row["condition"], *filter(None, text_of(row["tied"]).split(", "))]


def definitions(study: Study) -> str:
    """Say what each condition is.

    Args:
        study: results of the workflow

    Returns:
        such as `phone: G.711 codec of the telephone; white: ...`; empty without conditions
    """
    settings = study.condition_settings
    return "; ".join(f"{name}: {in_words(settings[name])}" for name in settings)


def _is_worse(measure: Measure, difference: float) -> bool:
    """Whether a difference from clean audio is for the worse."""
    return difference < 0 if measure.rises else difference > 0


def effects(study: Study) -> list[str]:
    """Tell the largest effects of conditions: first on groups, then on all utterances.

    Args:
        study: results of the workflow

    Returns:
        at most five sentences, at most one per group
    """
    hurt = _hurt(study)
    sentences = [_group_sentence(study, hurt[hurt["group"] == group]) for group in _groups(hurt)]
    table = study.condition_outcomes
    whole = table[(table["group"] == ALL) & (table["verdict"] == "worse")]
    whole = whole.assign(size=whole["difference"].abs()).sort_values(
        "size", ascending=False, kind="stable"
    )
    left = MAX_EFFECTS - len(sentences)
    return sentences + [_whole_sentence(study, row) for row in whole.head(left).to_dict("records")]


def largest_effects(study: Study) -> list[tuple[str, str]]:
    """Find the groups that a condition hurts most, compared with all others.

    Args:
        study: results of the workflow

    Returns:
        at most five pairs of condition and group, each group once, the largest effect of any model
        first
    """
    hurt = _hurt(study)
    return [(hurt[hurt["group"] == group]["condition"].iloc[0], group) for group in _groups(hurt)]


def _hurt(study: Study) -> pd.DataFrame:
    """Select the groups that a condition hurts, and more than all others.

    An excess alone is not enough: it is also large where a group loses nothing and all others gain.

    Returns:
        rows of the outcomes with the `loss` of the group, that of all `others`, and the `size` of
        the effect (the smaller one of loss and excess), the largest first
    """
    table = study.condition_outcomes
    loss = Task(study.measured.kind).worsening(table["difference"])
    size = np.minimum(loss, table["excess"])
    table = table.assign(loss=loss, others=loss - table["excess"], size=size)
    shown = table[(table["p_excess"] <= SIGNIFICANT) & (table["size"] > 0)]
    return shown.sort_values("size", ascending=False, kind="stable")


def _groups(hurt: pd.DataFrame) -> list[str]:
    """The groups of the largest effects."""
    return list(dict.fromkeys(hurt["group"]))[:MAX_EFFECTS]


def _group_sentence(study: Study, rows: pd.DataFrame) -> str:
    """Tell what the worst condition of a group does to it, and to all others, for each model.

    Args:
        study: results of the workflow
        rows: rows of the group, the largest effect first

    Returns:
        one or more sentences
    """
    first, measure = rows.iloc[0], study.measure
    parts = []
    for row in rows[rows["condition"] == first["condition"]].to_dict("records"):
        note = probability_of("p", row["p_excess"])
        if text_of(row["changed_to"]):
            note += (
                f"; {share(row['changed_to_share'])} of the changed predictions become"
                f" {row['changed_to']}"
            )
        parts.append(
            f"{_change(measure, row['loss'])} with {row['model']}, and"
            f" {_change(measure, row['others'])} for all others ({note})"
        )
    text = (
        f"{first['condition']}: the {measure.short} for {_quoted(study, first)}"
        f" {'; it '.join(parts)}."
    )
    more = [name for name in dict.fromkeys(rows["condition"]) if name != first["condition"]]
    if more:
        text += f" It is also hurt more than all others in: {', '.join(more)}."
    return capital(text)


def _change(measure: Measure, loss: float) -> str:
    """Say how a metric changes, given how much worse it gets."""
    size = measure.change(loss)
    if size == measure.change(0):
        return "hardly changes"
    return f"{'falls' if (loss > 0) == measure.rises else 'rises'} by {size}"


def _whole_sentence(study: Study, row: Mapping[str, Any]) -> str:
    """Tell what a condition costs a model on all utterances."""
    measure = study.measures[row["metric"]]
    return capital(
        f"{row['condition']} {'lowers' if measure.rises else 'raises'} the {measure.short} of"
        f" {row['model']} from {measure.text(row['clean'])} to {measure.text(row['value'])}"
        f" ({probability_of('q', row['q'])})."
    )


def _group_name(study: Study, row: pd.Series) -> str:
    """Name a group in words. The rule of a failure mode is its name."""
    return str(row["rule"]) if row["kind"] == MODE_KIND else study.group_name(row)


def _quoted(study: Study, row: pd.Series) -> str:
    """Name a group in a sentence."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{_group_name(study, row)}\N{RIGHT DOUBLE QUOTATION MARK}"


def model_map(study: Study) -> Matrix:
    """Make the heat map of conditions by model.

    Args:
        study: results of the workflow

    Returns:
        one row per condition with the metric of the task and its difference from clean audio;
        darker cells are worse
    """
    table = study.condition_outcomes[study.condition_outcomes["group"] == ALL]
    models = list(dict.fromkeys(table["model"]))
    return _matrix(study, table, "model", models, study.overall_measure, "all utterances")


def group_maps(study: Study) -> list[tuple[str, int, Matrix]]:
    """Make the heat map of conditions by group of each model.

    Args:
        study: results of the workflow

    Returns:
        name and position of each model with its map. It holds the groups that a condition hurts
        most compared with all others
    """
    maps = []
    positions = {model.name: place for place, model in enumerate(study.models)}
    table = study.condition_outcomes[study.condition_outcomes["group"] != ALL]
    for model, rows in table.groupby("model", sort=False):
        largest = rows.groupby("group", sort=False)["excess"].max()
        largest = largest.sort_values(ascending=False, kind="stable").head(MAX_GROUPS)
        shown = rows[rows["group"].isin(largest.index)]
        names = [name for name in dict.fromkeys(shown["group"]) if name in largest.index]
        matrix = _matrix(study, shown, "group", names, study.measure, str(model))
        maps.append((str(model), positions[str(model)], matrix))
    return maps


def _matrix(
    study: Study,
    table: pd.DataFrame,
    across: str,
    names: list[str],
    measure: Measure,
    caption: str,
) -> Matrix:
    """One row per condition and one column per model or group; worse changes are darker."""
    worsening = table["difference"] * (-1 if measure.rises else 1)
    largest = max(float(worsening.max()), 1e-12) if len(table) else 1.0
    table = table.assign(shade=(worsening / largest).clip(0, 1))
    cells = table.set_index(["condition", across])
    rows = []
    for condition in dict.fromkeys(table["condition"]):
        row = []
        for name in names:
            if (condition, name) not in cells.index:
                row.append(Cell(NONE))
                continue
            cell = cells.loc[(condition, name)]
            row.append(
                Cell(
                    measure.number(cell["value"]),
                    float(cell["value"]),
                    measure.signed(cell["difference"]),
                    float(cell["shade"]),
                )
            )
        rows.append((str(condition), row))
    titles = names
    if across == "group":
        first = table.drop_duplicates("group").set_index("group")
        titles = [_group_name(study, first.loc[name]) for name in names]
    return Matrix(caption, "condition", across, titles, rows)


def worst_table(study: Study) -> Table:
    """Make the table of the worst condition of each model.

    Args:
        study: results of the workflow

    Returns:
        one row per model
    """
    measure = study.overall_measure
    columns = [
        Column("Model", number=False),
        Column("Clean", measure.unit),
        Column("Worst condition", number=False),
        Column("There", measure.unit, meaning=f"{measure.title} in the worst condition"),
        Column("Difference", measure.step, meaning="with 95 % interval by speaker"),
        Column("q", meaning="p-value, adjusted for all models and conditions"),
        Column("Mean over all conditions", measure.unit, meaning="it hides the worst condition"),
    ]
    rows = [
        [
            model_cell(study, row["model"]),
            number(measure.number(row["clean"]), row["clean"]),
            Cell(", ".join(_tied(row))),
            number(measure.number(row["value"]), row["value"]),
            number(
                measure.signed(row["difference"]),
                row["difference"],
                note=measure.interval(row["low"], row["high"]),
            ),
            number(probability(row["q"]), row["q"]),
            number(
                measure.number(row["mean"]), row["mean"], note=f"{row['conditions']} conditions"
            ),
        ]
        for row in study.condition_worst.to_dict("records")
    ]
    return Table("The worst condition of each model", columns, rows)


def rival_table(study: Study) -> Table | None:
    """Make the table of the models against each other in each condition.

    Args:
        study: results of the workflow

    Returns:
        one row per condition and pair of models; None if there is no pair
    """
    table = study.condition_models
    if not len(table):
        return None
    measure = study.overall_measure
    columns = [
        Column("Condition", number=False),
        Column("First model", number=False),
        Column("Second model", number=False),
        Column("First", measure.unit),
        Column("Second", measure.unit),
        Column("Difference", measure.step, meaning="with 95 % interval by speaker"),
        Column("q", meaning="p-value, adjusted for this table"),
        Column("Second model is", number=False),
    ]
    rows = [
        [
            Cell("clean audio" if row["condition"] == CLEAN else row["condition"]),
            model_cell(study, row["model_a"]),
            model_cell(study, row["model_b"]),
            number(measure.number(row["value_a"]), row["value_a"]),
            number(measure.number(row["value_b"]), row["value_b"]),
            number(
                measure.signed(row["difference"]),
                row["difference"],
                note=measure.interval(row["low"], row["high"]),
            ),
            number(probability(row["q"]), row["q"]),
            Cell(row["verdict"], mark=f"verdict-{row['verdict']}"),
        ]
        for row in table.to_dict("records")
    ]
    return Table("Models against each other in each condition", columns, rows)


def slice_table(study: Study) -> Table | None:
    """Make the table of the confirmed slices of the search over all conditions.

    Args:
        study: results of the workflow

    Returns:
        one row per model and slice; None if no slice is confirmed
    """
    table = study.condition_slices[as_booleans(study.condition_slices["confirmed"])]
    if not len(table):
        return None
    measure = study.measure
    columns = [
        Column("Model", number=False),
        Column("Slice", number=False),
        Column("Utter\u00adances"),
        Column("Speakers"),
        Column("Inside", measure.unit),
        Column("Else\u00adwhere", measure.unit, meaning="the same utterances in other conditions"),
        Column("Drop", measure.step, meaning="with 95 % interval"),
        Column("q", meaning="p-value, adjusted for the search"),
    ]
    rows = [
        [
            model_cell(study, row["model"]),
            Cell(row["rule"], mark="rule"),
            count(row["support"]),
            count(row["speakers"]),
            number(measure.number(row["value"]), row["value"]),
            number(measure.number(row["elsewhere"]), row["elsewhere"]),
            number(
                measure.signed(row["drop"]),
                row["drop"],
                note=measure.interval(row["low"], row["high"]),
            ),
            number(probability(row["q"]), row["q"]),
        ]
        for row in table.to_dict("records")
    ]
    return Table("Slices of the search over all conditions", columns, rows)


def probe_sentences(study: Study) -> list[str]:
    """Say what the probes show, mode by mode.

    Args:
        study: results of the workflow

    Returns:
        one sentence per mode, model and probe, those that show a reason first
    """
    order = ["reason", "part of the reason", "no effect", "undecided"]
    table = study.probes.assign(rank=study.probes["verdict"].map(order.index))
    return [
        f"\N{LEFT DOUBLE QUOTATION MARK}{text_of(row['name'])}\N{RIGHT DOUBLE QUOTATION MARK}"
        f" with {row['model']}: {row['sentence']}"
        for row in table.sort_values("rank", kind="stable").to_dict("records")
    ]
