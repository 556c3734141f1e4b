"""Whether a condition hurts some groups of utterances more than the other utterances."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import optimize, special

from voxslice.names import ACROSS, ROWS, WITHIN
from voxslice.scores.clusters import crossing_units
from voxslice.slices.max_tests import (
    MIN_BETWEEN_SHARE,
    MIN_SPEAKERS_ACROSS,
    Contrasts,
    Moments,
    adjusted_p,
    between_speakers,
    components,
    exchanged_maxima,
    permutation_moments,
    signed_root,
    speaker_contrasts,
    standardised,
)
from voxslice.slices.rule_space import RuleSpace
from voxslice.speakers import number_speakers
from voxslice.units import Index

RESAMPLES_WITHIN, RESAMPLES_ACROSS = 1999, 9999
"""Random permutations of the test within speakers, and of the one across speakers."""
SHARE = 0.5
"""Share of the level that each test has, also if only one of them is made."""
BATCH = 50
"""Permutations within speakers that are drawn together."""
MAX_PRIOR_FREE = 1000.0
"""Degrees of freedom from which a typical variance is treated as known."""
MIN_ROWS = 2
"""Smallest number of utterances inside and outside a group that is tested."""


@dataclass(frozen=True)
class Interactions:
    """Results of the tests, in arrays of shape (groups, comparisons).

    Attributes:
        p: p-values, adjusted for all groups and comparisons; 1 if a group is not hurt more
        evidence: the test with the smaller p-value: `within speakers`, `across speakers` or `rows`;
            empty if p is 1
    """

    p: np.ndarray
    evidence: np.ndarray


def interaction_tests(
    groups: Sequence[np.ndarray],
    changes: np.ndarray,
    speakers: np.ndarray | None,
    *,
    seed: int,
    units: Sequence[Index] = (),
) -> Interactions:
    """Test for each group and comparison whether the loss rises more inside the group than outside.

    A comparison is a model in a condition, compared with the same model on clean audio. There are
    two tests:

    - *Within speakers*, utterances of a speaker exchange their changes of the loss. All comparisons
      of an utterance move together. The test shows differences between utterances of a speaker.
    - *Across speakers*, speakers exchange their mean changes, in all comparisons together. The test
      is made for groups whose membership lies mostly between speakers, such as a gender, and which
      have at least five speakers. It compares the speakers of the group with all others.

    The statistics are those of `voxslice.slices.max_tests`. Each is compared with the largest
    statistic of all groups and comparisons in each permutation (Westfall and Young,
    Resampling-Based Multiple Testing, Wiley 1993, single-step maxT). Each test has half of the
    level. So the probability that any p-value is at most 0.05 is at most 0.05 if no condition hurts
    a group more than others. `bench/conditions_tables.py` measures it.

    A condition may cost some units, such as sentences, more than others. Then a group whose
    membership lies mostly between such units, such as a topic, can be hurt by its few units alone.
    Its p-value is at least that of a third test, in which the units exchange their mean changes.
    This test has half of the level, too. If the group has fewer than five units, the p-value is 1.
    `bench/conditions_units.py` measures it.

    Args:
        groups: masks of shape (utterances,)
        changes: loss in the condition minus loss on clean audio, shape (utterances, comparisons)
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            to treat utterances as independent. Utterances of unknown speakers are left out of the
            test within speakers, and are one speaker in the test across speakers
        seed: seed of the permutations
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit; kinds that lie within speakers, or have few units, do not count

    Returns:
        the p-values and the tests they come from
    """
    shape = len(groups), changes.shape[1]
    results = Interactions(np.ones(shape), np.full(shape, "", dtype=object))
    tested = [
        number
        for number, mask in enumerate(groups)
        if MIN_ROWS <= mask.sum() <= len(mask) - MIN_ROWS
    ]
    if not tested or not shape[1]:
        return results
    space, rules = _space([groups[number] for number in tested])
    numbers, known = np.zeros(len(changes), dtype=np.int64), np.ones(len(changes), dtype=bool)
    if speakers is not None:
        numbers, known = number_speakers(speakers)
    p = {ROWS if speakers is None else WITHIN: _within(space, changes, numbers, known, seed)}
    if speakers is not None:
        p[ACROSS] = _across(space, changes, numbers, seed)
    names = np.array(list(p), dtype=object)
    stacked = np.minimum(1, np.stack(list(p.values()))[:, rules] / SHARE)
    between = np.minimum(1, _between_units(space, changes, numbers, units, seed)[rules] / SHARE)
    results.p[tested] = np.maximum(stacked.min(axis=0), between)
    results.evidence[tested] = names[stacked.argmin(axis=0)]
    worse = np.stack([_rises_more(groups[number], changes) for number in tested])
    results.p[tested] = np.where(worse, results.p[tested], 1.0)
    results.evidence[results.p >= 1] = ""
    return results


def _space(groups: Sequence[np.ndarray]) -> tuple[RuleSpace, np.ndarray]:
    """The groups as rules, and the number of the rule of each group."""
    columns = {str(number): mask for number, mask in enumerate(groups)}
    space = RuleSpace(pd.DataFrame(columns), list(columns), 1, 1)
    numbers = {space.text(rule): rule for rule in range(space.searched)}
    inside = np.array([numbers[f"{name} = True"] for name in columns])
    chosen = np.zeros(space.searched, dtype=bool)
    chosen[inside] = True
    return space.subset(chosen), np.argsort(np.argsort(inside))


def _within(
    space: RuleSpace, changes: np.ndarray, numbers: np.ndarray, known: np.ndarray, seed: int
) -> np.ndarray:
    """p-values of shape (rules, comparisons) if utterances of a speaker exchange their changes."""
    # each utterance of an unknown speaker is a separate stratum: nothing is permuted there
    strata = np.where(known, numbers, numbers + np.cumsum(~known) - 1)
    scaled = np.stack([standardised(change, strata) for change in changes.T], axis=1)
    columns = [permutation_moments(space, change, strata) for change in scaled.T]
    moments = Moments(
        *(np.stack([getattr(column, name) for column in columns], axis=1) for name in
          ("mean", "variance", "unit"))
    )  # fmt: skip
    order = np.argsort(strata, kind="stable")
    strata, scaled = strata[order], scaled[order]
    members = np.stack([space.members(rule) for rule in range(space.searched)])[:, order]
    members = members.astype(float)

    def statistics(sums: np.ndarray) -> np.ndarray:
        return signed_root(sums - moments.mean, moments.variance, moments.unit)

    rng = np.random.default_rng([seed, 0])
    maxima = []
    for start in range(0, RESAMPLES_WITHIN, BATCH):
        size = min(BATCH, RESAMPLES_WITHIN - start), len(strata)
        drawn = np.argsort(strata + rng.random(size), axis=1)  # strata stay in their places
        sums = np.stack([members @ scaled[rows] for rows in drawn])
        maxima.append(statistics(sums).max(axis=(1, 2)))
    return adjusted_p(statistics(members @ scaled), np.concatenate(maxima))


def _between_units(
    space: RuleSpace, changes: np.ndarray, speakers: Index, units: Sequence[Index], seed: int
) -> np.ndarray:
    """p-values of shape (rules, comparisons) of rules that lie between units; 0 for all others."""
    p = np.zeros((space.searched, changes.shape[1]))
    for unit in crossing_units(speakers, units):
        share, _ = between_speakers(space, unit)
        of_units = share >= MIN_BETWEEN_SHARE
        if of_units.any():
            p[of_units] = np.maximum(p, _across(space, changes, unit, seed))[of_units]
    return p


def _across(space: RuleSpace, changes: np.ndarray, numbers: np.ndarray, seed: int) -> np.ndarray:
    """p-values of shape (rules, comparisons) if speakers exchange their mean changes.

    All comparisons use the same permutations.
    """
    p = np.ones((space.searched, changes.shape[1]))
    share, count = between_speakers(space, numbers)
    tested = (share >= MIN_BETWEEN_SHARE) & (count >= MIN_SPEAKERS_ACROSS)
    if not tested.any():
        return p
    subset = space.subset(tested)
    statistics, maxima = [], np.zeros(RESAMPLES_ACROSS)
    for contrasts in _moderated_contrasts(subset, changes, numbers):
        statistics.append(contrasts.statistic)
        rng = np.random.default_rng([seed, 1])
        np.maximum(
            maxima, exchanged_maxima(subset, contrasts, numbers, RESAMPLES_ACROSS, rng), out=maxima
        )
    p[tested] = adjusted_p(np.stack(statistics, axis=1), maxima)
    return p


def _moderated_contrasts(
    space: RuleSpace, changes: np.ndarray, numbers: np.ndarray
) -> list[Contrasts]:
    """Contrasts of speakers in each comparison, with a variance that comparisons share in part.

    Few speakers tell little about how much speakers differ, so a test that uses the variance of one
    comparison alone has little power. Comparisons that are alike in this variance share it, see
    `moderated`. It does not depend on which speakers are in a group, so permutations of speakers
    stay exact.
    """
    estimates = [components(change - change.mean(), numbers) for change in changes.T]
    ratios = [spread / within for within, spread in estimates if within > 0]
    ratio = float(np.median(ratios)) if ratios else 0.0
    one = np.zeros(len(numbers), dtype=np.int64)
    contrasts = [
        speaker_contrasts(
            space, change, numbers, one, (within, ratio * within) if within > 0 else (0.0, spread)
        )
        for change, (within, spread) in zip(changes.T, estimates, strict=True)
    ]
    free = max(1, int(numbers.max()))
    variances = np.array([(one.residual**2).sum() / free for one in contrasts])
    factors = np.sqrt(variances / moderated(variances, free))
    return [
        replace(one, statistic=factor * one.statistic, scale=factor * one.scale)
        for one, factor in zip(contrasts, factors, strict=True)
    ]


def moderated(variances: np.ndarray, free: int) -> np.ndarray:
    """Shrink variances towards each other, the more the more alike they are.

    The variances are treated as draws from a scaled inverse chi-squared distribution, whose scale
    and degrees of freedom follow from the mean and the variance of their logarithms (Smyth,
    Statistical Applications in Genetics and Molecular Biology 3 (2004), article 3, section 6.2).

    Args:
        variances: estimates of shape (comparisons,), at least 0
        free: degrees of freedom of each estimate

    Returns:
        weighted means of each variance and the typical one; 1 where a variance is 0
    """
    some = variances > 0
    if some.sum() < 2:
        return np.where(some, variances, 1.0)
    logs = np.log(variances[some]) - special.digamma(free / 2) + np.log(free / 2)
    beyond = float(logs.var(ddof=1) - special.polygamma(1, free / 2))
    if beyond <= special.polygamma(1, MAX_PRIOR_FREE / 2):
        prior = MAX_PRIOR_FREE
    else:
        prior = float(
            optimize.brentq(lambda d: special.polygamma(1, d / 2) - beyond, 1e-6, MAX_PRIOR_FREE)
        )
    typical = np.exp(logs.mean() + special.digamma(prior / 2) - np.log(prior / 2))
    return np.where(some, (prior * typical + free * variances) / (prior + free), 1.0)


def _rises_more(inside: np.ndarray, changes: np.ndarray) -> np.ndarray:
    """Whether the mean loss rises more inside a group than outside, by comparison."""
    return np.asarray(changes[inside].mean(axis=0) > changes[~inside].mean(axis=0))
