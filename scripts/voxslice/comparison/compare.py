"""Models against each other, overall and on each slice: who is better, who fixes whose errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, false_discovery_control

from voxslice.bins import assign_bins, quantile_edges
from voxslice.conditions import (
    as_text,
    categories_text,
    ends_text,
    interval_text,
    is_numeric,
    neighbours,
)
from voxslice.names import CHANCE
from voxslice.scores.bootstrap import FEW_SPEAKERS, block_sizes, bootstrap_interval, speaker_sums
from voxslice.speakers import count_speakers
from voxslice.task import Task
from voxslice.utterance_keys import KEY

EXACT_SPEAKERS = 14
"""Up to this many speakers all 2^n sign flips are looked at."""
ALPHA = 0.05
"""Level of the verdicts."""
MIN_SUPPORT = 10
"""A category with fewer utterances is not compared."""
NUMBER_GROUPS = 3
"""Groups of about the same size that a number is compared in."""

COMPARISON_COLUMNS = [
    "slice", "kind", "rule", "support", "speakers", "reliable", "model_a", "model_b", "value_a",
    "value_b", "difference", "low", "high", "both_right", "only_a_wrong", "only_b_wrong",
    "both_wrong", "p", "q", "verdict", "strictly", "equivalent",
]  # fmt: skip


@dataclass(frozen=True)
class Slice:
    """A set of utterances that models are compared on."""

    kind: str
    """`all`, `category` (of a metadata column) or `slice` (found for a model)."""
    rule: str
    mask: np.ndarray
    """Shape (utterances,), true inside."""


def compare(
    losses: Mapping[str, np.ndarray],
    slices: Mapping[str, Slice],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Compare pairs of models on each slice.

    The verdict is on model b against model a. It is `better` or `worse` where q is at most 0.05 and
    the interval, of at least five speakers, leaves out zero (McNemar's test takes utterances as
    independent, the interval does not), else `equivalent` where `equivalent` holds, else
    `undecided`. Fewer speakers agree by chance: models that are equally good were told apart by 2,
    3, 4 of them in 30, 18, 9 % of simulations, and by 5, 10, 20 in 7, 6, 5 %.

    Args:
        losses: of each model, shape (utterances,); the same utterances in the same order
        slices: by id; `all` is added first
        speakers: speaker of each utterance, None where every one stands alone
        task: what is measured, with the margin of equivalence
        resamples: bootstrap resamples and, where there are too many speakers for all of them, sign
            flips
        seed: of both
        pairs: of models, None for each with each other one

    Returns:
        one row a slice and pair, in the columns of `COMPARISON_COLUMNS`: the metric of both models,
        `difference` (b minus a) and its 95 % interval by drawing speakers (missing where all
        resamples agree), `reliable` where enough speakers for that are named; for classification
        the counts of who is wrong and the exact McNemar p, else p of a sign-flip test of the
        speakers' loss differences; `q` adjusts p over all rows (Benjamini and Hochberg);
        `strictly` where the better model of a classification makes no error that the other does
        not make; `equivalent`, see `is_equivalent`
    """
    count = len(next(iter(losses.values())))
    everyone = Slice("all", "all utterances", np.ones(count, dtype=bool))
    slices = {"all": everyone, **slices}
    stacked = np.stack([part.mask for part in slices.values()], axis=1).astype(float)
    rows: list[dict] = []
    sides: list[int] = []  # of zero, on which the interval lies
    for a, b in combinations(losses, 2) if pairs is None else pairs:
        change = task.difference(losses[a], losses[b])
        parts = np.stack([stacked, stacked * change[:, None]], axis=-1)
        sums = speaker_sums(parts, speakers)
        units = (sums[..., 0] > 0).sum(0)  # what a slice draws from
        low, high = bootstrap_interval(sums, _mean, resamples=resamples, seed=seed, speakers=units)
        side = np.select([low > 0, high < 0], [1, -1], 0)
        # where no resample differs, the bootstrap knows no uncertainty
        shown = np.where(low == high, np.nan, [low, high])
        for position, (name, part) in enumerate(slices.items()):
            mask, support = part.mask, int(part.mask.sum())
            known = count_speakers(None if speakers is None else speakers[mask])
            enough = (support if known is None else known) >= FEW_SPEAKERS
            row = {
                "slice": name,
                "kind": part.kind,
                "rule": part.rule,
                "support": support,
                "speakers": known,
                "reliable": known is not None and enough,
                "model_a": a,
                "model_b": b,
                "value_a": _metric(losses[a][mask], task),
                "value_b": _metric(losses[b][mask], task),
                "difference": float(change[mask].mean()) if support else np.nan,
                "low": shown[0, position],
                "high": shown[1, position],
            }
            if task.is_classification:
                row |= _errors(losses[a][mask] > 0, losses[b][mask] > 0)
                row["p"] = mcnemar(row["only_a_wrong"], row["only_b_wrong"])
            else:
                row["p"] = sign_flip(sums[:, position, 1], resamples=resamples, seed=seed)
            if task.margin is not None:
                row["equivalent"] = enough and is_equivalent(
                    (low[position], high[position]),
                    task.margin,
                    support=support if task.is_classification else None,
                )
            rows.append(row)
            sides.append(side[position] if enough else 0)
    table = pd.DataFrame(rows, columns=COMPARISON_COLUMNS)
    if len(table):
        table["q"] = false_discovery_control(table["p"].astype(float))
    for name in ["speakers", "both_right", "only_a_wrong", "only_b_wrong", "both_wrong"]:
        table[name] = table[name].astype("Int64")
    table["equivalent"] = table["equivalent"].astype("boolean")
    table["verdict"] = _verdicts(table, np.array(sides), task)
    table["strictly"] = pd.array([pd.NA] * len(table), dtype="boolean")
    if task.is_classification:
        better, worse = table["verdict"] == "better", table["verdict"] == "worse"
        table["strictly"] = (better & (table["only_b_wrong"] == 0)) | (
            worse & (table["only_a_wrong"] == 0)
        )
    overall = table["slice"] == "all"
    return pd.concat([table[overall], table[~overall]], ignore_index=True)


