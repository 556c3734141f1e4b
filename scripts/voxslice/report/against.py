"""Comparison of two models: fixed and new errors, regressions, equivalence, gates."""

from dataclasses import replace

import pandas as pd

from voxslice.report.answer import smaller
from voxslice.report.drawing import SOFT, Drawing, intervals, scaled, style
from voxslice.report.found import edges, slice_name
from voxslice.report.numbers import counted, decimal, probability
from voxslice.report.study import Model, Study, is_confirmed, rule_text
from voxslice.report.tables import Cell, Column, Table, count, model_cell, number

MAX_CHART_ROWS = 40
"""Most rows in a chart; the table has all rows."""
VERDICTS = ("better", "worse", "equivalent", "undecided")


def pairs(study: Study) -> list[tuple[Model, Model]]:
    """Pairs of models in the order of the comparison, without pairs with references."""
    models = {model.name: model for model in study.models}
    names = study.comparison[["model_a", "model_b"]].drop_duplicates()
    return [
        (models[a], models[b])
        for a, b in names.itertuples(index=False)
        if a in models and b in models
    ]


def pair_rows(table: pd.DataFrame, a: Model, b: Model) -> pd.DataFrame:
    """Rows of a pair of models in a table of comparisons, in the order of the table."""
    return table[(table["model_a"] == a.name) & (table["model_b"] == b.name)]


def ordered(study: Study, a: Model, b: Model) -> pd.DataFrame:
    """Rows of the comparison of a pair: overall, then by how much better the second model is."""
    table = pair_rows(study.comparison, a, b)
    overall = table["slice"] == "all"
    ascending = [not study.measure.rises, True]
    rest = table[~overall].sort_values(["difference", "slice"], ascending=ascending)
    return pd.concat([table[overall], rest], ignore_index=True)


def statements(study: Study, a: Model, b: Model) -> list[str]:
    """The verdict on the second of two models, their equivalence, and how many groups differ.

    Args:
        study: the study
        a: the earlier model in the config
        b: the later one
    """
    rows = pair_rows(study.comparison, a, b)
    overall, groups = rows.iloc[0], rows.iloc[1:]
    measure = study.measure
    size = f"{measure.signed(overall['difference'])} {measure.step}".rstrip()
    size += f" {measure.interval(overall['low'], overall['high'])}".rstrip()
    q = probability(overall["q"])
    evidence = f"{size}, q {q}" if q.startswith("<") else f"{size}, q = {q}"
    told = [_verdict_sentence(overall, a, b, evidence), *_equivalence(study, overall, a, b)]
    if len(groups):
        counts = groups["verdict"].value_counts()
        listed = [f"{counts[name]} {name}" for name in VERDICTS if name in counts.index]
        told.append(
            f"{b.name} against {a.name} in the {counted(len(groups), 'group')} compared:"
            f" {', '.join(listed)}."
        )
    return told


def _verdict_sentence(overall: pd.Series, a: Model, b: Model, evidence: str) -> str:
    verdict = overall["verdict"]
    if verdict not in ("better", "worse"):
        state = "a difference is not shown"
        return f"{b.name} against {a.name} on all utterances: {state} ({evidence})."
    strictly = ""
    if str(overall["strictly"]) == "True":  # missing where it has no meaning
        first, second = (b, a) if verdict == "better" else (a, b)
        strictly = f", and strictly: {first.name} is right wherever {second.name} is"
    return f"{b.name} is {verdict} than {a.name} on all utterances ({evidence}){strictly}."


def _equivalence(study: Study, overall: pd.Series, a: Model, b: Model) -> list[str]:
    """The statement of equivalence, if the task has a margin for it."""
    margin = study.task_settings.get("margin")
    if not margin:
        return [
            f"No margin of equivalence is set (tasks.{study.task}.margin), so it is not said"
            " whether one may replace the other."
        ]
    within = f"within {study.measure.change(margin)}"
    if str(overall["equivalent"]) != "True":
        return [f"It is not shown that they are equivalent {within}."]
    small = smaller(study, study.models.index(a), study.models.index(b))
    said = f"They are equivalent {within}"
    return [f"{said}; {small} and may replace the other." if small else f"{said}."]


def comparison_table(study: Study, a: Model, b: Model) -> Table:
    """One pair of models, overall and on every category and slice."""
    measure = study.measure
    first, second = study.models.index(a), study.models.index(b)
    columns = [
        Column("Utterances with", number=False, meaning="a category of the metadata, or a slice"),
        Column("Utter\u00adances", meaning="and their speakers"),
        Column(a.name, measure.unit, model=first),
        Column(b.name, measure.unit, model=second),
        Column("Difference", measure.step, meaning=f"{b.name} minus {a.name}, 95 % interval"),
    ]
    if study.classification:
        columns += [
            Column("Fixed", meaning=f"only {a.name} is wrong"),
            Column("Broken", meaning=f"only {b.name} is wrong"),
            Column("Both wrong"),
        ]
    columns += [
        Column("q", meaning="p adjusted for all rows of the comparison"),
        Column("Verdict", number=False, meaning=f"on {b.name}, against {a.name}"),
    ]
    rows = []
    for _, row in ordered(study, a, b).iterrows():
        cells = [
            Cell(rule_text(row), note=_kind(row)),
            replace(count(row["support"]), note=_speakers(row["speakers"])),
            number(measure.number(row["value_a"]), row["value_a"]),
            number(measure.number(row["value_b"]), row["value_b"]),
            number(measure.signed(row["difference"]), row["difference"], note=edges(measure, row)),
        ]
        if study.classification:
            cells += [count(row[f"{who}_wrong"]) for who in ("only_a", "only_b", "both")]
        cells += [number(probability(row["q"]), row["q"]), _verdict(row)]
        rows.append(cells)
    return Table(f"{b.name} against {a.name}", columns, rows)


