"""Fifty random changes of a small study; tests/fuzz.py tries any number of them."""

import csv
import io
from pathlib import Path

import pytest
from fuzzer import REFUSED, RESULT, WRONG, Fuzzer
from mutations import Mutation
from study_steps import script
from voxslice.errors import InputError
from voxslice.files import write_parquet

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory):
    return Fuzzer(tmp_path_factory.mktemp("fuzz"))


@pytest.mark.parametrize("seed", range(50))
def test_a_changed_study_ends_in_a_right_result_or_in_one_sentence(fuzzer, seed):
    outcome = fuzzer.run(seed)
    assert outcome.end in (RESULT, REFUSED), str(outcome)


def rename_a_speaker(draw):
    table = Path("voices.csv")
    table.write_text(table.read_text().replace(",a,", ",x,"))
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    return Mutation("csv", "another speaker", table=rows)


def test_a_change_that_is_harmless_gives_results(fuzzer):
    assert fuzzer.run(0, rename_a_speaker).end == RESULT


def lose_a_row(table, path):
    write_parquet(table.iloc[1:], path)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("list_utterances", "23 utterances of 24 rows"),
        ("read_metadata", "keys(listed) == keys(metadata)"),
        ("score", "are lost"),
    ],
)
def test_a_row_that_is_lost_is_noticed(fuzzer, monkeypatch, name, complaint):
    monkeypatch.setattr(script(name), "write_parquet", lose_a_row)
    outcome = fuzzer.run(0, rename_a_speaker)
    assert outcome.end == WRONG and complaint in outcome.detail


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (ZeroDivisionError("x"), "ZeroDivisionError"),
        (InputError("Something is wrong."), "it names no file, key or column"),
        (InputError("The model first"), "it is not a sentence"),
    ],
)
def test_an_end_that_helps_nobody_is_noticed(fuzzer, monkeypatch, error, complaint):
    def fail(**settings):
        raise error

    monkeypatch.setattr(script("measure"), "main", fail)
    outcome = fuzzer.run(0, rename_a_speaker)
    assert outcome.end == WRONG and complaint in outcome.detail
