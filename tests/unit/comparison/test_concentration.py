"""The test of single speakers against speakers who are alike."""

import numpy as np
import pytest
from voxslice.comparison.concentration import concentration_test

SPEAKERS = np.repeat([f"s{i}" for i in range(8)], 20)


def test_a_speaker_with_most_of_the_errors_is_found():
    errors = np.zeros(160)
    errors[40:52] = 1  # twelve of the fifteen errors are made by s2
    errors[[0, 70, 130]] = 1
    p = concentration_test(errors, SPEAKERS, permutations=999, seed=0)
    assert p[2] == 0.001
    assert (np.delete(p, 2) > 0.2).all()


def test_a_speaker_with_too_few_errors_is_found():
    errors = np.tile([1.0, 0.0], 80)
    errors[SPEAKERS == "s5"] = 0
    p = concentration_test(errors, SPEAKERS, permutations=999, seed=0)
    assert p.argmin() == 5 and p[5] < 0.01


@pytest.mark.slow
def test_the_p_of_any_speaker_is_rarely_small_if_speakers_are_alike():
    generator = np.random.default_rng(0)
    sizes = np.repeat(np.arange(8), [3, 5, 10, 20, 20, 40, 60, 100])
    speakers = np.array([f"s{i}" for i in sizes])
    smallest = [
        concentration_test(
            (generator.random(len(speakers)) < 0.1).astype(float),
            speakers,
            permutations=199,
            seed=seed,
        ).min()
        for seed in range(400)
    ]
    assert 0.02 < np.mean(np.array(smallest) <= 0.05) < 0.075


def test_utterances_of_unknown_speakers_take_part_but_have_no_p():
    errors = np.zeros(160)
    errors[20:30] = 1  # all errors are made by s1
    p = concentration_test(errors, SPEAKERS, permutations=999, seed=0)
    unknown = np.where(SPEAKERS == "s0", "", SPEAKERS)
    fewer = concentration_test(errors, unknown, permutations=999, seed=0)
    assert len(fewer) == 7 and fewer[0] == p[1] == 0.001
    # the errors of unknown speakers are nobody's
    unknown = np.where(SPEAKERS == "s1", "", SPEAKERS)
    assert (concentration_test(errors, unknown, permutations=999, seed=0) > 0.05).all()


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_values_distinguish_no_speaker(value):
    p = concentration_test(np.full(160, value), SPEAKERS, permutations=99, seed=0)
    assert (p == 1).all()


def test_one_speaker_has_nobody_to_differ_from():
    values = np.arange(5.0)
    assert concentration_test(values, np.full(5, "a"), permutations=99, seed=0).tolist() == [1.0]
    assert len(concentration_test(values, np.full(5, ""), permutations=99, seed=0)) == 0


def test_the_same_seed_gives_the_same_p():
    values = np.random.default_rng(1).exponential(size=160)
    one, other = (
        concentration_test(values, SPEAKERS, permutations=50, seed=seed) for seed in (3, 3)
    )
    assert (one == other).all()
