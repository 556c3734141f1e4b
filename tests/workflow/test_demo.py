"""The embedded study: its known gain and regression are found, and two runs give the same bytes."""

import hashlib
import re
import shutil

import pandas as pd
import pytest
import yaml
from rule_names import (
    names_in_pages,
    names_in_tables,
    names_in_views,
    rough_modes,
    rough_names,
)
from snakemake_cli import planned, snakemake, write_config
from voxslice.files import read_csv, read_predictions
from voxslice.table_specs import TABLES, problems
from voxslice.utterance_keys import KEY

pytestmark = pytest.mark.workflow

KNOWN = "emotion = anger & gender = male"
"""Utterances on which practice_small fails: it is trained on calm speech only."""
TELEPHONE = "gender = female & bandwidth = telephone"
"""Utterances on which practice_big fails: the children of its training speech used a telephone."""


def compared_models(study, task="gender"):
    """The rows that compare the two practice models, by rule."""
    table = pd.read_csv(study / f"results/comparison/demo/{task}.csv")
    pair = table[(table["model_a"] == "practice_small") & (table["model_b"] == "practice_big")]
    return pair.set_index("rule")


def test_known_slice_is_found(finished_study):
    slices = pd.read_csv(finished_study / "results/slices/demo/gender/practice_small.csv")
    known = slices[(slices["search"] == "metadata") & (slices["rule"] == KNOWN)].iloc[0]
    assert known["support"] == 50
    assert known["value"] < 0.5 < known["rest"]
    assert known["low"] > 0.15
    tested = slices[(slices["search"] == "subgroups") & (slices["rule"] == KNOWN)].iloc[0]
    assert 0 < tested["detectable"] < tested["drop"]
    assert tested["corrected_low"] < tested["corrected"] < tested["corrected_high"]
    study = pd.read_csv(finished_study / "results/study/searches.csv")
    found = study[(study["model"] == "practice_small") & (study["search"] == "subgroups")]
    assert found["holds"].all() and (found["q_study"] <= 0.05).all()


def test_the_gain_is_shown(finished_study):
    table = compared_models(finished_study)
    for rule in ("all utterances", KNOWN, "emotion = anger", "gender = male"):
        row = table.loc[rule]
        assert row["verdict"] == "better" and row["low"] > 0
        assert row["only_a_wrong"] > row["only_b_wrong"]
        # better, and not perfect
        assert row["value_a"] < row["value_b"] < 1


def test_the_regression_is_shown_with_its_cause(finished_study):
    table = compared_models(finished_study)
    row = table.loc[TELEPHONE]
    assert (row["verdict"], row["regression"], row["support"]) == ("worse", "shown", 70)
    assert row["value_b"] < 0.6 < 0.9 < row["value_a"]
    over_telephone = table.loc["bandwidth = telephone"]
    assert over_telephone["support"] == 140
    assert over_telephone["value_b"] < over_telephone["value_a"] - 0.1
    page = (finished_study / "results/report/demo/gender.html").read_text(encoding="utf-8")
    assert "practice_big is worse than practice_small on 4 groups" in page
    # no metadata column names the telephone
    header = next(finished_study.glob("resources/demo/repository/**/db.yaml"))
    columns = yaml.safe_load(header.read_text(encoding="utf-8"))["tables"]
    names = {name for table in columns.values() for name in table["columns"]}
    assert names == {"emotion", "duration", "speaker", "transcription"}


def test_each_model_has_its_failure_mode(finished_study):
    folder = finished_study / "results/modes/demo"
    modes = read_csv(folder / "gender.csv")
    confirmed = modes.loc[modes["confirmed"].astype(bool), ["mode", "model"]].astype(str)
    members = pd.read_parquet(folder / "gender.members.parquet").astype({"mode": str})
    found = confirmed.merge(members, on="mode").merge(
        pd.read_parquet(finished_study / "resources/demo/metadata.parquet"), on=KEY
    )
    small, big = (found[found["model"] == f"practice_{name}"] for name in ("small", "big"))
    # anger and happiness are one mode or two: this depends on how the machine rounds in training
    assert set(zip(small["gender"], small["emotion"], strict=True)) == {
        ("male", "anger"),
        ("male", "happiness"),
    }
    assert set(zip(big["gender"], big["bandwidth"], strict=True)) == {("female", "telephone")}
    assert (len(small.drop_duplicates(KEY)), len(big)) == (100, 70)
    assert len(set(small["mode"])) <= 2 and len(set(big["mode"])) == 1


