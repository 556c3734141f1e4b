"""Search the metadata for slices: utterances with more errors than chance explains.

The search goes through every rule of a few conditions (`voxslice.slices.rule_space`), tests all
rules at once (`voxslice.slices.max_tests`), and returns the few rules that remain when the errors
that other rules explain are taken away.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from voxslice.names import ACROSS, ROWS, WITHIN
from voxslice.slices.certificates import (
    SIZES,
    largest_limits,
    limits_across,
    limits_within,
)
from voxslice.slices.max_tests import (
    MIN_BETWEEN_SHARE,
    MIN_SPEAKERS_ACROSS,
    Contrasts,
    Moments,
    adjusted_p,
    between_speakers,
    exchanged_maxima,
    mixed_model_statistic,
    permutation_moments,
    permuted_maxima,
    precision_weights,
    signed_root,
    speaker_contrasts,
    tail_p,
)
from voxslice.slices.needed_drops import critical_statistic, needed_across, needed_within
from voxslice.slices.rule_space import Array, Index, RuleSpace
from voxslice.slices.units import (
    added_variance,
    distinct_rows,
    speakers_inflation,
    unequal_spread,
    with_speakers,
)
from voxslice.speakers import as_speakers, number_speakers
from voxslice.units import number_units

DEFAULT_ALPHA = 0.05
RESAMPLES = 999  # at the default alpha; a lower one needs more to be reached at all
MIN_ALPHA = 0.001  # it needs 49,950 resamples
MAX_ALPHA = 0.5
# shares of alpha where both tests are made: far more rules are tested within speakers
ALPHA_SHARES = {WITHIN: 0.8, ACROSS: 0.2}
# shares of alpha where one test is made. Groups of speakers that differ in their spread and in how
# much they talk are not exchangeable: with all of alpha, 5 to 11 % of the searches across speakers
# without a slice confirmed one
ALPHA_SHARES_ALONE = {WITHIN: 1.0, ACROSS: 0.5, ROWS: 1.0}
MAX_SLICES = 20  # slices returned, confirmed and suggested
MAX_SUGGESTIONS = 3  # slices returned that are not confirmed
# standard errors that a rule must explain more for each unit of the logarithm of the number of
# rules on its columns. It is larger for suggestions, which no test confirms: they shall be simple
RIVALS_PENALTY, RIVALS_PENALTY_OF_SUGGESTIONS = 0.1, 0.2
MAX_LOG_LIKELIHOOD_GAP = 7.0  # rules further below the best one are not weighted
MAX_WEIGHTED_RULES = 500  # rules whose overlaps are compared with each other

SLICE_TYPES = {
    "rule": "object", "p": "float64", "q": "float64", "evidence": "object", "confirmed": "bool",
    "note": "object", "detectable": "float64", "rows": "object",
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        slices: One row per slice, best first: `rule` (its conditions in words), `p` and `q` (see
            `find_slices`), `evidence` (the test that confirms the slice: `within speakers`, `across
            speakers`, `rows`; empty where it is not confirmed), `confirmed`, `note` (why the slice
            is not confirmed), `detectable` (the smallest drop with which the rule would have been
            confirmed, by the test with the smallest p-value; missing if no drop is enough), and
            `rows` (array of the positions of its rows, ascending).
        searched: Number of rules that were tested.
        depth: Largest number of conditions that these rules have; 0 where there is no rule.
        p: p-value of the whole search: the chance that a search of data without a slice finds one
            that is as clear as the clearest one. Below the resolution of the resamples it is
            extrapolated (`max_tests.tail_p`).
        limits: For each share of the rows in `certificates.SIZES`: with probability 1 - alpha, no
            group with at least this share that a test can judge is worse than the rest by more.
            Groups that are tested within speakers are compared with the same speakers. Missing if
            there is no such group.
    """

    slices: pd.DataFrame
    searched: int
    depth: int
    p: float
    limits: Array


