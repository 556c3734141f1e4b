"""Metrics of a model on a set of utterances, with intervals that resample speakers.

Each metric is a function of sums over utterances (a confusion table, moments), so that one
vectorised definition serves the value and its bootstrap.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from voxslice.scores.bootstrap import FEW_SPEAKERS, bootstrap_interval, speaker_sums
from voxslice.speakers import count_speakers

CLASSIFICATION = ["accuracy", "uar", "f1"]
REGRESSION = ["mae", "ccc", "pcc"]


def classification_metrics(confusion: np.ndarray) -> np.ndarray:
    """Accuracy, unweighted average recall and macro F1 of confusion tables.

    Recall and F1 are averaged over the labels that occur, so that a class without an utterance
    counts neither for nor against a model.

    Args:
        confusion: counts of shape (..., labels, classes); the first classes are the labels, in the
            same order

    Returns:
        shape (..., 3), NaN where there is no utterance
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
    """One-hot confusion table of each utterance.

    Args:
        label: true labels
        prediction: predicted classes
        labels: labels of the task
        classes: classes of the model, any order

    Returns:
        shape (utterances, labels, classes), the classes ordered with the labels first
    """
    order = [*labels, *(name for name in classes if name not in labels)]
    rows = pd.Index(labels).get_indexer(pd.Index(np.asarray(label, dtype=object)))
    columns = pd.Index(order).get_indexer(pd.Index(np.asarray(prediction, dtype=object)))
    counts = np.zeros((len(rows), len(labels), len(order)))
    counts[np.arange(len(rows)), rows, columns] = 1
    return counts


def regression_moments(label: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """What the regression metrics need of each utterance.

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
    """Mean absolute error, concordance and Pearson correlation of summed moments.

    Concordance after Lin, "A concordance correlation coefficient to evaluate reproducibility",
    Biometrics 45 (1989), 255-268.

    Args:
        moments: sums of `regression_moments`, shape (..., 7)

    Returns:
        shape (..., 3); the correlations are NaN where labels or predictions do not vary
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        means = moments[..., 1:] / moments[..., :1]
        label, prediction, label2, prediction2, product, error = np.moveaxis(means, -1, 0)
        label_variance = np.maximum(label2 - label**2, 0)
        prediction_variance = np.maximum(prediction2 - prediction**2, 0)
        covariance = product - label * prediction
        # what cancellation leaves of a constant must not pass for variance
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
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Metrics of one model with 95 % intervals.

    Args:
        scores: as `voxslice.scores` gives them
        speakers: speaker of each row, None where every row stands alone
        labels: labels of a classification, None for a regression
        resamples: bootstrap resamples
        seed: of the bootstrap

    Returns:
        `metric`, `value`, `low`, `high` (missing where all resamples agree, as for a model without
        an error), `n` (utterances), `speakers` (missing where unknown), `reliable` (whether there
        are enough named speakers for the interval)
    """
    if labels is None:
        names: list[str] = REGRESSION
        statistic: Callable[[np.ndarray], np.ndarray] = regression_metrics
        parts = regression_moments(scores["label"].to_numpy(), scores["prediction"].to_numpy())
    else:
        names, statistic = CLASSIFICATION, classification_metrics
        classes = list(scores["prediction"].cat.categories)
        parts = confusion_counts(scores["label"], scores["prediction"], labels, classes)
    value = statistic(parts.sum(0))
    low, high = bootstrap_interval(
        speaker_sums(parts, speakers), statistic, resamples=resamples, seed=seed
    )
    # where no resample differs (a model without a single error), the bootstrap knows no uncertainty
    constant = low == high
    count = count_speakers(speakers)
    low[constant] = high[constant] = np.nan
    return pd.DataFrame(
        {
            "metric": names,
            "value": value,
            "low": low,
            "high": high,
            "n": len(scores),
            "speakers": pd.array([count] * len(names), dtype="Int64"),
            "reliable": count is not None and count >= FEW_SPEAKERS,
        }
    )


def confusion_table(scores: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Confusion of one model.

    Args:
        scores: as `voxslice.scores.score_classes` gives them
        labels: labels of the task

    Returns:
        `label`, `prediction`, `count`, one row for each label and class
    """
    counts = pd.crosstab(scores["label"], scores["prediction"], dropna=False)
    counts = counts.reindex(index=list(labels)).fillna(0).astype(int)
    counts = counts.rename_axis(index="label").reset_index()
    return counts.melt(id_vars="label", var_name="prediction", value_name="count")
