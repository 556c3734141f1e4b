"""Metrics and differences with intervals by speaker, compared with textbook results."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from voxslice.comparison.overall_metric import metric_sums, metric_value
from voxslice.decisions.estimate import estimate, interval, unseen, variance_components
from voxslice.scores.exact import exact_interval

SPEAKERS = np.repeat([f"s{i}" for i in range(12)], 10)


def scores(wrong, label=None):
    """Scores of a model on two labels that is wrong where told."""
    wrong = np.asarray(wrong, bool)
    label = np.where(np.arange(len(wrong)) % 3 == 0, "a", "b") if label is None else label
    prediction = np.where(wrong, np.where(label == "a", "b", "a"), label)
    return pd.DataFrame({"label": label, "prediction": prediction, "loss": wrong.astype(float)})


def random_scores(seed, rate=0.2):
    return scores(np.random.default_rng(seed).random(len(SPEAKERS)) < rate)


def test_a_difference_of_accuracies_has_the_paired_t_interval():
    a, b = random_scores(0), random_scores(1)
    found = estimate([a, b], SPEAKERS, "accuracy")
    means = (a["loss"] - b["loss"]).groupby(SPEAKERS).mean()
    expected = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert found.value == pytest.approx(means.mean())
    assert interval(found, 0.95) == pytest.approx((expected.low, expected.high))


def sentences_of(size=10):
    """Number of the sentence of each utterance: all speakers read the same ones."""
    return np.arange(len(SPEAKERS)) % size


def test_units_add_their_variance_to_that_of_the_speakers():
    rng = np.random.default_rng(2)
    rates = rng.beta(1, 3, 10)[sentences_of()]
    table = scores(rng.random(len(SPEAKERS)) < rates)
    own = estimate([table], SPEAKERS, "accuracy")
    found = estimate([table], SPEAKERS, "accuracy", [sentences_of()])
    # the two-way variance of Cameron, Gelbach and Miller; each cell has one utterance
    loss = table["loss"] - table["loss"].mean()
    of_sentences = loss.groupby(sentences_of()).sum()
    factors = 10 / 9, 120 / 119
    added = factors[0] * (of_sentences**2).sum() - factors[1] * (loss**2).sum()
    assert found.added == pytest.approx(added / len(loss) ** 2, rel=1e-3)
    assert found.error == pytest.approx(np.sqrt(own.error**2 + found.added))
    assert (own.freedom, found.freedom) == pytest.approx((11, 9))
    assert (own.fewest, found.fewest) == (12, 10)
    low, high = interval(found, 0.95)
    assert low < interval(own, 0.95)[0] and interval(own, 0.95)[1] < high


@pytest.mark.parametrize(
    "unit",
    [
        np.arange(len(SPEAKERS)) // 5,  # sessions of one speaker
        sentences_of(5),  # so few sentences count as fixed
    ],
)
def test_units_within_speakers_and_few_units_add_nothing(unit):
    table = random_scores(3)
    own = estimate([table], SPEAKERS, "uar")
    assert estimate([table], SPEAKERS, "uar", [unit]) == own


def test_units_that_agree_limit_a_share_of_one():
    table = scores(np.zeros(len(SPEAKERS)))
    own = interval(estimate([table], SPEAKERS, "accuracy"), 0.95)
    found = interval(estimate([table], SPEAKERS, "accuracy", [sentences_of(6)]), 0.95)
    assert own == pytest.approx((0.025 ** (1 / 12), 1))
    assert found == pytest.approx((0.025 ** (1 / 6), 1))


def absolute_errors(speakers, seed):
    """Scores with exponential errors, whose mean varies between speakers and is 1 overall."""
    rng = np.random.default_rng(seed)
    scale = np.repeat(rng.gamma(4, 1 / 4, speakers), 20)
    return pd.DataFrame({"loss": rng.exponential(scale)}), np.repeat(np.arange(speakers), 20)


def test_a_mean_absolute_error_has_the_interval_of_its_logarithm():
    # two groups of speakers of the same size: no skewness
    table = pd.DataFrame({"loss": np.where(np.arange(len(SPEAKERS)) < 60, 1.0, 3.0)})
    found = estimate([table], SPEAKERS, "mae")
    half = stats.t(11).ppf(0.995) * stats.sem(np.repeat([1.0, 3.0], 6)) / 2
    assert found.skewness == pytest.approx(0)
    assert interval(found, 0.99) == pytest.approx((2 / np.exp(half), 2 * np.exp(half)))


def test_few_speakers_with_large_errors_move_the_upper_end():
    table = pd.DataFrame({"loss": np.where(np.arange(len(SPEAKERS)) < 10, 10.0, 1.0)})
    found = estimate([table], SPEAKERS, "mae")
    means = np.array([10.0] + [1.0] * 11)
    assert found.skewness == pytest.approx(stats.skew(means, bias=False))
    # the end solves the equation of Hall's transformation
    skewness, count = found.skewness, len(means)
    low, high = interval(found, 0.95)
    w = (means.mean() - high) / means.std(ddof=1)
    transformed = w + skewness * w**2 / 3 + skewness**2 * w**3 / 27 + skewness / (6 * count)
    assert np.sqrt(count) * transformed == pytest.approx(stats.t(11).ppf(0.025))
    assert 0 < low < found.value
    assert high > found.value**2 / low  # beyond that of the logarithm


def test_the_interval_of_a_mean_absolute_error_has_the_unit_of_the_errors():
    table, speakers = absolute_errors(6, seed=0)
    names = speakers.astype(str)
    years = interval(estimate([table], names, "mae"), 0.95)
    months = interval(estimate([table * 12], names, "mae"), 0.95)
    assert months == pytest.approx([12 * end for end in years])


@pytest.mark.slow
def test_the_interval_of_a_mean_absolute_error_is_rarely_too_low():
    missed = np.zeros(2)
    for seed in range(1000):
        table, speakers = absolute_errors(20, seed)
        low, high = interval(estimate([table], speakers.astype(str), "mae"), 0.95)
        missed += [low > 1, high < 1]
    assert missed.max() / 1000 < 0.04  # 2.5 % are wanted; Student's t interval misses 5.5 %


def test_a_constant_error_has_an_interval_without_width():
    table = pd.DataFrame({"loss": np.full(len(SPEAKERS), 2.0)})
    assert interval(estimate([table], SPEAKERS, "mae"), 0.95) == pytest.approx((2, 2))


def test_two_speakers_have_a_finite_interval():
    table = pd.DataFrame({"loss": [0.0, 8.0]})
    found = estimate([table], None, "mae")
    assert np.isfinite(interval(found, 0.9999)).all()


@pytest.mark.parametrize("metric", ["accuracy", "uar", "f1"])
def test_the_value_is_that_of_the_table_of_metrics(metric):
    a, b = random_scores(0), random_scores(1)
    values = [metric_value(metric_sums(table, None, metric).sum(0), metric) for table in (a, b)]
    assert estimate([a], SPEAKERS, metric).value == pytest.approx(values[0])
    assert estimate([a, b], SPEAKERS, metric).value == pytest.approx(values[1] - values[0])


def test_independent_utterances_have_about_the_interval_of_clopper_and_pearson():
    table = random_scores(3, rate=0.3)
    found = estimate([table], None, "accuracy")
    right = int((table["loss"] == 0).sum())
    exact = stats.binomtest(right, len(table)).proportion_ci(0.95, method="exact")
    assert interval(found, 0.95) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_speakers_that_differ_make_the_interval_wider():
    rates = np.repeat(np.linspace(0, 0.8, 12), 10)
    wrong = np.random.default_rng(0).random(len(rates)) < rates
    ends = interval(estimate([scores(wrong)], SPEAKERS, "accuracy"), 0.95)
    alone = interval(estimate([scores(wrong)], None, "accuracy"), 0.95)
    assert ends[0] < alone[0] and ends[1] > alone[1]


def test_a_model_without_errors_has_the_exact_interval_of_speakers():
    found = estimate([scores(np.zeros(len(SPEAKERS)))], SPEAKERS, "accuracy")
    assert interval(found, 0.95) == pytest.approx(exact_interval(1.0, 12, level=0.95))


def test_models_that_never_differ_have_an_interval():
    table = random_scores(0)
    found = estimate([table, table], SPEAKERS, "accuracy")
    assert found.value == 0
    high = 1 - 0.025 ** (1 / len(SPEAKERS))
    assert interval(found, 0.95) == pytest.approx((-high, high))
    # of a metric that averages over labels, the rarest label counts
    found = estimate([table, table], SPEAKERS, "uar")
    assert interval(found, 0.95)[1] == pytest.approx((1 - 0.025 ** (1 / 40)) / 2)


def test_metrics_in_a_unit_miss_no_rare_change():
    table = pd.DataFrame({"loss": [1.0, 2.0, 3.0]})
    assert unseen(estimate([table], None, "mae"), 0.025) == 0


def test_one_speaker_and_no_utterance_have_no_interval():
    one = estimate([random_scores(0)], np.full(len(SPEAKERS), "s"), "accuracy")
    assert np.isnan(interval(one, 0.95)).all()
    none = estimate([random_scores(0).iloc[:0]], SPEAKERS[:0], "uar")
    assert np.isnan(none.value) and np.isnan(interval(none, 0.95)).all()


def test_unknown_speakers_count_as_one():
    speakers = SPEAKERS.astype(object)
    speakers[:50] = ""
    assert estimate([random_scores(0)], speakers.astype(str), "accuracy").units == 8


def test_variance_components_are_found_again():
    rng = np.random.default_rng(0)
    numbers = np.repeat(np.arange(3000), rng.integers(2, 9, 3000))
    values = rng.normal(0, 2, 3000)[numbers] + rng.normal(0, 3, len(numbers))
    between, within = variance_components(values, numbers, np.bincount(numbers).astype(float))
    assert between == pytest.approx(4, rel=0.1)
    assert within == pytest.approx(9, rel=0.05)


def test_without_two_utterances_of_a_speaker_all_variance_is_within():
    values = np.array([1.0, 2.0, 4.0])
    assert variance_components(values, np.arange(3), np.ones(3)) == (0.0, values.var(ddof=1))
    assert variance_components(values[:1], np.arange(1), np.ones(1)) == (0.0, 0.0)
