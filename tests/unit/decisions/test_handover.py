"""What is handed over: the model card, the group table, the data sheet and the list of inputs."""

import re

import numpy as np
import pandas as pd
import pytest
import yaml
from huggingface_hub import ModelCard, metadata_load
from huggingface_hub.repocard_data import (
    eval_results_to_model_index,
    model_index_to_eval_results,
)
from voxslice.decisions.data_sheet import data_sheet, sheet_text
from voxslice.decisions.estimate import estimate, interval
from voxslice.decisions.group_table import GROUP_COLUMNS, group_table
from voxslice.decisions.inputs import input_table
from voxslice.decisions.markdown import escape, markdown_table, number
from voxslice.decisions.model_card import Results, license_of, model_card
from voxslice.decisions.table import CHECK_COLUMNS
from voxslice.files import sha256
from voxslice.task import Task

COUNT = 240


def make():
    """Metadata and scores of twelve speakers."""
    rng = np.random.default_rng(0)
    keys = pd.DataFrame({"file": [f"{i:03}.wav" for i in range(COUNT)], "start": 0.0, "end": 1.0})
    metadata = keys.assign(
        duration=1.5,
        speaker=[f"s{i % 12:02}" for i in range(COUNT)],
        gender=np.where(np.arange(COUNT) % 2 == 0, "female", "male"),
        age=rng.integers(20, 60, COUNT).astype(float),
        sentence=[f"sentence {i}" for i in range(COUNT)],
    )
    return metadata, keys.assign(loss=(rng.random(COUNT) < 0.2).astype(float))


def groups():
    metadata, scores = make()
    return group_table(
        scores,
        metadata,
        dataset="calls",
        task_name="gender",
        task=Task("classification"),
        columns=["gender", "age", "sentence"],
        demographic=["gender"],
    )


METRICS = pd.DataFrame(
    {"model": ["m", "m", "other"], "metric": ["accuracy", "uar", "uar"],
     "value": [0.8123456, 0.79, 0.5], "low": [0.7, np.nan, 0.4], "high": [0.9, np.nan, 0.6],
     "n": [240, 240, 240], "speakers": [12, 12, 12]}
)  # fmt: skip
MODES = pd.DataFrame(
    {"mode": ["1", "2", "rest"], "model": "m", "name": ["male | anger", "fear", np.nan],
     "value": [0.3, 0.5, 0.9], "rest": [0.88, 0.85, 0.1], "support": [40, 20, 180],
     "speakers": [6, 3, 12], "share_of_errors": [0.6, 0.1, 0.3], "confirmed": [True, False, False]}
)  # fmt: skip
CHECKS = pd.DataFrame(
    [{"check": 1, "model": "m", "against": None, "quantity": "uar", "group": "all utterances",
      "relation": "above", "limit": 0.75, "answer": "undecided"}],
    columns=CHECK_COLUMNS,
)  # fmt: skip


def card(**settings):
    results = [
        Results("calls", task, {"license": "MIT", "version": "1.0.0"}, METRICS, MODES, CHECKS)
        for task in ("gender", "accent")
    ]
    settings = {"license": "CC BY-NC-SA 4.0", "note": "A model.", "intended_use": ""} | settings
    return model_card("m", settings, results, groups(), version="abc1234")


def test_the_hub_reads_the_card():
    read = ModelCard(card(), ignore_metadata_errors=False)
    assert read.data.license == "cc-by-nc-sa-4.0"
    assert read.data.model_name == "m"
    found = [(one.task_name, one.metric_type, one.metric_value) for one in read.data.eval_results]
    assert found == [
        (task, metric, value)
        for task in ("gender", "accent")
        for metric, value in (("accuracy", 0.8123456), ("uar", 0.79))
    ]
    assert {one.dataset_revision for one in read.data.eval_results} == {"1.0.0"}
    assert "# m\n" in read.text


def test_the_metadata_of_the_card_is_what_the_hub_asks_for(tmp_path):
    (tmp_path / "README.md").write_text(card(), encoding="utf-8")
    found = metadata_load(tmp_path / "README.md")
    assert found == yaml.safe_load(card().split("---")[1])
    assert {"license", "license_name", "tags", "pipeline_tag", "model-index"} >= set(found)
    assert found["pipeline_tag"] == "audio-classification"
    [index] = found["model-index"]
    assert index["name"] == "m"
    assert len(index["results"]) == 2  # one per task
    for result in index["results"]:
        assert result["task"]["type"] and result["dataset"]["type"] and result["dataset"]["name"]
        for metric in result["metrics"]:
            assert metric["type"] and isinstance(metric["value"], float)
    # what is read and written again is the same
    name, results = model_index_to_eval_results(found["model-index"])
    assert eval_results_to_model_index(name, results) == found["model-index"]


