"""The default study on real speech, compared with plain audonnx on the same audio."""

from pathlib import Path

import audb
import audeer
import audinterface
import audonnx
import numpy as np
import pandas as pd
import pytest
from rule_names import (
    names_in_pages,
    names_in_tables,
    names_in_views,
    rough_modes,
    rough_names,
)
from snakemake_cli import ROOT, planned, snakemake, write_config
from voxslice.files import read_csv

SHARED = ROOT.parent / "shared" / "data"
MODELS = ["gender_age_small", "gender_age_big"]
CLASSES = np.array(["female", "male", "child"])

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(
        not SHARED.exists(), reason="needs real speech and models in ../shared/data"
    ),
]


@pytest.fixture(scope="module")
def overlay(tmp_path_factory):
    """A config that changes where data and models come from, and measures their costs briefly."""
    repository = {"name": "audb-local", "host": str(SHARED / "audb"), "backend": "file-system"}
    models = {
        name: {"url": (SHARED / "models" / f"{name}.zip").as_uri()} for name in [*MODELS, "emotion"]
    }
    return write_config(
        tmp_path_factory.mktemp("config") / "overlay.yaml",
        {
            "datasets": {"emodb": {"audb": {"repositories": [repository]}}},
            "models": models,
            "costs": {"durations": [1, 2], "seconds": 0.1},
        },
    )


@pytest.fixture(scope="module")
def configfiles(overlay):
    return [ROOT / "config/config.yaml", overlay]


