"""The metric of a task, and which direction is worse."""

import numpy as np
import pytest
from voxslice.task import Task

LOSSES_A, LOSSES_B = np.array([0, 1, 1, 1.0]), np.array([0, 0, 1, 0.0])


@pytest.mark.parametrize(
    ("kind", "metrics"), [("classification", (0.25, 0.75)), ("regression", (0.75, 0.25))]
)
def test_the_difference_and_its_sign_follow_the_metric(kind, metrics):
    task = Task(kind)
    metric_a, metric_b = task.metric_of(LOSSES_A.mean()), task.metric_of(LOSSES_B.mean())
    assert (metric_a, metric_b) == metrics
    assert task.loss_of(metric_a) == LOSSES_A.mean()
    assert task.difference(LOSSES_A, LOSSES_B).mean() == metric_b - metric_a
    # model b makes fewer errors, so it is not worse, for both metrics
    assert task.worsening(metric_b - metric_a) == LOSSES_B.mean() - LOSSES_A.mean() < 0
    assert task.higher_is_better == (metric_b > metric_a)


def test_the_metric_is_named_and_a_task_does_not_change():
    assert [Task(kind).metric for kind in ("classification", "regression")] == ["accuracy", "mae"]
    with pytest.raises(AttributeError):
        Task("regression").unit = "years"
