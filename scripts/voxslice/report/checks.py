"""The section "Checks": the answer of each requirement on the models."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from voxslice.decisions.documents import RELATIONS, count_answers
from voxslice.decisions.table import ANSWERS
from voxslice.names import FAILED, PASSED, UNDECIDED
from voxslice.report.numbers import NONE, Measure, decimal
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, count, number, plain

MARKS = {PASSED: "verdict-better", FAILED: "verdict-worse", UNDECIDED: "verdict-equivalent"}


def check_sentence(checks: pd.DataFrame) -> str:
    """Count the answers in a sentence.

    Args:
        checks: table of checks

    Returns:
        a sentence such as `Of 3 checks, 1 failed, 1 is undecided and 1 passed.`
    """
    counts = {answer: found for answer, found in count_answers(checks).items() if found}
    verbs = {UNDECIDED: ("is undecided", "are undecided")}
    parts = [
        f"{found} {verbs.get(answer, (answer, answer))[found != 1]}"
        for answer, found in counts.items()
    ]
    total = len(checks)
    joined = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of {total:,} check{'s' * (total != 1)}, {joined}."


def check_table(study: Study) -> Table | None:
    """Make the table of checks, failed ones first.

    Args:
        study: results of the workflow

    Returns:
        one row per check and group; None if the config has no checks
    """
    if not len(study.checks):
        return None
    columns = [
        Column("Model", number=False),
        Column("Answer", number=False),
        Column("Checked", number=False),
        Column("Value"),
        Column("Required", number=False),
        Column("Speakers"),
        Column("Detectable", meaning="smallest distance on the wrong side that would be shown"),
        Column("More speakers", meaning="further speakers that would decide the check"),
    ]
    order = study.checks["answer"].map({answer: place for place, answer in enumerate(ANSWERS)})
    rows = study.checks.assign(_order=order).sort_values(["_order", "check"], kind="stable")
    return Table("Checks", columns, [_row(study, row) for row in rows.to_dict("records")])


def _row(study: Study, row: Mapping[str, Any]) -> list[Cell]:
    """The cells of a check."""
    measure = study.measures.get(row["quantity"])
    difference = pd.notna(row["against"])
    against = f"minus {row['against']}" if difference else ""
    return [
        Cell(row["model"], note=against),
        Cell(
            row["answer"],
            ANSWERS.index(row["answer"]),
            note="" if pd.isna(row["note"]) else str(row["note"]),
            mark=MARKS[row["answer"]],
        ),
        Cell(measure.short if measure else row["quantity"], note=row["group"]),
        _value(measure, row, difference=difference),
        plain(f"{RELATIONS[row['relation']]} {_text(measure, row['limit'], difference)}"),
        count(row["speakers"]),
        Cell(NONE)
        if pd.isna(row["detectable"])
        else number(measure.change(row["detectable"]) if measure else NONE, row["detectable"]),
        count(row["more_speakers"]),
    ]


def _value(measure: Measure | None, row: Mapping[str, Any], *, difference: bool) -> Cell:
    """The cell with the value of a check and its interval."""
    if pd.isna(row["value"]):
        return Cell(NONE)
    interval = measure.interval(row["low"], row["high"]) if measure else ""
    return number(_text(measure, row["value"], difference), row["value"], note=interval)


def _text(measure: Measure | None, value: float, difference: bool) -> str:
    """Write a value, a difference or a cost."""
    if measure is None:
        return decimal(value, 3).rstrip("0").rstrip(".")
    return f"{measure.signed(value)} {measure.step}".rstrip() if difference else measure.text(value)
