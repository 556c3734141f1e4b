"""True labels that a task does not name. Their utterances are left out of all results."""

from collections.abc import Sequence

import pandas as pd

from voxslice.unicode_text import look_alike

MAX_LABELS = 5
"""Most labels that a sentence names."""


def unnamed_labels(labels: pd.Series, known: Sequence[str]) -> list[str]:
    """Report which utterances a classification leaves out because of their true label.

    Args:
        labels: the true label of each utterance, as the metadata has it
        known: labels of the task

    Returns:
        one sentence on labels that the task does not name, one on utterances without a label; only
        those that are needed
    """
    text = labels.astype("string")
    counts = text[~text.isin(known)].value_counts().reset_index()
    counts.columns = pd.Index(["label", "count"])
    counts = counts.sort_values(["count", "label"], ascending=[False, True])
    sentences = []
    if len(counts):
        # what looks like a mistake comes first
        alike = {label: look_alike(label, known) for label in counts["label"]}
        order = counts.sort_values("label", key=lambda c: c.map(alike).isna(), kind="stable")
        listed = [
            f"{label!r} ({count:,}" + (f", looks like {alike[label]!r})" if alike[label] else ")")
            for label, count in order.head(MAX_LABELS).itertuples(index=False)
        ]
        rest = len(order) - len(listed)
        listed += [f"{rest} other{'' if rest == 1 else 's'}"] if rest else []
        sentences.append(
            _left_out(int(counts["count"].sum()), len(text), "a label that the task does not name")
            + f": {', '.join(listed)}."
        )
    missing = int(text.isna().sum())
    if missing:
        sentences.append(_left_out(missing, len(text), "no label") + ".")
    return sentences


def _left_out(count: int, total: int, why: str) -> str:
    verbs = ("has", "is") if count == 1 else ("have", "are")
    return f"{count:,} of the {total:,} utterances {verbs[0]} {why} and {verbs[1]} left out"
