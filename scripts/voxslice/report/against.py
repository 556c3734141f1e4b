"""The section on pairs of models: differences, regressions, equivalence and gates."""

from dataclasses import replace

import numpy as np
import pandas as pd

from voxslice.comparison.compare import EXCLUDED, NOT_EXCLUDED, SHOWN
from voxslice.comparison.paired_tests import ALPHA
from voxslice.names import FAILED, PASSED, UNDECIDED
from voxslice.report.answer import may_replace
from voxslice.report.drawing import SOFT, Drawing, intervals, scaled, style
from voxslice.report.numbers import counted, decimal, probability, probability_of
from voxslice.report.slice_tables import edges, slice_name
from voxslice.report.study import Model, Study, rule_text
from voxslice.report.tables import Cell, Column, Table, count, model_cell, number
from voxslice.scores.bootstrap import FEW_SPEAKERS

MAX_CHART_ROWS = 6
"""Largest number of rows in a chart. The table contains all rows."""
Q_MEANING = "p-value, adjusted for all pairs of models; in groups also for all groups"
STATES = {SHOWN: 0, NOT_EXCLUDED: 1, EXCLUDED: 2}
"""Order of the states of regressions in their table."""
GATE_MARKS = {PASSED: "confirmed", FAILED: "wrong", UNDECIDED: "verdict-undecided"}
"""Style of each answer of a gate."""
VERDICTS = ("better", "worse", "equivalent", "undecided")


def pairs(study: Study) -> list[tuple[Model, Model]]:
    """List the pairs of models in the order of the comparison, without references."""
    models = {model.name: model for model in study.models}
    names = study.comparison[["model_a", "model_b"]].drop_duplicates()
    return [
        (models[a], models[b])
        for a, b in names.itertuples(index=False)
        if a in models and b in models
    ]


def pair_rows(table: pd.DataFrame, a: Model, b: Model) -> pd.DataFrame:
    """Select the rows of a pair of models.

    Args:
        table: table of comparisons
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        the rows in the order of the table
    """
    return table[(table["model_a"] == a.name) & (table["model_b"] == b.name)]


def ordered(study: Study, a: Model, b: Model) -> pd.DataFrame:
    """Sort the comparison of a pair of models.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        the row of all utterances, then the groups on which the later model is better, the largest
        improvement first, then the other groups
    """
    table = pair_rows(study.comparison, a, b)
    overall = table["slice"] == "all"
    ascending = [not study.measure.rises, True]
    rest = table[~overall].sort_values(["difference", "slice"], ascending=ascending)
    return pd.concat([table[overall], rest], ignore_index=True)


def statements(study: Study, a: Model, b: Model) -> list[str]:
    """Summarise the comparison of a pair of models.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        sentences on the verdict for all utterances, on equivalence, on whether one model may
        replace the other one, and on the verdicts for groups
    """
    rows = pair_rows(study.comparison, a, b)
    overall, groups = rows.iloc[0], rows.iloc[1:]
    measure = study.overall_measure
    size = f"{measure.title} {measure.signed(overall['difference'])} {measure.step}".rstrip()
    size += f" {measure.interval(overall['low'], overall['high'])}".rstrip()
    evidence = f"{size}, {probability_of('q', overall['q'])}"
    replaced = [may_replace(study, b.name, a.name), may_replace(study, a.name, b.name)]
    sentences = [
        _verdict_sentence(overall, a, b, evidence),
        *_equivalence(study, overall),
        *filter(None, replaced),
    ]
    if len(groups):
        counts = groups["verdict"].value_counts()
        listed = [f"{counts[name]} {name}" for name in VERDICTS if name in counts.index]
        sentences.append(
            f"{b.name} compared with {a.name} on {counted(len(groups), 'group')}:"
            f" {', '.join(listed)}."
        )
        sentences.append(regression_sentence(study, a, b))
    return sentences


def _verdict_sentence(overall: pd.Series, a: Model, b: Model, evidence: str) -> str:
    verdict = overall["verdict"]
    if verdict not in ("better", "worse"):
        return (
            f"On all utterances, {b.name} is not significantly better or worse than {a.name}"
            f" ({evidence})."
        )
    sentence = f"On all utterances, {b.name} is {verdict} than {a.name} ({evidence})."
    if str(overall["strictly"]) == "True":  # missing for a regression
        first, second = (b, a) if verdict == "better" else (a, b)
        sentence += f" {first.name} makes no error that {second.name} does not make."
    return sentence


