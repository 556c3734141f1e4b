"""Jobs that a dry run plans on a finished study after an edit of its config."""

import copy
import os
import shutil

import pytest
import yaml
from small_study import copy_workflow
from snakemake_cli import ROOT, move, planned, snakemake, write_config

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def demo():
    return yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def plan(finished_study, demo, tmp_path):
    """Plan the embedded study with an edited config."""

    def with_edit(edit):
        config = copy.deepcopy(demo)
        edit(config)
        path = write_config(tmp_path / "demo.yaml", config)
        return planned(finished_study, configfiles=[path])

    return with_edit


def rules(jobs):
    return {job.split()[0] for job in jobs}


SLICES = {"suggest_slices", "find_slices", "compare", "make_report", "make_view"}
METADATA = SLICES | {"read_metadata", "score", "score_references", "measure"}


def test_nothing(plan):
    assert plan(lambda config: None) == []


def test_a_study_that_moves_to_another_machine(finished_study, demo, tmp_path):
    def plan(clone, *words, **edit):
        path = write_config(tmp_path / "demo.yaml", {**demo, **edit})
        return planned(clone, *words, configfiles=[path], workflow=clone)

    kept = copy_workflow(shutil.copytree(finished_study, tmp_path / "kept"))
    assert plan(kept) == []

    # files with new times are marked as up to date by --touch, as if all were too large to compare
    lost = copy_workflow(move(finished_study, tmp_path / "lost"))
    # a folder is known by its time alone, which Snakemake keeps in this file
    os.utime(lost / "resources/demo/audio/.snakemake_timestamp", (1_710_000_000,) * 2)
    assert "list_utterances" in rules(plan(lost))
    by_times = ["--max-checksum-file-size", "1"]
    path = write_config(tmp_path / "demo.yaml", demo)
    snakemake(lost, "--touch", *by_times, configfiles=[path], workflow=lost)
    assert plan(lost, *by_times) == []
    assert rules(plan(lost, resamples=500)) == {"measure", "compare", "make_report"}


def test_notes_and_licences_remake_the_report_alone(plan):
    def edit(config):
        config["models"]["practice_big"]["note"] = "another note"

    assert rules(plan(edit)) == {"make_report"}


def test_resamples_of_intervals(plan):
    def edit(config):
        config["resamples"] = 500

    assert rules(plan(edit)) == {"measure", "compare", "make_report"}


def test_slice_parameter(plan):
    def edit(config):
        config["searches"]["metadata"]["min_support"] = 20

    assert rules(plan(edit)) == SLICES


def test_labels_of_a_task_leave_inference_and_the_other_task_alone(plan):
    def edit(config):
        config["tasks"]["gender"]["labels"] = ["male", "female"]

    jobs = plan(edit)
    assert rules(jobs) == SLICES | {"score", "score_references", "measure"}
    assert all("task=gender" in job for job in jobs)


def test_new_model_touches_no_other_inference(plan, tmp_path, finished_study):
    folder = tmp_path / "model"
    shutil.copytree(finished_study / "resources/demo/models/small", folder)

    def edit(config):
        config["models"]["another"] = {
            "path": str(folder),
            "tasks": ["gender"],
            "license": "MIT",
        }

    # one job suggests the slices of all models of a task, so it runs again for all of them
    assert plan(edit) == sorted(
        [
            "fetch_model model=another",
            "measure_costs model=another",
            "predict dataset=demo model=another shard=0",
            "gather_failures dataset=demo model=another",
            "score dataset=demo task=gender model=another",
            "suggest_slices dataset=demo task=gender",
            "find_slices dataset=demo task=gender model=another",
            "find_slices dataset=demo task=gender model=practice_big",
            "find_slices dataset=demo task=gender model=practice_small",
            "measure dataset=demo task=gender",
            "compare dataset=demo task=gender",
            "make_report dataset=demo task=gender",
            "make_view dataset=demo task=gender",
        ]
    )


def test_removed_model_infers_nothing(plan):
    def edit(config):
        del config["models"]["practice_big"]

    assert rules(plan(edit)) == SLICES | {"measure"}


