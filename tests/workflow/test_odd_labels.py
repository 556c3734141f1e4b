"""Extreme labels, features and models: each study finishes, and its report explains the case."""

import numpy as np
import pandas as pd
import pytest
from snakemake_cli import snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow

MODELS = ["1", "null"]
"""Ids that look like a number and like a missing value. The second model is wrong."""
WITHOUT_LABEL = 9


@pytest.fixture(scope="module")
def tables():
    """`odd`: labels that are missing or unknown; `one`: one speaker, one class, few rows."""
    number = np.arange(72)
    odd = pd.DataFrame(
        {
            "file": [f"{n}.wav" for n in number],
            "speaker": [f"{n % 6:02}" for n in number],
            "gender": np.where(number % 2, "female", "male"),
            "emotion": np.where(number % 5, "neutral", "anger"),
            "studio": "one",
            "years": 20 + number,
        }
    )
    odd.loc[:4, "gender"] = None
    odd.loc[5 : WITHOUT_LABEL - 1, "gender"] = "?"
    odd.loc[::7, ["emotion", "years"]] = None
    one = odd.iloc[:8].assign(speaker="me", gender="female", years=30)
    return {"odd": odd, "one": one}


@pytest.fixture(scope="module")
def config():
    column = {
        name: {"column": name} for name in ["speaker", "gender", "emotion", "studio", "years"]
    }
    return {
        "resamples": 200,
        "datasets": {
            name: {"csv": {"path": f"{name}.csv"}, "columns": column, "license": "MIT"}
            for name in ["odd", "one"]
        },
        "models": {
            name: {
                "predictions": {dataset: f"{dataset}.{name}.csv" for dataset in ["odd", "one"]},
                "tasks": ["gender", "age"],
                "license": "MIT",
            }
            for name in MODELS
        },
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "labels": ["female", "male", "child"],
                "min_drop": 0.1,
            },
            "age": {"type": "regression", "target": "years", "unit": "years", "min_drop": 5},
        },
        "searches": {
            "all": {"finder": "subgroups", "features": ["emotion", "studio", "years", "gender"]},
            "2024": {"finder": "sliceguard", "features": ["emotion", "studio"]},
        },
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory, tables, config):
    folder = tmp_path_factory.mktemp("labels")
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        right = table["gender"].where(table["gender"] == "female", "male")
        other = right.map({"female": "child", "male": "female"})
        years = table["years"].fillna(50)
        for model, gender, age in [("1", right, years), ("null", other, years + 40)]:
            predicted = pd.DataFrame({"file": table["file"], "gender": gender, "age": age})
            predicted.to_csv(folder / f"{name}.{model}.csv", index=False)
    path = write_config(folder / "study.yaml", config)
    snakemake(folder, "reports", "views", configfiles=[path])
    return folder


def metric(study, dataset, task, name):
    table = read_csv(study / f"results/metrics/{dataset}/{task}.csv")
    return table[table["metric"] == name].set_index("model").loc[MODELS]


@pytest.mark.parametrize(
    ("dataset", "task", "name", "values"),
    [
        ("odd", "gender", "accuracy", [1, 0]),
        ("one", "gender", "accuracy", [1, 0]),
        ("odd", "age", "mae", [0, 40]),
        ("one", "age", "mae", [0, 40]),
    ],
)
def test_a_perfect_model_and_one_that_is_always_wrong(study, dataset, task, name, values):
    assert metric(study, dataset, task, name)["value"].to_list() == pytest.approx(values)


def test_rows_without_a_known_label_are_left_out_and_counted(study, tables):
    assert set(metric(study, "odd", "gender", "accuracy")["n"]) == {72 - WITHOUT_LABEL}
    known = int(tables["odd"]["years"].notna().sum())
    assert set(metric(study, "odd", "age", "mae")["n"]) == {known}
    log = (study / "logs/score/odd/gender/1.log").read_text(encoding="utf-8")
    assert f"{72 - WITHOUT_LABEL} of 72 utterances are scored" in log


def test_quantities_that_cannot_be_measured_have_no_value(study):
    # a constant has no correlation, and one speaker no interval
    assert metric(study, "one", "age", "pcc")["value"].isna().all()
    for table in (metric(study, "one", "gender", "accuracy"), metric(study, "one", "age", "mae")):
        assert table[["low", "high"]].isna().all(axis=None)
        assert not table["reliable"].any()


@pytest.mark.parametrize("dataset", ["odd", "one"])
@pytest.mark.parametrize("task", ["gender", "age"])
def test_no_slice_is_confirmed_where_a_model_fails_alike_everywhere(study, dataset, task):
    for model in MODELS:
        slices = read_csv(study / f"results/slices/{dataset}/{task}/{model}.csv")
        assert not slices["confirmed"].astype(bool).any()


@pytest.mark.parametrize("task", ["gender", "age"])
def test_the_report_explains_these_cases(study, task):
    pages = {
        name: (study / f"results/report/{name}/{task}.html").read_text(encoding="utf-8")
        for name in ["odd", "one"]
    }
    assert "The dataset has only 1 speaker" in pages["one"]
    assert "UAR 0.0 % compared with 100.0 %" in pages["odd"] or task == "age"
    for page in pages.values():
        assert "1 makes no error in these data." in page
        assert "No failure mode of null is confirmed" in page


def test_labels_that_are_all_missing_are_one_sentence(study, config, tables):
    tables["one"].assign(gender=None).to_csv(study / "none.csv", index=False)
    dataset = {**config["datasets"]["one"], "csv": {"path": "none.csv"}}
    model = {**config["models"]["1"], "predictions": {"none": "one.1.csv"}}
    config = {**config, "datasets": {"none": dataset}, "models": {"1": model}}
    path = write_config(study / "none.yaml", config)
    process = snakemake(
        study, "results/scores/none/gender/1.parquet", configfiles=[path], check=False
    )
    assert process.returncode != 0 and "Traceback" not in process.stdout
    assert "Error: No utterance has one of the labels female, male, child (found: none)" in (
        process.stdout
    )
