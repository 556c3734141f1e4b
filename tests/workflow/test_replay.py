"""A published finding is reproduced from tables of predictions, without running a model.

The numbers of emodb's utterances by speaker and emotion and the numbers of errors are the published
ones. The audio is silence, and the predictions are made to fit these numbers.
"""

import shutil

import audformat
import numpy as np
import pandas as pd
import pytest
import soundfile
from small_inputs import publish
from snakemake_cli import planned, snakemake, write_config

pytestmark = pytest.mark.workflow

EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "sadness", "neutral"]
SPEAKERS = {
    "03": ("male", [14, 5, 1, 4, 7, 7, 11]),
    "08": ("female", [12, 10, 0, 6, 11, 9, 10]),
    "09": ("female", [13, 4, 8, 1, 4, 4, 9]),
    "10": ("male", [10, 8, 1, 8, 4, 3, 4]),
    "11": ("male", [11, 8, 2, 10, 8, 7, 9]),
    "12": ("male", [12, 5, 2, 6, 2, 4, 4]),
    "13": ("female", [12, 10, 8, 7, 10, 5, 9]),
    "14": ("female", [16, 8, 8, 12, 8, 10, 7]),
    "15": ("male", [13, 9, 5, 8, 6, 4, 11]),
    "16": ("female", [14, 14, 11, 7, 11, 9, 5]),
}


@pytest.fixture(scope="module")
def metadata():
    rows = [
        (f"wav/{speaker}-{emotion}-{number}.wav", speaker, gender, emotion)
        for speaker, (gender, counts) in SPEAKERS.items()
        for emotion, count in zip(EMOTIONS, counts, strict=True)
        for number in range(count)
    ]
    return pd.DataFrame(rows, columns=["file", "speaker", "gender", "emotion"])


@pytest.fixture(scope="module")
def angry(metadata):
    return (metadata["gender"] == "female") & (metadata["emotion"] == "anger")


@pytest.fixture(scope="module")
def repository(tmp_path_factory, metadata):
    build, host = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("host")
    (build / "wav").mkdir()
    for file in metadata["file"]:
        soundfile.write(str(build / file), np.zeros(1600), 16000)
    db = audformat.Database("emodb", license="CC0-1.0")
    db["files"] = audformat.Table(audformat.filewise_index(metadata["file"]))
    for name in ["speaker", "gender", "emotion"]:
        db.schemes[name] = audformat.Scheme(labels=sorted(set(metadata[name])))
        db["files"][name] = audformat.Column(scheme_id=name)
        db["files"][name].set(metadata[name].to_list())
    return publish(db, build, host)


@pytest.fixture(scope="module")
def tables(tmp_path_factory, metadata, angry):
    """Tables of two models: 23 errors, 19 of them on angry women, of which the other fixes 15."""
    rng = np.random.default_rng(0)
    in_slice = rng.choice(np.flatnonzero(angry), 19, replace=False)
    elsewhere = rng.choice(np.flatnonzero(~angry), 4, replace=False)
    folder, true = tmp_path_factory.mktemp("tables"), metadata["gender"]
    other = true.map({"female": "male", "male": "female"})
    wrong = {"first": [*in_slice, *elsewhere], "second": [*in_slice[15:], *elsewhere]}
    for name, rows in wrong.items():
        errors = np.isin(np.arange(len(true)), rows)
        table = pd.DataFrame({"file": metadata["file"], "gender": true.where(~errors, other)})
        table = table.sample(frac=1, random_state=0)
        table.to_csv(folder / f"{name}.csv", index=False)
    table.to_parquet(folder / "second.parquet")
    return folder


@pytest.fixture(scope="module")
def config(repository, tables):
    columns = ["speaker", "gender", "emotion"]
    return {
        "datasets": {
            "emodb": {
                "audb": {"name": "emodb", "version": "1.0.0", "repositories": [repository]},
                "table": "files",
                "columns": {name: {"table": "files", "column": name} for name in columns},
                "license": "CC0-1.0",
            }
        },
        "models": {
            name: {
                "predictions": {"emodb": str(tables / file)},
                "tasks": ["gender"],
                "license": "unknown",
            }
            for name, file in [("first", "first.csv"), ("second", "second.parquet")]
        },
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "labels": ["female", "male"],
                "metric": "accuracy",
                "min_drop": 0.15,
            }
        },
        "searches": {"metadata": {"finder": "subgroups", "features": ["gender", "emotion"]}},
    }


@pytest.fixture(scope="module")
def configfiles(tmp_path_factory, config):
    return [write_config(tmp_path_factory.mktemp("config") / "replay.yaml", config)]


GOALS = ["models", "predictions", "metrics", "comparisons", "reports"]


@pytest.fixture(scope="module")
def study(tmp_path_factory, configfiles):
    folder = tmp_path_factory.mktemp("replay")
    snakemake(folder, *GOALS, configfiles=configfiles)
    return folder


def test_the_metadata_is_that_of_emodb(metadata, angry):
    assert (len(metadata), angry.sum()) == (535, 67)


