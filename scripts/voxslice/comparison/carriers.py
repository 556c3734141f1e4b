"""Decide which speakers carry a difference of two models, from the table of pairs of models.

A small difference is easily turned by one speaker, whoever that is. So a speaker is named only if
its contribution is more than chance, compared with speakers who are alike (p of at most 0.05, see
`voxslice.comparison.concentration`). In simulations of two equally good models and alike speakers
(5 to 30 speakers with 15 to 50 utterances each, 3 or 15 % of errors, half of the utterances
independent), this changed how often

- few speakers turned the difference: from 49 to 97 % of the datasets to 0.4 to 2.2 %,
- one speaker made more than half of it: from 45 to 68 % to 1.0 to 3.0 %,
- the interval excluded zero only if one speaker was left out: from 10 to 18 % to 0 to 1.0 %,
- one speaker made more than half of the errors of a model: from 7 % at most to 1.2 % at most.

If one or two of ten speakers with 50 utterances carried the advantage, and the model was worse for
the others, they were named in 100 and 84 % of the datasets, and of 30 speakers with 15 utterances
in 64 and 78 %. If a model was better for all speakers alike, nobody was named. If equally good
models differ at random between speakers, speakers are named often (10 speakers: in 51 % of the
datasets some turn the difference). This is true of these speakers, and the verdict says that it
says nothing about others.
"""

from collections.abc import Callable
from functools import wraps

import pandas as pd

from voxslice.comparison.paired_tests import ALPHA, fewest_speakers

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
    """The speakers without any one of whom one model is better.

    Args:
        rows: rows of one metric and pair of models of which none is better

    Returns:
        the speakers who contribute against the difference, by more than chance, and without whom
        there is a verdict; the largest contribution first
    """
    found = (rows["share"] < 0) & (rows["p"] <= ALPHA) & rows["verdict"].isin(["better", "worse"])
    return rows.loc[found, "speaker"].to_list()[::-1]


def decisive(rows: pd.DataFrame, verdict: str) -> list[str]:
    """The speakers without any one of whom a verdict no longer holds.

    Args:
        rows: rows of one metric and pair of models
        verdict: verdict on all utterances, `better`, `worse` or `equivalent`

    Returns:
        the known speakers, the largest contribution to the difference first; empty if too few
        other speakers are left for any verdict
    """
    enough = rows["speakers"] >= fewest_speakers(ALPHA)
    rows = rows[rows["known"].astype(bool) & enough & (rows["verdict"] != verdict)]
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
