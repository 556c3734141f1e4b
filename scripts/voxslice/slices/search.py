"""Slice search on metadata: which utterances fail more than chance explains, in rules one can read.

The search goes through every conjunction of a few conditions (`slice_rules`), tests all of them at
once (`slice_tests`), and tells the few that are left after taking away what others explain.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from voxslice.slices.drop_intervals import drop_interval
from voxslice.slices.max_tests import (
    BETWEEN,
    SPEAKERS,
    Contrasts,
    Moments,
    adjusted,
    between,
    contrasts,
    exchanged_maxima,
    mixed,
    permuted_maxima,
    standardised,
    statistic,
    urn,
)
from voxslice.slices.rule_space import Array, Index, RuleSpace
from voxslice.speakers import as_speakers, number_speakers

COLUMNS = (
    "slice", "finder", "search", "rule", "support", "speakers", "value", "rest", "drop", "low",
    "high", "p", "q", "evidence", "confirmed", "searched", "note", "rows",
)  # fmt: skip
WITHIN, ACROSS, ROWS = "within speakers", "across speakers", "rows"

RESAMPLES, LEVEL = 999, 0.05  # resamples at this level; lower ones need more to be reached at all
# of alpha, where both tests are made: far more rules are within
SHARES = {WITHIN: 0.8, ACROSS: 0.2}
# where one is made. Groups of speakers that differ in spread and in how much they talk are not
# exchangeable: with all of alpha, 5 to 11 % of such searches without a slice confirmed one
ALONE = {WITHIN: 1.0, ACROSS: 0.5, ROWS: 1.0}
LEAST = 0.001  # lowest level: it takes 49,950 resamples
MOST = 20  # slices returned, confirmed and suggested
SUGGESTED = 3  # of which suggested
# standard errors that a rule must explain more, per logarithm of the number of rules on its
# columns; twice as many of a suggestion, which no test confirms, so that it is simple
WORTH, WORTH_SUGGESTED = 0.1, 0.2
NEGLIGIBLE = 7.0  # a rule whose log likelihood is this far below the best counts no more
CENTRED = 500  # most rules that are held against each other


def find_slices(
    table: pd.DataFrame,
    loss: ArrayLike,
    features: Sequence[str],
    speaker: str | None = None,
    *,
    depth: int = 3,
    min_support: int = 10,
    alpha: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """Find slices of a table, described by rules on its columns, whose loss is above the rest's.

    Every rule of up to `depth` conditions on different columns is searched: a category, an interval
    of neighbouring quantile bins of a number (`slice_rules.BINS`), or missing. Where that would be
    more than 250,000 rules, those of several conditions have wider bins, and where it still would
    be more than 500,000, fewer conditions, with a warning. A rule's p-value is the chance that the
    *best* rule of the whole search does as well where nothing is planted, so that of all searches
    without a true slice at most `alpha` confirm one:

    - *within speakers*: losses are permuted inside each speaker, measured by their spread there.
      Exact where a speaker's utterances are exchangeable; sees what changes while a speaker talks,
      however few the speakers.
    - *across speakers*: speakers exchange their mean losses, for rules whose membership lies
      mostly between speakers. Sees attributes of speakers and needs many of them; exact where
      speakers are exchangeable but for what the numbers of their utterances make of their means.

    Where both tests are made they share `alpha`, four to one (weighted Bonferroni), so that they
    keep it together; alone, the one across speakers takes half of it, which speakers who are not
    quite exchangeable may use up. A p-value is the upper 95 % limit of what 999 resamples (more
    where `alpha` is below 5 %) show of it, so that another seed seldom takes back what is
    confirmed.

    Of the rules that are confirmed and worse than the rest, the one is returned first that overlaps
    most with all that explain the losses about as well: each is weighted by its likelihood, what
    changes within speakers and how speakers differ taken together (`slice_tests.mixed`), and a rule
    with more to choose from on its columns (an interval has, a category less) must explain more.
    Then rules are compared within it and outside it, so that only an excess which it leaves
    unexplained counts, and so on. `p` is the rule's adjusted p-value on its own, `q` the adjusted
    p-value of what it adds to the rules above it (never below `p` nor below a `q` above it). A
    slice is confirmed where `q` is at most `alpha`. After the confirmed slices come at most three
    suggestions that are not.

    Args:
        table: One row an utterance. Numeric columns are numbers, all others categories; dates are
            refused.
        loss: (n,) 0 or 1 (wrong), or an error of at least 0.
        features: Columns to build rules from; the speaker column may be one of them (a rule on a
            single speaker can then be confirmed by what changes within that speaker only).
        speaker: Column of speakers; None where every row stands alone. Rows without a speaker count
            towards a rule's support, but not as evidence within speakers, and as one speaker
            across.
        depth: Most conditions of a rule.
        min_support: Fewest rows of a slice.
        alpha: Chance of any confirmed slice where there is none, from 0.001 to 0.5.
        seed: Seed of the resampling; with the same seed, rows in another order give the same
            result, but for positions.

    Returns:
        One row a slice, best first: `slice` (8 hex digits of the rule's SHA-256), `finder`
        (`subgroups`), `search` (`metadata`), `rule`, `support` (rows), `speakers` (with such rows;
        missing without a speaker column), `value` and `rest` (mean loss inside and outside the
        slice), `drop` (`value - rest`: how much worse it is inside), `low` and `high` (95 %
        interval of the drop, for one slice and not for the best of many), `p`, `q`, `evidence`
        (`within speakers`, `across speakers`, `rows` or empty), `confirmed`, `searched` (how many
        rules were), `note`, and `rows` (array of the members' positions). `attrs["depth"]` holds
        the most conditions that rules have (0 where there are no rules), and `attrs["searched"]`
        the number of rules even where no slice is found.

    Raises:
        ValueError: Where a column is not in the table or twice, the losses do not fit the rows or
            are missing, infinite or negative, a column holds dates, or a setting is out of range.
    """
    losses = _check(table, loss, features, speaker, depth, min_support, alpha, seed)
    if not len(table) or not features:
        return _frame([], 0, 0)
    names = list(dict.fromkeys(features))
    space = RuleSpace(table, names, depth, min_support)
    if space.depth < min(depth, len(names)):
        warnings.warn(
            f"Rules have at most {space.depth} of {depth} conditions, since more would be too many "
            f"rules on {len(names)} columns: name fewer columns to search deeper.",
            stacklevel=2,
        )
    if speaker is None:
        speakers, known = np.zeros(len(table), dtype=np.int64), np.ones(len(table), dtype=bool)
    else:
        speakers, known = number_speakers(as_speakers(table[speaker]))
    # an order of rows that does not depend on the table's: the resampling sees nothing else
    order = np.lexsort((losses, space.cell, speakers))
    space.cell = space.cell[order]
    losses, speakers, known = losses[order], speakers[order], known[order]
    if not space.searched or losses.min() == losses.max():
        return _frame([], space.searched, space.depth)
    search = _Search(space, losses, speakers if speaker is not None else None, known, seed, alpha)
    found = []
    for pick in search.greedy(alpha):
        inside = search.space.members(pick.rule)
        found.append(_row(search, pick, losses, inside, order, alpha))
    return _frame(found, space.searched, space.depth)


def assess_slices(
    slices: Sequence[NDArray[np.bool_]],
    loss: ArrayLike,
    speakers: ArrayLike,
    *,
    seed: int,
    alpha: float = LEVEL,
) -> list[tuple[float, str]]:
    """Test given slices for losses above the rest's, all at once, within and across speakers.

    The tests are those of `find_slices`, and a slice's p-value is the chance that the best of the
    given ones does as well: slices that are nearly the same cost hardly more than one.

    Args:
        slices: Masks of shape (n,), chosen without a look at these losses.
        loss: (n,) losses, at least 0.
        speakers: (n,) speaker of each row, missing where it is not known: see `find_slices`.
        seed: Seed of the resampling.
        alpha: Level that the p-values are held against; the lower, the more resamples.

    Returns:
        For each slice the p-value, adjusted for all of them (1 where the slice has fewer than two
        rows or all, or is not worse than the rest), and the test that carries it.
    """
    columns = {str(i): mask for i, mask in enumerate(slices) if 2 <= mask.sum() < len(mask)}
    found = dict.fromkeys(map(str, range(len(slices))), (1.0, ""))
    losses = np.asarray(loss, dtype=float)
    if columns and losses.min() < losses.max():
        space = RuleSpace(pd.DataFrame(columns), list(columns), 1, 1)
        rules = {space.text(rule): rule for rule in range(space.searched)}
        inside = [rules[f"{name} = True"] for name in columns]
        chosen = np.zeros(space.searched, dtype=bool)
        chosen[inside] = True
        codes, known = number_speakers(as_speakers(pd.Series(speakers)))
        search = _Search(space.subset(chosen), losses, codes, known, seed, alpha)
        each = search.p(search.first.tests) if search.maxima else np.ones((1, len(inside)))
        for name, column in zip(columns, each.T[np.argsort(np.argsort(inside))], strict=True):
            best = int(column.argmin())
            mask = columns[name]
            # within speakers a slice may be worse and yet be better than the rest, see `greedy`
            if column[best] < 1 and losses[mask].mean() > losses[~mask].mean():
                found[name] = float(column[best]), list(search.maxima)[best]
    return list(found.values())


@dataclass(frozen=True)
class _Pick:
    """A rule the search returns.

    Attributes:
        rule: Its number.
        p: See `find_slices`.
        q: See `find_slices`.
        evidence: The test that carries it; empty where none does.
        of_speakers: Whether it is suggested for how speakers differ, which more of them can settle.
    """

    rule: int
    p: float
    q: float
    evidence: str
    of_speakers: bool


@dataclass(frozen=True)
class _Scores:
    """Statistics of every rule given the slices above: one row a test, in the order of `tests`."""

    tests: NDArray
    rows: Array  # as if rows were independent
    unit: Array  # skewness within strata, see `Moments`


class _Search:
    """All rules, their tests and what they have to beat.

    Args:
        space: The rules, at least one.
        loss: (n,) losses, not all equal. The tests do not depend on their origin and scale, but
            sums are kept in single precision: they are brought to 0..1.
        speakers: (n,) speaker of each row, 0 up; None where rows stand alone.
        known: (n,) whether the row has a speaker.
        seed: Seed of the resampling.
        alpha: Level that the p-values are held against: below `LEVEL` more resamples are drawn.
    """

    def __init__(
        self,
        space: RuleSpace,
        loss: Array,
        speakers: Index | None,
        known: NDArray[np.bool_],
        seed: int,
        alpha: float,
    ) -> None:
        resamples = ceil(RESAMPLES * max(1, LEVEL / alpha))
        loss = (loss - loss.min()) / (loss.max() - loss.min())
        self.space, self.loss, self.speakers, self.known = space, loss, speakers, known
        self.searched = space.searched
        one = np.zeros(len(loss), dtype=np.int64)
        permuting, exchanging = (np.random.default_rng([seed, i]) for i in range(2))
        self.maxima: dict[str, Array] = {}
        self.fit = self.between = np.zeros(space.searched, dtype=bool)
        # rows without a speaker are strata of one row: nothing to permute
        self.strata, self.scaled = one, loss
        if speakers is not None:
            self.strata = np.where(known, speakers, speakers + np.cumsum(~known) - 1)
            self.scaled = standardised(loss, self.strata)
            share, count = between(space, speakers)
            self.between = share >= BETWEEN
            self.fit = self.between & (count >= SPEAKERS)
        self.few = space.subset(self.fit)
        self.sums = space.totals(self.loss, one, 1)[:, 0]
        self.scaled_sums = space.totals(self.scaled, one, 1)[:, 0]
        moments = urn(space, self.scaled, self.strata)
        if (moments.variance > 0).any():
            name = ROWS if speakers is None else WITHIN
            self.maxima[name] = permuted_maxima(
                space, self.scaled, self.strata, moments, resamples, permuting
            )
        found = None
        if speakers is not None and self.fit.any():
            found = contrasts(self.few, loss, speakers, one)
            self.maxima[ACROSS] = exchanged_maxima(self.few, found, speakers, resamples, exchanging)
        self.first = self._scores(moments, found, one)

    def _drop_hopeless(self) -> None:
        """Forget the rules that are below the median of the largest statistic by chance.

        Slices above them can only lower what they count for, so that they are never returned.
        """
        middle = self.middle
        alive = (self.first.tests > middle).any(axis=0)
        alive |= self.between & (self.first.rows > middle[0])
        self.space = self.space.subset(alive)
        self.few = self.space.subset(self.fit[alive])
        for name in ("between", "fit", "sums", "scaled_sums"):
            setattr(self, name, getattr(self, name)[alive])
        first = self.first
        self.first = _Scores(first.tests[:, alive], first.rows[alive], first.unit[alive])

    @property
    def middle(self) -> Array:
        """(tests, 1) median of the largest statistic by chance."""
        return np.array([[np.quantile(maxima, 0.5)] for maxima in self.maxima.values()])

    def scores(self, patterns: Index) -> _Scores:
        """Statistics of every rule where losses are only compared inside patterns.

        Args:
            patterns: (n,) which of the slices above hold each row, 0 up.

        Returns:
            The statistics.
        """
        moments = urn(self.space, self.scaled, _cross(self.strata, patterns))
        found = None
        if ACROSS in self.maxima:
            assert self.speakers is not None  # noqa: S101 - for the type checker
            found = contrasts(self.few, self.loss, self.speakers, patterns)
        return self._scores(moments, found, patterns)

    def _scores(self, moments: Moments, found: Contrasts | None, patterns: Index) -> _Scores:
        """Put the tests that are made in order, and add what rows would show were they alone."""
        tests = []
        for name in self.maxima:
            if name == ACROSS:
                assert found is not None  # noqa: S101 - for the type checker
                values = np.zeros(self.space.searched)
                values[self.fit] = found.statistic
            else:
                values = statistic(self.scaled_sums - moments.mean, moments.variance, moments.unit)
            tests.append(values)
        plain = urn(self.space, self.loss, patterns)
        rows = statistic(self.sums - plain.mean, plain.variance, plain.unit)
        every = np.array(tests).reshape(len(tests), self.space.searched)
        return _Scores(every, rows, moments.unit)

    def p(self, tests: NDArray) -> NDArray:
        """Adjusted p-values, one row a test, for the tests together."""
        values = np.ones(tests.shape)
        shares = SHARES if len(self.maxima) > 1 else ALONE
        for i, (name, maxima) in enumerate(self.maxima.items()):
            values[i] = np.minimum(1, adjusted(tests[i], maxima) / shares[name])
        return values

    def greedy(self, alpha: float) -> list[_Pick]:
        """The best rule, then the best given that one, and so on.

        Args:
            alpha: What the adjusted p-values must not exceed.

        Returns:
            The rules, confirmed ones first.
        """
        if not self.maxima:
            return []
        self._drop_hopeless()
        if not self.space.searched:
            return []
        middle = self.middle
        # what is worse within every speaker may yet be better than the rest: it is no slice
        worse = self.sums > self.loss.mean() * self.space.support
        first = self.p(self.first.tests).min(axis=0)
        patterns = np.zeros(len(self.loss), dtype=np.int64)
        picks: list[_Pick] = []
        suggested, q = 0, 0.0
        while len(picks) < MOST and suggested < SUGGESTED:
            now = self.scores(patterns) if picks else self.first
            tests = np.minimum(now.tests, self.first.tests)
            each = self.p(tests)
            least = each.min(axis=0)
            eligible = worse & (np.maximum(least, first) <= alpha)
            if eligible.any() and not suggested:
                values = self._mixed(now, patterns)
                of_speakers = np.zeros(len(values), dtype=bool)
            else:
                # what rows would show, were they independent, is worth more speakers
                rows = np.where(self.between, np.minimum(now.rows, self.first.rows), 0)
                values = np.vstack([tests, rows])
                eligible = worse & (values > np.vstack([middle, middle[:1]])).any(axis=0)
                if not eligible.any():
                    break
                names = np.array([*self.maxima, ACROSS])
                of_speakers = names[values.argmax(axis=0)] == ACROSS
                values = values.max(axis=0)
                suggested += 1
            cost = WORTH_SUGGESTED if suggested else WORTH
            worth = np.round(values - cost * np.log(self.space.rivals), 6)
            if suggested:
                rule = int(np.argmax(np.where(eligible, worth, -np.inf)))
            else:
                rule = self._centre(worth, eligible)
            p = float(first[rule])
            q = max(q, p, float(least[rule]))
            carrier = list(self.maxima)[int(each[:, rule].argmin())]
            evidence = carrier if q <= alpha else ""
            picks.append(_Pick(rule, p, q, evidence, bool(of_speakers[rule])))
            patterns = _cross(patterns, self.space.members(rule).astype(np.int64))
        return picks

    def _centre(self, worth: Array, eligible: NDArray[np.bool_]) -> int:
        """The rule that overlaps most, on average, with all that explain the losses about as well.

        The best of many neighbouring rules is best by chance, too, and may lie at their edge. So
        each is weighted by its likelihood, and the one with the largest expected overlap is taken
        (a Bayes action: Berger, Statistical Decision Theory and Bayesian Analysis, Springer 1985,
        section 4.4).

        Args:
            worth: (rules,) statistics, less what their columns offer to choose from.
            eligible: (rules,) which of the rules are confirmed, at least one.

        Returns:
            One of them.
        """
        likely = np.where(eligible, np.maximum(worth, 0) ** 2 / 2, -np.inf)
        near = np.sort(np.argsort(-likely, kind="stable")[:CENTRED])
        near = near[likely[near] > likely.max() - NEGLIGIBLE]
        overlaps = self.space.overlaps(near)
        # of rules that hold the same rows the first, which has the fewest conditions, counts
        distinct = (overlaps == 1).argmax(axis=1) == np.arange(len(near))
        weights = np.exp(likely[near] - likely.max()) * distinct
        return int(near[np.argmax(np.round(overlaps @ weights / weights.sum(), 6))])

    def _mixed(self, now: _Scores, patterns: Index) -> Array:
        """How well each rule explains the losses; where rows stand alone the test says it."""
        if self.speakers is None:
            return now.tests[0]
        return mixed(self.space, self.scaled, self.speakers, patterns, now.unit)


def _cross(left: Index, right: Index) -> Index:
    """Number the combinations of two groupings, 0 up."""
    _, both = np.unique(left * (int(right.max()) + 1) + right, return_inverse=True)
    return both


def _row(
    search: _Search,
    pick: _Pick,
    loss: Array,
    inside: NDArray[np.bool_],
    order: Index,
    alpha: float,
) -> dict[str, object]:
    """One row of the result."""
    rule = search.space.text(pick.rule)
    value, rest = float(loss[inside].mean()), float(loss[~inside].mean())
    span = float(loss.max() - loss.min())
    low, high = (span * end for end in drop_interval(search.loss, inside, search.speakers))
    confirmed = pick.q <= alpha
    count = None if search.speakers is None else _count(search, inside)
    note = ""
    if not confirmed and pick.p <= alpha:
        note = "the slices above may explain it"
    elif not confirmed and pick.of_speakers:
        every = _count(search, np.ones_like(inside))
        note = (
            f"speakers differ as much by chance: it holds {count} of {every}, and only more "
            "speakers could settle it"
        )
    elif not confirmed:
        note = f"within what chance gives in a search of {search.searched} rules"
    return {
        "slice": sha256(rule.encode()).hexdigest()[:8],
        "finder": "subgroups",
        "search": "metadata",
        "rule": rule,
        "support": int(inside.sum()),
        "speakers": count,
        "value": value,
        "rest": rest,
        "drop": value - rest,
        "low": low,
        "high": high,
        "p": pick.p,
        "q": pick.q,
        "evidence": pick.evidence,
        "confirmed": confirmed,
        "searched": search.searched,
        "note": note,
        "rows": np.sort(order[inside]),
    }


def _count(search: _Search, inside: NDArray[np.bool_]) -> int:
    """Number of speakers, known by name, who have such rows."""
    assert search.speakers is not None  # noqa: S101 - for the type checker
    return len(np.unique(search.speakers[inside & search.known]))


def _frame(found: list[dict[str, object]], searched: int, depth: int) -> pd.DataFrame:
    """The result, with the same columns and types when empty."""
    kinds = dict.fromkeys(("value", "rest", "drop", "low", "high", "p", "q"), "float64")
    kinds |= {"support": "int64", "speakers": "Int64", "confirmed": "bool", "searched": "int64"}
    frame = pd.DataFrame(found, columns=list(COLUMNS)).astype(kinds)
    frame.attrs |= {"searched": searched, "depth": depth if searched else 0}
    return frame


def _check(
    table: pd.DataFrame,
    loss: ArrayLike,
    features: Sequence[str],
    speaker: str | None,
    depth: int,
    min_support: int,
    alpha: float,
    seed: int,
) -> Array:
    """Refuse bad input in one sentence; give the losses back as numbers."""
    if isinstance(features, str):
        raise ValueError(f"Give features as a list of columns, such as [{features!r}].")
    for name in [*features, *([] if speaker is None else [speaker])]:
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
            f"Give one loss a row: the table has {len(table)} rows, the losses' shape is "
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
                f"Column {name!r} holds {table[name].dtype} values, of which no rule can be made: "
                "turn them into numbers (such as years) or text, or leave the column out."
            )
    for setting, number, least in (("depth", depth, 1), ("min_support", min_support, 1),
                                   ("seed", seed, 0)):  # fmt: skip
        if not isinstance(number, Integral) or number < least:
            raise ValueError(f"Set {setting} to a whole number of at least {least}, not {number}.")
    if not LEAST <= alpha <= 0.5:
        raise ValueError(f"Set alpha to a number from {LEAST} to 0.5, not {alpha}.")
    return losses
