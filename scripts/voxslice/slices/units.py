"""Units beside the speaker: utterances of a session, a recording, a sentence or a site are alike.

The tests of a search treat the utterances of a speaker as exchangeable, and so the speakers. If
other units share a part of their losses, the sums of losses of a rule that goes with such units
vary more than the tests assume. Their additional variance follows from a mixed model with random
intercepts of the units (Searle, Casella and McCulloch, Variance Components, Wiley 1992). It is the
variance that a unit shares, times the number of pairs of utterances of a unit that the rule holds
beyond chance. The statistic of a rule is divided by the root of the variance with that part. Rules
that do not go with a unit keep their statistic.

Few units show their variance badly, so its upper 95 % limit is used.

The other part of this module is about losses whose spread differs, see `unequal_spread`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import chi2

from voxslice.slices.max_tests import Contrasts, sums_by_group
from voxslice.slices.rule_space import Array, Index, RuleSpace
from voxslice.units import COPIES, number_units

CONFIDENCE = 0.95  # of the upper limit of the variance that units share


def distinct_rows(
    table: pd.DataFrame, loss: Array, columns: Sequence[str], unit: str
) -> NDArray[np.int64]:
    """Select one row per unit if the rows of each unit are copies of each other.

    Args:
        table: One row per utterance.
        loss: (n,) losses.
        columns: Columns in which copies are equal.
        unit: Column of the units.

    Returns:
        Positions of the first row of each unit, or of all rows if a unit has two rows that differ
        in a column or in the loss.
    """
    numbers = number_units(table[unit])
    _, first, place = np.unique(numbers, return_index=True, return_inverse=True)
    source = first[place]
    copied = np.array_equal(loss, loss[source])
    for name in columns:
        codes = pd.factorize(table[name])[0]
        copied = copied and np.array_equal(codes, codes[source])
    return np.sort(first) if copied else np.arange(len(table))


def equal_copies(table: pd.DataFrame, loss: Array, columns: Sequence[str]) -> Index:
    """Number the utterances, so that exact copies of which nothing else is known have one number.

    Args:
        table: One row per utterance, with the column `voxslice.units.COPIES`.
        loss: (n,) losses.
        columns: Columns of the table that may tell copies from each other, such as labels.

    Returns:
        (n,) number of each row, from 0. Rows have the same number if they are copies and are equal
        in the columns and in the loss.
    """
    known = [table[COPIES], *(table[name] for name in columns), pd.Series(loss, table.index)]
    equal = np.stack([pd.factorize(column)[0] for column in known], axis=1)
    alone = equal[:, 0] < 0
    equal[alone, 0] = -1 - np.arange(alone.sum())
    return np.unique(equal, axis=0, return_inverse=True)[1].ravel()


def with_speakers(units: Sequence[Index], speakers: Index) -> list[Index]:
    """Add the units within each speaker, because sessions are often numbered for each speaker.

    Args:
        units: For each kind of unit the (n,) number of each row's unit, from 0.
        speakers: (n,) number of the speaker of each row, from 0.

    Returns:
        The units, and after each kind those of its values within speakers, where a value occurs for
        several speakers.
    """
    every = []
    for unit in units:
        every.append(unit)
        both = np.unique(np.stack([unit, speakers]), axis=1, return_inverse=True)[1].ravel()
        if both.max() > unit.max():
            every.append(both)
    return every


def shared_variance(rest: Array, strata: Index, unit: Index) -> float:
    """Upper limit of the variance that the losses of a unit share.

    The sum of squares between units is set equal to its expectation in a mixed model in which the
    strata are fixed and the units are random.

    Args:
        rest: (n,) losses minus the mean of their stratum.
        strata: (n,) number of the stratum of each row, from 0.
        unit: (n,) number of the unit of each row, from 0.

    Returns:
        The limit, from 0 to the variance that units would have if their rows were equal; 0 if no
        two rows of a stratum differ in their units, or if no unit has two rows.
    """
    n, m = np.bincount(strata).astype(float), np.bincount(unit).astype(float)
    counts = sparse.csr_array((np.ones(len(rest)), (strata, unit)), shape=(len(n), len(m)))
    kept = (sparse.diags_array(m) - counts.T @ sparse.diags_array(1 / n) @ counts).tocoo()
    pairs = counts.tocoo()
    free = len(m) - float((pairs.data**2 / (n[pairs.row] * m[pairs.col])).sum())
    weight, trace = float((kept.data**2 / m[kept.row]).sum()), float(kept.diagonal().sum())
    rows_free = len(rest) - len(n)
    total = float((rest**2).sum())
    if rows_free <= 0 or free < 0.5 or total == 0:
        return 0.0
    told = weight - trace * free / rows_free
    if told <= 1e-6 * weight:
        return 0.0
    between = float((np.bincount(unit, rest) ** 2 / m).sum())
    limit = between * free / float(chi2.ppf(1 - CONFIDENCE, free))
    variance = total / rows_free
    # rows of a unit that are equal also lower the variance within strata
    return float(np.clip((limit - variance * free) / told, 0, total / trace))


def pairs_within_units(space: RuleSpace, strata: Index, unit: Index) -> Array:
    """How much more the rows of each rule lie in the same units than chance explains.

    Args:
        space: The rules.
        strata: (n,) number of the stratum of each row, from 0.
        unit: (n,) number of the unit of each row, from 0.

    Returns:
        (rules,) sum over units of the square of the number of rows of the rule, minus the number
        expected in the strata, less the part of the rows themselves; at least 0.
    """
    ones: NDArray = np.ones(len(unit), np.float32)
    n = np.bincount(strata).astype(float)
    width = int(unit.max()) + 1
    counts = sparse.csr_array((ones.astype(float), (strata, unit)), shape=(len(n), width))
    expected = sparse.csc_array(sparse.diags_array(1 / n) @ counts)
    of_units, of_strata = space.pooled(ones, unit, width), space.pooled(ones, strata, len(n))
    square = np.zeros(space.searched)
    batch = space.batch(0)
    for start in range(0, width, batch):
        columns = slice(start, min(start + batch, width))
        cells = of_units[:, columns] - of_strata @ expected[:, columns]
        for which, sums in space.sums(cells):
            square[which] += (np.asarray(sums, float) ** 2).sum(axis=1)
    own = space.support.astype(float)
    for which, columns, k in sums_by_group(space, ones, strata, len(n)):
        own[which] -= (k * k) @ (1 / n[columns])
    return np.maximum(square - own, 0)


def added_variance(
    space: RuleSpace,
    loss: Array,
    strata: Index,
    units: Sequence[Index],
    effects: Sequence[Index] = (),
) -> Array:
    """Variance of the sum of losses of each rule that units add to that of the permutations.

    Args:
        space: The rules.
        loss: (n,) losses.
        strata: (n,) number of the stratum of each row, from 0.
        units: For each kind of unit the (n,) number of each row's unit, from 0.
        effects: For each effect the (n,) number of each row's group, from 0. What the groups have
            in common is not variance that units share.

    Returns:
        (rules,) variances.
    """
    rest = loss - (np.bincount(strata, loss) / np.bincount(strata))[strata]
    for group in effects:
        rest = rest - (np.bincount(group, rest) / np.bincount(group))[group]
    added = np.zeros(space.searched)
    for unit in units:
        shared = shared_variance(rest, strata, unit)
        if shared > 0:
            added += shared * pairs_within_units(space, strata, unit)
    return added


def speakers_inflation(
    space: RuleSpace, contrasts: Contrasts, speakers: Index, units: Sequence[Index]
) -> Array:
    """Factor by which units of whole speakers, such as sites, raise the variance across speakers.

    Args:
        space: The rules.
        contrasts: Their contrasts of speakers.
        speakers: (n,) number of the speaker of each row, from 0.
        units: For each kind of unit the (n,) number of each row's unit, from 0. Only kinds in which
            each speaker has one unit matter.

    Returns:
        (rules,) factors of at least 1.
    """
    n = np.bincount(speakers).astype(float)
    root = contrasts.weight * n
    length = float((contrasts.residual**2).sum()) / max(1, len(n) - 1)
    own = np.divide(1, contrasts.scale**2 * length, where=contrasts.scale > 0,
                    out=np.zeros_like(contrasts.scale))  # fmt: skip
    cells = space.pooled(np.ones(len(speakers), np.float32), speakers, len(n))
    factor = np.ones(space.searched)
    for unit in units:
        pairs = np.unique(np.stack([speakers, unit]), axis=1)
        if pairs.shape[1] > len(n) or length == 0:
            continue
        site = np.unique(pairs[1], return_inverse=True)[1].ravel()
        rest = contrasts.residual - contrasts.residual.mean()
        shared = shared_variance(rest, np.zeros_like(site), site)
        if shared == 0:
            continue
        width = int(site.max()) + 1
        weights = sparse.csr_array(
            (contrasts.weight, (np.arange(len(n)), site)), shape=(len(n), width)
        )
        of_site = np.bincount(site, root)
        square = np.zeros(space.searched)
        for which, sums in space.sums((cells @ weights).toarray()):
            square[which] = ((sums - contrasts.share[which, None] * of_site) ** 2).sum(axis=1)
        beyond = np.divide(square, own, where=own > 0, out=np.ones_like(own)) - 1
        factor += shared / length * np.maximum(beyond, 0)
    return factor


def unequal_spread(space: RuleSpace, loss: Array, strata: Index) -> Array:
    """Factor by which a larger spread inside a rule raises the variance of its sum of losses.

    A permutation test of means rejects too often if not the mean but the spread of the losses
    depends on the rule. A studentised statistic does not (Chung and Romano, "Exact and
    asymptotically robust permutation tests", Annals of Statistics 41 (2013), 484-507). The factor
    is the variance of Welch's statistic divided by the pooled one.

    Args:
        space: The rules.
        loss: (n,) losses.
        strata: (n,) number of the stratum of each row, from 0.

    Returns:
        (rules,) factors of at least 1.
    """
    rest = loss - (np.bincount(strata, loss) / np.bincount(strata))[strata]
    sums = space.totals(rest, np.zeros_like(strata), 1)[:, 0]
    squares = space.totals(rest**2, np.zeros_like(strata), 1)[:, 0]
    inside = space.support.astype(float)
    outside = space.rows - inside
    share = inside / space.rows
    total = float((rest**2).sum())
    within = np.maximum(squares - sums**2 / inside, 0)
    beside = np.maximum(total - squares - sums**2 / outside, 0)
    apart = (1 - share) ** 2 * within + share**2 * beside
    pooled = share * (1 - share) * (within + beside)
    return np.maximum(np.divide(apart, pooled, where=pooled > 0, out=np.ones_like(apart)), 1)
