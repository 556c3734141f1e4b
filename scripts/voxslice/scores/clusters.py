"""Variances and intervals if utterances depend on their speaker and on units that cross speakers.

If all speakers read the same sentences, a result depends on the choice of the speakers and on that
of the sentences. A resample of speakers keeps the sentences, so that its interval is too narrow for
other sentences (Clark, "The language-as-fixed-effect fallacy", Journal of Verbal Learning and
Verbal Behavior 12 (1973), 335-359). The variance of a result with two crossed clusterings is the
sum of both cluster variances, minus that of their intersections (Cameron, Gelbach and Miller,
"Robust inference with multiway clustering", Journal of Business & Economic Statistics 29 (2011),
238-249). Here, the part that a kind of unit adds to the variance of another kind is the difference
of its own variance and that of the intersections, or 0 if it is negative.

A unit that lies within a speaker, such as a session or the source of copies, adds nothing, because
the speakers are resampled as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from voxslice.scores.bootstrap import block_sizes, bootstrap_interval
from voxslice.units import Index

MIN_UNITS = 6
"""A kind with fewer units counts as fixed: results apply to these units only.

With fewer than six units, no test over units can reach a level of 5 %."""
STEP = 1e-4
"""Change of the weight of a cell, from which derivatives are computed."""
Interval = Callable[..., tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Clusters:
    """Clusters of utterances: speakers, and units of other kinds that cross speakers.

    Attributes:
        cell: shape (utterances,), number of each utterance's cell. A cell contains all utterances
            that share the speaker and the unit of each kind
        kinds: for each kind of cluster the number of each cell's cluster, shape (cells,); the
            speakers come first, or single utterances if the speakers are not known
    """

    cell: Index
    kinds: tuple[Index, ...]

    @property
    def fewest(self) -> int:
        """Number of clusters of the kind that has the fewest."""
        return min(int(kind.max(initial=-1)) + 1 for kind in self.kinds)

    def cell_sums(self, values: np.ndarray) -> np.ndarray:
        """Sum values over the utterances of each cell.

        Args:
            values: shape (utterances, ...)

        Returns:
            shape (cells, ...)
        """
        return sums_by(np.asarray(values, dtype=np.float64), self.cell)

    def cluster_sums(self, sums: np.ndarray) -> list[np.ndarray]:
        """Sum values over the clusters of each kind.

        Args:
            sums: sums over the utterances of each cell, shape (cells, ...)

        Returns:
            for each kind the sums, shape (clusters, ...)
        """
        return [sums_by(sums, kind) for kind in self.kinds]


def sums_by(values: np.ndarray, codes: Index) -> np.ndarray:
    """Sum values over the rows with the same code.

    Args:
        values: shape (rows, ...)
        codes: number of each row's cluster, from 0

    Returns:
        shape (clusters, ...)
    """
    if np.array_equal(codes, np.arange(len(values))):
        return values
    sums = np.zeros((codes.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(sums, codes, values)
    return sums


def make_clusters(rows: int, speakers: np.ndarray | None, units: Sequence[Index] = ()) -> Clusters:
    """Find the kinds of units that matter beside the speakers.

    Args:
        rows: number of utterances
        speakers: speaker of each utterance, None to treat every utterance as independent
        units: for each kind of unit the number of each utterance's unit, from 0

    Returns:
        the clusters; kinds are left out that lie within speakers, or that have fewer than
        `MIN_UNITS` units
    """
    first = np.arange(rows, dtype=np.int64)
    if speakers is not None:
        first = np.unique(np.asarray(speakers), return_inverse=True)[1].ravel()
    kinds = [first, *crossing_units(first, units)]
    if len(kinds) == 1:
        return Clusters(first, (np.arange(first.max(initial=-1) + 1),))
    cells, cell = np.unique(np.stack(kinds, axis=1), axis=0, return_inverse=True)
    return Clusters(cell.ravel(), tuple(cells.T))


def crossing_units(speakers: np.ndarray, units: Sequence[Index]) -> list[Index]:
    """Select the kinds of units that cross speakers, or lie above them.

    Args:
        speakers: speaker of each utterance
        units: for each kind of unit the number of each utterance's unit, from 0

    Returns:
        the kinds without those that lie within speakers or within a kind before them, or that have
        fewer than `MIN_UNITS` units
    """
    kinds = [np.unique(speakers, return_inverse=True)[1].ravel()]
    for unit in units:
        if len(np.unique(unit)) >= MIN_UNITS and not any(lies_within(unit, kind) for kind in kinds):
            kinds.append(np.unique(unit, return_inverse=True)[1].ravel())
    return kinds[1:]


def lies_within(inner: Index, outer: Index) -> bool:
    """Whether each cluster of one kind lies within one cluster of another kind.

    Args:
        inner: number of each row's cluster of the first kind
        outer: number of each row's cluster of the second kind

    Returns:
        true if no cluster of the first kind has rows in two clusters of the second
    """
    pairs = np.unique(np.stack([inner, outer]), axis=1)
    return pairs.shape[1] == len(np.unique(inner))


def added_variances(
    sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], clusters: Clusters
) -> list[np.ndarray]:
    """Variance of statistics that other kinds of clusters add to that of each kind.

    Args:
        sums: sums over the utterances of each cell, shape (cells, ...)
        statistic: maps sums of shape (many, ...) to values of shape (many, k)
        clusters: the clusters

    Returns:
        for each kind the added variances, shape (k,)
    """
    return [added for _, added in variances(sums, statistic, clusters)]


def variances(
    sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], clusters: Clusters
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Variance of statistics over the clusters of each kind, and what the other kinds add to it.

    Args:
        sums: sums over the utterances of each cell, shape (cells, ...)
        statistic: maps sums of shape (many, ...) to values of shape (many, k)
        clusters: the clusters

    Returns:
        for each kind both variances, each of shape (k,)
    """
    kinds = clusters.kinds
    if len(kinds) == 1:
        none = np.zeros(statistic(sums.sum(0, keepdims=True)).shape[1])
        return [(none, none)]
    change = _influence(sums, statistic)
    of_kinds = [_variance(change, kind) for kind in kinds]
    largest = [
        not any(lies_within(kind, other) for other in kinds if other is not kind) for kind in kinds
    ]
    found = []
    for own, kind in zip(of_kinds, kinds, strict=True):
        added = np.zeros_like(own)
        for variance, other, counts in zip(of_kinds, kinds, largest, strict=True):
            if other is not kind and counts:
                both = np.unique(np.stack([kind, other]), axis=1, return_inverse=True)[1].ravel()
                added += np.maximum(variance - _variance(change, both), 0)
        found.append((own, added))
    return found


