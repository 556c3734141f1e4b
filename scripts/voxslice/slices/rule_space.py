"""The rules a slice search goes through: conjunctions of categories and intervals, as boxes.

A rule on the columns a, b, c is a box in the table of counts over a x b x c. So nothing has to be
kept per rule and row: rows of equal bins collapse into *cells*, cells are added up into one small
table per set of columns (*places*), and places into boxes; both steps are sparse 0/1 matrices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache, reduce
from itertools import combinations
from math import floor, isfinite

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Index = NDArray[np.int64]

BINS = (16, 8, 4)  # quantile bins of a number in rules with intervals of one, two, more numbers
# of BINS in rules of more than one condition: the finest that keeps the search within RULES
SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)
RULES = 250_000
LIMIT = 500_000  # of rules on the coarsest scale: where more would be, they have fewer conditions
BLOCK = 1 << 23  # numbers held at a time by one block of sums
CHUNK = 4096  # rules whose sums are held at a time


@dataclass(frozen=True)
class Feature:
    """One column, cut into bins, and its conditions.

    Attributes:
        codes: (n,) bin of each row.
        width: Number of bins.
        spans: (k, 2) first and last-plus-one bin of each condition.
        texts: k readable conditions.
        numeric: Bins that are intervals of a number; 0 for a category.
    """

    codes: Index
    width: int
    spans: Index
    texts: list[str]
    numeric: int

    def chosen(self, min_support: int, bins: int) -> Index:
        """The conditions that enough rows, but not all, fulfil.

        Args:
            min_support: Fewest rows of a condition; no conjunction with a rarer one can have more.
            bins: Most bins of a number: intervals that end elsewhere are left out.

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
        """Fewer, wider bins.

        Args:
            bins: Most bins of a number.

        Returns:
            (width,) the wider bin that each bin is in, 0 up; categories and missing have their own.
        """
        every = np.arange(self.width)
        if self.numeric <= bins:
            return every
        cuts = np.round(np.linspace(0, self.numeric, bins + 1))
        return np.searchsorted(cuts, every, side="right") - 1


def read_feature(column: pd.Series, bins: int) -> Feature:
    """Cut a column into bins and list its conditions.

    Numbers (also in a column of objects that are all numbers) are binned at quantiles, and every
    interval of neighbouring bins is a condition; everything else (text, booleans, categoricals) is
    a category by its text. Missing values are a category of their own.

    Args:
        column: The values, one a row; its name is the feature's.
        bins: Most bins of a number.

    Returns:
        The feature; a rule's text says exactly which rows it holds.
    """
    name = str(column.name)
    column = column.infer_objects()
    missing = column.isna().to_numpy(dtype=bool)
    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
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
    texts = [*texts, f"{name} missing"][: len(spans)]
    return Feature(every, width, spans, texts, last if number else 0)


def _intervals(
    name: str, values: Array, bins: int, missing: bool
) -> tuple[Index, Index, list[str]]:
    """Bins at quantiles of the values, and every interval of neighbouring bins."""
    if not len(values):
        return np.empty(0, np.int64), np.empty((0, 2), np.int64), []
    distinct = np.unique(values)
    if len(distinct) <= bins:
        edges = distinct
    else:
        edges = np.unique(np.quantile(values, np.arange(1, bins + 1) / bins, method="inverted_cdf"))
    codes = np.searchsorted(edges, values)
    order = np.searchsorted(edges, distinct)
    low = distinct[np.searchsorted(order, np.arange(len(edges)))]
    spans = [
        (i, j)
        for i in range(len(edges))
        for j in range(i + 1, len(edges) + 1)
        if missing or (i, j) != (0, len(edges))
    ]
    texts = []
    for i, j in spans:
        if low[i] == edges[j - 1]:
            texts.append(f"{name} = {shortest(low[i], low[i])}")
        else:
            before = edges[i - 1] if i else -np.inf
            after = low[j] if j < len(edges) else np.inf
            # between two bins any threshold says the same: the one with the fewest digits is shown
            ends = shortest(low[i], before), shortest(edges[j - 1], after)
            texts.append(f"{name} in {ends[0]}..{ends[1]}")
    return codes.astype(np.int64), np.array(spans, dtype=np.int64).reshape(-1, 2), texts