def find_slices(
    table: pd.DataFrame,
    loss: ArrayLike,
    features: Sequence[str],
    speaker: str | None = None,
    *,
    depth: int = 3,
    min_support: int = 10,
    alpha: float = DEFAULT_ALPHA,
    seed: int = 0,
    across: bool = True,
    naming: str | None = None,
    units: Sequence[str] = (),
    effects: Sequence[str] = (),
    centred: bool = False,
) -> Found:
    """Find slices of a table whose loss is higher than in the rest, described by rules on columns.

    The search tests every rule of up to `depth` conditions on different columns. A condition is one
    category, an interval of neighbouring quantile bins of a number
    (`rule_space.MAX_BINS_BY_NUMBERS`), or missing. If there would be more than 250,000 rules,
    rules of several conditions use wider bins. If there would still be more than 500,000, rules
    have fewer conditions, with a warning.

    A rule's p-value is the chance that the *best* rule of the whole search is as good on data
    without a slice. So at most a share `alpha` of all searches without a true slice confirms one.
    There are two tests:

    - *Within speakers*, losses are permuted among the utterances of each speaker, and measured by
      their spread there. The test is exact if the utterances of a speaker are exchangeable. It
      detects what changes from utterance to utterance, however few speakers there are.
    - *Across speakers*, speakers exchange their mean losses. The test is made for rules whose
      membership lies mostly between speakers. It detects attributes of speakers, and needs many of
      them. It is exact if speakers are exchangeable, except that means over different numbers of
      utterances vary differently.

    If both tests are made, they share `alpha` four to one (weighted Bonferroni), so that they keep
    it together. If only the test across speakers is made, it uses half of `alpha`, as a reserve for
    speakers who are not quite exchangeable. A p-value is the upper 95 % limit of what 999 resamples
    show (more resamples if `alpha` is below 5 %), so that another seed seldom changes a decision.

    The search returns one rule after the other. Among the rules that are confirmed and worse than
    the rest, it takes the one with the largest overlap with all rules that explain the losses about
    as well. Each rule is weighted by its likelihood in a mixed model of what changes within and
    between speakers (`max_tests.mixed_model_statistic`). A rule on columns with many possible rules
    must explain more. Then losses are compared only inside and only outside the returned rule, so
    that the next rules must explain an excess of their own. A rule is returned once, and so is a
    set of rows.

    A slice's `p` is the adjusted p-value of its rule alone. Its `q` is the adjusted p-value of what
    it adds to the rules above it, and never below its `p` or a `q` above it. A slice is confirmed
    if `q` is at most `alpha`. After the confirmed slices come at most three suggestions.

    Args:
        table: One row per utterance. Numeric columns are numbers, all others are categories.
        loss: (n,) 0 or 1 (wrong), or an error of at least 0.
        features: Columns to build rules from. The column of speakers may be one of them: a rule on
            one speaker can be confirmed by the test within speakers only.
        speaker: Column of speakers, None to treat every row as independent. Rows whose speaker is
            not known (missing or empty) count towards the support of a rule. The test within
            speakers ignores them, and the test across speakers treats them as one speaker.
        depth: Largest number of conditions of a rule.
        min_support: Smallest number of rows of a slice.
        alpha: Probability of confirming a slice if the data have no slice, from 0.001 to 0.5.
        seed: Seed of the resampling. With the same seed, rows in another order give the same
            result, except for the positions of rows.
        across: Whether the test across speakers is made. Leave it out if `speaker` is not a column
            of speakers but of other groups within which rows can be exchanged.
        naming: Column that every rule must name; None to search all rules. The `q` of a rule that
            names more columns is then also an adjusted p-value of what it adds to its condition on
            this column.
        units: Columns of further units whose utterances share something, such as sessions,
            sentences, sources of copies, or sites of speakers, see `voxslice.slices.units`. A row
            without a value shares nothing.
        effects: Columns of groups. What the rows of a group have in common is not counted as
            something that units share.
        centred: Whether losses of 0 and 1 have been centred within the groups of `speaker`. The
            spread of such losses follows from their mean, so it is not corrected.

    Returns:
        The slices, and how many rules of how many conditions were searched.

    Raises:
        ValueError: If a column is missing, occurs twice or contains dates, if there is not one
            loss per row, if a loss is missing, infinite or negative, or if a setting is out of
            range.
    """
    losses = _check(
        table, loss, features, speaker, depth, min_support, alpha, seed, [*units, *effects]
    )
    if not len(table) or not features:
        return _result([], 0, 0)
    names = list(dict.fromkeys(features))
    for unit in units:
        kept = distinct_rows(table, losses, [*names, *([] if speaker is None else [speaker])], unit)
        if len(kept) < len(table):
            return _without_copies(
                table, losses, names, speaker, kept, unit, depth=depth, min_support=min_support,
                alpha=alpha, seed=seed, across=across, naming=naming, units=units, centred=centred,
            )  # fmt: skip
    space = RuleSpace(table, names, depth, min_support)
    if space.depth < min(depth, len(names)):
        warnings.warn(
            f"Rules have at most {space.depth} of {depth} conditions, since more would be too many "
            f"rules on {len(names)} columns: name fewer columns to search deeper.",
            stacklevel=2,
        )
    if naming is not None:
        space = space.subset(space.named(names.index(naming)))
    if speaker is None:
        speakers, known = np.zeros(len(table), dtype=np.int64), np.ones(len(table), dtype=bool)
    else:
        speakers, known = number_speakers(as_speakers(table[speaker]))
    # an order that does not depend on that of the table: it is all that the resampling sees
    order = np.lexsort((losses, space.cell, speakers))
    space.cell = space.cell[order]
    losses, speakers, known = losses[order], speakers[order], known[order]
    if not space.searched or losses.min() == losses.max():
        return _result([], space.searched, space.depth)
    strata = speakers if speaker is not None else None
    groups = [number_units(table[name])[order] for name in units]
    common = [number_units(table[name])[order] for name in effects]
    search = _Search(space, losses, strata, known, seed, alpha, across, groups, common, centred)
    if naming is not None:
        search.explain_by(names.index(naming), number_units(table[naming])[order], groups, common)
    p, limits = search.smallest_p(), search.limits()
    rows = [_row(search, pick, order) for pick in search.greedy()]
    return _result(rows, space.searched, space.depth, p, limits)