def _kind(row: pd.Series) -> str:
    return f"slice {slice_name(row)}" if row.get("kind") == "slice" else ""


def _speakers(known: float) -> str:
    return "" if pd.isna(known) else counted(int(known), "speaker")


def _verdict(row: pd.Series) -> Cell:
    """Whether the second model is better or worse, with notes on reliability."""
    notes = []
    if str(row["strictly"]) == "True":  # missing where it has no meaning
        notes.append("strictly")
    if str(row["equivalent"]) == "True" and row["verdict"] != "equivalent":
        notes.append("equivalent")
    if not row["reliable"]:
        notes.append("speakers unknown" if pd.isna(row["speakers"]) else "few speakers")
    return Cell(row["verdict"], note=", ".join(notes), mark=f"verdict-{row['verdict']}")


def difference_chart(study: Study, a: Model, b: Model) -> Drawing:
    """Differences of a pair of models, overall and on the groups that differ most."""
    every = rows = ordered(study, a, b)
    note = ""
    if len(rows) > MAX_CHART_ROWS:
        most = rows.loc[1:, "difference"].abs().nlargest(MAX_CHART_ROWS - 1).index
        rows = rows.loc[sorted([0, *most])]
        note = (
            "The chart shows the difference on all utterances and the largest"
            f" {len(most)} of those on {counted(len(every) - 1, 'group')}. The table has all of"
            " them."
        )
    better_b = (rows["difference"] > 0) == study.measure.rises
    rows = scaled(rows, study.measure, ["difference", "low", "high"]).assign(
        label=[rule_text(row) for _, row in rows.iterrows()],
        series=[b.name if better else a.name for better in better_b],
    )
    rows.loc[rows["difference"] == 0, "series"] = "neither"
    styles = {model.name: style(study.models.index(model)) for model in (a, b)}
    drawing = intervals(
        rows.assign(value=rows["difference"]),
        f"{b.name} minus {a.name} ({study.measure.step or 'units'})",
        f"Difference of {b.name} and {a.name} on each group",
        styles=styles | {"neither": (SOFT, "stroke")},
        digits=study.measure.digits,
        zero=True,
        series="better",
    )
    return replace(drawing, note=note)


def regression_table(study: Study, a: Model, b: Model) -> Table | None:
    """The groups in which the later model of a pair is worse; None if there are none."""
    lost = pair_rows(study.regressions, a, b)
    lost = lost[lost["slice"] != "all"]
    if not len(lost):
        return None
    measure = study.measure
    columns = [
        Column("Utterances with", number=False),
        Column("Utter\u00adances", meaning="and their speakers"),
        Column(a.name, measure.unit, model=study.models.index(a)),
        Column(b.name, measure.unit, model=study.models.index(b)),
        Column("Worse by", measure.step, meaning="with 95 % interval"),
        Column("q"),
        Column("Verdict", number=False, meaning="worse: shown; undecided: may be chance"),
    ]
    rows = []
    sign = -1 if measure.rises else 1
    # rows that are shown to be worse stand before rows that may be chance
    for _, row in lost.sort_values("verdict", key=lambda v: v != "worse", kind="stable").iterrows():
        ends = sorted([sign * row["low"], sign * row["high"]])
        rows.append(
            [
                Cell(rule_text(row), note=_kind(row)),
                replace(count(row["support"]), note=_speakers(row["speakers"])),
                number(measure.number(row["value_a"]), row["value_a"]),
                number(measure.number(row["value_b"]), row["value_b"]),
                number(
                    measure.number(abs(row["difference"])),
                    abs(row["difference"]),
                    note=measure.interval(*ends),
                ),
                number(probability(row["q"]), row["q"]),
                _verdict(row),
            ]
        )
    return Table(f"Where {b.name} is worse than {a.name}", columns, rows)


def gate_table(study: Study) -> Table | None:
    """Whether derived models keep the quality of their sources; None if there are no gates."""
    if not len(study.gates):
        return None
    measure = study.measure
    columns = [
        Column("Model", number=False),
        Column("Made of", number=False),
        Column("Utterances with", number=False),
        Column("Utter\u00adances"),
        Column("Its own", measure.unit, meaning=f"{measure.title} of the derived model"),
        Column("Of its source", measure.unit, meaning=f"{measure.title} of what it is made of"),
        Column("Ratio", "%"),
        Column("Gate", number=False),
    ]
    passed = is_confirmed(study.gates["passed"])
    order = study.gates.assign(_passed=passed).sort_values("_passed", kind="stable")
    rows = [
        [
            model_cell(study, row["model"]),
            model_cell(study, row["source"]),
            Cell(rule_text(row)),
            count(row["support"]),
            number(measure.number(row["value"]), row["value"]),
            number(measure.number(row["source_value"]), row["source_value"]),
            number(decimal(100 * row["ratio"], 1), row["ratio"]),
            Cell(
                "passed" if row["_passed"] else "failed",
                mark="confirmed" if row["_passed"] else "wrong",
            ),
        ]
        for _, row in order.iterrows()
    ]
    return Table("Gates of derived models", columns, rows)