def test_each_number_of_the_card_is_in_a_table():
    tables = [METRICS, MODES, CHECKS, groups()]
    numbers = [table.select_dtypes("number").to_numpy().ravel() for table in tables]
    cells = {number(cell) for cell in np.concatenate(numbers)}
    cells |= {f"{limit:g}" for limit in CHECKS["limit"]}
    rows = [line for line in card().splitlines() if line.startswith("| ")]
    shown = [cell for row in rows for cell in re.split(r"(?<!\\)\|", row) if cell.strip()]
    shown = [cell.strip() for cell in shown if re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell.strip())]
    assert len(shown) > 30
    assert set(shown) <= cells


def test_the_card_tells_use_modes_checks_and_limits():
    text = card(intended_use="Research on *speech* only.")
    assert r"Research on \*speech\* only." in text
    assert r"male \| anger" in text
    assert "| fear |" not in text  # not confirmed
    assert "- uar of m, all utterances: above 0.75: **undecided**" in text
    assert "The config does not state one." in card()
    assert "The speech is synthetic" not in text


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("MIT", {"license": "mit"}),
        ("CC0-1.0", {"license": "cc0-1.0"}),
        ("CC BY-NC-SA 4.0", {"license": "cc-by-nc-sa-4.0"}),
        ("Our own licence!", {"license": "other", "license_name": "our-own-licence"}),
    ],
)
def test_licences_are_named_as_on_the_hub(text, known):
    assert license_of(text) == known


def test_groups_have_their_metric_with_an_interval_by_speaker():
    table = groups()
    metadata, scores = make()
    assert list(table.columns) == GROUP_COLUMNS
    assert table["group"].tolist()[:2] == ["gender = female", "gender = male"]
    assert len(table) == 5  # two genders, three groups of ages, and no sentence
    inside = metadata["gender"] == "male"
    row = table.iloc[1]
    assert row["value"] == pytest.approx(1 - scores.loc[inside, "loss"].mean())
    assert row["others"] == pytest.approx(1 - scores.loc[~inside, "loss"].mean())
    found = estimate(
        [scores[inside].reset_index()], metadata.loc[inside, "speaker"].to_numpy(str), "accuracy"
    )
    assert (row["low"], row["high"]) == pytest.approx(interval(found, 0.95))
    assert table["demographic"].tolist() == [True, True, False, False, False]
    assert (row["support"], row["speakers"], row["reliable"]) == (120, 6, True)


def test_the_data_sheet_counts_utterances_speakers_and_hours():
    metadata, _ = make()
    sheet = data_sheet(metadata, "calls", ["gender", "age", "sentence"])
    assert sheet.to_numpy().tolist() == [
        ["calls", "all", "all", 240, 12, 0.1],
        ["calls", "gender", "female", 120, 6, 0.05],
        ["calls", "gender", "male", 120, 6, 0.05],
    ]
    text = sheet_text(sheet, {"calls": {"license": "MIT", "note": "Calls.", "synthetic": True}})
    assert "| gender | female | 120 | 6 | 0.05 |" in text
    assert "The speech is synthetic." in text


def test_inputs_are_listed_with_checksums_and_versions(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a\n", encoding="utf-8")
    table = input_table({"table.csv": str(path)}, {"m": "0" * 64}, {"numpy": "2.0"})
    assert table["kind"].tolist() == ["model", "table", "version"]
    assert table["sha256"].tolist() == ["0" * 64, sha256(path), None]
    assert table["version"].tolist() == [None, None, "2.0"]


def test_text_and_numbers_are_safe_in_markdown():
    assert escape("a|b\n<i>\x1b") == r"a\|b \<i\>␛"
    assert [number(value) for value in (3, 3.0, 0.123456, np.nan, 1e-9)] == [
        "3", "3", "0.1235", "", "1e-09",
    ]  # fmt: skip
    assert markdown_table(["a", "b"], [["x", 1.5]]) == ["| a | b |", "|---|---|", "| x | 1.5 |", ""]