def _equivalence(study: Study, overall: pd.Series) -> list[str]:
    """State whether two models are equivalent, or that the task has no margin."""
    margin = study.task_settings.get("margin")
    if not margin:
        return [
            f"Equivalence is not tested, because no margin is set (tasks.{study.task}.margin in the"
            " config)."
        ]
    within = f"within {study.overall_measure.change(margin)}"
    if str(overall["equivalent"]) != "True":
        return [f"The test does not show that they are equivalent {within}."]
    return [f"They are equivalent {within}."]


def comparison_table(study: Study, a: Model, b: Model) -> Table:
    """Make the table of a pair of models: overall, on each category and on each slice.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        one row per group
    """
    measure = study.measure
    first, second = study.models.index(a), study.models.index(b)
    columns = [
        Column("Group", number=False, meaning="category of the metadata, or slice"),
        Column("Utter\u00adances", meaning="number of utterances and speakers"),
        Column(a.name, measure.unit, model=first),
        Column(b.name, measure.unit, model=second),
        Column("Difference", measure.step, meaning=f"{b.name} minus {a.name}, with 95 % interval"),
    ]
    if study.classification:
        columns += [
            Column("Fixed", meaning=f"fixed errors: only {a.name} is wrong"),
            Column("New", meaning=f"new errors: only {b.name} is wrong"),
            Column("Both wrong"),
        ]
    columns += [
        Column("q", meaning=Q_MEANING),
        Column("Verdict", number=False, meaning=f"{b.name} compared with {a.name}"),
    ]
    rows = []
    for _, row in ordered(study, a, b).iterrows():
        measure = study.measures[row["metric"]]
        cells = [
            Cell(rule_text(row), note=_kind(study, row)),
            replace(count(row["support"]), note=_speakers(row["speakers"])),
            number(measure.number(row["value_a"]), row["value_a"]),
            number(measure.number(row["value_b"]), row["value_b"]),
            number(measure.signed(row["difference"]), row["difference"], note=edges(measure, row)),
        ]
        if study.classification:
            cells += [count(row[f"{models}_wrong"]) for models in ("only_a", "only_b", "both")]
        cells += [number(probability(row["q"]), row["q"]), _verdict(row)]
        rows.append(cells)
    return Table(f"{b.name} compared with {a.name}", columns, rows)


def _kind(study: Study, row: pd.Series) -> str:
    """Say what a group is, and by which metric all utterances are compared if it differs."""
    if row["metric"] != study.metric:
        return study.measures[row["metric"]].title
    return f"slice {slice_name(row)}" if row.get("kind") == "slice" else ""


def _label(study: Study, row: pd.Series) -> str:
    """The name of a group in the chart, with the metric of all utterances if it differs."""
    if row["metric"] == study.metric:
        return rule_text(row)
    return f"{rule_text(row)} ({study.measures[row['metric']].title})"


def _speakers(count: float) -> str:
    return "" if pd.isna(count) else counted(int(count), "speaker")


def _verdict(row: pd.Series) -> Cell:
    """Make the cell of a verdict, with notes on equivalence and reliability."""
    notes = []
    if str(row["strictly"]) == "True":  # missing for a regression
        notes.append("strictly")
    if str(row["equivalent"]) == "True" and row["verdict"] != "equivalent":
        notes.append("equivalent")
    if not row["reliable"]:
        notes.append("speakers unknown" if pd.isna(row["speakers"]) else "few speakers")
    return Cell(row["verdict"], note=", ".join(notes), mark=f"verdict-{row['verdict']}")


