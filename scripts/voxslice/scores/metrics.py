"""Metrics of models with confidence intervals by speaker.

Each metric is a function of sums over utterances (a confusion matrix, moments), so that the same
vectorised code computes the value and the values without each speaker.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import kurtosis

from voxslice.scores.bootstrap import FEW_SPEAKERS, LEVEL
from voxslice.scores.clusters import make_clusters
from voxslice.scores.exact import exact_interval
from voxslice.scores.jackknife import CORRELATION, POSITIVE, SHARE, Scale, jackknife_interval
from voxslice.speakers import count_speakers, speakers_of
from voxslice.units import Index, units_of

CLASSIFICATION_METRICS = ["accuracy", "uar", "f1"]
REGRESSION_METRICS = ["mae", "ccc", "pcc"]
SCALES: dict[str, Scale] = {
    "accuracy": SHARE, "uar": SHARE, "f1": SHARE, "mae": POSITIVE, "ccc": CORRELATION,
    "pcc": CORRELATION,
}  # fmt: skip
"""The scale on which the interval of each metric is symmetric."""
MIN_SPEAKERS = {"mae": 10, "ccc": 20, "pcc": 20}
"""Number of speakers from which the interval of a metric is reliable, if it is not `FEW_SPEAKERS`.

With fewer speakers, these intervals cover too little (bench/metric_intervals.md)."""
CONFUSION_COLUMNS = ["label", "prediction", "count"]

MAX_KURTOSIS = 5
"""Largest kurtosis of the labels and of the errors of a regression with reliable intervals.

It is 3 for normal values. With heavier tails, intervals cover too little with any number of
speakers (bench/metric_intervals.md)."""
EXACT, CONSTANT, HEAVY_TAILS = "exact", "no variation", "heavy tails"
"""Notes on an interval: it is exact for the number of speakers; there is none, because the metric
is the same without each speaker; it is not reliable, because a few utterances have far larger
labels or errors than others."""


def classification_metrics(confusion: np.ndarray) -> np.ndarray:
    """Accuracy, unweighted average recall and macro F1 of confusion matrices.

    Recall and F1 are averaged over the labels that occur. A label without utterances is ignored.

    Args:
        confusion: counts of shape (..., labels, classes); the first classes are the labels, in the
            same order

    Returns:
        shape (..., 3), NaN if there are no utterances
    """
    labels = confusion.shape[-2]
    right = np.diagonal(confusion[..., :labels], axis1=-2, axis2=-1)
    true = confusion.sum(-1)
    predicted = confusion.sum(-2)[..., :labels]
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = right.sum(-1) / true.sum(-1)
        occurs = true > 0
        recall = np.where(occurs, right / np.where(occurs, true, 1), 0).sum(-1) / occurs.sum(-1)
        f1 = np.where(occurs, 2 * right / np.where(occurs, true + predicted, 1), 0).sum(-1)
        return np.stack([accuracy, recall, f1 / occurs.sum(-1)], axis=-1)


def confusion_counts(
    label: Sequence[str], prediction: Sequence[str], labels: Sequence[str], classes: Sequence[str]
) -> np.ndarray:
    """Confusion matrix of each utterance, which holds a single 1.

    Args:
        label: true labels
        prediction: predicted classes
        labels: labels of the task
        classes: classes of the model in any order

    Returns:
        shape (utterances, labels, classes); the first classes are the labels
    """
    order = [*labels, *(name for name in classes if name not in labels)]
    rows = pd.Index(labels).get_indexer(pd.Index(np.asarray(label, dtype=object)))
    columns = pd.Index(order).get_indexer(pd.Index(np.asarray(prediction, dtype=object)))
    counts = np.zeros((len(rows), len(labels), len(order)))
    counts[np.arange(len(rows)), rows, columns] = 1
    return counts


def regression_moments(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Moments of each utterance, from whose sums the regression metrics are computed.

    Args:
        label: true values
        prediction: predicted values

    Returns:
        shape (utterances, 7): 1, label, prediction, their squares, their product, absolute error
    """
    label, prediction = np.asarray(label, float), np.asarray(prediction, float)
    return np.stack(
        [
            np.ones_like(label),
            label,
            prediction,
            label**2,
            prediction**2,
            label * prediction,
            np.abs(prediction - label),
        ],
        axis=-1,
    )


