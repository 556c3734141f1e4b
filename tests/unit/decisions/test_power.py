"""The detectable drop and the missing speakers, compared with formulas and simulations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import stdtrit
from voxslice.decisions.estimate import estimate, interval
from voxslice.decisions.power import detectable_drop, more_speakers
from voxslice.decisions.table import UNDECIDED, answer_of
from voxslice.scores.exact import exact_interval

SPEAKERS, UTTERANCES = 20, 20


def errors(seed, drop=0.0, speakers=SPEAKERS):
    """Losses of two models, of which the second one makes more errors by a drop."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(speakers), UTTERANCES)
    tables = []
    for more in (0.0, drop):
        wrong = rng.random(len(speaker)) < rng.beta(1, 9, speakers)[speaker]
        wrong |= rng.random(len(speaker)) < more / 0.9
        tables.append(pd.DataFrame({"loss": wrong.astype(float)}))
    return tables, speaker.astype(str)


def test_the_detectable_drop_of_a_regression_follows_from_its_error():
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(10), 30)
    loss = rng.normal(0, 1, 10)[speaker] + rng.normal(0, 2, 300)
    found = estimate([pd.DataFrame({"loss": loss})], speaker.astype(str), "mae")
    error = np.sqrt(found.between / 10 + found.within / 300)
    assert error == pytest.approx(found.error)  # the design is balanced
    factor = stdtrit(9, 0.975) + stdtrit(9, 0.8)
    assert detectable_drop(found, 1.0, 0.95) == pytest.approx(factor * error)


@pytest.mark.slow
def test_a_drop_of_the_detectable_size_is_shown_with_80_percent():
    drops = []
    for seed in range(40):
        found = estimate(*errors(seed), "accuracy")
        drops.append(detectable_drop(found, 0.0, 0.95))
    drop = float(np.median(drops))
    ends = [interval(estimate(*errors(seed, drop), "accuracy"), 0.95) for seed in range(300)]
    assert 0.7 < np.mean([high < 0 for _, high in ends]) < 0.93
    twice = [interval(estimate(*errors(seed, 2 * drop), "accuracy"), 0.95) for seed in range(100)]
    assert np.mean([high < 0 for _, high in twice]) > 0.9


def alike(seed, rate):
    """Losses of a model whose speakers are as much alike at any rate of errors."""
    rng = np.random.default_rng(seed)
    speaker = np.repeat(np.arange(SPEAKERS), UTTERANCES)
    rates = rng.beta(10 * rate, 10 * (1 - rate), SPEAKERS)
    loss = (rng.random(len(speaker)) < rates[speaker]).astype(float)
    return [pd.DataFrame({"loss": loss})], speaker.astype(str)


def test_a_share_that_lies_the_detectable_drop_below_the_limit_is_shown():
    found = [estimate(*alike(seed, 0.1), "accuracy") for seed in range(60)]
    drop = float(np.median([detectable_drop(one, 0.9, 0.95) for one in found]))
    worse = [estimate(*alike(seed, 0.1 + drop), "accuracy") for seed in range(300)]
    assert 0.7 < np.mean([interval(one, 0.95)[1] < 0.9 for one in worse]) < 0.9


def test_with_too_few_speakers_no_drop_is_detectable():
    found = estimate(*errors(0, speakers=5), "accuracy")
    assert np.isnan(detectable_drop(found, 0.0, 0.95))


def test_the_named_number_of_speakers_decides_and_one_less_does_not():
    found = estimate(*errors(2, 0.03), "accuracy")
    assert answer_of(*interval(found, 0.99), "at_least", -0.01) == UNDECIDED
    more = more_speakers(found, -0.01, 0.99)

    def width(units):
        """Distance that a number of speakers shows with 80 %."""
        freedom = (found.freedom + 1) * units / SPEAKERS - 1
        factor = stdtrit(freedom, 0.995) + stdtrit(freedom, 0.8)
        return factor * found.error * np.sqrt(SPEAKERS / units)

    distance = abs(found.value + 0.01)
    assert width(SPEAKERS + more) <= distance < width(SPEAKERS + more - 1)


def test_more_speakers_are_at_least_those_that_the_test_needs():
    found = replace(estimate(*errors(0, speakers=3), "accuracy"), value=0.9, error=1e-6)
    assert more_speakers(found, 0.0, 0.95) == 3  # six in total


def test_a_model_without_errors_needs_the_speakers_of_the_exact_interval():
    loss = pd.DataFrame({"loss": np.zeros(200)})
    found = estimate([loss], np.repeat(np.arange(10), 20).astype(str), "accuracy")
    more = more_speakers(found, 0.9, 0.95)
    edges = [exact_interval(1.0, 10 + count, level=0.95)[0] for count in (more - 1, more)]
    assert edges[0] <= 0.9 < edges[1]


def test_no_number_of_speakers_decides_a_value_that_is_the_limit():
    found = estimate(*errors(0), "accuracy")
    assert more_speakers(found, found.value, 0.95) is None
    assert more_speakers(replace(found, value=1e-6), 0.0, 0.95) is None


@pytest.mark.parametrize(
    ("low", "high", "relation", "answer"),
    [
        (0.0, 1.0, "at_least", "passed"),
        (0.0, 1.0, "above", "undecided"),
        (0.1, 1.0, "above", "passed"),
        (-1.0, -0.1, "at_least", "failed"),
        (-1.0, 0.0, "at_least", "undecided"),
        (-1.0, 0.0, "above", "failed"),
        (-1.0, 0.0, "at_most", "passed"),
        (0.0, 1.0, "below", "failed"),
        (-1.0, -0.1, "below", "passed"),
        (0.1, 1.0, "at_most", "failed"),
        (np.nan, np.nan, "at_least", "undecided"),
    ],
)
def test_the_place_of_the_interval_gives_the_answer(low, high, relation, answer):
    assert answer_of(low, high, relation, 0.0) == answer
