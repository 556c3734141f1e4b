"""A study with conditions: what it writes, and which jobs run again after an edit."""

import copy

import pandas as pd
import pytest
import soundfile
from small_inputs import noise, write_audio
from small_study import study_config
from snakemake_cli import jobs_of, planned, snakemake, write_config
from voxslice.conditions.scores import separated

pytestmark = pytest.mark.workflow


SCORES = "results/condition_scores/voices/gender/first.parquet"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study with four conditions of one model and task: its folder and its config."""
    folder = tmp_path_factory.mktemp("conditions")
    config = study_config(folder)
    del config["tasks"]["age"], config["models"]["second"]
    config["models"]["first"]["tasks"] = ["gender"]
    write_audio(folder / "noises/one.wav", noise(1, seed=7))
    config["conditions"] = {
        "same": {"gain": 0},
        "talk": {"noise": "babble", "snr": 5},
        "hall": {"room": 0.1},
        "street": {"noise": str(folder / "noises"), "snr": 5},
    }
    config["datasets"]["voices"]["conditions"] = list(config["conditions"])
    path = write_config(folder / "study.yaml", config)
    snakemake(folder, SCORES, "results/condition_audio/voices/talk", configfiles=[path])
    return folder, config


def test_scores_are_those_of_clean_audio_if_nothing_changes(study):
    folder, config = study
    clean = pd.read_parquet(folder / "results/scores/voices/gender/first.parquet")
    table = pd.read_parquet(folder / SCORES)
    assert list(table["condition"].unique()) == list(config["conditions"])
    scores = separated(table, config["conditions"])
    assert scores["same"].equals(clean)
    for name, table in scores.items():
        assert list(table.columns) == list(clean.columns)
        assert table["file"].equals(clean["file"])
        assert (name == "same") == table["p_female"].equals(clean["p_female"])


def test_audio_is_written_for_listening_on_demand(study):
    folder, _ = study
    place = folder / "results/condition_audio/voices/talk"
    written = pd.read_csv(place / "utterances.csv")
    assert len(written) == 24
    assert written["reason"].isna().all()
    for name in written["written"]:
        info = soundfile.info(place / name)
        assert (info.samplerate, info.frames) == (16000, 4800)
    assert [path.name for path in place.parent.iterdir()] == ["talk"]


def test_a_check_on_conditions_reads_their_scores(study, tmp_path):
    folder, config = study
    check = {"model": "first", "on": {"condition": "each"}, "metric": "accuracy", "above": 0.5}
    path = write_config(tmp_path / "checks.yaml", config | {"checks": [check]})
    target = "results/checks/voices/gender.csv"
    process = snakemake(folder, target, configfiles=[path])
    assert jobs_of(process) == ["check_models dataset=voices task=gender"]
    table = pd.read_csv(folder / target).set_index("group")
    losses = pd.read_parquet(folder / SCORES).groupby("condition")["loss"].mean()
    for name in config["conditions"]:
        assert table.loc[f"condition {name}", "value"] == pytest.approx(1 - losses[name])


def replanned(study, tmp_path, edit):
    folder, config = study
    config = copy.deepcopy(config)
    edit(config)
    path = write_config(tmp_path / "edited.yaml", config)
    return planned(folder, SCORES, configfiles=[path])


def test_nothing_runs_again_without_an_edit(study, tmp_path):
    assert replanned(study, tmp_path, lambda config: None) == []


def jobs_of_condition(condition):
    return [
        f"predict_in_condition dataset=voices model=first condition={condition} shard=0",
        "score_in_conditions dataset=voices task=gender model=first",
    ]


def jobs_in_conditions(jobs):
    return [job for job in jobs if "_in_condition" in job]


def test_an_edited_condition_runs_alone(study, tmp_path):
    def edit(config):
        config["conditions"]["talk"]["snr"] = 0

    jobs = replanned(study, tmp_path, edit)
    assert jobs_in_conditions(jobs) == jobs_of_condition("talk")


def test_a_new_condition_runs_alone(study, tmp_path):
    def edit(config):
        config["conditions"]["quiet"] = {"gain": -20}
        config["datasets"]["voices"]["conditions"].append("quiet")

    jobs = replanned(study, tmp_path, edit)
    assert jobs_in_conditions(jobs) == jobs_of_condition("quiet")


def test_other_metadata_run_no_model_again(study, tmp_path):
    def edit(config):
        del config["datasets"]["voices"]["columns"]["take"]
        config["searches"]["metadata"]["features"].remove("take")

    jobs = replanned(study, tmp_path, edit)
    assert "read_metadata dataset=voices" in jobs
    assert not any(job.startswith("predict") for job in jobs)


def test_a_new_recording_of_noise_runs_its_condition_again(study, tmp_path):
    folder, _ = study
    write_audio(folder / "noises/two.wav", noise(1, seed=8))
    jobs = replanned(study, tmp_path, lambda config: None)
    assert jobs_in_conditions(jobs) == jobs_of_condition("street")
