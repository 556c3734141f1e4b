"""Decide which speakers carry a difference of two models, from the table of pairs of models."""

from collections.abc import Callable
from functools import wraps

import pandas as pd

from voxslice.comparison.paired_tests import ALPHA

MAX_SHARE_OF_SPEAKERS = 0.25
"""Largest share of the speakers that counts as few. One speaker always does."""
HALF = 0.5
"""Share of a difference, or of the errors, above which a speaker is named."""


def _of_known(function: Callable[[pd.DataFrame], list[str]]) -> Callable[[pd.DataFrame], list[str]]:
    """Give a function the known speakers only, the largest contribution to the difference first."""

    @wraps(function)
    def sorted_first(rows: pd.DataFrame) -> list[str]:
        rows = rows[rows["known"].astype(bool) & (rows["difference"] != 0)]
        return function(rows.sort_values(["share", "speaker"], ascending=[False, True]))

    return sorted_first


@_of_known
def turning(rows: pd.DataFrame) -> list[str]:
    """The few speakers without whom the other model is ahead.

    Args:
        rows: rows of one metric and pair of models, as
            `voxslice.comparison.by_speaker.pair_table` returns them

    Returns:
        the fewest speakers without whom the difference is zero or changes its sign, the largest
        contribution first; empty if these are more than a quarter of the speakers, or if one of
        their contributions may be chance
    """
    turned = rows["without_larger"] * rows["difference"] <= 0
    if not turned.any():
        return []
    first = rows.iloc[: int(turned.to_numpy().argmax()) + 1]
    few = len(first) <= max(1, MAX_SHARE_OF_SPEAKERS * len(rows))
    return first["speaker"].to_list() if few and (first["p"] <= ALPHA).all() else []


@_of_known
def majority(rows: pd.DataFrame) -> list[str]:
    """The speaker who makes more than half of a difference.

    Args:
        rows: rows of one metric and pair of models

    Returns:
        the speaker without whom less than half of the difference is left; empty if there is none,
        or if the contribution may be chance
    """
    left = rows["without"] / rows["difference"]
    found = (rows["share"] > HALF) & (left < HALF) & (rows["p"] <= ALPHA)
    return rows.loc[found, "speaker"].to_list()


@_of_known
def opposing(rows: pd.DataFrame) -> list[str]:
    """The speakers without any one of whom the difference would exclude zero.

    Args:
        rows: rows of one metric and pair of models of which none is better

    Returns:
        the speakers who contribute against the difference, by more than chance, and without whom
        its interval excludes zero; the largest contribution first
    """
    found = (rows["share"] < 0) & (rows["p"] <= ALPHA) & rows["verdict"].isin(["better", "worse"])
    return rows.loc[found, "speaker"].to_list()[::-1]


def decisive(rows: pd.DataFrame, verdict: str) -> list[str]:
    """The speakers without any one of whom a verdict no longer holds.

    Args:
        rows: rows of one metric and pair of models
        verdict: verdict on all utterances, `better`, `worse` or `equivalent`

    Returns:
        the known speakers, the largest contribution to the difference first
    """
    rows = rows[rows["known"].astype(bool) & (rows["verdict"] != verdict)]
    return rows.sort_values(["share", "speaker"], ascending=[False, True])["speaker"].to_list()


def error_makers(rows: pd.DataFrame) -> list[str]:
    """The speaker who makes more than half of a model's errors.

    Args:
        rows: rows of one model, as `voxslice.comparison.by_speaker.speaker_table` returns them

    Returns:
        the speaker; empty if there is none, or if it may be chance
    """
    found = rows["known"].astype(bool) & (rows["share_of_errors"] > HALF) & (rows["p"] <= ALPHA)
    return rows.loc[found, "speaker"].to_list()
