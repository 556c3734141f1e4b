"""The rules that a slice search tests: conjunctions of conditions on different columns.

A rule on the columns a, b and c is a box in the contingency table of a, b and c. So no memory is
needed per rule and row. Rows with the same bins in all columns form a *cell*. Cells are summed into
the contingency table of each set of columns, whose entries are called *margins*. Margins are summed
into boxes. Both steps are products with sparse matrices of 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from voxslice.bins import assign_bins, quantile_edges
from voxslice.rule_conditions import interval_text, is_numeric, missing_text

Array = NDArray[np.float64]
Index = NDArray[np.int64]

MAX_BINS_BY_NUMBERS = (16, 8, 4)  # quantile bins of a number in rules on one, two, more numbers
# factors of these bins in rules of several conditions; the finest is used that keeps the search
# within `TARGET_RULES`
BIN_SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)
TARGET_RULES = 250_000
MAX_RULES = 500_000  # with the coarsest bins; where there would be more, rules are less deep
MAX_BLOCK_VALUES = 1 << 23  # sums that are kept in memory at a time
RULES_PER_CHUNK = 4096  # rules whose sums are computed at a time


@dataclass(frozen=True)
class Feature:
    """One column in bins, and the conditions on it.

    Attributes:
        codes: (n,) number of the bin of each row.
        width: Number of bins.
        spans: (k, 2) first bin of each condition, and the one after its last bin.
        texts: The k conditions in words.
        numeric: Number of bins that are intervals of a number; 0 for categories.
    """

    codes: Index
    width: int
    spans: Index
    texts: list[str]
    numeric: int

    def chosen(self, min_support: int, bins: int) -> Index:
        """Select the conditions that enough rows fulfil, but not all of them.

        Args:
            min_support: Smallest number of rows of a condition.
            bins: Largest number of bins of a number. Intervals with other ends are left out.

        Returns:
            Positions of the conditions.
        """
        upto = np.concatenate([[0], np.cumsum(np.bincount(self.codes, minlength=self.width))])
        support = upto[self.spans[:, 1]] - upto[self.spans[:, 0]]
        keep = (support >= min_support) & (support < len(self.codes))
        starts = np.flatnonzero(np.diff(self.merged(bins), prepend=-1))
        keep &= np.isin(self.spans, [*starts, self.width]).all(axis=1)
        return np.flatnonzero(keep)

    def merged(self, bins: int) -> Index:
        """Merge bins into fewer and wider ones.

        Args:
            bins: Largest number of bins of a number.

        Returns:
            (width,) number of the wider bin that contains each bin, from 0. Categories and missing
            values keep a bin of their own.
        """
        every = np.arange(self.width)
        if self.numeric <= bins:
            return every
        cuts = np.round(np.linspace(0, self.numeric, bins + 1))
        return np.searchsorted(cuts, every, side="right") - 1


def read_feature(column: pd.Series, bins: int) -> Feature:
    """Put a column into bins and list the conditions on it.

    Numbers (also in a column of objects) are put into quantile bins, and every interval of
    neighbouring bins is a condition. Everything else (text, booleans, categoricals) is a category,
    named by its text. Missing values are a category of their own.

    Args:
        column: One value per row; its name is the name of the feature.
        bins: Largest number of bins of a number.

    Returns:
        The feature. The text of a condition determines exactly which rows fulfil it.
    """
    name = str(column.name)
    column = column.infer_objects()
    missing = column.isna().to_numpy(dtype=bool)
    number = is_numeric(column)
    if number:
        values = column.to_numpy(dtype=float, na_value=np.nan)
        codes, spans, texts = _intervals(name, values[~missing], bins, bool(missing.any()))
    else:
        codes, labels = pd.factorize(column[~missing].astype(str), sort=True)
        spans = np.stack([np.arange(len(labels)), np.arange(len(labels)) + 1], axis=1)
        texts = [f"{name} = {label}" for label in labels]
    last = int(codes.max()) + 1 if len(codes) else 0
    every = np.full(len(column), last, dtype=np.int64)
    every[~missing] = codes
    spans = np.concatenate([spans, [[last, last + 1]]]) if missing.any() else spans
    width = last + int(missing.any())
    texts = [*texts, missing_text(name)][: len(spans)]
    return Feature(every, width, spans, texts, last if number else 0)


def _intervals(
    name: str, values: Array, bins: int, missing: bool
) -> tuple[Index, Index, list[str]]:
    """Quantile bins of values, and a condition for every interval of neighbouring bins."""
    if not len(values):
        return np.empty(0, np.int64), np.empty((0, 2), np.int64), []
    distinct = np.unique(values)
    edges = distinct if len(distinct) <= bins else quantile_edges(values, bins)
    codes = assign_bins(values, edges)
    order = assign_bins(distinct, edges)
    low = distinct[np.searchsorted(order, np.arange(len(edges)))]
    spans = [
        (i, j)
        for i in range(len(edges))
        for j in range(i + 1, len(edges) + 1)
        if missing or (i, j) != (0, len(edges))
    ]
    below, above = [-np.inf, *edges], [*low, np.inf]  # the values next to each bin
    texts = [interval_text(name, low[i], edges[j - 1], below[i], above[j]) for i, j in spans]
    return codes.astype(np.int64), np.array(spans, dtype=np.int64).reshape(-1, 2), texts


class RuleSpace:
    """All rules of up to `depth` conditions on different columns that enough rows fulfil.

    Args:
        table: One row per utterance, columns of any dtype; at least one row.
        features: Columns to build rules from; at least one.
        depth: Largest number of conditions of a rule.
        min_support: Smallest number of rows of a rule.

    Attributes:
        rows: Number of rows.
        depth: Largest number of conditions of a rule. It is smaller than the argument if there
            would be too many rules, or if there are fewer features.
        cell: (n,) number of the cell of each row.
        support: (rules,) number of rows of each rule.
        conditions: (rules, depth) numbers of the conditions of each rule, filled up with -1.
        rivals: (rules,) number of rules on the same columns.
    """

    def __init__(
        self, table: pd.DataFrame, features: Sequence[str], depth: int, min_support: int
    ) -> None:
        self.features = [read_feature(table[name], MAX_BINS_BY_NUMBERS[0]) for name in features]
        self.codes, self.cell = _distinct(np.stack([f.codes for f in self.features], axis=1))
        counts = np.bincount(self.cell, minlength=len(self.codes)).astype(float)
        self.rows = len(table)
        self.starts = np.cumsum([0, *(len(feature.texts) for feature in self.features)])
        bins, self.depth = self._resolution(counts, min(depth, len(features)), min_support)
        pools, boxes = [sparse.csr_array((0, len(self.codes)), dtype=np.float32)], []
        support, conditions = [np.empty(0, np.int64)], [np.empty((0, self.depth), np.int64)]
        rivals = [np.empty(0, np.int64)]
        for size in range(1, self.depth + 1):
            for columns in combinations(range(len(features)), size):
                widest = MAX_BINS_BY_NUMBERS if size == 1 else bins
                pool, box, rules = self._boxes(columns, widest, counts, min_support)
                held = np.rint(box @ (pool @ counts)).astype(np.int64)
                keep = np.flatnonzero((held >= min_support) & (held < self.rows))
                if len(keep):
                    pools.append(pool)
                    boxes.append(box[keep])
                    support.append(held[keep])
                    rivals.append(np.full(len(keep), len(keep)))
                    padding = ((0, 0), (0, self.depth - size))
                    conditions.append(np.pad(rules[keep], padding, constant_values=-1))
        self.pool = sparse.vstack(pools, format="csr")
        self.support: Index = np.concatenate(support)
        self.rivals: Index = np.concatenate(rivals)
        self.conditions: Index = np.concatenate(conditions)
        none = sparse.csr_array((0, 0), dtype=np.float32)
        self._chunks = _chunks(sparse.block_diag(boxes, format="csr") if boxes else none)

    def _resolution(self, counts: Array, depth: int, min_support: int) -> tuple[Sequence[int], int]:
        """Choose bins and depth so that there are not too many rules.

        Combinations of categories are counted if enough rows have them. Intervals are counted
        even if they are rare in combination with other conditions.

        Returns:
            Bins as in `MAX_BINS_BY_NUMBERS` for rules of several conditions, and the depth, at
            least one.
        """
        numbers = [feature for feature in self.features if feature.numeric]
        others = [i for i, feature in enumerate(self.features) if not feature.numeric]
        scaled = [
            [max(2, round(scale * bins)) for bins in MAX_BINS_BY_NUMBERS] for scale in BIN_SCALES
        ]

        @cache
        def intervals(size: int, max_bins: int) -> int:
            """Number of conjunctions of intervals of `size` numbers."""
            return _products([len(f.chosen(min_support, max_bins)) for f in numbers], size)[size]

        def rules(size: int, bins: Sequence[int]) -> int:
            """Number of rules of `size` conditions."""
            return sum(
                groups[size - of_numbers] * intervals(of_numbers, _max_bins(bins, of_numbers))
                for of_numbers in range(size + 1)
                if of_numbers <= len(numbers)
            )

        groups = [1]  # combinations of categories, by the number of their columns
        best: tuple[Sequence[int], int] = MAX_BINS_BY_NUMBERS, 1
        for size in range(1, depth + 1):
            groups.append(0)
            for columns in combinations(others, size):
                groups[size] += len(self._groups(columns, counts, min_support)[2])
                if groups[size] > MAX_RULES:
                    return best
            for bins in scaled:
                count = rules(1, MAX_BINS_BY_NUMBERS)
                count += sum(rules(k, bins) for k in range(2, size + 1))
                if count <= TARGET_RULES:
                    break
            if count > MAX_RULES:
                return best
            best = bins, size
        return best

    def _groups(
        self, columns: Sequence[int], counts: Array, min_support: int
    ) -> tuple[Index, Index, Index]:
        """Combinations of the categories of some columns that enough rows have.

        Returns:
            The cells that are in a combination, the number of the combination of each of these
            cells, and the conditions of each combination.
        """
        labels = np.zeros((len(self.codes), len(columns)), dtype=np.int64)
        for k, i in enumerate(columns):  # a category is one bin and one condition
            feature = self.features[i]
            chosen = feature.chosen(min_support, 0)
            lookup = np.full(feature.width, -1)
            lookup[feature.spans[chosen, 0]] = chosen
            labels[:, k] = lookup[self.codes[:, i]]
        inside = np.flatnonzero((labels >= 0).all(axis=1))
        groups, group = _distinct(labels[inside])
        often = np.bincount(group, counts[inside], len(groups)) >= min_support
        inside, group = inside[often[group]], (np.cumsum(often) - 1)[group[often[group]]]
        return inside, group, groups[often]

    def _boxes(
        self, columns: Sequence[int], bins: Sequence[int], counts: Array, min_support: int
    ) -> tuple[sparse.csr_array, sparse.csr_array, Index]:
        """Build the rules on some columns.

        Margins are the frequent combinations of categories, times the bins of the numbers.

        Returns:
            The matrix that sums cells into margins, the matrix that sums margins into boxes, and
            the conditions of each box.
        """
        numbers = [i for i in columns if self.features[i].numeric]
        categories = [i for i in columns if i not in numbers]
        inside, group, groups = self._groups(categories, counts, min_support)
        max_bins = _max_bins(bins, len(numbers))
        chosen = {i: self.features[i].chosen(min_support, max_bins) for i in numbers}
        margin, size, factors = group, len(groups), [sparse.eye_array(len(groups))]
        for i in numbers:
            bin_of = self.features[i].merged(max_bins)  # no finer than the rules need
            width = int(bin_of[-1]) + 1
            margin, size = margin * width + bin_of[self.codes[inside, i]], size * width
            spans = self.features[i].spans[chosen[i]]
            first, last = bin_of[spans[:, :1]], bin_of[spans[:, 1:] - 1] + 1
            at = np.arange(width)
            factors.append(sparse.csr_array((first <= at) & (at < last)))
        ones = np.ones(len(inside), dtype=np.float32)
        pool = sparse.csr_array((ones, (margin, inside)), shape=(size, len(self.codes)))
        box = reduce(lambda a, b: sparse.kron(a, b, format="csr"), factors)
        box = sparse.csr_array(box, dtype=np.float32)
        # the conditions of each box, in the order of the product above
        grid = np.indices([len(groups), *(len(chosen[i]) for i in numbers)]).reshape(
            1 + len(numbers), -1
        )
        of = dict(zip(categories, groups[grid[0]].T, strict=True))
        of |= {i: chosen[i][row] for i, row in zip(numbers, grid[1:], strict=True)}
        rules = np.stack([of[i] + self.starts[i] for i in columns], axis=1)
        return pool, box, rules

    @property
    def searched(self) -> int:
        """Number of rules."""
        return len(self.support)

    def batch(self, held: int) -> int:
        """Number of columns of values that are summed at a time, which bounds the memory.

        Args:
            held: Length of the longest column that the caller keeps in memory.

        Returns:
            Number of columns.
        """
        return int(np.clip(MAX_BLOCK_VALUES // max(1, held, self.pool.shape[0]), 8, 256))

    def subset(self, rules: NDArray[np.bool_]) -> RuleSpace:
        """Keep some of the rules.

        Args:
            rules: (rules,) whether each rule is kept.

        Returns:
            A space of the same rows, whose rules are numbered from 0 again.
        """
        kept = copy(self)
        for name in ("support", "conditions", "rivals"):
            setattr(kept, name, getattr(self, name)[rules])
        boxes = sparse.vstack(self._chunks, format="csr")[np.flatnonzero(rules)]
        used = np.unique(boxes.indices)  # margins of the rules that are kept
        kept.pool = self.pool[used]
        kept._chunks = _chunks(boxes[:, used])
        return kept

    def named(self, feature: int) -> NDArray[np.bool_]:
        """Find the rules with a condition on a column.

        Args:
            feature: Number of the column.

        Returns:
            (rules,) whether each rule has one.
        """
        first, end = self.starts[feature : feature + 2]
        return np.asarray(((self.conditions >= first) & (self.conditions < end)).any(axis=1))

    def siblings(self, feature: int) -> Index:
        """Count the rules on the same columns that have the same condition on one of them.

        Args:
            feature: Number of this column. All rules must have a condition on it.

        Returns:
            (rules,) numbers of rules; each rule counts as one of its siblings.
        """
        first, end = self.starts[feature : feature + 2]
        columns = np.searchsorted(self.starts, self.conditions, side="right")
        columns[self.conditions < 0] = -1
        here = (self.conditions >= first) & (self.conditions < end)
        labels = np.where(here, self.starts[-1] + self.conditions, columns)
        _, family, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
        return np.asarray(counts[family.ravel()])

    def sums(self, cells: NDArray | sparse.sparray) -> Iterator[tuple[slice, NDArray]]:
        """Sum values of the cells over each rule.

        Args:
            cells: (cells, b) values.

        Yields:
            A range of rules, and their (rules, b) sums.
        """
        margins = self.pool @ cells
        if sparse.issparse(margins):
            margins = margins.toarray()
        start = 0
        for chunk in self._chunks:
            yield slice(start, start + chunk.shape[0]), chunk @ margins
            start += chunk.shape[0]

    def pooled(self, values: Array, groups: Index, width: int) -> sparse.csc_array:
        """Sum values of the rows over each cell and group.

        Args:
            values: (n,) values of the rows.
            groups: (n,) group of each row.
            width: Number of groups.

        Returns:
            (cells, width) sums.
        """
        shape = (len(self.codes), width)
        return sparse.csc_array((values, (self.cell, groups)), shape=shape)

    def totals(self, values: Array, groups: Index, width: int) -> Array:
        """Sum values of the rows over each rule and group, for few groups.

        Args:
            values: (n,) values of the rows.
            groups: (n,) group of each row.
            width: Number of groups.

        Returns:
            (rules, width) sums.
        """
        out = np.empty((self.searched, width))
        cells = self.pooled(values, groups, width).toarray()
        for which, sums in self.sums(cells):
            out[which] = sums
        return out

    def overlaps(self, rules: Index) -> Array:
        """Intersection over union of each pair of some rules.

        Args:
            rules: (k,) their numbers.

        Returns:
            (k, k) shares of rows.
        """
        counts = np.bincount(self.cell, minlength=len(self.codes)).astype(np.float32)
        inside = np.stack([self._cells(rule) for rule in rules])
        shared = np.zeros((len(rules), len(rules)))
        width = max(1, MAX_BLOCK_VALUES // len(rules))
        for start in range(0, len(counts), width):
            part = inside[:, start : start + width].astype(np.float32)
            shared += (part * counts[start : start + width]) @ part.T
        support = self.support[rules]
        return shared / (support[:, None] + support - shared)

    def text(self, rule: int) -> str:
        """A rule in words, such as `emotion = anger & age in 30..42`.

        Args:
            rule: Its number.

        Returns:
            Its conditions, joined by ` & `.
        """
        return " & ".join(self.features[i].texts[k] for i, k in self._named(rule))

    def members(self, rule: int) -> NDArray[np.bool_]:
        """The rows of a rule.

        Args:
            rule: Its number.

        Returns:
            (n,) whether each row fulfils the rule.
        """
        return self._cells(rule)[self.cell]

    def same_rows(self, rule: int) -> NDArray[np.bool_]:
        """Find the rules that select the same rows as a rule.

        Args:
            rule: Its number.

        Returns:
            (rules,) whether each rule selects the same rows; true for the rule itself.
        """
        shared = self.totals(self.members(rule).astype(float), np.zeros_like(self.cell), 1)[:, 0]
        support = self.support[rule]
        return (np.rint(shared) == support) & (self.support == support)

    def _cells(self, rule: int) -> NDArray[np.bool_]:
        """Whether each cell fulfils a rule, of shape (cells,)."""
        inside = np.ones(len(self.codes), dtype=bool)
        for i, k in self._named(rule):
            low, high = self.features[i].spans[k]
            inside &= (self.codes[:, i] >= low) & (self.codes[:, i] < high)
        return inside

    def _named(self, rule: int) -> list[tuple[int, int]]:
        """The conditions of a rule, each as number of the feature and position in it."""
        numbers = self.conditions[rule][self.conditions[rule] >= 0]
        features = np.searchsorted(self.starts, numbers, side="right") - 1
        return [(int(i), int(k - self.starts[i])) for i, k in zip(features, numbers, strict=True)]


def _max_bins(bins: Sequence[int], numbers: int) -> int:
    """Largest number of bins of each number in rules with intervals of several numbers."""
    return bins[min(max(numbers, 1), len(bins)) - 1]


def _chunks(boxes: sparse.csr_array) -> list[sparse.csr_array]:
    """Split a matrix into chunks of `RULES_PER_CHUNK` rows, so that products stay small."""
    starts = range(0, max(1, boxes.shape[0]), RULES_PER_CHUNK)
    return [boxes[start : start + RULES_PER_CHUNK] for start in starts]


def _distinct(codes: Index) -> tuple[Index, Index]:
    """Distinct rows of a table of codes in order, and the number of the one that each row is."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:  # renumbering after each column keeps the keys below n * width
        _, key = np.unique(key * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    _, first = np.unique(key, return_index=True)
    return codes[first], key


def _products(sizes: Sequence[int], max_sets: int) -> list[int]:
    """Number of ways to pick one element from each of 0, 1, ... `max_sets` sets of given sizes.

    These are the elementary symmetric polynomials of the sizes.
    """
    ways = [1] + [0] * max_sets
    for size in sizes:
        for picked in range(max_sets, 0, -1):
            ways[picked] += ways[picked - 1] * size
    return ways