def test_published_figures(study):
    metrics = pd.read_csv(study / "results/metrics/emodb/gender.csv")
    metrics = metrics[metrics["metric"] == "accuracy"].set_index("model")
    assert f"{metrics.loc['first', 'value']:.1%}" == "95.7%"
    table = pd.read_csv(study / "results/comparison/emodb/gender.csv")
    overall, angry = (
        table[table["rule"] == rule].iloc[0]
        for rule in ["all utterances", "gender = female & emotion = anger"]
    )
    assert f"{overall['value_a']:.1%}" == "95.7%"
    assert (angry["kind"], angry["support"], angry["speakers"]) == ("slice", 67, 5)
    assert f"{angry['value_a']:.1%}" == "71.6%"
    assert f"{angry['value_b']:.1%}" == "94.0%"
    for row in (overall, angry):
        assert (row["only_a_wrong"], row["only_b_wrong"]) == (15, 0)
        # at most five women differ between the models, too few for any test over speakers
        assert row["p"] >= 2 * 0.5**5 and row["verdict"] == "undecided"
    assert f"{angry['mcnemar_p']:.1e}" == "6.1e-05"


def test_the_finder_finds_the_slice(study):
    slices = pd.read_csv(study / "results/slices/emodb/gender/first.csv")
    row = slices.iloc[0]
    assert (row["rule"], row["support"]) == ("gender = female & emotion = anger", 67)
    assert f"{row['value']:.1%}" == "71.6%"
    assert row["confirmed"]


def test_categories_are_compared(study):
    table = pd.read_csv(study / "results/comparison/emodb/gender.csv")
    table = table[table["model_a"] == "first"].set_index("slice")
    row = table.loc["emotion=anger"]
    assert (row["kind"], row["support"], row["speakers"]) == ("category", 127, 10)
    assert {"gender=female", "gender=male"} < set(table.index)
    regressions = pd.read_csv(study / "results/comparison/emodb/gender.regressions.csv")
    assert len(regressions) == 0  # the second model makes no new error


def test_models_are_compared_with_reference_models(study, metadata):
    metrics = pd.read_csv(study / "results/metrics/emodb/gender.csv")
    accuracy = metrics[metrics["metric"] == "accuracy"].set_index("model")["value"]
    assert list(accuracy.index) == ["first", "second", "chance", "majority"]
    largest = metadata["gender"].value_counts(normalize=True).max()
    assert accuracy["majority"] == pytest.approx(largest)
    assert 0.4 < accuracy["chance"] < 0.6
    table = pd.read_csv(study / "results/comparison/emodb/gender.csv")
    rows = table[table["slice"] == "all"].set_index(["model_a", "model_b"])
    assert set(rows.index) == {("first", "second")} | {
        (reference, model) for reference in ("chance", "majority") for model in ("first", "second")
    }
    assert (rows.loc["chance", "verdict"] == "better").all()
    # the majority is always right for the women, so that only the five men can differ
    assert (rows.loc["majority", "low"] > 0).all()
    slices = set(table.loc[table["model_a"] == "chance", "slice"])
    assert slices == set(table.loc[table["model_a"] == "first", "slice"])
    assert len(pd.read_csv(study / "results/comparison/emodb/gender.gates.csv")) == 0
    assert not list(study.glob("results/slices/emodb/gender/chance*"))


def test_nothing_but_inference_is_lacking(study):
    assert pd.read_csv(study / "results/failures/emodb/first.csv").empty
    scores = pd.read_parquet(study / "results/scores/emodb/gender/first.parquet")
    assert list(scores) == ["file", "start", "end", "label", "prediction", "loss"]
    assert scores["loss"].sum() == 23
    assert not list(study.glob("resources/models/*/model.onnx"))


def test_the_report_shows_the_finding(study):
    page = (study / "results/report/emodb/gender.html").read_text(encoding="utf-8")
    assert (
        "second is not shown to be better than first: accuracy 98.5 % compared with 95.7 %" in page
    )
    assert "second fixes 15 of the 23 errors of first and makes no new error." in page
    assert "No calibration is shown for first, second, because probabilities are missing." in page
    assert "No time was measured for first, second" in page
    assert "There is no map" in page


def test_a_new_table_reruns_the_steps_that_depend_on_it(study, configfiles, tables):
    assert planned(study, *GOALS, configfiles=configfiles) == []
    path = tables / "first.csv"
    path.write_text(path.read_text() + "\n")
    jobs = {job.split()[0] for job in planned(study, *GOALS, configfiles=configfiles)}
    assert {"read_predictions", "describe_predictions", "score", "compare"} <= jobs
    assert not jobs & {"fetch_dataset", "list_utterances", "read_metadata"}


def test_a_bad_table_is_explained_in_one_sentence(tmp_path, study, config, metadata):
    shutil.copytree(study / "resources/emodb", tmp_path / "resources/emodb")
    metadata[["file", "emotion"]].to_csv(tmp_path / "mine.csv", index=False)
    model = {"predictions": {"emodb": "mine.csv"}, "tasks": ["gender"], "license": "MIT"}
    path = write_config(tmp_path / "mine.yaml", {**config, "models": {"mine": model}})
    process = snakemake(tmp_path, "scores", configfiles=[path], check=False)
    assert process.returncode != 0 and "Traceback" not in process.stdout
    assert "Error: mine.csv has no column 'gender'; its columns are file, emotion" in process.stdout
