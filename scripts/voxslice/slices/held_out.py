"""Suggested slices, held against utterances that did not choose them.

A slice that was chosen by looking at errors shows an excess of them in the very utterances it was
chosen by, whether or not there is anything behind it. So the finder looks at half of the speakers,
what it suggests there is carried over to the other half, and tested there; and the reverse. An
utterance whose speaker is not named is in neither half: that person may speak in both.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from voxslice.conditions import as_text, is_numeric
from voxslice.slices.search import assess_slices
from voxslice.speakers import known_speakers

MIN_SPEAKERS = 6
"""Fewest speakers whose halves can say anything about each other."""
MIN_OVERLAP = 0.5
"""Two slices with this intersection over union count as the same."""
NEIGHBOURS = 5
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
) -> pd.DataFrame:
    """Confirm slices on speakers that did not choose them.

    Each half of the speakers suggests slices; its suggestions are carried over to the other half by
    the five nearest neighbours in the space that the finder looked at, and tested there all at once
    within and across speakers (`voxslice.slices.assess_slices`). With two halves every p-value
    counts double (Bonferroni). A slice takes the best of the suggestions that are the
    same slice: those that overlap it by half or more where they were made and by half or more where
    they were carried over to. So a slice of speakers of one half only is never confirmed.

    Args:
        slices: masks of shape (utterances,), suggested on all utterances
        suggest: the finder; given positions of utterances, it returns the slices that it suggests
            among them, as positions of utterances
        space: shape (utterances, dimensions), as `feature_space` makes it
        loss: of each utterance
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` gives them
        alpha: level at which a slice is confirmed
        seed: of the halves (`split_speakers`) and the tests

    Returns:
        one row a slice: `p` (in the other half, adjusted for all that was suggested to it) and `q`
        (for both halves), missing where the slice did not come back, `evidence`, `confirmed` and
        `note`, which says why where it is not confirmed
    """
    if speakers is None:
        return _untested(len(slices), "without speakers no half of them can be held out")
    halves = split_speakers(speakers, seed)
    if not len(halves):
        count = len(known_speakers(speakers))
        return _untested(len(slices), f"{count} speakers are too few to hold half of them out")
    first, second = (
        np.isin(speakers, halves.loc[halves["half"] == half, "speaker"]) for half in HALVES
    )
    trials = [
        trial
        for side, other in ((first, second), (second, first))
        for trial in _carry_over(side, other, suggest, space, loss, speakers, seed, alpha)
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
            rows.append((np.nan, np.nan, "", False, "not found again from half of the speakers"))
            continue
        p, evidence = min(same)
        q = min(1.0, 2 * p)
        confirmed = q <= alpha
        note = "" if confirmed else "no clear excess in the speakers that were held out"
        rows.append((p, q, evidence if confirmed else "", confirmed, note))
    return _table(rows)


def split_speakers(speakers: np.ndarray | None, seed: int) -> pd.DataFrame:
    """Split speakers at random into two halves that hold each other out.

    Args:
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` gives them
        seed: of the split

    Returns:
        `half` (`first`, `second`; of an odd number the second has one more) and `speaker`, one row
        a named speaker; none where they are too few to be split
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
    seed: int,
    alpha: float,
) -> list[tuple[np.ndarray, float, str]]:
    """Suggestions of one half of the speakers, with p and evidence in the other half."""
    usable = np.isfinite(space).all(axis=1)
    known, other = np.flatnonzero(side & usable), np.flatnonzero(other_side & usable)
    if len(other) == 0:
        return []
    masks = []
    for rows in suggest(np.flatnonzero(side)):
        inside = np.isin(known, rows)
        neighbours = KNeighborsClassifier(min(NEIGHBOURS, len(known))).fit(space[known], inside)
        carried = other[neighbours.predict(space[other])]
        mask = np.zeros(len(loss), dtype=bool)
        mask[carried] = True
        mask[rows] = True
        masks.append(mask)
    held_out = [mask[other_side] for mask in masks]
    tested = assess_slices(held_out, loss[other_side], speakers[other_side], seed=seed, alpha=alpha)
    return [(mask, p, evidence) for mask, (p, evidence) in zip(masks, tested, strict=True)]


def feature_space(
    table: pd.DataFrame, features: Sequence[str], embedding: np.ndarray | None
) -> np.ndarray:
    """Place utterances in a space in which near ones are alike.

    Args:
        table: the metadata
        features: columns; a category becomes one axis a value
        embedding: shape (utterances, dimensions), None for none

    Returns:
        shape (utterances, axes); numbers and the embedding are standardised, the embedding as a
        whole weighs as much as one feature; NaN where a number or the embedding is missing
    """
    parts = []
    for name in features:
        if is_numeric(table[name]):
            parts.append(_standard(table[[name]].astype(float).to_numpy()))
        else:
            values = as_text(table[name])
            # two different categories are as far apart as two standard deviations of a number
            parts.append(np.sqrt(2) * (values[:, None] == np.unique(values)).astype(float))
    if embedding is not None:
        parts.append(_standard(embedding.astype(float)) / np.sqrt(embedding.shape[1]))
    return np.hstack(parts)


def _standard(values: np.ndarray) -> np.ndarray:
    return StandardScaler().fit_transform(values)  # leaves NaN as it is


def stability(
    slices: Sequence[np.ndarray],
    suggest: Callable[[int], list[np.ndarray]],
    seeds: Sequence[int],
) -> np.ndarray:
    """How often each slice comes back with another seed of the finder.

    Args:
        slices: masks of shape (utterances,)
        suggest: the finder; given a seed, it returns the slices that it suggests, as positions
        seeds: other seeds than the one that suggested the slices

    Returns:
        for each slice the share of seeds with a slice that overlaps it by half or more, NaN where
        no seed was tried
    """
    back = np.zeros(len(slices))
    for seed in seeds:
        found = [np.asarray(rows) for rows in suggest(seed)]
        for number, members in enumerate(slices):
            masks = (np.isin(np.arange(len(members)), rows) for rows in found)
            back[number] += any(overlap(mask, members) >= MIN_OVERLAP for mask in masks)
    return back / len(seeds) if seeds else np.full(len(slices), np.nan)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks, 0 where both are empty."""
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else 0.0
