"""Issues of the interactive view about the data: findings of the audit, and hints of models."""

from typing import Any

import numpy as np
import pandas as pd

from voxslice.audit.finding import ISSUES
from voxslice.report.audit import audit_rows
from voxslice.report.numbers import counted, share
from voxslice.shown_text import shown
from voxslice.utterance_keys import KEY

OTHER_KEY = [f"other_{name}" for name in KEY]
"""Columns with the key of the other utterance of a finding about two utterances."""


def audit_issues(keys: pd.DataFrame, findings: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn the findings of an audit into issues of Spotlight, one per kind of finding.

    Args:
        keys: Keys of the utterances of the view, in the order of its table.
        findings: Table `results/audit/{dataset}.csv`.

    Returns:
        One dictionary per kind: `title`, `severity` (always low), `rows` (positions in the table
        of the view, with both of two copies) and `description`.
    """
    issues = []
    for row in audit_rows(findings):
        found = findings[findings["issue"] == row.issue]
        other = found[OTHER_KEY].set_axis(KEY, axis=1)
        issues.append(
            {
                "title": f"Audit: {row.issue} ({row.number:,})",
                "severity": "low",
                "rows": _positions(keys, pd.concat([found[KEY], other])),
                "description": shown(f"{ISSUES[row.issue]} {'; '.join(row.examples)}"),
            }
        )
    return issues


def hint_issues(keys: pd.DataFrame, hints: pd.DataFrame) -> list[dict[str, Any]]:
    """Turn the labels that models contradict into issues of Spotlight, one per model.

    Args:
        keys: Keys of the utterances of the view, in the order of its table.
        hints: Hints with the column `mode`, see `voxslice.report.hints.placed_hints`.

    Returns:
        One dictionary per model: `title`, `severity` (always low), `rows` (positions in the table
        of the view) and `description`.
    """
    issues = []
    for model, own in hints.groupby("model", sort=False):
        inside = int((own["mode"] != "").sum())
        issues.append(
            {
                "title": shown(f"Hint: labels that {model} contradicts ({len(own):,})"),
                "severity": "low",
                "rows": _positions(keys, own),
                "description": shown(
                    f"{model} contradicts {counted(len(own), 'label')}. These are hints, not"
                    f" errors. {share(inside / len(own))} of them are in confirmed failure modes of"
                    " this model, where the model is more likely to be wrong than the label."
                ),
            }
        )
    return issues


def _positions(keys: pd.DataFrame, rows: pd.DataFrame) -> list[int]:
    """Positions of some utterances in the table of the view."""
    known = rows.loc[rows["file"].notna(), KEY].astype({"start": float, "end": float})
    inside = pd.MultiIndex.from_frame(keys[KEY]).isin(pd.MultiIndex.from_frame(known))
    return [int(position) for position in np.flatnonzero(inside)]