def _without_copies(
    table: pd.DataFrame,
    losses: Array,
    names: Sequence[str],
    speaker: str | None,
    kept: Index,
    unit: str,
    **settings: Any,
) -> Found:
    """Search with one row per unit of copies. The slices then contain all rows of their units."""
    found = find_slices(
        table.iloc[kept].reset_index(drop=True), losses[kept], names, speaker, **settings
    )
    numbers = number_units(table[unit])
    rows = [np.flatnonzero(np.isin(numbers, numbers[kept[of]])) for of in found.slices["rows"]]
    found.slices["rows"] = pd.Series(rows, dtype=object)
    return found


def assess_slices(
    slices: Sequence[NDArray[np.bool_]],
    loss: ArrayLike,
    speakers: ArrayLike | None,
    *,
    seed: int,
    alpha: float = DEFAULT_ALPHA,
    units: Sequence[Index] = (),
) -> list[tuple[float, str]]:
    """Test given slices for a higher loss than in the rest, all at once.

    The tests are those of `find_slices`. A slice's p-value is the chance that the best of the given
    slices is as good on data without a slice. So slices that are nearly the same cost hardly more
    than one.

    Args:
        slices: Masks of shape (n,), chosen without these losses.
        loss: (n,) losses, at least 0.
        speakers: (n,) speaker of each row; missing or empty if not known, see `find_slices`. None
            to treat every row as independent.
        seed: Seed of the resampling.
        alpha: Level that the p-values are compared with. A lower level needs more resamples.
        units: For each kind of further units the (n,) number of each row's unit, from 0.

    Returns:
        For each slice the p-value, adjusted for all slices, and the test with the smallest p-value.
        The p-value is 1 if the slice has fewer than two rows or all of them, or is not worse than
        the rest.
    """
    columns = {str(i): mask for i, mask in enumerate(slices) if 2 <= mask.sum() < len(mask)}
    results = dict.fromkeys(map(str, range(len(slices))), (1.0, ""))
    losses = np.asarray(loss, dtype=float)
    if columns and losses.min() < losses.max():
        numbers, known = None, np.ones(len(losses), dtype=bool)
        if speakers is not None:
            numbers, known = number_speakers(as_speakers(pd.Series(speakers)))
        space = RuleSpace(pd.DataFrame(columns), list(columns), 1, 1)
        rules = {space.text(rule): rule for rule in range(space.searched)}
        inside = [rules[f"{name} = True"] for name in columns]
        chosen = np.zeros(space.searched, dtype=bool)
        chosen[inside] = True
        search = _Search(
            space.subset(chosen), losses, numbers, known, seed, alpha, units=list(units)
        )
        p = search.p(search.first.tests) if search.maxima else np.ones((1, len(inside)))
        for name, of_tests in zip(columns, p.T[np.argsort(np.argsort(inside))], strict=True):
            best = int(of_tests.argmin())
            mask = columns[name]
            # a slice that is worse within speakers may still be better than the rest, see `greedy`
            if of_tests[best] < 1 and losses[mask].mean() > losses[~mask].mean():
                results[name] = float(of_tests[best]), list(search.maxima)[best]
    return list(results.values())