def difference_chart(study: Study, a: Model, b: Model) -> Drawing:
    """Draw the differences of a pair of models with their intervals.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        the chart of all utterances and the groups with the largest significant differences; its
        note says if groups are left out
    """
    every = ordered(study, a, b)
    groups = every.loc[1:]
    decided = groups[groups["verdict"].isin(["better", "worse"])]
    largest = decided["difference"].abs().nlargest(MAX_CHART_ROWS - 1).index
    # all utterances and groups share an axis if their metrics have one unit
    alone = len(largest) and study.overall_measure.unit != study.measure.unit
    rows = every.loc[sorted(largest if alone else [0, *largest])]
    measure = study.measures[rows.iloc[0]["metric"]]
    note = ""
    if len(rows) < len(every):
        total = counted(len(groups), "group")
        first = "" if alone else "all utterances and "
        note = (
            f"The chart shows {first}{len(largest)} of {total}: those with the largest"
            " significant differences. The table shows all groups."
            if len(largest)
            else f"None of the {total} shows a significant difference. The table shows all groups."
        )
    better_b = (rows["difference"] > 0) == measure.rises
    rows = scaled(rows, measure, ["difference", "low", "high"]).assign(
        label=[_label(study, row) for _, row in rows.iterrows()],
        series=[b.name if better else a.name for better in better_b],
    )
    rows.loc[rows["difference"] == 0, "series"] = "neither"
    styles = {model.name: style(study.models.index(model)) for model in (a, b)}
    drawing = intervals(
        rows.assign(value=rows["difference"]),
        f"{b.name} minus {a.name}" + f" ({measure.step})" * bool(measure.step),
        f"Difference between {b.name} and {a.name} on each group",
        styles=styles | {"neither": (SOFT, "stroke")},
        digits=measure.digits,
        zero=True,
        series="better",
    )
    return replace(drawing, note=note)


def regression_table(study: Study, a: Model, b: Model) -> Table | None:
    """Make the table of the groups on which the later model of a pair is worse.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        one row per group, groups with the verdict `worse` first; None if there are no such groups
    """
    worse = pair_rows(study.regressions, a, b)
    worse = worse[worse["slice"] != "all"]
    if not len(worse):
        return None
    measure = study.measure
    columns = [
        Column("Group", number=False, meaning="category of the metadata, or slice"),
        Column("Utter\u00adances", meaning="number of utterances and speakers"),
        Column(a.name, measure.unit, model=study.models.index(a)),
        Column(b.name, measure.unit, model=study.models.index(b)),
        Column("Worse by", measure.step, meaning="size of the difference, with 95 % interval"),
        Column("q", meaning=Q_MEANING),
        Column("Regression", number=False, meaning=f"whether {b.name} is worse than {a.name}"),
    ]
    rows = []
    sign = -1 if measure.rises else 1
    order = worse.sort_values("regression", key=lambda state: state.map(STATES), kind="stable")
    for _, row in order.iterrows():
        ends = sorted([sign * row["low"], sign * row["high"]])
        rows.append(
            [
                Cell(rule_text(row), note=_kind(study, row)),
                replace(count(row["support"]), note=_speakers(row["speakers"])),
                number(measure.number(row["value_a"]), row["value_a"]),
                number(measure.number(row["value_b"]), row["value_b"]),
                number(
                    measure.number(abs(row["difference"])),
                    abs(row["difference"]),
                    note=measure.interval(*ends),
                ),
                number(probability(row["q"]), row["q"]),
                _regression(row, study),
            ]
        )
    return Table(f"Where {b.name} is worse than {a.name}", columns, rows)


def _regression(row: pd.Series, study: Study) -> Cell:
    """Make the cell of a regression, which says how large it may be if it is not excluded."""
    mark = "verdict-worse" if row["regression"] == SHOWN else "verdict-undecided"
    if row["regression"] != NOT_EXCLUDED:
        return Cell(row["regression"], mark=mark)
    loss = largest_loss(study, row)
    note = "too few speakers for an interval"
    if loss is not None:
        note = f"up to {study.measures[row['metric']].change(loss)}"
    return Cell(row["regression"], note=note, mark=mark)


def largest_loss(study: Study, row: pd.Series) -> float | None:
    """Compute how much worse the later model of a pair may be in a row of the comparison.

    Args:
        study: the study
        row: row of the comparison

    Returns:
        the end of the 95 % interval; None if there is no interval of enough speakers. In a
        classification it is at least the rate of new errors of which none is seen in as many
        utterances with a probability of 5 %, because resamples do not contain what was not seen
    """
    rises = study.measures[row["metric"]].rises
    loss = float(-row["low"] if rises else row["high"])
    units = row["support"] if pd.isna(row["speakers"]) else row["speakers"]
    if units < FEW_SPEAKERS or not np.isfinite(loss):
        return None
    unseen = 1 - ALPHA ** (1 / row["support"]) if study.classification else 0.0
    return max(loss, unseen)


