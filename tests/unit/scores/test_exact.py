"""Exact intervals of a share that is 0 or 1 for every speaker."""

import numpy as np
import pytest
from scipy import stats
from voxslice.scores.exact import exact_interval


@pytest.mark.parametrize("speakers", [1, 2, 6, 40])
def test_the_interval_is_that_of_clopper_and_pearson(speakers):
    for right, share in ((speakers, 1.0), (0, 0.0)):
        expected = stats.binomtest(right, speakers).proportion_ci(0.95, method="exact")
        assert exact_interval(share, speakers, level=0.95) == pytest.approx(
            (expected.low, expected.high)
        )


@pytest.mark.parametrize("agreement", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("speakers", [3, 8])
def test_the_exact_interval_covers_dependent_errors(agreement, speakers):
    low, _ = exact_interval(1.0, speakers, level=0.95)
    rng = np.random.default_rng(0)
    shape = (20_000, speakers, 4)
    # some speakers are right or wrong in all four utterances, others in each by chance
    shared = np.broadcast_to(rng.random(shape[:2])[..., None], shape)
    alike = rng.random(shape[:2])[..., None] < agreement
    right = np.where(alike, shared, rng.random(shape)) < low
    assert right.mean() == pytest.approx(low, abs=0.01)
    assert right.all(axis=(1, 2)).mean() <= 0.025 + 0.005
