"""Say where the recording, and not the person, may be the cause of a weak group of people."""

from collections.abc import Iterable

import pandas as pd

from voxslice.comparison.paired_tests import ALPHA
from voxslice.modes.rules import in_words, read_rule
from voxslice.report.numbers import share, significant
from voxslice.report.study import Study
from voxslice.report.tables import text_of

BANDWIDTHS = {
    "telephone": "telephone speech",
    "wideband": "wideband speech",
    "full": "full-band speech",
}
"""Words for the classes of the measure `bandwidth`."""


def channel_note(study: Study, rule: str) -> str:
    """Say that the channel may be the cause of what is found for a group of people.

    Args:
        study: the study
        rule: rule of the group

    Returns:
        one or two sentences with the figure; empty if no column of the recording is associated with
        the group, or if the rule is not about people
    """
    rows = _associated(study, rule)
    if not len(rows):
        return ""
    others = [
        condition
        for condition in read_rule(rule, study.metadata)
        if condition.column not in study.dataset_settings["people_columns"]
    ]
    compared = "the other utterances" + (f" ({in_words(others)})" if others else "")
    return f"The channel may be the cause: {_figures(study, rows, 'these utterances', compared)}"


def label_note(study: Study, named: Iterable[str]) -> list[str]:
    """Say that the labels differ in the channel, if the labels of the task are about people.

    Args:
        study: the study
        named: rules of the groups for which this is said already

    Returns:
        the sentence about the label that differs most, or nothing
    """
    target = study.target
    if not study.classification or target not in study.dataset_settings["people_columns"]:
        return []
    rules = {f"{target} = {label}": label for label in study.task_settings["labels"]}
    if any(rule in rules for rule in named):
        return []
    found = {rule: _associated(study, rule) for rule in rules}
    found = {rule: rows for rule, rows in found.items() if len(rows)}
    if not found:
        return []
    rule = max(found, key=lambda rule: float(found[rule]["correlation"].iloc[0]))
    who = f"the utterances with the label {rules[rule]}"
    return [
        f"{_figures(study, found[rule], who, 'the others')} So the channel may be the cause where"
        " the labels differ."
    ]


def missing_channel(study: Study, named: Iterable[str]) -> list[str]:
    """Say that no column describes the recording, if the answer names a group of people.

    Args:
        study: the study
        named: rules of the groups that the answer names

    Returns:
        the sentence, or nothing
    """
    settings = study.dataset_settings
    conditions = [read_rule(rule, study.metadata) for rule in named if rule]
    about = [
        in_words(group)
        for group in conditions
        if any(condition.column in settings["people_columns"] for condition in group)
    ]
    if settings["channel_columns"] or not about:
        return []
    groups = "; ".join(dict.fromkeys(about))
    return [
        "No column describes how the utterances were recorded. A channel, such as a telephone, may"
        f" be the cause of what is found for {groups}. To measure it, set measures: default for the"
        " dataset."
    ]


def _associated(study: Study, rule: str) -> pd.DataFrame:
    """The columns of the recording that are associated with a group, the clearest first.

    Of two categories with the same correlation, the one that is more frequent inside comes first.
    """
    rows = study.channels[(study.channels["rule"] == rule) & (study.channels["p"] <= ALPHA)]
    size = rows["correlation"].astype(float)
    order = pd.DataFrame({"size": size.abs().round(9), "sign": size > 0})
    order = order.sort_values(["size", "sign"], ascending=False, kind="stable")
    return rows.loc[order.index]


def _figures(study: Study, rows: pd.DataFrame, who: str, compared: str) -> str:
    """State the figure of the clearest column, and name the other columns."""
    first = rows.iloc[0]
    column, category = str(first["column"]), text_of(first["category"])
    if category:
        measure = study.dataset_settings["columns"][column].get("measure")
        words = f"have the {column} {category}"
        if measure == "bandwidth" and category in BANDWIDTHS:
            words = f"are {BANDWIDTHS[category]}"
        inside, outside = share(first["inside"]), share(first["outside"])
        text = f"{inside} of {who} {words}, compared with {outside} of {compared}."
    else:
        unit = text_of(first["unit"])
        inside, outside = (
            f"{significant(first[side])} {unit}".rstrip() for side in ("inside", "outside")
        )
        text = f"the mean {column} of {who} is {inside}, compared with {outside} of {compared}."
    rest = [str(name) for name in rows["column"].unique() if name != column]
    if rest:
        listed = rest[0] if len(rest) == 1 else f"{', '.join(rest[:-1])} and {rest[-1]}"
        text += f" {listed[0].upper()}{listed[1:]} {'differs' if len(rest) == 1 else 'differ'} too."
    return text
