"""What a task measures, and which way is worse."""

from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

Values = TypeVar("Values", float, np.ndarray, pd.Series)


def rises(metric: str) -> bool:
    """Whether a higher value of a metric is better.

    Args:
        metric: name of the metric, as in the table of metrics

    Returns:
        False for the mean absolute error, otherwise True
    """
    return metric != "mae"


@dataclass(frozen=True)
class Task:
    """What a task measures.

    The loss of an utterance is 0 (right) or 1 (wrong) in a classification, and the absolute error
    in a regression. The metric of a group of utterances is the accuracy, which is 1 minus the mean
    loss, or the mean absolute error, which is the mean loss. Models are compared on all utterances
    by `overall_metric`, which can be another metric, because groups often have only one label.

    Attributes:
        kind: `classification` or `regression`
        unit: unit of the labels of a regression, empty where there is none
        margin: largest difference of two models' metrics that counts as equivalent; None to make
            no statement
        min_drop: smallest drop of the metric that sliceguard reports; None for the default of
            `voxslice.slices.sliceguard_finder`
        overall: metric by which models are compared on all utterances (`accuracy`, `uar` or `f1`;
            `mae` or `ccc`); None for the metric of groups
    """

    kind: Literal["classification", "regression"]
    unit: str = ""
    margin: float | None = None
    min_drop: float | None = None
    overall: str | None = None

    @property
    def is_classification(self) -> bool:
        """Whether the labels are classes."""
        return self.kind == "classification"

    @property
    def metric(self) -> str:
        """Name of the metric of groups and slices: `accuracy` or `mae`."""
        return "accuracy" if self.is_classification else "mae"

    @property
    def overall_metric(self) -> str:
        """Name of the metric by which models are compared on all utterances."""
        return self.overall or self.metric

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher metric of groups is better."""
        return rises(self.metric)

    def metric_of(self, loss: Values) -> Values:
        """The metric of a set of utterances.

        Args:
            loss: mean loss of the set, or one per set

        Returns:
            the metric, in the shape of `loss`
        """
        return 1 - loss if self.is_classification else loss

    def loss_of(self, metric: Values) -> Values:
        """The mean loss of a set of utterances.

        Args:
            metric: metric of the set, or one per set

        Returns:
            the mean loss, in the shape of `metric`
        """
        return 1 - metric if self.is_classification else metric

    def difference(self, loss_a: Values, loss_b: Values) -> Values:
        """The metric of model b minus that of model a.

        Args:
            loss_a: mean loss of model a, or one per set or utterance
            loss_b: mean loss of model b, of the same shape

        Returns:
            the difference, in the shape of the losses; its mean over utterances is the difference
            of the metrics
        """
        return loss_a - loss_b if self.higher_is_better else loss_b - loss_a

    def worsening(self, difference: Values) -> Values:
        """How much worse a metric has become, positive where it is worse.

        Args:
            difference: a metric minus the metric that it is compared with, or several differences

        Returns:
            the worsening, in the shape of `difference`
        """
        return -difference if self.higher_is_better else difference