def _influence(sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Derivatives of statistics by the weight of each cell, of shape (cells, k); 0 if undefined."""
    total = sums.sum(0, keepdims=True)
    parts, start = [], 0
    for size in block_sizes(len(sums), int(np.prod(sums.shape[1:]))):
        step = STEP * sums[start : start + size]
        parts.append((statistic(total + step) - statistic(total - step)) / (2 * STEP))
        start += size
    return np.nan_to_num(np.concatenate(parts), nan=0.0)


def _variance(change: np.ndarray, kind: Index) -> np.ndarray:
    """Variance of statistics over clusters, from the influence of each cell."""
    sums = sums_by(change, kind)
    return len(sums) / max(len(sums) - 1, 1) * (sums**2).sum(axis=0)


def cluster_interval(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    clusters: Clusters,
    *,
    resamples: int,
    seed: int,
    present: np.ndarray | None = None,
    guard: Interval | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a statistic that depends on the speakers and on other units.

    The clusters of each kind are resampled, and the distance of each end from the value is
    multiplied by the root of the share that other kinds add to the variance. The wider end of all
    kinds is taken. With speakers only, this is the interval of the bootstrap.

    Args:
        sums: sums over the utterances of each cell, shape (cells, ...)
        statistic: maps sums to k values, see `voxslice.scores.bootstrap.bootstrap`
        clusters: the clusters
        resamples: number of resamples
        seed: seed of the draws
        present: whether each cell has utterances in each value, shape (cells, k); None if all have.
            A kind with one cluster in a value does not count there: it is what the value is about
        guard: makes a wider interval over speakers, with the arguments of `bootstrap_interval`.
            What other kinds add to it is what they add to the plain interval

    Returns:
        lower and upper end, each of shape (k,); NaN if there are fewer than two speakers
    """
    if guard is not None and len(clusters.kinds) == 1:
        speakers = None if present is None else present.sum(0)
        return guard(sums, statistic, resamples=resamples, seed=seed, speakers=speakers)
    value = statistic(sums.sum(0, keepdims=True))[0]
    parts = zip(clusters.cluster_sums(sums), variances(sums, statistic, clusters), strict=True)
    ends: list[tuple[np.ndarray, np.ndarray]] = []
    for number, (part, (own, added)) in enumerate(parts):
        speakers = None
        if present is not None:
            speakers = (sums_by(present.astype(float), clusters.kinds[number]) > 0).sum(0)
        drawn: dict[str, Any] = {"resamples": resamples, "seed": seed, "speakers": speakers}
        low, high = bootstrap_interval(part, statistic, **drawn)
        # an end without an addition stays as it is, in spite of rounding
        more = np.sqrt(1 + np.divide(added, own, out=np.zeros_like(own), where=own > 0)) - 1
        below, above = more * (value - low), more * (high - value)
        if number == 0 and guard is not None:
            low, high = guard(part, statistic, **drawn)
        ends.append((low - below, high + above))
    low, high = ends[0]
    for other_low, other_high in ends[1:]:
        low = np.where(np.isnan(low), np.nan, np.fmin(low, other_low))
        high = np.where(np.isnan(high), np.nan, np.fmax(high, other_high))
    return low, high
