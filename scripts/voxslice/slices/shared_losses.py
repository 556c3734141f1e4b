"""Test whether the losses of utterances that share a unit are alike.

The effects of speakers and of other groups are taken out of the losses. If the unit has no effect,
the residuals of a speaker are exchangeable, so that they are permuted within speakers. The effects
are then taken out of the permuted residuals again (Freedman and Lane, Journal of Business &
Economic Statistics 1 (1983), 292-298). If each speaker has one unit, as with sites, the mean
residuals of speakers are permuted. The statistic is the sum of squares between the units that have
several utterances or speakers (Searle, Casella and McCulloch, Variance Components, Wiley 1992).

p-values are adjusted for all candidates and models by the largest standardised statistic (Westfall
and Young, Resampling-Based Multiple Testing, Wiley 1993).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.scores.clusters import MIN_UNITS
from voxslice.slices.unit_candidates import Candidate, is_function, partition
from voxslice.speakers import UNKNOWN_SPEAKER
from voxslice.units import Index

UNIT_COLUMNS = [
    "source", "clue", "config", "alike", "features", "model", "units", "utterances", "correlation",
    "p", "q", "found",
]  # fmt: skip
UTTERANCES, OF_A_SPEAKER, SPEAKERS = "utterances", "utterances of a speaker", "speakers"
"""What is alike within a unit."""
PERMUTATIONS, FEWER_PERMUTATIONS = 999, 199
MANY_UTTERANCES = 20_000
"""With more utterances, fewer permutations are made."""
NOTHING = 1e-9
"""Residuals that are smaller than this share of the largest loss are rounding errors."""
GOES_WITH = 0.1
"""A feature goes with a unit if the share of pairs of utterances with the same value is larger by
this in the unit than among all utterances, or among all of a speaker."""


@dataclass(frozen=True)
class _Test:
    """One test of whether values that share a unit are alike.

    Attributes:
        candidate: what may be a unit
        alike: what has the values: one of the constants above
        value: (n,) residuals of utterances, or mean residuals of speakers
        effects: kinds of groups whose effects are taken out, each (n,) numbers from 0
        unit: (n,) number of the unit, from 0
        kept: (n,) whether the unit has several values
        utterances: number of utterances in units with several values
    """

    candidate: Candidate
    alike: str
    value: np.ndarray
    effects: tuple[Index, ...]
    unit: Index
    kept: np.ndarray
    utterances: int

    @property
    def units(self) -> int:
        """Number of units with several values."""
        return len(np.unique(self.unit[self.kept]))

    def statistic(self, value: np.ndarray) -> float:
        """Sum of squares between units with several values, divided by that of all values.

        Permuted residuals lose a part of their variance when effects are taken out of them again.
        """
        unit, total = self.unit[self.kept], float((value**2).sum())
        if total < NOTHING**2:  # nothing is left after the effects, so nothing can be found
            return 1.0
        sums = np.bincount(unit, value[self.kept])
        return float((sums**2 / np.maximum(np.bincount(unit), 1)).sum()) / total

    def goes_with(self, category: Index, speaker: Index) -> bool:
        """Whether utterances of a unit often have the same category of a feature."""
        unit = self.unit[speaker] if self.alike == SPEAKERS else self.unit
        compared = speaker if self.alike == OF_A_SPEAKER else np.zeros_like(speaker)
        return _agreement(category, unit) - _agreement(category, compared) >= GOES_WITH

    def correlation(self, statistics: np.ndarray) -> float:
        """Correlation of two values of a unit, beyond that of permuted values.

        It follows from the expectation of the sum of squares, and is at most 1.

        Args:
            statistics: the statistic of the test and those after permutations
        """
        further = self.kept.sum() - self.units
        beyond = statistics[0] - statistics[1:].mean()
        return float(np.clip(beyond * len(self.value) / further, -1, 1))


def units_alike(
    candidates: Sequence[Candidate],
    losses: Mapping[str, np.ndarray],
    speakers: np.ndarray | None,
    features: Mapping[str, Index],
    groups: Sequence[Index],
    *,
    alpha: float,
    seed: int,
) -> pd.DataFrame:
    """Test for each candidate and model whether the losses within a unit are alike.

    Args:
        candidates: units that the data give away
        losses: losses of each model, shape (utterances,), NaN where an utterance has no score
        speakers: speaker of each utterance, see `voxslice.speakers`; None if they are not known.
            If some are known, utterances of unknown speakers are left out
        features: by name of a feature, the number of each utterance's category, from 0. Their
            effects are taken out of the losses. If a column or the audit names the units, the
            effects of categories that follow from the unit, such as the topic of a sentence, are
            left in
        groups: for each kind of other groups the number of each utterance's group, from 0, with the
            same use
        alpha: level of all tests together
        seed: seed of the permutations

    Returns:
        one row per test with the columns `UNIT_COLUMNS`, the clearest first. Candidates of which
        fewer than `MIN_UNITS` units have several utterances or speakers are not tested
    """
    rows, shifted = [], []
    for model, loss in losses.items():
        used = np.isfinite(loss)
        speaker = np.zeros(len(loss), np.int64)
        if speakers is not None and (speakers != UNKNOWN_SPEAKER).any():
            used &= speakers != UNKNOWN_SPEAKER
            speaker = np.unique(speakers, return_inverse=True)[1]
        speaker = np.unique(speaker[used], return_inverse=True)[1]
        tests = list(_tests(candidates, loss, speaker, [*features.values(), *groups], used))
        for test, statistic in zip(tests, _statistics(tests, speaker, seed).T, strict=True):
            null = statistic[1:]
            spread = null.std() or 1.0
            shifted.append((statistic - null.mean()) / spread)
            rows.append(
                {
                    "source": test.candidate.source,
                    "clue": test.candidate.clue,
                    "config": test.candidate.config,
                    "alike": test.alike,
                    "features": ", ".join(
                        name
                        for name, category in features.items()
                        if test.goes_with(category[used], speaker)
                    ),
                    "model": model,
                    "units": test.units,
                    "utterances": test.utterances,
                    "correlation": test.correlation(statistic),
                    "p": _p_value(null, statistic[0]),
                }
            )
    if not rows:
        return pd.DataFrame(columns=UNIT_COLUMNS)
    draws = min(map(len, shifted))
    standardised = np.array([one[:draws] for one in shifted])
    largest = standardised[:, 1:].max(axis=0)
    table = pd.DataFrame(rows)
    table["q"] = [_p_value(largest, value) for value in standardised[:, 0]]
    table["found"] = table["q"] <= alpha
    order = np.argsort(-standardised[:, 0], kind="stable")
    return table.iloc[order].reset_index(drop=True)[UNIT_COLUMNS]


def _agreement(category: Index, group: Index) -> float:
    """Share of the pairs of rows of a group that have the same category."""
    sizes, cells = np.bincount(group), np.bincount(_cells(category, group))
    pairs = float((sizes * (sizes - 1.0)).sum())
    return float((cells * (cells - 1.0)).sum()) / pairs if pairs else 0.0


def _p_value(null: np.ndarray, value: float) -> float:
    """p-value of a permutation test: the share of statistics that are at least as large."""
    return float((1 + (null >= value - 1e-9 * abs(value)).sum()) / (1 + len(null)))


def _tests(
    candidates: Sequence[Candidate],
    loss: np.ndarray,
    speaker: Index,
    groups: Sequence[Index],
    used: np.ndarray,
) -> Iterator[_Test]:
    """The tests of one model on the utterances that are used.

    Units of which too few have several values are not tested, and no units twice.
    """
    seen = set()
    kinds = [group[used] for group in groups]
    within = [_cells(group, speaker) for group in kinds]
    for candidate in candidates:
        for test in _tests_of(candidate, loss[used], speaker, kinds, within, used):
            key = (test.alike == SPEAKERS, partition(test.unit))
            left = np.abs(test.value[test.kept]).max(initial=0) > NOTHING * np.abs(loss[used]).max()
            if key not in seen and test.units >= MIN_UNITS and left:
                seen.add(key)
                yield test


def _tests_of(
    candidate: Candidate,
    loss: np.ndarray,
    speaker: Index,
    kinds: Sequence[Index],
    within: Sequence[Index],
    used: np.ndarray,
) -> Iterator[_Test]:
    """The tests of a candidate for one model.

    Args:
        candidate: what may be a unit
        loss: (rows,) losses of the utterances that are used
        speaker: (rows,) number of the speaker, from 0
        kinds: for each kind of group the (rows,) number of each row's group
        within: the groups within each speaker
        used: (utterances,) whether an utterance is used
    """
    unit = np.unique(candidate.unit[used], return_inverse=True)[1]
    similar = [] if candidate.similar is None else [candidate.similar[used]]
    follows = [is_function(group, unit) for group in kinds]
    left_in = [candidate.is_named and one for one in follows]
    out = [group for group, left in zip(kinds, left_in, strict=True) if not left]
    if speaker.max(initial=0) > 0 and is_function(unit, speaker):
        value = _taken_out(loss, [*out, *similar])
        mean = np.bincount(speaker, value) / np.bincount(speaker)
        site = unit[np.unique(speaker, return_index=True)[1]]
        kept = np.bincount(site)[site] >= 2
        count = int(kept[speaker].sum())
        yield _Test(candidate, SPEAKERS, mean - mean.mean(), (), site, kept, count)
        return
    both = _cells(unit, speaker)
    nested = both.max(initial=0) == unit.max(initial=0)
    tests = []
    if not nested or speaker.max(initial=0) == 0:
        tests.append((UTTERANCES, unit, out))
    if speaker.max(initial=0) > 0:
        # a part of a file name may tell an emotion, which a speaker may act in a special way
        special = [
            cells
            for cells, one in zip(within, follows, strict=True)
            if one and not nested and not candidate.is_named
        ]
        tests.append((OF_A_SPEAKER, both, [*out, *special]))
    for alike, numbers, groups in tests:
        effects = (speaker, *groups, *similar, speaker)
        value = _taken_out(_taken_out(loss, effects), effects)
        kept = np.bincount(numbers)[numbers] >= 2
        yield _Test(candidate, alike, value, effects, numbers, kept, int(kept.sum()))


def _taken_out(value: np.ndarray, effects: Iterable[Index]) -> np.ndarray:
    """Subtract the means of the groups of each kind, one kind after the other."""
    for group in effects:
        sizes = np.maximum(np.bincount(group), 1)
        value = value - (np.bincount(group, value) / sizes)[group]
    return value


def _cells(first: Index, second: Index) -> Index:
    """Number the pairs of numbers."""
    pairs = first * (second.max(initial=0) + 1) + second
    return np.unique(pairs, return_inverse=True)[1].astype(np.int64)


def _statistics(tests: Sequence[_Test], speaker: Index, seed: int) -> np.ndarray:
    """Sums of squares between units, observed and after permutations.

    Args:
        tests: the tests
        speaker: (utterances,) number of the speaker of each utterance that is used, from 0
        seed: seed of the permutations

    Returns:
        shape (1 + permutations, tests), the observed ones first
    """
    rng = np.random.default_rng(seed)
    count = PERMUTATIONS if len(speaker) <= MANY_UTTERANCES else FEWER_PERMUTATIONS
    together: dict[tuple[int, ...], list[int]] = {}  # tests with the same residuals
    for column, test in enumerate(tests):
        together.setdefault(tuple(map(id, test.effects)), []).append(column)
    ordered = np.argsort(speaker, kind="stable")
    source, person = np.arange(len(speaker)), np.arange(speaker.max(initial=0) + 1)
    statistics = np.empty((1 + count, len(tests)))
    for draw in range(1 + count):
        if draw > 0:
            source[ordered] = np.argsort(speaker + rng.random(len(speaker)))
            person = rng.permutation(len(person))
        for columns in together.values():
            first = tests[columns[0]]
            if first.alike != SPEAKERS:
                value = _taken_out(first.value[source], first.effects)
            for column in columns:
                test = tests[column]
                own = test.value[person] if test.alike == SPEAKERS else value
                statistics[draw, column] = test.statistic(own)
    return statistics
