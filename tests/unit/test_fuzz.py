"""Fifty random changes of a small study; tests/fuzz.py tries any number of them."""

import pytest
from fuzzer import REFUSED, RESULT, Fuzzer


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    return Fuzzer(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("seed", range(50))
def test_a_changed_study_ends_in_a_right_result_or_in_one_sentence(fuzzer, seed):
    outcome = fuzzer.run(seed)
    assert outcome.end in (RESULT, REFUSED), str(outcome)
