"""The failure modes of a study, as the report selects them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.files import as_booleans
from voxslice.report.study import Study
from voxslice.report.tables import text_of
from voxslice.utterance_keys import KEY

REST = "rest"
"""Mode of the utterances that no mode holds."""
SUGGESTIONS = 3
"""Number of modes that are shown unfolded if no mode is confirmed."""


@dataclass(frozen=True)
class Mode:
    """A failure mode.

    Args:
        name: id of the mode
        title: the mode in words
        rule: rule whose utterances the mode holds; empty for a cluster
        confirmed: whether the mode is confirmed for at least one model
        rows: figures of the mode, one row per model, in the order of the models
    """

    name: str
    title: str
    rule: str
    confirmed: bool
    rows: pd.DataFrame


def modes_of(study: Study) -> list[Mode]:
    """List the failure modes of a study, in the order of their table (the worst first).

    Args:
        study: the study

    Returns:
        the modes, without the row of the utterances that no mode holds
    """
    order = [model.name for model in study.models]
    table = study.modes[study.modes["mode"] != REST]
    modes = []
    for name, rows in table.groupby("mode", sort=False):
        rows = rows.assign(position=rows["model"].map(order.index)).sort_values("position")
        first = rows.iloc[0]
        confirmed = bool(as_booleans(rows["confirmed"]).any())
        modes.append(
            Mode(str(name), text_of(first["name"]), text_of(first["rule"]), confirmed, rows)
        )
    return modes


def shown_first(modes: Sequence[Mode]) -> list[Mode]:
    """Select the modes that are shown unfolded: the confirmed ones, or the worst suggestions."""
    return [mode for mode in modes if mode.confirmed] or list(modes[:SUGGESTIONS])


def keys_of(study: Study, mode: Mode) -> pd.DataFrame:
    """Return the keys of the utterances of a mode."""
    members = study.mode_members
    return members.loc[members["mode"] == mode.name, KEY]


def inside(study: Study, mode: Mode) -> np.ndarray:
    """Find the rows of `study.joined` that are in a mode.

    Args:
        study: the study
        mode: the mode

    Returns:
        mask of shape (rows of `study.joined`,)
    """
    return study.keys.isin(pd.MultiIndex.from_frame(keys_of(study, mode)))


def decisive(rows: pd.DataFrame) -> pd.DataFrame:
    """Select the models that a mode is about.

    Args:
        rows: figures of the mode, one row per model

    Returns:
        the rows of the models for which the mode is confirmed, or of the model with the largest
        share of its errors in the mode; the largest share comes first
    """
    order = rows.sort_values("share_of_errors", ascending=False, kind="stable")
    confirmed = order[as_booleans(order["confirmed"])]
    return confirmed if len(confirmed) else order.head(1)