def compare_with_references(
    losses: Mapping[str, np.ndarray],
    references: Mapping[str, np.ndarray],
    slices: Mapping[str, Slice],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compare each model with each reference model.

    Only `chance` of a classification is compared on slices: it knows nothing of the labels, so that
    it is as good in one slice as in another. The others are right or wrong by what the labels of a
    slice are.

    Args:
        losses: of each model, shape (utterances,)
        references: the same of the reference models, see `voxslice.references`
        slices: by id
        speakers: see `compare`, as are the other arguments

    Returns:
        as `compare`, with the reference as model a; `q` adjusts p over the rows of one reference
    """
    tables = [
        compare(
            {**losses, reference: loss},
            slices if task.is_classification and reference == CHANCE else {},
            speakers,
            task=task,
            resamples=resamples,
            seed=seed,
            pairs=[(reference, model) for model in losses],
        )
        for reference, loss in references.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _verdicts(table: pd.DataFrame, sides: np.ndarray, task: Task) -> np.ndarray:
    decided = table["q"].to_numpy(float) <= ALPHA
    rises, falls = decided & (sides > 0), decided & (sides < 0)
    better, worse = (rises, falls) if task.higher_is_better else (falls, rises)
    equivalent = table["equivalent"].to_numpy(bool, na_value=False)
    return np.select([better, worse, equivalent], ["better", "worse", "equivalent"], "undecided")


def is_equivalent(interval: tuple[float, float], margin: float, *, support: int | None) -> bool:
    """Whether a difference is within a margin, by two one-sided tests.

    Both tests reject where the interval lies within the margin (Schuirmann, "A comparison of the
    two one-sided tests procedure and the power approach for assessing the equivalence of average
    bioavailability", Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680). That is
    usually the 90 % interval, for a level of 5 %. Here it is the 95 % interval that is shown: where
    a difference of the margin varies from speaker to speaker, the bootstrap's 90 % interval with 5,
    10 and 20 speakers was wrong in 10, 7 and 7 % of simulations, and the 95 % one in 8, 4 and 4 %.

    The bootstrap does not see what the sample does not hold: two models that agree on ten
    utterances have an interval of no width. So a classification needs enough utterances, too: as
    many as would show a difference of the margin at least once with a probability of 0.95.

    Args:
        interval: 95 % interval of the difference
        margin: largest difference that counts as none
        support: utterances of a classification, None for a regression
    """
    if support is not None and (1 - margin) ** support > ALPHA:
        return False
    return bool(-margin <= interval[0] and interval[1] <= margin)


def regressions(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The slices on which the later model of a pair is worse.

    The later model in the config is taken as the newer or bigger one. A row is listed where the
    measured difference is against it, however small; whether that is more than chance is said by
    `verdict` (`worse`), which stands beside it.

    Args:
        table: as `compare` gives it
        task: what is measured

    Returns:
        those rows, the largest difference first
    """
    against = task.worsening(table["difference"])
    worse = table.assign(_against=against)[against > 0]
    order = ["_against", "support", "slice", "model_a", "model_b"]
    worse = worse.sort_values(order, ascending=[False, False, True, True, True])
    return worse.drop(columns="_against").reset_index(drop=True)


def _mean(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 1] / sums[..., 0]


def _metric(loss: np.ndarray, task: Task) -> float:
    if len(loss) == 0:
        return float("nan")
    return task.metric_of(float(loss.mean()))


def _errors(a: np.ndarray, b: np.ndarray) -> dict[str, int]:
    return {
        "both_right": int((~a & ~b).sum()),
        "only_a_wrong": int((a & ~b).sum()),
        "only_b_wrong": int((~a & b).sum()),
        "both_wrong": int((a & b).sum()),
    }


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided McNemar test: a binomial test on the utterances that one model gets wrong.

    McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), 153-157. It takes utterances as independent.

    Args:
        only_a: utterances that only the first model gets wrong
        only_b: utterances that only the second model gets wrong

    Returns:
        p, 1 where the models differ nowhere
    """
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def sign_flip(contributions: Sequence[float] | np.ndarray, *, resamples: int, seed: int) -> float:
    """Two-sided sign-flip test of a sum of independent contributions, one a speaker.

    All flips up to `EXACT_SPEAKERS` speakers, else random ones, the observed one among them.

    Args:
        contributions: what each speaker adds
        resamples: random flips where not all are looked at
        seed: of the random flips

    Returns:
        p, 1 where nothing differs
    """
    values = np.asarray(contributions, float)
    values = values[values != 0]
    if len(values) == 0:
        return 1.0
    if len(values) <= EXACT_SPEAKERS:
        bits = np.arange(2 ** len(values))[:, None] >> np.arange(len(values))
        flips = [(1 - 2 * (bits & 1)) @ values]
    else:
        generator = np.random.default_rng(seed)
        flips = [np.array([values.sum()])]
        for size in block_sizes(resamples, len(values)):
            flips.append(generator.choice([-1, 1], size=(size, len(values))) @ values)
    # flips that only rounding tells from the observed sum count as equal to it
    reached = np.abs(np.concatenate(flips)) >= np.abs(values.sum()) * (1 - 1e-12)
    return float(reached.mean())


def align(scores: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Bring models onto the utterances that every one of them has scored.

    Args:
        scores: of each model

    Returns:
        the keys of the common utterances and the loss of each model on them
    """
    by_key = {model: table.set_index(KEY)["loss"] for model, table in scores.items()}
    joined = pd.concat(by_key, axis=1, join="inner")
    return joined.index.to_frame(index=False), {m: joined[m].to_numpy() for m in scores}


def found_slices(
    keys: pd.DataFrame, tables: Sequence[pd.DataFrame], members: Sequence[pd.DataFrame]
) -> dict[str, Slice]:
    """The slices that were found for the models; one that was found for two stands once.

    Args:
        keys: of the utterances that are compared
        tables: the slices found for each model
        members: the utterances of those slices

    Returns:
        the slices by id
    """
    index = pd.MultiIndex.from_frame(keys[KEY])
    rules = {row["slice"]: row["rule"] for table in tables for row in table.to_dict("records")}
    everyone = pd.concat(list(members), ignore_index=True)
    return {
        name: Slice("slice", rule, index.isin(pd.MultiIndex.from_frame(rows[KEY])))
        for name, rule in rules.items()
        for rows in [everyone[everyone["slice"] == name]]
    }


def category_slices(table: pd.DataFrame, others: Mapping[str, Slice]) -> dict[str, Slice]:
    """Each category of each metadata column, numbers in three groups of about the same size.

    Args:
        table: the metadata columns of the utterances that are compared
        others: slices that are compared anyway

    Returns:
        slices with ids such as `emotion=anger` or `age=21..30`; left out are those of fewer than
        ten utterances, of all utterances, and those that hold the same as another one
    """
    seen = {part.mask.tobytes() for part in others.values()}
    seen.add(np.ones(len(table), dtype=bool).tobytes())
    slices: dict[str, Slice] = {}
    for name in table:
        parts = _groups(table[name]) if is_numeric(table[name]) else _categories(table[name])
        for short, rule, mask in parts:
            if mask.sum() >= MIN_SUPPORT and mask.tobytes() not in seen:
                seen.add(mask.tobytes())
                slices[f"{name}={short}"] = Slice("category", rule, mask)
    return slices


def _categories(column: pd.Series) -> list[tuple[str, str, np.ndarray]]:
    names = as_text(column)
    return [(x, categories_text(column.name, [x]), names == x) for x in sorted(set(names))]


def _groups(column: pd.Series) -> list[tuple[str, str, np.ndarray]]:
    """Groups of a number; equal numbers are in the same one, and what is missing in none."""
    values = column.astype(float).to_numpy()
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return []
    edges = quantile_edges(finite, NUMBER_GROUPS)
    group = np.where(np.isfinite(values), assign_bins(values, edges), -1)
    parts = []
    for number in np.unique(group[group >= 0]):
        mask = group == number
        low, high = values[mask].min(), values[mask].max()
        ends = low, high, *neighbours(low, high, finite)
        parts.append((ends_text(*ends), interval_text(column.name, *ends), mask))
    return parts