@dataclass(frozen=True)
class _Pick:
    """A rule that the search returns.

    Attributes:
        rule: Its number.
        p: See `find_slices`.
        q: See `find_slices`.
        evidence: The test that confirms it; empty if it is not confirmed.
        of_speakers: Whether it is suggested because speakers differ, so that more are needed.
        detectable: The smallest drop with which it would have been confirmed.
    """

    rule: int
    p: float
    q: float
    evidence: str
    of_speakers: bool
    detectable: float


@dataclass(frozen=True)
class _Scores:
    """Statistics of every rule, given the slices that were returned before.

    Attributes:
        tests: (tests, rules) statistics, in the order of the search's tests.
        rows: (rules,) statistics as if rows were independent.
        unit: (rules,) skewness within strata, see `Moments`.
    """

    tests: NDArray
    rows: Array
    unit: Array


class _Search:
    """All rules, their tests, and the maxima that their statistics are compared with.

    Args:
        space: The rules, at least one.
        loss: (n,) losses, not all equal. The tests do not depend on their origin and scale. They
            are scaled to 0..1, since sums are kept in single precision.
        speakers: (n,) number of each row's speaker, from 0; None if rows are independent.
        known: (n,) whether the speaker of each row is known.
        seed: Seed of the resampling.
        alpha: Level that p-values are compared with.
        across: Whether the test across speakers is made.
        units: For each kind of further units the (n,) number of each row's unit, from 0.
        effects: For each effect the (n,) number of each row's group, from 0.
        centred: Whether losses of 0 and 1 have been centred within the groups of `speakers`.
    """

    def __init__(
        self,
        space: RuleSpace,
        loss: Array,
        speakers: Index | None,
        known: NDArray[np.bool_],
        seed: int,
        alpha: float,
        across: bool = True,
        units: Sequence[Index] = (),
        effects: Sequence[Index] = (),
        centred: bool = False,
    ) -> None:
        resamples = ceil(RESAMPLES * max(1, DEFAULT_ALPHA / alpha))
        self.span = float(loss.max() - loss.min())
        loss = (loss - loss.min()) / self.span
        self.space, self.loss, self.speakers, self.known = space, loss, speakers, known
        self.searched, self.alpha = space.searched, alpha
        one = np.zeros(len(loss), dtype=np.int64)
        permuting, exchanging = (np.random.default_rng([seed, i]) for i in range(2))
        self.maxima: dict[str, Array] = {}
        self.across = self.between = np.zeros(space.searched, dtype=bool)
        self.strata, self.weight = one, np.ones(len(loss))
        if speakers is not None:
            # each row of an unknown speaker is a separate stratum: nothing is permuted there
            self.strata = np.where(known, speakers, speakers + np.cumsum(~known) - 1)
            self.weight = precision_weights(loss, self.strata)
            share, count = between_speakers(space, speakers)
            self.between = share >= MIN_BETWEEN_SHARE
            self.across = self.between & (count >= MIN_SPEAKERS_ACROSS) & across
        self.space_across = space.subset(self.across)
        self.scaled = loss * self.weight
        self.sums = space.totals(self.loss, one, 1)[:, 0]
        self.scaled_sums = space.totals(self.scaled, one, 1)[:, 0]
        moments = permutation_moments(space, self.scaled, self.strata)
        # factors by which the variance of the sum of each rule is larger than in the permutations
        self.shared = np.ones(space.searched)  # by units
        self.within = np.ones(space.searched)  # by the spread of losses
        self.among = np.ones(self.space_across.searched)
        if units:
            self.shared = self._shared(self.scaled, moments, units, effects)
        if (
            not centred and len(np.unique(loss)) > 2
        ):  # the spread of two values follows from their mean
            self.within *= unequal_spread(space, self.scaled, self.strata)
        if (moments.variance > 0).any():
            name = ROWS if speakers is None else WITHIN
            self.maxima[name] = permuted_maxima(
                space, self.scaled, self.strata, moments, resamples, permuting
            )
        contrasts = None
        if speakers is not None and self.across.any():
            contrasts = speaker_contrasts(self.space_across, loss, speakers, one)
            self.among = speakers_inflation(self.space_across, contrasts, speakers, units)
            self.maxima[ACROSS] = exchanged_maxima(
                self.space_across, contrasts, speakers, resamples, exchanging
            )
        self.moments, self.contrasts = moments, contrasts
        self.first = self._scores(moments, contrasts, one)
        self.p_added = np.zeros(space.searched)  # of what a rule adds to one of its conditions

    def _shared(
        self, loss: Array, moments: Moments, units: Sequence[Index], effects: Sequence[Index]
    ) -> Array:
        """Factor by which units raise the variance of the sum of losses of each rule."""
        groups = with_speakers(units, self.strata)
        added = added_variance(self.space, loss, self.strata, groups, effects)
        some = moments.variance > 0
        return 1 + np.divide(added, moments.variance, out=np.zeros_like(added), where=some)

    def explain_by(
        self, feature: int, groups: Index, units: Sequence[Index], effects: Sequence[Index]
    ) -> None:
        """Require that rules of several conditions add something to their condition on a column.

        A rule that holds part of a category is worse if the whole category is. So the rule is also
        tested with the losses minus the mean of each category. The tests are of normal statistics,
        adjusted for the rules on the same columns that name the same category (Bonferroni).

        Args:
            feature: Number of the column, on which all rules have a condition.
            groups: (n,) number of the category of each row, from 0.
            units: See the class.
            effects: See the class.
        """
        mean = np.bincount(groups, self.scaled) / np.bincount(groups, self.weight)
        loss = self.scaled - mean[groups] * self.weight
        moments = permutation_moments(self.space, loss, self.strata)
        shared = self._shared(loss, moments, units, effects)
        excess = self.space.totals(loss, np.zeros_like(groups), 1)[:, 0] - moments.mean
        values = signed_root(excess, shared * self.within * moments.variance, shared * moments.unit)
        several = np.count_nonzero(self.space.conditions >= 0, axis=1) > 1
        p = np.minimum(1, special.ndtr(-values) * self.space.siblings(feature))
        self.p_added = np.where(several, p, 0)

    def _drop_hopeless(self) -> None:
        """Drop the rules below the median of the largest statistic by chance.

        Slices that are returned can only lower the statistic of a rule, so these rules would never
        be returned.
        """
        middle = self.middle
        kept = (self.first.tests > middle).any(axis=0)
        kept |= self.between & (self.first.rows > middle[0])
        self.space = self.space.subset(kept)
        self.space_across = self.space.subset(self.across[kept])
        self.among = self.among[kept[self.across]]
        for name in ("between", "across", "sums", "scaled_sums", "shared", "within", "p_added"):
            setattr(self, name, getattr(self, name)[kept])
        first = self.first
        self.first = _Scores(first.tests[:, kept], first.rows[kept], first.unit[kept])

    @property
    def middle(self) -> Array:
        """Median of the largest statistic by chance, of shape (tests, 1)."""
        return np.array([[np.quantile(maxima, 0.5)] for maxima in self.maxima.values()])

    def scores(self, patterns: Index) -> _Scores:
        """Statistics of every rule if losses are only compared inside patterns.

        Args:
            patterns: (n,) number of the combination of returned slices that each row lies in.

        Returns:
            The statistics.
        """
        moments = permutation_moments(self.space, self.scaled, _cross(self.strata, patterns))
        contrasts = None
        if ACROSS in self.maxima:
            assert self.speakers is not None  # noqa: S101 - for the type checker
            contrasts = speaker_contrasts(self.space_across, self.loss, self.speakers, patterns)
        return self._scores(moments, contrasts, patterns)

    def _scores(self, moments: Moments, contrasts: Contrasts | None, patterns: Index) -> _Scores:
        """Collect the statistics of the tests, and those of independent rows."""
        tests = []
        for name in self.maxima:
            if name == ACROSS:
                assert contrasts is not None  # noqa: S101 - for the type checker
                values = np.zeros(self.space.searched)
                values[self.across] = contrasts.statistic / np.sqrt(self.among)
            else:
                excess = self.scaled_sums - moments.mean
                # rows that share a unit make jumps larger by the factor of the variance
                unit = self.shared * moments.unit
                values = signed_root(excess, self.shared * self.within * moments.variance, unit)
            tests.append(values)
        plain = permutation_moments(self.space, self.loss, patterns)
        rows = signed_root(self.sums - plain.mean, plain.variance, plain.unit)
        every = np.array(tests).reshape(len(tests), self.space.searched)
        return _Scores(every, rows, moments.unit)

    def p(self, tests: NDArray) -> NDArray:
        """Adjusted p-values, of shape (tests, rules), weighted so that the tests share alpha."""
        values = np.ones(tests.shape)
        for i, (name, maxima) in enumerate(self.maxima.items()):
            values[i] = np.minimum(1, adjusted_p(tests[i], maxima) / self.alpha_shares[name])
        return values

    @property
    def alpha_shares(self) -> dict[str, float]:
        """Share of alpha of each test."""
        return ALPHA_SHARES if len(self.maxima) > 1 else ALPHA_SHARES_ALONE

    @property
    def worse(self) -> NDArray[np.bool_]:
        """(rules,) whether each rule has a higher mean loss than the rest.

        A rule that is worse within each speaker, but better than the rest, is no slice.
        """
        return np.asarray(self.sums > self.loss.mean() * self.space.support)

    def smallest_p(self) -> float:
        """p-value of the clearest rule, see `Found`."""
        if not self.maxima or not self.worse.any():
            return 1.0
        largest = self.first.tests[:, self.worse].max(axis=1)
        return min(
            1.0,
            *(
                tail_p(float(value), maxima) / self.alpha_shares[name]
                for value, (name, maxima) in zip(largest, self.maxima.items(), strict=True)
            ),
        )

    def critical(self, test: str) -> float:
        """Smallest statistic that a test confirms."""
        return critical_statistic(self.maxima[test], self.alpha * self.alpha_shares[test])

    def limits(self) -> Array:
        """Upper limits of the drops of all rules of some sizes, see `Found`."""
        limits = np.full(self.space.searched, np.inf)
        for test in self.maxima:
            if test == ACROSS:
                assert self.contrasts is not None  # noqa: S101 - for the type checker
                limits[self.across] = limits_across(self.contrasts, self.among, self.critical(test))
                continue
            some = ~self.between & (self.space.support >= min(SIZES) * self.space.rows)
            mean, shared = self.moments.mean[some], self.shared[some]
            variance = shared * self.within[some] * self.moments.variance[some]
            limits[some] = limits_within(
                self.space.subset(some),
                self.scaled_sums[some],
                Moments(mean, variance, shared * self.moments.unit[some]),
                self.weight,
                self.strata,
                self.critical(test),
            )
        return self.span * largest_limits(self.space.support, self.space.rows, limits)

    def greedy(self) -> list[_Pick]:
        """Pick the best rule, then the best rule given that one, and so on.

        Returns:
            The rules, confirmed ones first.
        """
        if not self.maxima:
            return []
        self._drop_hopeless()
        if not self.space.searched:
            return []
        middle = self.middle
        candidates = self.worse
        first = self.p(self.first.tests).min(axis=0)
        patterns = np.zeros(len(self.loss), dtype=np.int64)
        picks: list[_Pick] = []
        suggested, q = 0, 0.0
        while len(picks) < MAX_SLICES and suggested < MAX_SUGGESTIONS:
            now = self.scores(patterns) if picks else self.first
            tests = np.minimum(now.tests, self.first.tests)
            p_of_tests = self.p(tests)
            least = np.maximum(p_of_tests.min(axis=0), self.p_added)
            eligible = candidates & (np.maximum(least, first) <= self.alpha)
            if eligible.any() and not suggested:
                values = self._explained(now, patterns)
                of_speakers = np.zeros(len(values), dtype=bool)
            else:
                # a rule that is clear if rows were independent is worth more speakers
                rows = np.where(self.between, np.minimum(now.rows, self.first.rows), 0)
                values = np.vstack([tests, rows])
                eligible = candidates & (values > np.vstack([middle, middle[:1]])).any(axis=0)
                if not eligible.any():
                    break
                names = np.array([*self.maxima, ACROSS])
                of_speakers = names[values.argmax(axis=0)] == ACROSS
                values = values.max(axis=0)
                suggested += 1
            penalty = RIVALS_PENALTY_OF_SUGGESTIONS if suggested else RIVALS_PENALTY
            worth = np.round(values - penalty * np.log(self.space.rivals), 6)
            if suggested:
                rule = int(np.argmax(np.where(eligible, worth, -np.inf)))
            else:
                rule = self._centre(worth, eligible)
            p = float(first[rule])
            q = max(q, p, float(least[rule]))
            test = list(self.maxima)[int(p_of_tests[:, rule].argmin())]
            evidence = test if q <= self.alpha else ""
            detectable = self.detectable(rule, test)
            picks.append(_Pick(rule, p, q, evidence, bool(of_speakers[rule]), detectable))
            candidates &= ~self.space.same_rows(rule)
            patterns = _cross(patterns, self.space.members(rule).astype(np.int64))
        return picks

    def detectable(self, rule: int, test: str) -> float:
        """Smallest drop with which a test would have confirmed a rule; infinity if none is enough.

        Args:
            rule: Its number.
            test: Name of the test.

        Returns:
            The drop, in the unit of the losses.
        """
        chosen = np.zeros(self.space.searched, dtype=bool)
        chosen[rule] = True
        critical = self.critical(test)
        if test == ACROSS:
            assert self.speakers is not None  # noqa: S101 - for the type checker
            if not self.across[rule]:
                return np.inf
            factor = float(self.among[int(self.across[:rule].sum())])
            space = self.space.subset(chosen)
            return self.span * needed_across(space, self.loss, self.speakers, factor, critical)
        return self.span * needed_within(
            self.space.subset(chosen), self.scaled, self.weight, self.strata,
            float(self.within[rule]), critical, float(self.shared[rule]),
        )  # fmt: skip

    def _centre(self, worth: Array, eligible: NDArray[np.bool_]) -> int:
        """Find the rule with the largest expected overlap with the rules that are about as good.

        The best of many neighbouring rules is the best partly by chance, and may lie at their edge.
        So each rule is weighted by its likelihood, and the one with the largest expected overlap is
        taken (a Bayes action: Berger, Statistical Decision Theory and Bayesian Analysis, Springer
        1985, section 4.4).

        Args:
            worth: (rules,) statistics, less the penalty for the number of rules on their columns.
            eligible: (rules,) whether each rule may be taken; at least one is.

        Returns:
            The number of the rule.
        """
        likely = np.where(eligible, np.maximum(worth, 0) ** 2 / 2, -np.inf)
        near = np.sort(np.argsort(-likely, kind="stable")[:MAX_WEIGHTED_RULES])
        near = near[likely[near] > likely.max() - MAX_LOG_LIKELIHOOD_GAP]
        overlaps = self.space.overlaps(near)
        # of rules that select the same rows only the first counts: it has the fewest conditions
        distinct = (overlaps == 1).argmax(axis=1) == np.arange(len(near))
        weights = np.exp(likely[near] - likely.max()) * distinct
        return int(near[np.argmax(np.round(overlaps @ weights / weights.sum(), 6))])

    def _explained(self, now: _Scores, patterns: Index) -> Array:
        """How well each rule explains the losses. It ranks rules that the tests have confirmed.

        The correction for unequal spread is left to the tests. In a group with larger losses the
        losses also vary more, so the correction would prefer a wider rule around this group.
        """
        if self.speakers is None:
            values = now.rows
        else:
            values = mixed_model_statistic(
                self.space, self.scaled, self.speakers, patterns, now.unit
            )
        return values / np.sqrt(self.shared)

    def count_speakers(self, inside: NDArray[np.bool_]) -> int:
        """Number of known speakers of some rows."""
        assert self.speakers is not None  # noqa: S101 - for the type checker
        return len(np.unique(self.speakers[inside & self.known]))