def test_something_stays_open(finished_study):
    verdicts = compared_models(finished_study)["verdict"]
    assert verdicts["emotion = fear"] == "undecided"
    assert (verdicts == "undecided").sum() > 10
    assert compared_models(finished_study, "age").loc["all utterances", "verdict"] == "undecided"


def test_the_checks_have_one_of_each_answer(finished_study):
    table = read_csv(finished_study / "results/checks/demo/gender.csv")
    assert table["answer"].tolist() == ["passed", "failed", "undecided"]
    assert table["more_speakers"].notna().tolist() == [False, False, True]
    [big_passed, small_failed, _] = table.to_dict("records")
    assert big_passed["low"] > big_passed["limit"]
    assert small_failed["high"] < small_failed["limit"]


def test_report_says_that_the_speech_is_synthetic(finished_study):
    for task in ("gender", "age"):
        page = (finished_study / f"results/report/demo/{task}.html").read_text(encoding="utf-8")
        assert "The speech is synthetic" in page


def test_the_results_of_speakers_add_up(finished_study):
    folder = finished_study / "results/speakers/demo"
    speakers = read_csv(folder / "gender.csv")
    scores = pd.read_parquet(finished_study / "results/scores/demo/gender/practice_small.parquet")
    own = speakers[speakers["model"] == "practice_small"]
    assert own["errors"].sum() == scores["loss"].sum()
    assert own["support"].sum() == len(scores)
    pairs = read_csv(folder / "gender.pairs.csv")
    overall = pd.read_csv(finished_study / "results/comparison/demo/gender.csv").iloc[0]
    for metric, rows in pairs.groupby("metric"):
        assert rows["contribution"].sum() == pytest.approx(rows["difference"].iloc[0]), metric
    first = pairs[pairs["metric"] == overall["metric"]].iloc[0]
    assert first["difference"] == pytest.approx(overall["difference"])
    page = (finished_study / "results/report/demo/gender.html").read_text(encoding="utf-8")
    assert "practice_big makes fewer errors than practice_small for 15 of the 20 speakers" in page


def test_the_held_out_speakers_are_listed(finished_study):
    name = "results/suggestions/demo/gender.halves.csv"
    table = read_csv(finished_study / name)
    metadata = pd.read_parquet(finished_study / "resources/demo/metadata.parquet")
    speakers = set(metadata["speaker"].astype(str))
    assert len(table)
    for _, split in table.groupby(["model", "search"]):
        assert set(split["speaker"]) == speakers
        assert split["half"].value_counts().to_dict() == {"first": 10, "second": 10}
    page = (finished_study / "results/report/demo/gender.html").read_text(encoding="utf-8")
    assert "With 16 searches in the study, the chance of a finding" in page
    assert f"are drawn with the seed 0 and listed in {name}" in page


def test_computed_columns_are_those_of_the_speech(finished_study):
    metadata = pd.read_parquet(finished_study / "resources/demo/metadata.parquet")
    assert metadata["pitch"].notna().mean() > 0.99
    pitch = (
        metadata[metadata["emotion"] == "neutral"]
        .groupby("gender", observed=True)["pitch"]
        .median()
    )
    assert pitch["male"] < 140 < pitch["female"]
    arousal = metadata["arousal"]
    assert [name.split()[0] for name in arousal.cat.categories] == ["low", "middle", "high"]
    assert arousal.value_counts().between(220, 250).all()
    shares = pd.crosstab(metadata["emotion"], arousal.astype(str).str.split().str[0])
    assert shares["high"].idxmax() in ("anger", "happiness", "fear")
    slices = pd.read_csv(finished_study / "results/slices/demo/gender/practice_small.csv")
    sounding = slices[slices["confirmed"] & (slices["search"] == "sound")]["rule"]
    assert sounding.str.contains("arousal = high").any()


def test_the_report_of_snakemake_contains_the_results(finished_study, demo_config, tmp_path):
    path = tmp_path / "made.html"
    # without a number of cores, as in the README
    snakemake(finished_study, "--report", path, configfiles=[demo_config], cores=None)
    page = path.read_text(encoding="utf-8")
    for words in (
        "Probability of the predicted class",
        "Size, real-time factor and latency",
        "trade-off",
    ):
        assert words in page


@pytest.mark.parametrize("task", ["gender", "age"])
def test_no_rough_rule_is_a_name(finished_study, task):
    """Rules with a precision or recall below 0.8 are no names in pages, views and tables."""
    for collect in (names_in_pages, names_in_views, names_in_tables):
        names = collect(finished_study, "demo", task)
        rough, rules = rough_names(finished_study, "demo", task, names)
        assert rough == [], collect.__name__
        assert rules > 5, collect.__name__
    assert rough_modes(finished_study, "demo", task) == []