def regression_sentence(study: Study, a: Model, b: Model) -> str:
    """Count the groups on which the later model of a pair is, may be, and is not worse.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later model in the config

    Returns:
        the sentence; empty if there are no groups
    """
    groups = pair_rows(study.comparison, a, b)
    groups = groups[groups["slice"] != "all"]
    if not len(groups):
        return ""
    shown, left, excluded = (
        groups[groups["regression"] == state] for state in (SHOWN, NOT_EXCLUDED, EXCLUDED)
    )
    text = (
        f"{b.name} is shown to be worse than {a.name} on {len(shown) or 'none'} of the"
        f" {counted(len(groups), 'group')}. This is excluded on {len(excluded)} of them"
    )
    if not len(left):
        return f"{text}."
    text += f" and not excluded on {len(left)}"
    bounds = [(row, largest_loss(study, row)) for _, row in left.iterrows()]
    bounded = [(row, loss) for row, loss in bounds if loss is not None]
    if len(bounded) < len(left):
        few = len(left) - len(bounded)
        text += (
            f" ({few} of which {'has' if few == 1 else 'have'} too few speakers for an interval)"
        )
    if not bounded:
        return f"{text}."
    # the largest bound is that of the smallest group: those that were chosen beforehand come first
    categories = [pair for pair in bounded if pair[0]["kind"] == "category"]
    row, loss = max(categories or bounded, key=lambda pair: pair[1])
    place = "category" if categories else "slice"
    return (
        f"{text}. The {place} with the largest possible loss is {study.group_name(row)}: up to"
        f" {study.measure.change(loss)}."
    )


def _ratio_interval(row: pd.Series) -> str:
    """The interval of the ratio of a gate in percent; empty if it is not defined."""
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return ""
    return f"{decimal(100 * row['low'], 1)} to {decimal(100 * row['high'], 1)}"


def shown_regressions(study: Study, a: Model, b: Model) -> int:
    """Count the groups on which the later model of a pair is shown to be worse."""
    rows = pair_rows(study.regressions, a, b)
    return int(((rows["slice"] != "all") & (rows["regression"] == SHOWN)).sum())


def gate_counts(study: Study) -> str:
    """Count the gates of derived models that are failed and undecided, in words."""
    counts = study.gates["answer"].value_counts()
    return ", ".join(f"{counts.get(name, 0) or 'none'} {name}" for name in (FAILED, UNDECIDED))


def gate_table(study: Study) -> Table | None:
    """Make the table of gates, which compare derived models with their source models.

    Args:
        study: the study

    Returns:
        one row per gate, failed gates first, then undecided ones; None if there are no gates
    """
    if not len(study.gates):
        return None
    measure = study.measure
    columns = [
        Column("Model", number=False),
        Column("Source", number=False, meaning="model from which it is derived"),
        Column("Group", number=False, meaning="category of the metadata, or slice"),
        Column("Utter\u00adances"),
        Column("Result", measure.unit, meaning="of the derived model"),
        Column("Source result", measure.unit, meaning="of the source model"),
        Column("Ratio", "%", meaning="performance of the model relative to its source"),
        Column("Gate", number=False),
    ]
    answers = (FAILED, UNDECIDED, PASSED)
    order = study.gates.sort_values("answer", key=lambda x: x.map(answers.index), kind="stable")
    rows = [
        [
            model_cell(study, row["model"]),
            model_cell(study, row["source"]),
            Cell(rule_text(row), note=_kind(study, row)),
            count(row["support"]),
            number(study.measures[row["metric"]].number(row["value"]), row["value"]),
            number(study.measures[row["metric"]].number(row["source_value"]), row["source_value"]),
            number(decimal(100 * row["ratio"], 1), row["ratio"], note=_ratio_interval(row)),
            Cell(row["answer"], mark=GATE_MARKS[row["answer"]]),
        ]
        for _, row in order.iterrows()
    ]
    return Table("Gates of derived models", columns, rows)
