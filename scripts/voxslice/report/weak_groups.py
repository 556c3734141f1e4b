"""Where a model is weakest: its confirmed failure modes, otherwise its largest weak group."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.comparison.groups import category_groups
from voxslice.files import as_booleans
from voxslice.modes.rules import in_words, read_rule
from voxslice.modes.table import SAME_SPEAKERS
from voxslice.report.modes import REST
from voxslice.report.study import Study
from voxslice.report.tables import text_of
from voxslice.slices.drop_intervals import drop_interval
from voxslice.speakers import count_speakers, number_speakers


@dataclass(frozen=True)
class WeakGroup:
    """A group of utterances on which a model is worse than elsewhere.

    Attributes:
        name: the group in words
        rule: rule of the group; empty for a cluster
        support: number of utterances
        speakers: number of known speakers; None if the speakers are not known
        value: metric of groups inside
        rest: metric of groups on all other utterances
        excess: how much worse the model is inside, positive if it is worse
        low: lower end of the 95 % interval of `excess`
        high: upper end of the interval
        measured: `excess` before its correction for the choice by a search; NaN if it is not
            corrected
        within: whether `excess` compares utterances of the same speakers
        share_of_errors: share of the model's errors inside, from 0 to 1
        share_of_utterances: share of the model's utterances inside, from 0 to 1
        leading_speaker: speaker who makes more than half of the errors inside; empty if none does
    """

    name: str
    rule: str
    support: int
    speakers: int | None
    value: float
    rest: float
    excess: float
    low: float
    high: float
    measured: float
    within: bool
    share_of_errors: float
    share_of_utterances: float
    leading_speaker: str


def confirmed_modes(study: Study, model: str) -> list[WeakGroup]:
    """List the failure modes that are confirmed for a model.

    Args:
        study: the study
        model: id of the model

    Returns:
        the modes, the worst first
    """
    rows = _modes(study, model)
    return [_of_mode(row) for _, row in rows[as_booleans(rows["confirmed"])].iterrows()]


def largest_weak_group(study: Study, model: str) -> WeakGroup | None:
    """Find the group that adds most to the errors of a model, whether it is confirmed or not.

    The groups are the categories of the metadata and the suggested modes. A suggestion that no
    other seed of its search finds again is left out. The size of a group counts: the largest group
    is the one that holds most errors beyond what its number of utterances predicts.

    Args:
        study: the study
        model: id of the model

    Returns:
        the group; None if the model is not worse in any of them
    """
    rows = _modes(study, model)
    stable = rows["stability"].isna() | (rows["stability"].astype(float) > 0)
    groups = [_of_mode(row) for _, row in rows[stable & (rows["slices"] > 0)].iterrows()]
    groups += _categories(study, model)
    worse = [group for group in groups if group.excess > 0]
    return max(worse, key=_added, default=None)


def _added(group: WeakGroup) -> float:
    """Share of the errors of a model that a group holds beyond its share of the utterances."""
    return group.share_of_errors - group.share_of_utterances


def _modes(study: Study, model: str) -> pd.DataFrame:
    table = study.modes
    return table[(table["model"] == model) & (table["mode"] != REST) & (table["support"] > 0)]


def _of_mode(row: pd.Series) -> WeakGroup:
    return WeakGroup(
        name=text_of(row["name"]),
        rule=text_of(row["rule"]),
        support=int(row["support"]),
        speakers=None if pd.isna(row["speakers"]) else int(row["speakers"]),
        value=float(row["value"]),
        rest=float(row["rest"]),
        excess=float(row["excess"]),
        low=float(row["low"]),
        high=float(row["high"]),
        measured=float(row.get("measured", np.nan)),
        within=row["compared_with"] == SAME_SPEAKERS,
        share_of_errors=float(row["share_of_errors"]),
        share_of_utterances=float(row["share_of_utterances"]),
        leading_speaker=text_of(row["leading_speaker"]),
    )


def _categories(study: Study, model: str) -> list[WeakGroup]:
    """The categories of the metadata, and groups of numbers, with the figures of a model."""
    columns = [
        name
        for name in study.dataset_settings["columns"]
        if name != "speaker" and name in study.joined
    ]
    position = [other.name for other in study.models].index(model)
    loss = study.joined[f"_loss_{position}"].to_numpy(float)
    if not loss.any():
        return []
    speakers = study.speakers_of(study.joined)
    clusters = None if speakers is None else number_speakers(speakers)[0]
    found = []
    for group in category_groups(study.joined[columns], {}).values():
        inside = group.mask
        low, high = drop_interval(loss, inside, clusters)
        found.append(
            WeakGroup(
                name=in_words(read_rule(group.rule, study.metadata)) or group.rule,
                rule=group.rule,
                support=int(inside.sum()),
                speakers=count_speakers(None if speakers is None else speakers[inside]),
                value=study.value(position, inside),
                rest=study.value(position, ~inside),
                excess=float(loss[inside].mean() - loss[~inside].mean()),
                low=low,
                high=high,
                measured=np.nan,
                within=False,
                share_of_errors=float(loss[inside].sum() / loss.sum()),
                share_of_utterances=float(inside.mean()),
                leading_speaker="",
            )
        )
    return found