def test_new_metadata_column_fetches_and_infers_nothing(plan):
    def edit(config):
        config["datasets"]["demo"]["columns"]["sentence"] = {
            "table": "files",
            "column": "transcription",
        }

    assert rules(plan(edit)) == METADATA


def test_filter_of_a_download_fetches_again_what_it_keeps(plan):
    def edit(config):
        config["datasets"]["demo"]["filter"] = {"emotion": ["anger"]}

    # how many shards there will be, and so how many jobs, is known once they are split
    assert {"fetch_dataset", "list_utterances", "split_dataset"} <= rules(plan(edit))


def test_new_measured_column_measures_only_that(plan):
    def edit(config):
        config["datasets"]["demo"]["columns"]["noise"] = {"measure": "snr"}

    jobs = plan(edit)
    assert rules(jobs) == METADATA | {"measure_speech"}
    measured = [job for job in jobs if job.startswith("measure_speech")]
    assert measured == ["measure_speech dataset=demo measure=snr"]


def test_column_predicted_by_another_model_infers_nothing(plan):
    def edit(config):
        column = {"model": "practice_small", "label": "child"}
        config["datasets"]["demo"]["columns"]["childlike"] = column

    assert rules(plan(edit)) == METADATA


def test_another_embedding_output_infers_that_model_alone(plan):
    def edit(config):
        config["models"]["practice_emotion"]["embedding_output"] = "pooled"

    jobs = plan(edit)
    assert [job for job in jobs if job.startswith("predict")] == [
        "predict dataset=demo model=practice_emotion shard=0"
    ]


def test_an_embedding_that_no_search_reads_infers_nothing(plan):
    def edit(config):
        config["models"]["practice_small"]["embedding_output"] = "pooled"

    assert plan(edit) == []


def test_a_search_of_another_embedding_infers_that_model_alone(plan):
    def edit(config):
        search = {"finder": "sliceguard", "features": [], "embedding_of": "practice_big"}
        config["searches"]["voices"] = search

    jobs = plan(edit)
    assert [job for job in jobs if job.startswith("predict")] == [
        "predict dataset=demo model=practice_big shard=0"
    ]


def test_a_column_of_an_output_that_nothing_reads_infers_that_model_alone(plan):
    def edit(config):
        column = {"model": "practice_emotion", "label": "hidden_states-0"}
        config["datasets"]["demo"]["columns"]["hidden"] = column

    jobs = plan(edit)
    assert [job for job in jobs if job.startswith("predict")] == [
        "predict dataset=demo model=practice_emotion shard=0"
    ]


def test_subgroup_parameter_reruns_no_suggestions(plan):
    def edit(config):
        config["searches"]["subgroups"]["depth"] = 2

    assert rules(plan(edit)) == SLICES - {"suggest_slices"}


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("spotlight", "max_rows"), 7, {"make_view"}),
        (("report", "max_megabytes"), 3, {"make_report"}),
        (("datasets", "demo", "note"), "another", {"make_report"}),
        (("tasks", "age", "margin"), 1, {"compare", "make_report"}),
        (("tasks", "age", "min_drop"), 4, SLICES),
        (("searches", "embedding", "stability_seeds"), 0, SLICES),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else None,
)
def test_a_setting_reruns_the_rules_that_name_it(plan, place, value, expected):
    def edit(config):
        *path, last = place
        for key in path:
            config = config.setdefault(key, {})
        config[last] = value

    assert rules(plan(edit)) == expected


def test_another_measurement_of_costs_computes_nothing_else(plan):
    def edit(config):
        config["costs"]["durations"] = [1, 4]

    jobs = plan(edit)
    assert rules(jobs) - {"make_report"} == {"measure_costs"}
    assert sum(job.startswith("measure_costs") for job in jobs) == 3


def test_another_size_of_shards_splits_and_scores_again(plan):
    def edit(config):
        config["datasets"]["demo"]["shard_hours"] = 0.1

    # how many shards there will be, and so how many jobs, is known once they are split
    assert {"split_dataset", "gather_failures", "score"} <= rules(plan(edit))
    assert not rules(plan(edit)) & {"fetch_dataset", "list_utterances", "fetch_model"}