def shortest(value: float, beyond: float) -> str:
    """The shortest decimal from `value` (included) towards `beyond` (excluded)."""
    if not isfinite(value):
        return str(float(value))
    for digits in range(16):
        scaled = value * 10**digits
        whole = floor(scaled) if beyond < value else -floor(-scaled)
        text = f"{whole / 10**digits:.{digits}f}"
        shown = float(text)
        if shown == value or (beyond < shown < value) or (value < shown < beyond):
            return text
    return repr(float(value))


class RuleSpace:
    """Every rule of up to `depth` conditions on different columns that enough rows fulfil.

    Args:
        table: One row an utterance, columns of any dtype; at least one row.
        features: Columns to build rules from; at least one.
        depth: Most conditions of a rule.
        min_support: Fewest rows of a rule.

    Attributes:
        rows: Number of rows.
        depth: Most conditions of a rule: fewer than asked for where those would be too many rules,
            or where there are fewer features.
        cell: (n,) cell of each row.
        support: (rules,) number of rows of each rule.
        conditions: (rules, depth) numbers of its conditions, -1 where it has fewer.
        rivals: (rules,) number of rules on the same columns.
    """

    def __init__(
        self, table: pd.DataFrame, features: Sequence[str], depth: int, min_support: int
    ) -> None:
        self.features = [read_feature(table[name], BINS[0]) for name in features]
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
                few = BINS if size == 1 else bins
                pool, box, rules = self._boxes(columns, few, counts, min_support)
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
        """How deep and how fine a search is, so that it keeps to `RULES` and `LIMIT`.

        Groups of categories count where enough rows have them, intervals whatever their support
        together with others.

        Returns:
            Bins as in `BINS` for rules of more than one condition, and the depth, at least one.
        """
        numbers = [feature for feature in self.features if feature.numeric]
        others = [i for i, feature in enumerate(self.features) if not feature.numeric]
        scaled = [[max(2, round(scale * most)) for most in BINS] for scale in SCALES]

        @cache
        def intervals(many: int, most: int) -> int:
            """Conjunctions of intervals of so many numbers."""
            return _products([len(f.chosen(min_support, most)) for f in numbers], many)[many]

        def rules(size: int, bins: Sequence[int]) -> int:
            """Rules of so many conditions."""
            return sum(
                groups[size - many] * intervals(many, _most(bins, many))
                for many in range(size + 1)
                if many <= len(numbers)
            )

        groups = [1]  # by how many categories they have
        best: tuple[Sequence[int], int] = BINS, 1
        for size in range(1, depth + 1):
            groups.append(0)
            for columns in combinations(others, size):
                groups[size] += len(self._groups(columns, counts, min_support)[2])
                if groups[size] > LIMIT:
                    return best
            for bins in scaled:
                count = rules(1, BINS) + sum(rules(k, bins) for k in range(2, size + 1))
                if count <= RULES:
                    break
            if count > LIMIT:
                return best
            best = bins, size
        return best

    def _groups(
        self, columns: Sequence[int], counts: Array, min_support: int
    ) -> tuple[Index, Index, Index]:
        """The conjunctions of some columns' categories that occur often enough.

        Returns:
            Cells that are in one, which one each of them is in, and the conditions of every one.
        """
        labels = np.zeros((len(self.codes), len(columns)), dtype=np.int64)
        for k, i in enumerate(columns):  # a category's bin is its condition; too rare ones drop out
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
        """The rules on some columns: cells to places, places to boxes, and the boxes' conditions.

        Places are the groups of categories that occur often enough times the bins of the numbers.
        """
        numbers = [i for i in columns if self.features[i].numeric]
        categories = [i for i in columns if i not in numbers]
        inside, group, groups = self._groups(categories, counts, min_support)
        most = _most(bins, len(numbers))
        chosen = {i: self.features[i].chosen(min_support, most) for i in numbers}
        place, size, factors = group, len(groups), [sparse.eye_array(len(groups))]
        for i in numbers:
            bin_of = self.features[i].merged(most)  # places are as wide as rules tell apart
            width = int(bin_of[-1]) + 1
            place, size = place * width + bin_of[self.codes[inside, i]], size * width
            spans = self.features[i].spans[chosen[i]]
            first, last = bin_of[spans[:, :1]], bin_of[spans[:, 1:] - 1] + 1
            at = np.arange(width)
            factors.append(sparse.csr_array((first <= at) & (at < last)))
        ones = np.ones(len(inside), dtype=np.float32)
        pool = sparse.csr_array((ones, (place, inside)), shape=(size, len(self.codes)))
        box = reduce(lambda a, b: sparse.kron(a, b, format="csr"), factors)
        box = sparse.csr_array(box, dtype=np.float32)
        # the conditions of every box, in the order of the product above
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
        """How many columns of values are added up at a time, to bound memory.

        Args:
            held: How long the longest of the columns is that the caller keeps.

        Returns:
            Number of columns.
        """
        return int(np.clip(BLOCK // max(1, held, self.pool.shape[0]), 8, 256))

    def subset(self, rules: NDArray[np.bool_]) -> RuleSpace:
        """The same rows with fewer rules.

        Args:
            rules: (rules,) which are kept.

        Returns:
            A space whose rules are numbered anew.
        """
        few = copy(self)
        for name in ("support", "conditions", "rivals"):
            setattr(few, name, getattr(self, name)[rules])
        boxes = sparse.vstack(self._chunks, format="csr")[np.flatnonzero(rules)]
        used = np.unique(boxes.indices)  # places that no rule is left for drop out
        few.pool = self.pool[used]
        few._chunks = _chunks(boxes[:, used])
        return few

    def sums(self, cells: NDArray | sparse.sparray) -> Iterator[tuple[slice, NDArray]]:
        """Add up values of the cells over every rule.

        Args:
            cells: (cells, b) values.

        Yields:
            Which rules, and their (rules, b) sums.
        """
        places = self.pool @ cells
        if sparse.issparse(places):
            places = places.toarray()
        start = 0
        for chunk in self._chunks:
            yield slice(start, start + chunk.shape[0]), chunk @ places
            start += chunk.shape[0]

    def pooled(self, values: Array, groups: Index, width: int) -> sparse.csc_array:
        """Add up values of the rows by cell and group.

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
        """Add up values of the rows by rule and group; for few groups.

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
        """Intersection over union of some rules, each with each.

        Args:
            rules: (k,) their numbers.

        Returns:
            (k, k) shares of rows.
        """
        counts = np.bincount(self.cell, minlength=len(self.codes)).astype(np.float32)
        inside = np.stack([self._cells(rule) for rule in rules])
        shared = np.zeros((len(rules), len(rules)))
        width = max(1, BLOCK // len(rules))
        for start in range(0, len(counts), width):
            few = inside[:, start : start + width].astype(np.float32)
            shared += (few * counts[start : start + width]) @ few.T
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
            (n,) whether each row fulfils it.
        """
        return self._cells(rule)[self.cell]

    def _cells(self, rule: int) -> NDArray[np.bool_]:
        """The cells of a rule."""
        inside = np.ones(len(self.codes), dtype=bool)
        for i, k in self._named(rule):
            low, high = self.features[i].spans[k]
            inside &= (self.codes[:, i] >= low) & (self.codes[:, i] < high)
        return inside

    def _named(self, rule: int) -> list[tuple[int, int]]:
        """A rule's conditions as feature and position in it."""
        numbers = self.conditions[rule][self.conditions[rule] >= 0]
        features = np.searchsorted(self.starts, numbers, side="right") - 1
        return [(int(i), int(k - self.starts[i])) for i, k in zip(features, numbers, strict=True)]


def _most(bins: Sequence[int], numbers: int) -> int:
    """Most bins of each number in rules with intervals of so many numbers."""
    return bins[min(max(numbers, 1), len(bins)) - 1]


def _chunks(boxes: sparse.csr_array) -> list[sparse.csr_array]:
    """A matrix in pieces, at least one, of at most `CHUNK` rows: their products stay small."""
    return [boxes[i : i + CHUNK] for i in range(0, max(1, boxes.shape[0]), CHUNK)]


def _distinct(codes: Index) -> tuple[Index, Index]:
    """Distinct rows of a table of codes, in order, and which one each row is."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:  # renumbered after every column, so that keys stay below n * width
        _, key = np.unique(key * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    _, first = np.unique(key, return_index=True)
    return codes[first], key


def _products(sizes: Sequence[int], most: int) -> list[int]:
    """Elementary symmetric polynomials: how many ways to pick from 0, 1, ... `most` of the sets."""
    ways = [1] + [0] * most
    for size in sizes:
        for picked in range(most, 0, -1):
            ways[picked] += ways[picked - 1] * size
    return ways
