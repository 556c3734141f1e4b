"""Results of each speaker: how good each model is, and who carries a difference of two models."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import betaincinv, stdtrit
from scipy.stats import false_discovery_control

from voxslice.comparison.concentration import concentration_test
from voxslice.comparison.groups import align
from voxslice.comparison.leave_one_out import (
    contributions,
    difference_of,
    exchange_without_each,
    without_each,
)
from voxslice.comparison.overall_metric import metric_sums, rarest_label
from voxslice.comparison.paired_tests import ALPHA, is_equivalent
from voxslice.scores.bootstrap import FEW_SPEAKERS, LEVEL
from voxslice.scores.clusters import Clusters, make_clusters, variances
from voxslice.scores.metrics import CLASSIFICATION_METRICS
from voxslice.speakers import UNKNOWN_SPEAKER, number_speakers, speakers_of
from voxslice.task import Task, rises
from voxslice.units import units_of

UNKNOWN = "unknown speakers"
"""Name of the row of all utterances without a speaker."""
SPEAKER_COLUMNS = [
    "model", "speaker", "known", "support", "value", "low", "high", "errors", "share_of_errors",
    "share_of_utterances", "p",
]  # fmt: skip
PAIR_COLUMNS = [
    "metric", "model_a", "model_b", "speaker", "known", "support", "difference", "contribution",
    "share", "p", "without", "low", "high", "q", "speakers", "verdict", "without_larger",
]  # fmt: skip


def speaker_table(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    task: Task,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compute the metric and the errors of each speaker and model.

    The interval of a speaker refers to further utterances of the same speaker and treats them as
    independent. For a classification it is the exact one of Clopper and Pearson (Biometrika 26,
    1934). For a regression it is Student's t interval of the mean absolute error. In simulations,
    95 % intervals of 5, 10 and 20 utterances covered 92, 94 and 94 % if errors were normal, and 88,
    89 and 91 % if absolute errors were exponential.

    Args:
        scores: scores by model, as `voxslice.scores.scores` computes them
        metadata: the metadata of all utterances
        task: what is measured
        resamples: number of permutations of the test
        seed: seed of the permutations

    Returns:
        one row per model and speaker, in the columns `SPEAKER_COLUMNS`: `speaker`, which is
        `UNKNOWN` for all utterances without one, and whether it is `known`; `support` (number of
        utterances); `value` (accuracy or mean absolute error) with its 95 % interval, which is
        missing for unknown speakers; `errors`, for a regression the sum of absolute errors; the
        shares of the model's errors and utterances; and `p`, the p-value of the errors if speakers
        were alike, see `voxslice.comparison.concentration`. The table is empty if the metadata have
        no speakers
    """
    tables = [pd.DataFrame(columns=SPEAKER_COLUMNS)]
    for model, table in scores.items():
        speakers = speakers_of(table, metadata)
        if speakers is None or not len(table):
            continue
        loss = table["loss"].to_numpy(float)
        numbers, _ = number_speakers(speakers)
        errors = np.bincount(numbers, loss)
        support = np.bincount(numbers)
        names, known = _names(speakers)
        low, high = np.where(known, _intervals(loss, numbers, task), np.nan)
        tables.append(
            pd.DataFrame(
                {
                    "model": model,
                    "speaker": names,
                    "known": known,
                    "support": support,
                    "value": task.metric_of(errors / support),
                    "low": low,
                    "high": high,
                    "errors": errors,
                    "share_of_errors": _ratio(errors, errors.sum()),
                    "share_of_utterances": support / len(table),
                    "p": _p(loss, speakers, len(names), resamples=resamples, seed=seed),
                }
            )
        )
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def pair_table(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    metrics: Sequence[str],
    margin: float | None,
    resamples: int,
    seed: int,
    pairs: Sequence[tuple[str, str]] | None = None,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Compute what each speaker contributes to the differences of models.

    Only utterances that all models have scored are compared.

    Args:
        scores: scores by model, in the order of the config
        metadata: the metadata of all utterances
        metrics: names of the metrics that are compared, that of the task first
        margin: largest difference of the task's metric that counts as equivalent, None to make no
            statement
        resamples: number of resamples and of permutations
        seed: seed of both
        pairs: pairs of models, None for all pairs
        units: columns of the metadata that name units beside the speaker. What they add to the
            variance of the difference on all utterances widens the intervals and raises q

    Returns:
        one row per pair of models, metric and speaker, in the columns `PAIR_COLUMNS`:

        - `difference`: model b minus model a on all utterances
        - `contribution` of the speaker to it, see `voxslice.comparison.leave_one_out`, and its
          `share` of the difference (missing if the difference is 0)
        - `p`: the p-value of the contribution if speakers were alike, see
          `voxslice.comparison.concentration`
        - `without`: the difference without this speaker, with the 95 % interval (`low`, `high`)
          that resamples the other speakers; q of the test that exchanges the other speakers,
          adjusted for the pairs of models (Benjamini and Hochberg); the number of the other known
          `speakers`; and the `verdict` on model b, by the rules of `voxslice.comparison.compare`
        - `without_larger`: the difference without this speaker and all known speakers who
          contribute more in its direction

        The table is empty if the metadata have no speakers
    """
    tables = [pd.DataFrame(columns=PAIR_COLUMNS)]
    keys, aligned = align(scores)
    speakers = speakers_of(keys, metadata)
    if speakers is None or not len(keys):
        return tables[0]
    clusters = make_clusters(len(keys), speakers, units_of(keys, metadata, units))
    for a, b in combinations(scores, 2) if pairs is None else pairs:
        for metric in metrics:
            # the margin is in the unit of the task's metric
            same_unit = rises(metric) == rises(metrics[0])
            table = _pair_rows(
                aligned[a],
                aligned[b],
                speakers,
                clusters,
                metric=metric,
                margin=margin if same_unit else None,
                resamples=resamples,
                seed=seed,
            )
            tables.append(table.assign(metric=metric, model_a=a, model_b=b))
    table = pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
    if len(table):
        adjusted = table.groupby(["metric", "speaker", "known"])["q"]
        table["q"] = adjusted.transform(lambda p: false_discovery_control(p.astype(float)))
        table["verdict"] = _verdicts(table)
    return table[PAIR_COLUMNS]


def _pair_rows(
    a: pd.DataFrame,
    b: pd.DataFrame,
    speakers: np.ndarray,
    clusters: Clusters,
    *,
    metric: str,
    margin: float | None,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """One row per speaker for a pair of models and a metric.

    q is not adjusted yet. `low_raw` and `high_raw` are the ends of the interval also where all
    resamples agree. `equivalent` is whether the guarded interval lies within the margin, see
    `voxslice.comparison.hidden_speaker`.
    """
    numbers, _ = number_speakers(speakers)
    names, known = _names(speakers)
    sums = np.stack([metric_sums(table, numbers, metric) for table in (a, b)])
    total = sums.sum(1)
    difference = float(difference_of(total, metric))
    contribution = contributions(sums, total, metric)
    each = np.stack([metric_sums(table, None, metric) for table in (a, b)])
    drawn = {"resamples": resamples, "seed": seed}
    wider = _wider(each, clusters, metric)
    without, low, high = without_each(sums, metric, wider=wider, **drawn)
    within = ((np.nan, np.nan),) * len(low)
    if margin is not None:
        ends = without_each(sums, metric, margin=margin, wider=wider, **drawn)[1:]
        within = tuple(zip(*ends, strict=True))
    # if all resamples agree, the bootstrap shows no uncertainty
    shown = np.where(low == high, np.nan, [low, high])
    larger = _without_larger(sums, contribution * np.sign(difference), known)
    return pd.DataFrame(
        {
            "speaker": names,
            "known": known,
            "support": np.bincount(numbers),
            "difference": difference,
            "contribution": contribution,
            "share": _ratio(contribution, difference),
            "p": _p(contributions(each, total, metric), speakers, len(names), **drawn),
            "without": without,
            "low": shown[0],
            "high": shown[1],
            "q": exchange_without_each(sums, metric, wider=wider, **drawn),
            "speakers": known.sum() - known,
            "without_larger": difference_of(larger, metric),
            "low_raw": low,
            "high_raw": high,
            "equivalent": [
                margin is not None and _is_equivalent(ends, left, metric, margin)
                for ends, left in zip(within, total[0] - sums[0], strict=True)
            ],
        }
    )


def _is_equivalent(
    interval: tuple[float, float], left: np.ndarray, metric: str, margin: float
) -> bool:
    """Whether an interval lies within the margin, given the sums that are left for model a."""
    labels, support = rarest_label(left, metric) if metric in CLASSIFICATION_METRICS else (1, None)
    return is_equivalent(interval, margin, support=support, labels=labels)


def _verdicts(table: pd.DataFrame) -> np.ndarray:
    """Verdicts on model b, given q and the interval of each row."""
    enough = table["speakers"] >= FEW_SPEAKERS
    decided = enough & (table["q"] <= ALPHA)
    up, down = decided & (table["low_raw"] > 0), decided & (table["high_raw"] < 0)
    rising = table["metric"].map(rises).astype(bool)
    better, worse = up.where(rising, down), down.where(rising, up)
    same = enough & table["equivalent"].astype(bool)
    return np.select([better, worse, same], ["better", "worse", "equivalent"], "undecided")


def _wider(each: np.ndarray, clusters: Clusters, metric: str) -> float:
    """Factor by which units beside the speaker raise the standard error of a difference."""
    if len(clusters.kinds) == 1:
        return 1.0
    sums = np.stack([clusters.cell_sums(of_model) for of_model in each], axis=1)
    own, added = variances(
        sums, lambda total: difference_of(np.moveaxis(total, 1, 0), metric)[:, None], clusters
    )[0]
    return float(np.sqrt(1 + added[0] / own[0])) if own[0] > 0 else 1.0


def _names(speakers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Names of the speakers by their numbers, and whether each is known."""
    names = np.unique(speakers[speakers != UNKNOWN_SPEAKER]).astype(object)
    known = np.ones(len(names), dtype=bool)
    if (speakers == UNKNOWN_SPEAKER).any():
        names, known = np.append(names, UNKNOWN), np.append(known, False)
    return names, known


def _p(
    values: np.ndarray, speakers: np.ndarray, count: int, *, resamples: int, seed: int
) -> np.ndarray:
    """Compute p of each of `count` speakers, missing for the unknown ones."""
    p = np.full(count, np.nan)
    tested = concentration_test(values, speakers, permutations=resamples, seed=seed)
    p[: len(tested)] = tested
    return p


def _without_larger(sums: np.ndarray, contribution: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Sums without each speaker and all known speakers of larger contributions."""
    order = np.lexsort((-contribution, ~known))
    left = np.empty_like(sums)
    left[:, order] = sums.sum(1, keepdims=True) - sums[:, order].cumsum(1)
    left[:, order[-1]] = 0  # nobody is left, also not by rounding
    return left


def _intervals(loss: np.ndarray, numbers: np.ndarray, task: Task) -> tuple[np.ndarray, np.ndarray]:
    """95 % intervals of the metric of each speaker, NaN where they are not defined."""
    support, errors = np.bincount(numbers), np.bincount(numbers, loss)
    tail = (1 - LEVEL) / 2
    if task.is_classification:
        right = support - errors
        # the beta distribution is not defined where nothing or everything is right
        low = np.where(right > 0, betaincinv(np.maximum(right, 1), errors + 1, tail), 0.0)
        high = np.where(errors > 0, betaincinv(right + 1, np.maximum(errors, 1), 1 - tail), 1.0)
        return low, high
    mean = errors / support
    squares = np.bincount(numbers, (loss - mean[numbers]) ** 2)
    freedom = np.where(support > 1, support - 1, np.nan)
    half = stdtrit(freedom, 1 - tail) * np.sqrt(squares / freedom / support)
    return np.maximum(mean - half, 0), mean + half


def _ratio(values: np.ndarray, total: float) -> np.ndarray:
    """Values divided by a total, NaN if the total is 0."""
    return values / total if total else np.full(len(values), np.nan)