def _cross(left: Index, right: Index) -> Index:
    """Number the combinations of two groupings, from 0."""
    _, both = np.unique(left * (int(right.max()) + 1) + right, return_inverse=True)
    return both


def _row(search: _Search, pick: _Pick, order: Index) -> dict[str, object]:
    """Describe a rule that the search returns, in the columns of `SLICE_TYPES`."""
    inside = search.space.members(pick.rule)
    confirmed = pick.q <= search.alpha
    note = ""
    if not confirmed and pick.p <= search.alpha:
        note = "other slices may explain its errors"
    elif not confirmed and pick.of_speakers:
        count, total = (search.count_speakers(rows) for rows in (inside, np.ones_like(inside)))
        note = f"may be chance: {count} of {total} speakers are in the slice, more are needed"
    elif not confirmed:
        note = f"may be chance: {search.searched} rules were searched"
    return {
        "rule": search.space.text(pick.rule),
        "p": pick.p,
        "q": pick.q,
        "evidence": pick.evidence,
        "confirmed": confirmed,
        "note": note,
        "detectable": pick.detectable if np.isfinite(pick.detectable) else np.nan,
        "rows": np.sort(order[inside]),
    }


def _result(
    rows: list[dict[str, object]],
    searched: int,
    depth: int,
    p: float = 1.0,
    limits: Array | None = None,
) -> Found:
    """The result, whose table has the same columns and types if it is empty."""
    slices = pd.DataFrame(rows, columns=list(SLICE_TYPES)).astype(SLICE_TYPES)
    if limits is None:
        limits = np.full(len(SIZES), np.nan)
    return Found(slices, searched, depth if searched else 0, p, limits)


