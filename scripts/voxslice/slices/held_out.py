"""Test suggested slices on speakers that did not suggest them.

A finder chooses slices with many errors. So they show an excess of errors in the same utterances,
even if there is no true slice. sliceguard makes no test, so slices are suggested on half of the
speakers and confirmed on the other half, and the reverse. Utterances of unknown speakers are in
neither half, since the same person could speak in both.

If all speakers read the same sentences, a slice that goes with a sentence would be found again on
the other speakers. So the units that speakers of both halves have are also split into halves, and
no utterance that confirms a slice shares a speaker or a unit with those that suggested it.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from voxslice.rule_conditions import as_text, is_numeric
from voxslice.scores.clusters import crossing_units
from voxslice.slices.search import assess_slices
from voxslice.speakers import known_speakers
from voxslice.units import Index

MIN_SPEAKERS = 6
"""Smallest number of speakers that are split into halves."""
MIN_OVERLAP = 0.5
"""Two slices with this intersection over union are the same slice."""
NEIGHBOURS = 5
"""Neighbours of an utterance that decide whether it belongs to a slice of the other half."""
HALVES = ("first", "second")

VERIFIED_COLUMNS = ["p", "q", "evidence", "confirmed", "note"]


def verify(
    slices: Sequence[np.ndarray],
    suggest: Callable[[np.ndarray], list[np.ndarray]],
    space: np.ndarray,
    loss: np.ndarray,
    speakers: np.ndarray | None,
    *,
    alpha: float,
    seed: int,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Confirm slices on speakers that did not suggest them.

    The finder suggests slices on each half of the speakers. Each suggestion is carried over to the
    other half: an utterance there belongs to it if most of its five nearest neighbours do, in the
    space that the finder clusters. All suggestions are tested there at once, within and across
    speakers (`voxslice.slices.search.assess_slices`). Since there are two halves, p-values are
    doubled (Bonferroni).

    A suggestion is the same slice as one of `slices` if they overlap by half or more in each of the
    two halves. A slice gets the smallest p-value of these suggestions. So a slice with speakers of
    one half only is never confirmed.

    Args:
        slices: masks of shape (utterances,), suggested on all utterances
        suggest: the finder, a function of the positions of some utterances, which returns the
            slices that it suggests among them, each as positions of utterances
        space: shape (utterances, dimensions), see `feature_space`
        loss: loss of each utterance
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them
        alpha: level at which a slice is confirmed
        seed: seed of the halves and the tests
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit. Units of kinds that cross speakers are split into halves as well, if they occur in
            both halves of the speakers. The tests allow for what the utterances of a unit share

    Returns:
        one row per slice: `p` (in the other half, adjusted for all of its suggestions) and `q`
        (for both halves), missing if the slice was not suggested again; `evidence`; `confirmed`;
        and `note`, the reason if it is not confirmed
    """
    if speakers is None:
        return _untested(len(slices), "the speakers are not known")
    halves = split_speakers(speakers, seed)
    if not len(halves):
        count = len(known_speakers(speakers))
        return _untested(len(slices), f"{count} speakers are too few to be split into halves")
    first, second = (
        np.isin(speakers, halves.loc[halves["half"] == half, "speaker"]) for half in HALVES
    )
    for number, unit in enumerate(crossing_units(speakers, units)):
        shared = np.intersect1d(unit[first], unit[second])
        drawn = np.random.default_rng([seed, number]).permutation(shared)
        for_first, for_second = np.split(drawn, [len(drawn) // 2])
        first, second = first & ~np.isin(unit, for_second), second & ~np.isin(unit, for_first)
    trials = [
        trial
        for side, other in ((first, second), (second, first))
        for trial in _carry_over(side, other, suggest, space, loss, speakers, units, seed, alpha)
    ]
    rows = []
    for members in slices:
        same = [
            (p, evidence)
            for mask, p, evidence in trials
            if overlap(mask[first], members[first]) >= MIN_OVERLAP
            and overlap(mask[second], members[second]) >= MIN_OVERLAP
        ]
        if not same:
            rows.append((np.nan, np.nan, "", False, "not found again on half of the speakers"))
            continue
        p, evidence = min(same)
        q = min(1.0, 2 * p)
        confirmed = q <= alpha
        note = "" if confirmed else "not significant on the held-out speakers"
        rows.append((p, q, evidence if confirmed else "", confirmed, note))
    return _table(rows)


def split_speakers(speakers: np.ndarray | None, seed: int) -> pd.DataFrame:
    """Split the known speakers at random into two halves.

    Args:
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them
        seed: seed of the split

    Returns:
        one row per known speaker: `half` (`first` or `second`, which has one more if the number is
        odd) and `speaker`; no row if there are fewer than six speakers
    """
    names = np.array([]) if speakers is None else known_speakers(speakers)
    if len(names) < MIN_SPEAKERS:
        return pd.DataFrame(columns=["half", "speaker"], dtype=str)
    first = np.random.default_rng(seed).permutation(names)[: len(names) // 2]
    table = pd.DataFrame({"half": np.where(np.isin(names, first), *HALVES), "speaker": names})
    return table.sort_values(["half", "speaker"], ignore_index=True)


def _untested(count: int, why: str) -> pd.DataFrame:
    return _table([(np.nan, np.nan, "", False, f"not tested: {why}")] * count)


def _table(rows: list[tuple[float, float, str, bool, str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=VERIFIED_COLUMNS)


def _carry_over(
    side: np.ndarray,
    other_side: np.ndarray,
    suggest: Callable[[np.ndarray], list[np.ndarray]],
    space: np.ndarray,
    loss: np.ndarray,
    speakers: np.ndarray,
    units: Sequence[Index],
    seed: int,
    alpha: float,
) -> list[tuple[np.ndarray, float, str]]:
    """Suggestions of one half of the speakers: mask, and p and evidence in the other half."""
    usable = np.isfinite(space).all(axis=1)
    own, other = np.flatnonzero(side & usable), np.flatnonzero(other_side & usable)
    if len(own) == 0 or len(other) == 0:
        return []
    masks = []
    for rows in suggest(np.flatnonzero(side)):
        inside = np.isin(own, rows)
        neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(own))).fit(space[own], inside)
        carried = other[neighbours.predict(space[other])]
        mask = np.zeros(len(loss), dtype=bool)
        mask[carried] = True
        mask[rows] = True
        masks.append(mask)
    held_out = [mask[other_side] for mask in masks]
    tested = assess_slices(
        held_out,
        loss[other_side],
        speakers[other_side],
        seed=seed,
        alpha=alpha,
        units=[np.unique(unit[other_side], return_inverse=True)[1] for unit in units],
    )
    return [(mask, p, evidence) for mask, (p, evidence) in zip(masks, tested, strict=True)]


def feature_space(
    table: pd.DataFrame, features: Sequence[str], embedding: np.ndarray | None
) -> np.ndarray:
    """Represent utterances by vectors, so that similar utterances are near each other.

    Args:
        table: the metadata
        features: columns; a categorical column becomes one axis per category
        embedding: shape (utterances, dimensions), or None

    Returns:
        shape (utterances, axes). Numbers and the embedding are standardised, and the whole
        embedding has the weight of one feature. NaN if a number or the embedding is missing
    """
    parts = []
    for name in features:
        if is_numeric(table[name]):
            parts.append(_standard(table[[name]].astype(float).to_numpy()))
        else:
            values = as_text(table[name])
            # the distance of two categories is two standard deviations of a number
            parts.append(np.sqrt(2) * (values[:, None] == np.unique(values)).astype(float))
    if embedding is not None:
        parts.append(_standard(embedding.astype(float)) / np.sqrt(embedding.shape[1]))
    return np.hstack(parts)


def _standard(values: np.ndarray) -> np.ndarray:
    return StandardScaler().fit_transform(values)  # keeps NaN


def stability(
    slices: Sequence[np.ndarray],
    suggest: Callable[[int], list[np.ndarray]],
    seeds: Sequence[int],
) -> np.ndarray:
    """Share of other seeds of the finder with which each slice is suggested again.

    Args:
        slices: masks of shape (utterances,)
        suggest: the finder, a function of a seed, which returns the slices that it suggests, each
            as positions of utterances
        seeds: seeds other than the one that suggested the slices

    Returns:
        for each slice the share of seeds with a slice that overlaps it by half or more; NaN if
        there is no other seed
    """
    repeats = np.zeros(len(slices))
    for seed in seeds:
        suggested = [np.asarray(rows) for rows in suggest(seed)]
        for number, members in enumerate(slices):
            masks = (np.isin(np.arange(len(members)), rows) for rows in suggested)
            repeats[number] += any(overlap(mask, members) >= MIN_OVERLAP for mask in masks)
    return repeats / len(seeds) if seeds else np.full(len(slices), np.nan)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks, 0 if both are empty.

    Args:
        one: mask of shape (rows,)
        other: mask of the same shape

    Returns:
        a number from 0 to 1
    """
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 0.0