def test_every_job_leaves_a_log(finished_study):
    for name in ("fetch_dataset/demo", "predict/demo/practice_big/0", "compare/demo/age"):
        assert (finished_study / "logs" / f"{name}.log").exists()
    log = (finished_study / "logs/predict/demo/practice_big/0.log").read_text(encoding="utf-8")
    assert "700/700" in log  # the bar


COMMAND = re.compile(rb"<code>snakemake results/report/[^<]*</code>")
"""The command that makes a report. It contains the places of the workflow and of the config."""


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(
            COMMAND.sub(b"", path.read_bytes())
        ).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file() and not path.name.startswith(".snakemake")
    }


def test_two_runs_give_the_same_bytes(finished_study, demo_config, tmp_path):
    study = shutil.copytree(finished_study, tmp_path / "again")
    before = digests(study)
    rerun = planned(study, "--forcerun", "predict", configfiles=[demo_config])
    assert {"predict", "suggest_slices", "make_report", "make_view"} <= {
        job.split()[0] for job in rerun
    }
    snakemake(study, "--forcerun", "predict", configfiles=[demo_config])
    assert digests(study) == before


def test_shards_change_no_prediction(finished_study, demo_config, tmp_path):
    study = tmp_path / "study"
    shutil.copytree(finished_study, study)
    config = yaml.safe_load(demo_config.read_text(encoding="utf-8"))
    config["datasets"]["demo"]["shard_hours"] = 0.1
    split = write_config(tmp_path / "split.yaml", config)
    target = "results/failures/demo/practice_small.csv"
    snakemake(study, target, configfiles=[split])
    folder = "results/predictions/demo/practice_small"
    shards = sorted((study / folder).iterdir())
    assert len(shards) > 2
    whole = read_predictions([str(finished_study / folder / "0.parquet")])
    pd.testing.assert_frame_equal(read_predictions([str(path) for path in shards]), whole)

    # an interrupted run goes on with the shards that are missing
    shards[1].unlink()
    (study / target).unlink()
    assert planned(study, target, configfiles=[split]) == [
        "gather_failures dataset=demo model=practice_small",
        "predict dataset=demo model=practice_small shard=1",
    ]

    # a run with fewer shards leaves nothing of the others
    snakemake(study, target, configfiles=[demo_config])
    assert [path.name for path in (study / folder).iterdir()] == ["0.parquet"]
    failures = study / "results/failures/demo/practice_small"
    assert [path.name for path in failures.iterdir()] == ["0.csv"]
    pd.testing.assert_frame_equal(read_predictions([str(study / folder / "0.parquet")]), whole)


def specified(path, task):
    """The specifications of the table at a path relative to the study."""
    return [
        spec
        for spec in TABLES
        if re.fullmatch(re.sub(r"\{\w+\}", r"[\\w-]+", spec.path.replace(".", r"\.")), path)
        and spec.task in ("both", task)
    ]


def test_every_table_is_as_docs_tables_specifies(finished_study):
    kinds, compared = {"gender": "classification", "age": "regression"}, set()
    for path in [*finished_study.rglob("*.csv"), *finished_study.rglob("*.parquet")]:
        name = path.relative_to(finished_study).as_posix()
        if name.startswith(("resources/demo/audio", "resources/demo/repository", ".snakemake")):
            continue
        task = next((kind for task, kind in kinds.items() if f"/{task}" in name), "both")
        specs = specified(name, task)
        if not specs:
            # tables of one shard, those that are made for pages, and an empty one
            shard = re.fullmatch(r"results/(failures|silence)/demo/\w+/0\.csv", name)
            page = re.fullmatch(r"results/(spotlight/.*|report/demo/\w+\.map\.csv)", name)
            assert shard or page or name == "results/metrics/demo/age.confusion.csv", name
            continue
        table = read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
        assert problems(table, specs[0]) == [], name
        compared.add(specs[0])
    # some targets are not part of all, and the study has neither babble nor long recordings
    alone = ("results/handover/", "results/collect/", "results/condition_audio/")
    alone += ("resources/{dataset}/talkers", "resources/{dataset}/segments")
    alone += ("resources/{dataset}/speech/", "results/recordings/")
    assert compared == {spec for spec in TABLES if not spec.path.startswith(alone)}