@pytest.fixture(scope="module")
def study(tmp_path_factory, configfiles):
    folder = tmp_path_factory.mktemp("emodb")
    snakemake(folder, configfiles=configfiles)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Predictions with audb, audonnx and audinterface as in their tutorials, file by file."""
    folder = tmp_path_factory.mktemp("plain")
    before = audb.config.REPOSITORIES
    audb.config.REPOSITORIES = [audb.Repository("audb-local", str(SHARED / "audb"), "file-system")]
    db = audb.load(
        "emodb",
        version="1.4.1",
        format="wav",
        mixdown=True,
        sampling_rate=16000,
        cache_root=str(folder),
        verbose=False,
    )
    audb.config.REPOSITORIES = before
    speaker = db["files"]["speaker"]
    table = pd.DataFrame(
        {
            "gender": speaker.get(map="gender").astype(str),
            "age": speaker.get(map="age").astype(float),
            "emotion": db["emotion"]["emotion"].get().astype(str),
        }
    )
    for name in MODELS:
        audeer.extract_archive(str(SHARED / "models" / f"{name}.zip"), str(folder / name))
        process = audinterface.Process(
            process_func=audonnx.load(str(folder / name)), sampling_rate=16000
        )
        outputs = process.process_index(table.index).to_list()
        table[name] = CLASSES[[output["logits_gender"].argmax() for output in outputs]]
        table[f"{name}_age"] = [100 * float(output["logits_age"].squeeze()) for output in outputs]
    table.index = [str(Path(file).relative_to(db.root)) for file in table.index]
    return table.sort_index()


def test_known_figures(plain):
    right = {name: plain[name] == plain["gender"] for name in MODELS}
    small, big = right.values()
    assert (small.sum(), big.sum(), len(plain)) == (458, 519, 535)
    assert ((big & ~small).sum(), (small & ~big).sum()) == (74, 13)
    angry = (plain["gender"] == "male") & (plain["emotion"] == "anger")
    happy = (plain["gender"] == "male") & (plain["emotion"] == "happiness")
    assert (small[angry].sum(), angry.sum()) == (19, 60)
    assert (small[happy].sum(), happy.sum()) == (11, 27)


@pytest.mark.parametrize("model", MODELS)
def test_scores_equal_plain_inference(study, plain, model):
    scores = pd.read_parquet(study / f"results/scores/emodb/gender/{model}.parquet")
    scores = scores.set_index("file").sort_index()
    assert list(scores.index) == list(plain.index)
    assert (scores["prediction"].astype(str) == plain[model]).all()
    ages = pd.read_parquet(study / f"results/scores/emodb/age/{model}.parquet")
    ages = ages.set_index("file").sort_index()
    np.testing.assert_allclose(ages["prediction"], plain[f"{model}_age"], atol=1e-3)
    np.testing.assert_allclose(ages["label"], plain["age"])
    assert pd.read_csv(study / f"results/failures/emodb/{model}.csv").empty


def test_metrics_equal_plain_inference(study, plain):
    metrics = pd.read_csv(study / "results/metrics/emodb/gender.csv")
    metrics = metrics.set_index(["model", "metric"])
    ages = pd.read_csv(study / "results/metrics/emodb/age.csv").set_index(["model", "metric"])
    for model in MODELS:
        right = plain[model] == plain["gender"]
        row = metrics.loc[(model, "accuracy")]
        assert row["value"] == pytest.approx(right.mean())
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["n"], row["speakers"]) == (535, 10)
        recall = right.groupby(plain["gender"]).mean().mean()
        assert metrics.loc[(model, "uar"), "value"] == pytest.approx(recall)
        error = (plain[f"{model}_age"] - plain["age"]).abs().mean()
        assert ages.loc[(model, "mae"), "value"] == pytest.approx(error, abs=1e-4)


def test_comparison_equals_plain_inference(study, plain):
    table = pd.read_csv(study / "results/comparison/emodb/gender.csv")
    row = table.iloc[0]
    assert (row["slice"], row["model_a"], row["model_b"]) == ("all", *MODELS)
    assert (row["only_a_wrong"], row["only_b_wrong"]) == (74, 13)
    assert row["both_right"] + row["both_wrong"] == 535 - 74 - 13
    recalls = [
        (plain[model] == plain["gender"]).groupby(plain["gender"]).mean().mean() for model in MODELS
    ]
    assert row["metric"] == "uar"
    assert row["difference"] == pytest.approx(recalls[1] - recalls[0])
    angry = table[table["rule"] == "emotion = anger & gender = male"].iloc[0]
    assert (angry["support"], angry["value_b"]) == (60, 1)
    assert angry["value_a"] == pytest.approx(19 / 60)


def test_metadata_slices_include_the_known_ones(study, plain):
    slices = pd.read_csv(study / "results/slices/emodb/gender/gender_age_small.csv")
    members = pd.read_parquet(
        study / "results/slices/emodb/gender/gender_age_small.members.parquet"
    )
    metadata = slices[slices["search"] == "metadata"].set_index("rule")
    assert set(slices["search"]) == {"subgroups", "sound", "metadata", "embedding"}
    for emotion, right, support in [("anger", 19, 60), ("happiness", 11, 27)]:
        row = metadata.loc[f"emotion = {emotion} & gender = male"]
        assert (row["support"], row["speakers"]) == (support, 5)
        assert row["value"] == pytest.approx(right / support)
        meant = plain.index[(plain["gender"] == "male") & (plain["emotion"] == emotion)]
        assert set(members.loc[members["slice"] == row["slice"], "file"]) == set(meant)


def test_subgroups_confirm_the_angry_men(study):
    folder = study / "results/slices/emodb/gender"
    slices = pd.read_csv(folder / "gender_age_small.csv")
    found = slices[slices["finder"] == "subgroups"]
    first = found.iloc[0]
    assert first["rule"] == "emotion = anger & gender = male"
    assert first["confirmed"]
    assert first["evidence"] == "within speakers"
    assert first["q"] <= 0.05
    assert first["searched"] > 100
    # five speakers per gender are too few to show that the model is worse for men
    men = found[found["rule"] == "gender = male"].iloc[0]
    assert not men["confirmed"]
    assert men["note"].endswith("speakers are in the slice, more are needed")
    searches = pd.read_csv(folder / "gender_age_small.searches.csv").set_index("search")
    assert searches.loc["subgroups", "searched"] == first["searched"]


@pytest.mark.parametrize("model", [*MODELS, "emotion"])
def test_costs_are_measured(study, model):
    costs = pd.read_csv(study / f"results/costs/{model}.csv")
    columns = (
        "model machine device threads seconds size_mb parameters load_s rtf p50_ms p95_ms p99_ms"
    )
    assert " ".join(costs) == f"{columns} repetitions peak_mb"
    assert costs[["threads", "seconds"]].to_numpy().tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert (costs["repetitions"] >= 10).all()
    assert (costs.drop(columns=["model", "machine", "device"]) > 0).all(axis=None)


def test_views_are_made(study):
    for task in ["gender", "age"]:
        assert (study / f"results/report/emodb/{task}.html").stat().st_size > 10_000
        for name in ["table.parquet", "layout.json", "issues.json"]:
            assert (study / "results/spotlight/emodb" / task / name).exists()


def test_report_shows_the_known_figures(study):
    page = (study / "results/report/emodb/gender.html").read_text(encoding="utf-8")
    # ten speakers, for two of whom the small model is better
    assert (
        "gender_age_big is not shown to be better than gender_age_small: UAR 97.3 % compared with"
        " 83.8 %, +13.5 points [" in page
    )
    assert "fixes 74 of the 77 errors of gender_age_small and makes 13 new errors" in page
    assert "100 % of the utterances are shorter than 3 s" in page
    # five speakers per gender
    assert "The dataset has only 10 speakers" in page
    table = pd.read_csv(study / "results/report/emodb/gender.calibration.csv")
    whole = table[table["bin"] == "all"].set_index("model")
    assert whole["accuracy"].round(3).to_dict() == {
        "gender_age_small": 0.856,
        "gender_age_big": 0.97,
    }
    assert whole["n"].tolist() == [535, 535]


def test_finished_study_plans_nothing(study, configfiles):
    assert planned(study, configfiles=configfiles) == []


@pytest.mark.parametrize("task", ["gender", "age"])
def test_no_rough_rule_is_a_name(study, task):
    """Rules with a precision or recall below 0.8 are no names in pages, views and tables."""
    for collect in (names_in_pages, names_in_views, names_in_tables):
        names = collect(study, "emodb", task)
        rough, rules = rough_names(study, "emodb", task, names)
        assert rough == [], collect.__name__
        assert rules > 5, collect.__name__
    assert rough_modes(study, "emodb", task) == []


def test_abstention_halves_the_error_of_the_small_model_but_not_of_angry_men(study):
    table = read_csv(study / "results/abstention/emodb/gender.csv")
    own = table[(table["model"] == MODELS[0]) & (table["by"] == "confidence")]
    risks = {
        name: [rows.loc[(rows["coverage"] - value).abs().idxmin(), "risk"] for value in (1, 0.8)]
        for name, rows in own.groupby("name")
    }
    assert risks["all utterances"] == pytest.approx([0.144, 0.072], abs=0.002)
    # the model is surer of its errors there
    assert risks["anger, male"] == pytest.approx([0.683, 0.8], abs=0.02)


def test_a_cascade_is_nearly_as_good_as_the_big_model(study):
    table = read_csv(study / "results/abstention/emodb/gender.cascades.csv")
    row = table[(table["model"] == MODELS[0]) & (table["share"] == 0.3)].iloc[0]
    assert row["then"] == MODELS[1]
    assert row["handed"] == pytest.approx(0.3, abs=0.02)
    assert row["value"] == pytest.approx(0.95, abs=0.01)
    metrics = read_csv(study / "results/metrics/emodb/gender.csv").set_index(["model", "metric"])
    assert metrics.loc[(MODELS[1], row["metric"]), "value"] == pytest.approx(0.97, abs=0.005)


def test_members_of_modes_are_found_for_speakers_that_were_not_seen(study, configfiles):
    snakemake(study, "collections", configfiles=configfiles)
    table = read_csv(study / "results/collect/emodb/gender/summary.csv").set_index("name")
    row = table.loc["anger, male"]
    assert row["precision"] >= 0.84
    assert row["share"] < 0.12
    # a list that is not good enough says so, and names what is hard to find
    young = table.loc["happiness, age at most 31"]
    assert 0.4 < young["precision"] < 0.5
    assert young["hardest"] == "happiness"
    page = (study / "results/collect/emodb/gender.html").read_text(encoding="utf-8")
    for name, row in table.iterrows():
        section = page.split(f"<h2>{name}</h2>")[1].split("</section>")[0]
        if pd.isna(row["precision"]):
            assert "It is not known how many" in section
            continue
        assert f"Expected: {round(100 * row['precision'])} % of the first 20" in section
        assert ("are expected not to belong" in section) == (row["precision"] < 0.5)