def _check(
    table: pd.DataFrame,
    loss: ArrayLike,
    features: Sequence[str],
    speaker: str | None,
    depth: int,
    min_support: int,
    alpha: float,
    seed: int,
    units: Sequence[str],
) -> Array:
    """Refuse bad input in one sentence, and return the losses as numbers."""
    if isinstance(features, str):
        raise ValueError(f"Give features as a list of columns, such as [{features!r}].")
    for name in [*features, *units, *([] if speaker is None else [speaker])]:
        times = list(table.columns).count(name)
        if times == 0:
            columns = ", ".join(map(str, table.columns)) or "none"
            raise ValueError(f"There is no column {name!r}; the table's columns are: {columns}.")
        if times > 1:
            raise ValueError(f"Rename one of the {times} columns {name!r}: a name must be unique.")
    try:
        losses = np.asarray(loss)
        if np.iscomplexobj(losses):
            raise TypeError
        losses = losses.astype(float)
    except (TypeError, ValueError):
        raise ValueError("Give losses as numbers: 0, 1 (wrong) or an error.") from None
    if losses.shape != (len(table),):
        raise ValueError(
            f"Give one loss per row: the table has {len(table)} rows, the losses' shape is "
            f"{losses.shape}."
        )
    bad = np.flatnonzero(~(np.isfinite(losses) & (losses >= 0)))
    if len(bad):
        raise ValueError(
            f"Losses must be finite and at least 0: {len(bad)} are not, the first at row {bad[0]} "
            f"({losses[bad[0]]})."
        )
    for name in features:
        if table[name].dtype.kind in "mMc":
            raise ValueError(
                f"Column {name!r} contains {table[name].dtype} values, which rules cannot use: "
                "turn them into numbers (such as years) or text, or leave the column out."
            )
    for setting, number, least in (("depth", depth, 1), ("min_support", min_support, 1),
                                   ("seed", seed, 0)):  # fmt: skip
        if not isinstance(number, Integral) or number < least:
            raise ValueError(f"Set {setting} to a whole number of at least {least}, not {number}.")
    if not MIN_ALPHA <= alpha <= MAX_ALPHA:
        raise ValueError(f"Set alpha to a number from {MIN_ALPHA} to {MAX_ALPHA}, not {alpha}.")
    return losses
