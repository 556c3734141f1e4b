"""The rules a slice search goes through: conjunctions of categories and intervals, as boxes.

A rule on the columns a, b, c is a box in the table of counts over a x b x c. So nothing has to be
kept per rule and row: rows of equal bins collapse into *cells*, cells are added up into one small
table per set of columns, and all boxes of a table are products with 0/1 matrices along its axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import floor, isfinite, prod

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

Array = NDArray[np.float64]
Index = NDArray[np.int64]

BINS = (8, 6, 5, 4, 3, 2)  # bins of a number: the finest that keeps the search within RULES
RULES = 250_000
BLOCK = 1 << 23  # numbers held at a time by one block of sums


@dataclass(frozen=True)
class Feature:
    """One column, cut into bins, and its conditions.

    Attributes:
        name: Column of the table.
        codes: (n,) bin of each row.
        spans: (k, 2) first and last-plus-one bin of each condition.
        texts: k readable conditions.
        number: Whether conditions are intervals of bins (a category's conditions are single bins).
    """

    name: str
    codes: Index
    spans: Index
    texts: list[str]
    number: bool

    @property
    def width(self) -> int:
        """Number of bins."""
        return int(self.codes.max()) + 1 if len(self.codes) else 0

    def thin(self, min_support: int) -> Feature:
        """Keep the conditions that enough rows, but not all, fulfil.

        Args:
            min_support: Fewest rows of a condition; no conjunction with a rarer one can have more.

        Returns:
            The same bins with fewer conditions.
        """
        upto = np.concatenate([[0], np.cumsum(np.bincount(self.codes, minlength=self.width))])
        support = upto[self.spans[:, 1]] - upto[self.spans[:, 0]]
        keep = np.flatnonzero((support >= min_support) & (support < len(self.codes)))
        texts = [self.texts[i] for i in keep]
        return Feature(self.name, self.codes, self.spans[keep], texts, self.number)


def read_feature(column: pd.Series, bins: int) -> Feature:
    """Cut a column into bins and list its conditions.

    Numbers are binned at quantiles, and every interval of neighbouring bins is a condition;
    everything else (text, booleans, categoricals) is a category by its text. Missing values are a
    category of their own.

    Args:
        column: The values, one a row; its name is the feature's.
        bins: Most bins of a number.

    Returns:
        The feature; a rule's text says exactly which rows it holds.
    """
    name = str(column.name)
    missing = column.isna().to_numpy(dtype=bool)
    number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if number:
        values = column.to_numpy(dtype=float, na_value=np.nan)
        codes, spans, texts = _intervals(name, values[~missing], bins, bool(missing.any()))
    else:
        labels, codes = np.unique(column[~missing].astype(str).to_numpy(str), return_inverse=True)
        spans = np.stack([np.arange(len(labels)), np.arange(len(labels)) + 1], axis=1)
        texts = [f"{name} = {label}" for label in labels]
    last = int(codes.max()) + 1 if len(codes) else 0
    every = np.full(len(column), last, dtype=np.int64)
    every[~missing] = codes
    spans = np.concatenate([spans, [[last, last + 1]]]) if missing.any() else spans
    return Feature(name, every, spans, [*texts, f"{name} missing"][: len(spans)], number)


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
            texts.append(f"{name} = {_shortest(low[i], low[i])}")
        else:
            before = edges[i - 1] if i else -np.inf
            after = low[j] if j < len(edges) else np.inf
            # between two bins any threshold says the same: the one with the fewest digits is shown
            ends = _shortest(low[i], before), _shortest(edges[j - 1], after)
            texts.append(f"{name} in {ends[0]}..{ends[1]}")
    return codes.astype(np.int64), np.array(spans, dtype=np.int64).reshape(-1, 2), texts


def _shortest(value: float, beyond: float) -> str:
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


@dataclass(frozen=True)
class Block:
    """All rules on one set of columns.

    Attributes:
        features: Positions of the columns.
        pool: (places, cells) 0/1: which cells are added up in which place of the table.
        shape: Groups of categories, then the bins of each number.
        axes: One (conditions, bins) 0/1 matrix a number.
        keep: Places, in the table of all boxes, of the rules with enough support.
        labels: (groups, categories in the set) condition of each category column.
    """

    features: tuple[int, ...]
    pool: sparse.csr_array
    shape: tuple[int, ...]
    axes: list[NDArray[np.float32]]
    keep: Index
    labels: Index

    def sums(self, cells: NDArray) -> NDArray:
        """Add up values of the cells over every rule.

        Args:
            cells: (cells, b) values.

        Returns:
            (rules, b) sums.
        """
        table = self.pool @ cells
        before = self.shape[0]
        for matrix in self.axes:
            table = table.reshape(before, matrix.shape[1], -1)
            table = np.matmul(matrix.astype(table.dtype, copy=False), table)
            before *= matrix.shape[0]
        table = table.reshape(before, cells.shape[1])
        return table if len(self.keep) == before else table[self.keep]


class RuleSpace:
    """Every rule of up to `depth` conditions on different columns that enough rows fulfil.

    Args:
        table: One row an utterance, columns of any dtype; at least one row.
        features: Columns to build rules from.
        depth: Most conditions of a rule.
        min_support: Fewest rows of a rule.
    """

    def __init__(
        self, table: pd.DataFrame, features: Sequence[str], depth: int, min_support: int
    ) -> None:
        for bins in BINS:
            self.features = [read_feature(table[name], bins).thin(min_support) for name in features]
            if _count(self.features, depth) <= RULES:
                break
        columns = [feature.codes for feature in self.features]
        codes = np.stack(columns, axis=1) if columns else np.empty((len(table), 0), np.int64)
        self.codes, cell = _distinct(codes)
        self.cell: Index = cell
        self.counts = np.bincount(cell, minlength=len(self.codes))
        self.rows = len(table)
        self.blocks: list[Block] = []
        support = []
        for size in range(1, depth + 1):
            for chosen in combinations(range(len(self.features)), size):
                block, held = self._block(chosen, min_support)
                if len(held):
                    self.blocks.append(block)
                    support.append(held)
        self.starts = np.cumsum([0, *(len(block.keep) for block in self.blocks)])
        self.searched = int(self.starts[-1])
        self.support: Index = np.concatenate([*support, np.empty(0, np.int64)]).astype(np.int64)
        sizes = [len(block.features) for block in self.blocks]
        self.depth = np.repeat(np.array(sizes, dtype=np.int64), np.diff(self.starts))

    def _block(self, chosen: tuple[int, ...], min_support: int) -> tuple[Block, Index]:
        """Set up the rules on some columns; with the support of each."""
        parts = [self.features[i] for i in chosen]
        names = [i for i, part in zip(chosen, parts, strict=True) if not part.number]
        numbers = [i for i, part in zip(chosen, parts, strict=True) if part.number]
        # a category's bin is its condition; bins that are none (too rare) drop out
        places = []
        for i in names:
            lookup = np.full(self.features[i].width, -1)
            lookup[self.features[i].spans[:, 0]] = np.arange(len(self.features[i].spans))
            places.append(lookup[self.codes[:, i]])
        labels = np.stack(places, axis=1) if places else np.zeros((len(self.codes), 0), np.int64)
        inside = np.flatnonzero((labels >= 0).all(axis=1))
        groups, place = _distinct(labels[inside])
        many = np.bincount(place, self.counts[inside], len(groups)) >= min_support
        inside, place = inside[many[place]], (np.cumsum(many) - 1)[place[many[place]]]
        groups = groups[many]
        axes = []
        for i in numbers:
            feature = self.features[i]
            bins = np.arange(feature.width)
            spans = feature.spans
            axes.append(((spans[:, :1] <= bins) & (bins < spans[:, 1:])).astype(np.float32))
            place = place * feature.width + self.codes[inside, i]
        shape = (len(groups), *(axis.shape[1] for axis in axes))
        pool = sparse.csr_array(
            (np.ones(len(inside), np.float32), (place, inside)),
            shape=(prod(shape), len(self.codes)),
        )
        boxes = prod([len(groups), *(len(axis) for axis in axes)])
        block = Block(chosen, pool, shape, axes, np.arange(boxes), groups)
        held = np.zeros(0)
        if boxes:
            held = np.rint(block.sums(self.counts[:, None].astype(float))[:, 0])
        keep = np.flatnonzero((held >= min_support) & (held < self.rows))
        return Block(chosen, pool, shape, axes, keep, groups), held[keep].astype(np.int64)

    @property
    def batch(self) -> int:
        """How many columns of values are added up at a time, to bound memory."""
        largest = max([self.rows, *(len(block.keep) for block in self.blocks)])
        return int(np.clip(BLOCK // largest, 8, 256))

    def sums(self, cells: NDArray) -> Iterator[tuple[slice, NDArray]]:
        """Add up values of the cells over every rule, one set of columns at a time.

        Args:
            cells: (cells, b) values.

        Yields:
            Which rules, and their (rules, b) sums.
        """
        for block, start, stop in zip(self.blocks, self.starts, self.starts[1:], strict=False):
            yield slice(int(start), int(stop)), block.sums(cells)

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

    def conditions(self, rule: int) -> list[tuple[int, int]]:
        """The conditions of a rule.

        Args:
            rule: Its number.

        Returns:
            (feature, condition) pairs in the order of the features.
        """
        at = int(np.searchsorted(self.starts, rule, side="right")) - 1
        block = self.blocks[at]
        sizes = (len(block.labels), *(len(axis) for axis in block.axes))
        group, *picked = np.unravel_index(block.keep[rule - self.starts[at]], sizes)
        names = iter(block.labels[group])
        numbers = iter(picked)
        return [
            (i, int(next(numbers if self.features[i].number else names))) for i in block.features
        ]

    def text(self, rule: int) -> str:
        """A rule in words, such as `emotion = anger & age in 30..42`.

        Args:
            rule: Its number.

        Returns:
            Its conditions, joined by ` & `.
        """
        return " & ".join(self.features[i].texts[k] for i, k in self.conditions(rule))

    def members(self, rule: int) -> NDArray[np.bool_]:
        """The rows of a rule.

        Args:
            rule: Its number.

        Returns:
            (n,) whether each row fulfils it.
        """
        inside = np.ones(len(self.codes), dtype=bool)
        for i, k in self.conditions(rule):
            low, high = self.features[i].spans[k]
            inside &= (self.codes[:, i] >= low) & (self.codes[:, i] < high)
        return inside[self.cell]


def _distinct(codes: Index) -> tuple[Index, Index]:
    """Distinct rows of a table of codes, in order, and which one each row is."""
    key = np.zeros(len(codes), dtype=np.int64)
    for column in codes.T:  # renumbered after every column, so that keys stay below n * width
        _, key = np.unique(key * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    _, first = np.unique(key, return_index=True)
    return codes[first], key


def _count(features: Sequence[Feature], depth: int) -> int:
    """How many conjunctions the conditions give, whatever their support."""
    by_size = [1] + [0] * depth
    for feature in features:
        for size in range(depth, 0, -1):
            by_size[size] += by_size[size - 1] * len(feature.spans)
    return sum(by_size[1:])
