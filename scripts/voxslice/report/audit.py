"""The section "Is the data right?": what the audit of a dataset found."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from voxslice.audit.finding import ISSUES, flagged
from voxslice.report.tables import Cell, Column, Table, count

EXAMPLES = 3
"""Utterances that a row of the table names."""


class AuditRow(NamedTuple):
    """One kind of finding.

    Attributes:
        issue: kind of the finding, one of `voxslice.audit.finding.ISSUES`
        meaning: what the kind means, as a sentence
        number: number of findings
        examples: the first findings, as `file: detail`, or as `detail` if a finding names no file
    """

    issue: str
    meaning: str
    number: int
    examples: Sequence[str]


def audit_rows(findings: pd.DataFrame) -> list[AuditRow]:
    """Summarise the findings of an audit, one row per kind that was found.

    Args:
        findings: table `results/audit/{dataset}.csv`

    Returns:
        the rows, in the order of `voxslice.audit.finding.ISSUES`
    """
    rows = []
    for issue, meaning in ISSUES.items():
        found = findings[findings["issue"] == issue]
        if len(found):
            shown = found.head(EXAMPLES)
            examples = [
                detail if pd.isna(file) else f"{file}: {detail}"
                for file, detail in zip(shown["file"], shown["detail"], strict=True)
            ]
            rows.append(AuditRow(issue, meaning, len(found), examples))
    return rows


def audit_table(findings: pd.DataFrame) -> Table | None:
    """Make the table of the findings of an audit.

    Args:
        findings: table `results/audit/{dataset}.csv`

    Returns:
        one row per kind that was found; None if nothing was found
    """
    rows = audit_rows(findings)
    if not rows:
        return None
    columns = [
        Column("Finding", number=False),
        Column("Number"),
        Column("The first findings", number=False),
    ]
    return Table(
        "Findings of the audit",
        columns,
        [
            [
                Cell(row.issue, note=row.meaning),
                count(row.number),
                Cell("; ".join(row.examples), mark="long"),
            ]
            for row in rows
        ],
    )


def audit_sentences(findings: pd.DataFrame, utterances: int) -> list[str]:
    """Say in sentences what the audit of a dataset found.

    Args:
        findings: table `results/audit/{dataset}.csv`
        utterances: number of utterances of the dataset

    Returns:
        the sentences; the most severe consequence first
    """
    total = f"{utterances:,} utterance" + "s" * (utterances != 1)
    if not len(findings):
        return [f"The audit of the {total} found no fault."]
    concerned = len(flagged(findings))
    sentences = [
        f"The audit found faults in {concerned:,} of the {total}. Rules found them, so look at them"
        " before you trust a slice."
        if concerned
        else f"The audit found no fault of a single one of the {total}."
    ]
    sentences += [
        f"{detail}." for detail in findings.loc[findings["issue"] == "same length", "detail"]
    ]
    leaks = findings["detail"].str.contains("; in the splits ", regex=False).sum()
    if leaks:
        copies = "copy is" if leaks == 1 else "copies are"
        sentences.append(
            f"{leaks:,} {copies} in different splits: results on these utterances are too good."
        )
    speakers = int((findings["issue"] == "splits").sum())
    if speakers:
        are = "speaker is" if speakers == 1 else "speakers are"
        sentences.append(f"{speakers:,} {are} in more than one split.")
    return sentences
