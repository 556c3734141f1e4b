"""The checks as documents: JUnit XML for servers, and Markdown for a pull request.

XML is only written here. Reading XML of others needs a safer library, see `nosec`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree  # nosec B405

import pandas as pd

from voxslice.decisions.markdown import escape
from voxslice.decisions.table import ANSWERS
from voxslice.names import FAILED, PASSED, UNDECIDED
from voxslice.shown_text import visible

RELATIONS = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below"}
MARKS = {PASSED: "✅", FAILED: "❌", UNDECIDED: "❔"}
XML_REFUSES = re.compile("[\ufffe\uffff]")
"""Characters that XML does not allow, besides those that `visible` replaces."""


def title(row: Mapping[str, Any]) -> str:
    """Say in words what a check asks.

    Args:
        row: row of the table of checks

    Returns:
        the check, such as `uar of big minus small, all utterances: at least -0.01`
    """
    models = row["model"] if pd.isna(row["against"]) else f"{row['model']} minus {row['against']}"
    limit = f"{RELATIONS[row['relation']]} {row['limit']:g}"
    return f"{row['quantity']} of {models}, {row['group']}: {limit}"


def finding(row: Mapping[str, Any]) -> str:
    """Say in sentences what was measured, and what would decide the check.

    Args:
        row: row of the table of checks

    Returns:
        the sentences; empty if nothing was measured
    """
    parts = []
    if pd.notna(row["value"]):
        text = f"The value is {row['value']:.3g}"
        if pd.notna(row["low"]):
            text += f", with the interval from {row['low']:.3g} to {row['high']:.3g}"
        parts.append(f"{text}.")
    if pd.notna(row["detectable"]):
        parts.append(
            f"A value that is {row['detectable']:.2g} on the wrong side of the limit would have"
            " been shown with 80 %."
        )
    if pd.notna(row["more_speakers"]):
        more = int(row["more_speakers"])
        parts.append(f"{more:,} more speaker{'s' * (more != 1)} like these would decide it.")
    if pd.notna(row["note"]):
        parts.append(str(row["note"]))
    return " ".join(parts)


def count_answers(table: pd.DataFrame) -> dict[str, int]:
    """Count the answers of some checks.

    Args:
        table: table of checks

    Returns:
        the number of each answer, the worst answer first
    """
    return {answer: int((table["answer"] == answer).sum()) for answer in ANSWERS}


def summary(table: pd.DataFrame) -> str:
    """Count the answers in words.

    Args:
        table: table of checks

    Returns:
        the counts, such as `1 failed, 2 passed`
    """
    counts = count_answers(table)
    return ", ".join(f"{count} {answer}" for answer, count in counts.items() if count)


def junit(table: pd.DataFrame, suite: str, *, undecided_fails: bool) -> str:
    """Write checks as JUnit XML, which servers for continuous integration read.

    Args:
        table: table of checks
        suite: name of the suite of tests
        undecided_fails: whether an undecided check counts as a failure; otherwise it is skipped

    Returns:
        XML with one test case per row
    """
    kinds = {FAILED: "failure", UNDECIDED: "failure" if undecided_fails else "skipped"}
    found = table["answer"].map(kinds)
    counts = {
        "tests": str(len(table)),
        "failures": str(int((found == "failure").sum())),
        "errors": "0",
        "skipped": str(int((found == "skipped").sum())),
    }
    root = ElementTree.Element("testsuites", counts)
    parent = ElementTree.SubElement(root, "testsuite", {"name": _xml(suite), **counts})
    for row in table.to_dict("records"):
        name = {"classname": _xml(suite), "name": _xml(f"{row['check']}: {title(row)}")}
        case = ElementTree.SubElement(parent, "testcase", {**name, "time": "0"})
        if row["answer"] in kinds:
            message = f"{row['answer']}: {finding(row)}"
            ElementTree.SubElement(case, kinds[row["answer"]], {"message": _xml(message)})
        else:
            ElementTree.SubElement(case, "system-out").text = _xml(finding(row))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Text without characters that XML does not allow."""
    return XML_REFUSES.sub("\ufffd", visible(text))


def markdown(table: pd.DataFrame, dataset: str, task: str) -> str:
    """Write checks as Markdown, for a comment on a pull request.

    Args:
        table: table of checks
        dataset: id of the dataset
        task: id of the task

    Returns:
        a title, the counts and a table; failed checks come first
    """
    order = {answer: place for place, answer in enumerate(ANSWERS)}
    rows = table.assign(_order=table["answer"].map(order))
    rows = rows.sort_values(["_order", "check"], kind="stable")
    lines = [
        f"### Checks of {escape(task)} on {escape(dataset)}: {summary(table)}",
        "",
        "| answer | check | value | interval | speakers | detectable | more speakers | note |",
        "|---|---|--:|---|--:|--:|--:|---|",
    ]
    for row in rows.to_dict("records"):
        interval = "" if pd.isna(row["low"]) else f"{row['low']:.3g} to {row['high']:.3g}"
        cells = [
            f"{MARKS[row['answer']]} {row['answer']}",
            title(row),
            *(_number(row[name]) for name in ("value",)),
            interval,
            *(_number(row[name]) for name in ("speakers", "detectable", "more_speakers")),
            "" if pd.isna(row["note"]) else str(row["note"]),
        ]
        lines.append(f"| {' | '.join(map(escape, cells))} |")
    level = table["level"].dropna()
    lines.append("")
    if len(level):
        lines += [
            f"The intervals are by speaker and have {100 * level.iloc[0]:.3g} % each, so that all"
            " of them hold together with 95 %. *Detectable* is the smallest distance on the wrong"
            " side of the limit that these utterances would have shown with 80 %. *More speakers*"
            " like these would decide the check if the measured value is true.",
            "",
        ]
    return "\n".join(lines)


def _number(value: Any) -> str:
    """A number with three digits; empty if it is missing."""
    return "" if pd.isna(value) else f"{value:.3g}" if isinstance(value, float) else f"{value:,}"


def verdict(tables: Sequence[pd.DataFrame], *, undecided_fails: bool) -> tuple[bool, str]:
    """Decide whether the checks of a study are passed.

    Args:
        tables: tables of checks
        undecided_fails: whether an undecided check counts as failed

    Returns:
        whether they are passed, and one sentence that names the checks that are not
    """
    table = pd.concat(tables, ignore_index=True)
    stopping = [FAILED, UNDECIDED] if undecided_fails else [FAILED]
    wrong = table[table["answer"].isin(stopping)]
    if not len(wrong):
        return True, f"No check failed: {summary(table)}."
    named = "; ".join(f"{row['answer']}: {title(row)}" for row in wrong.to_dict("records"))
    return False, f"{len(wrong)} of {len(table)} checks stop this model ({named})."