def regression_metrics(moments: np.ndarray) -> np.ndarray:
    """Mean absolute error, concordance and Pearson correlation from sums of moments.

    Concordance after Lin, "A concordance correlation coefficient to evaluate reproducibility",
    Biometrics 45 (1989), 255-268.

    Args:
        moments: sums of `regression_moments`, shape (..., 7)

    Returns:
        shape (..., 3); the correlations are NaN if labels or predictions do not vary
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        means = moments[..., 1:] / moments[..., :1]
        label, prediction, label2, prediction2, product, error = np.moveaxis(means, -1, 0)
        label_variance = np.maximum(label2 - label**2, 0)
        prediction_variance = np.maximum(prediction2 - prediction**2, 0)
        covariance = product - label * prediction
        # the rounding error of a constant is not a variance
        varies = (label_variance > 1e-9 * label2) & (prediction_variance > 1e-9 * prediction2)
        spread = label_variance + prediction_variance + (label - prediction) ** 2
        ccc = np.where(varies, 2 * covariance / spread, np.nan)
        pcc = np.where(varies, covariance / np.sqrt(label_variance * prediction_variance), np.nan)
        return np.stack([error, ccc, pcc], axis=-1)


def measure(
    scores: pd.DataFrame,
    speakers: np.ndarray | None,
    *,
    labels: Sequence[str] | None,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Metrics of one model with 95 % intervals, see `voxslice.scores.jackknife`.

    If no utterance is wrong, or every one is, the metrics are the same without each speaker. Then
    the interval of the accuracy is exact for the number of speakers (see `voxslice.scores.exact`),
    and the other metrics have none.

    Args:
        scores: scores of the model, as `voxslice.scores.scores` computes them
        speakers: speaker of each row, None to treat every row as independent
        labels: labels of a classification, None for a regression
        units: for each kind of further units, such as sentences, the number of each row's unit

    Returns:
        one row per metric: `metric`, `value`, `low` and `high` (missing if the metric does not
        vary, or cannot be computed without one of the speakers), `n` (utterances), `speakers`
        (missing if not known), `reliable` (whether there are enough known speakers for the
        interval, and no heavy tails), and `note`: `exact` for an exact interval, `no variation` if
        the metric is the same without each speaker, `heavy tails` (see `MAX_KURTOSIS`), otherwise
        missing
    """
    if labels is None:
        names: list[str] = REGRESSION_METRICS
        statistic: Callable[[np.ndarray], np.ndarray] = regression_metrics
        parts = regression_moments(scores["label"].to_numpy(), scores["prediction"].to_numpy())
    else:
        names, statistic = CLASSIFICATION_METRICS, classification_metrics
        classes = list(scores["prediction"].cat.categories)
        parts = confusion_counts(scores["label"], scores["prediction"], labels, classes)
    value = statistic(parts.sum(0))
    clusters = make_clusters(len(parts), speakers, units)
    scales = [SCALES[name] for name in names]
    low, high = jackknife_interval(clusters.cell_sums(parts), statistic, scales, clusters)
    constant = low == high
    low[constant] = high[constant] = np.nan
    heavy = labels is None and has_heavy_tails(scores)
    note = np.full(len(names), HEAVY_TAILS if heavy else None, dtype=object)
    note[constant] = CONSTANT
    if labels is not None and constant[0] and value[0] in (0, 1):
        low[0], high[0] = exact_interval(float(value[0]), clusters.fewest, level=LEVEL)
        note[0] = EXACT
    count = count_speakers(speakers)
    return pd.DataFrame(
        {
            "metric": names,
            "value": value,
            "low": low,
            "high": high,
            "n": len(scores),
            "speakers": pd.array([count] * len(names), dtype="Int64"),
            "reliable": [
                count is not None and count >= MIN_SPEAKERS.get(name, FEW_SPEAKERS) and not heavy
                for name in names
            ],
            "note": note,
        }
    )


def has_heavy_tails(scores: pd.DataFrame) -> bool:
    """Whether a few utterances have far larger labels or errors than the others.

    Args:
        scores: scores of a regression, as `voxslice.scores.scores` computes them

    Returns:
        whether the kurtosis of the labels or of the errors is larger than `MAX_KURTOSIS`
    """
    label = scores["label"].to_numpy(dtype=float)
    error = scores["prediction"].to_numpy(dtype=float) - label
    return any(
        np.ptp(values) > 0 and kurtosis(values, fisher=False) > MAX_KURTOSIS
        for values in (label, error)
        if len(values)
    )


def measure_models(
    scores: Mapping[str, pd.DataFrame],
    references: pd.DataFrame,
    metadata: pd.DataFrame,
    *,
    labels: Sequence[str] | None,
    units: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Metrics of all models of a task and of the reference models, and the models' confusions.

    Args:
        scores: scores by model, as `voxslice.scores.scores` computes them
        references: `model` and the scores of all reference models
        metadata: the metadata of all utterances
        labels: labels of a classification, None for a regression
        units: columns of the metadata that name units beside the speaker

    Returns:
        the metrics with the column `model` first, see `measure`; and `model`, `label`,
        `prediction`, `count` of the models, which is empty for a regression
    """
    metrics, confusions = [], [pd.DataFrame(columns=["model", *CONFUSION_COLUMNS])]
    tables = {**scores, **dict(iter(references.groupby("model", sort=False)))}
    for model, table in tables.items():
        speakers = speakers_of(table, metadata)
        measured = measure(
            table,
            speakers,
            labels=labels,
            units=units_of(table, metadata, units),
        )
        metrics.append(measured.assign(model=model)[["model", *measured]])
        if labels and model in scores:
            confusion = confusion_table(table, labels).assign(model=model)
            confusions.append(confusion[["model", *CONFUSION_COLUMNS]])
    return pd.concat(metrics), pd.concat(confusions)


def confusion_table(scores: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Confusion matrix of one model as a table.

    Args:
        scores: scores of a classification, as `voxslice.scores.scores` computes them
        labels: labels of the task

    Returns:
        one row per label and class, in the columns `CONFUSION_COLUMNS`
    """
    counts = pd.crosstab(scores["label"], scores["prediction"], dropna=False)
    counts = counts.reindex(index=list(labels)).fillna(0).astype(int)
    counts = counts.rename_axis(index="label").reset_index()
    return counts.melt(id_vars="label", var_name="prediction", value_name="count")
