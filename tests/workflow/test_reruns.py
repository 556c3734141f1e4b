"""Jobs that run again after an edit: of the embedded study, and of a small study whose code and
inputs are edited, too. Dry runs on finished studies are compared."""

import copy
import os
import shutil

import pandas as pd
import pytest
import yaml
from small_study import copy_workflow, study_config, write_data, write_models
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


REPORT = {"make_report", "make_index"}
CONDITIONS = {
    "score_in_conditions", "compare_conditions", "abstain_in_conditions", "score_in_probe",
    "judge_probes",
}  # fmt: skip
"""Rules on conditions and probes, which the small study does not have."""
OF_MODES = {"compare_conditions", "score_in_probe", "judge_probes"}
"""Those of them that depend on failure modes."""
SLICES = {
    "suggest_slices", "find_slices", "judge_searches", "find_modes", "compare", "abstain",
    "make_view",
} | OF_MODES | REPORT  # fmt: skip
METADATA = SLICES | {
    "read_metadata", "audit", "score", "score_references", "measure", "compare_speakers",
    "find_hints", "find_units", "check_models", "score_in_conditions", "abstain_in_conditions",
}  # fmt: skip
SCORES = METADATA - {"read_metadata", "audit", "score_references"}
UNCHECKED_SCORES = SCORES - {"check_models"} - CONDITIONS
"""Rules that depend on scores in the small study, which has no checks."""
RESAMPLED = {
    "compare", "compare_speakers", "abstain", "compare_conditions",
    "abstain_in_conditions",
} | REPORT  # fmt: skip


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
    assert rules(plan(lost, resamples=500)) == RESAMPLED


def test_notes_and_licences_remake_the_report_alone(plan):
    def edit(config):
        config["models"]["practice_big"]["note"] = "another note"

    assert rules(plan(edit)) == REPORT


def test_resamples_of_intervals(plan):
    def edit(config):
        config["resamples"] = 500

    assert rules(plan(edit)) == RESAMPLED


def test_slice_parameter(plan):
    def edit(config):
        config["searches"]["metadata"]["min_support"] = 20

    assert rules(plan(edit)) == SLICES


def test_labels_of_a_task_leave_inference_and_tables_of_the_other_task_alone(plan):
    def edit(config):
        config["tasks"]["gender"]["labels"] = ["male", "female"]

    jobs = plan(edit)
    assert rules(jobs) == SCORES | {"score_references"}
    # the searches of the whole study count in the report and the view of each task
    assert {job for job in jobs if "task=gender" not in job} == {
        "judge_searches", "make_report dataset=demo task=age", "make_view dataset=demo task=age",
        "make_index",
    }  # fmt: skip


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
            "find_modes dataset=demo task=gender",
            "find_hints dataset=demo task=gender",
            "find_units dataset=demo task=gender",
            "abstain dataset=demo task=gender",
            "measure dataset=demo task=gender",
            "compare dataset=demo task=gender",
            "compare_conditions dataset=demo task=gender",
            "score_in_probe dataset=demo task=gender model=practice_big probe=higher",
            "judge_probes dataset=demo task=gender",
            "compare_speakers dataset=demo task=gender",
            "judge_searches",
            # the searches of the whole study count in the report and the view of each task
            "make_report dataset=demo task=age",
            "make_report dataset=demo task=gender",
            "make_index",
            "make_view dataset=demo task=age",
            "make_view dataset=demo task=gender",
        ]
    )


def test_removed_model_infers_nothing(plan):
    def edit(config):
        del config["models"]["practice_big"]
        config["checks"] = []
        for key in ("conditions", "condition_models", "probes"):
            del config["datasets"]["demo"][key]

    others = {"measure", "compare_speakers", "find_hints", "find_units"}
    assert rules(plan(edit)) == SLICES - CONDITIONS | others


def test_new_metadata_column_fetches_and_infers_nothing(plan):
    def edit(config):
        config["datasets"]["demo"]["columns"]["sentence"] = {
            "table": "files",
            "column": "transcription",
        }

    assert rules(plan(edit)) == METADATA


def test_another_filter_of_a_download_fetches_the_dataset_again(plan):
    def edit(config):
        config["datasets"]["demo"]["filter"] = {"emotion": ["anger"]}

    # how many shards there will be, and so how many jobs, is known once they are split
    assert {"fetch_dataset", "list_utterances", "split_dataset"} <= rules(plan(edit))


def test_new_measured_column_measures_nothing_again(plan):
    def edit(config):
        config["datasets"]["demo"]["columns"]["noise"] = {"measure": "snr"}

    assert rules(plan(edit)) == METADATA


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


def test_another_check_computes_nothing_else(plan):
    def edit(config):
        config["checks"][0]["at_least"] = -0.02

    jobs = plan(edit)
    assert rules(jobs) == {"check_models"} | REPORT
    assert [job for job in jobs if "check" in job] == ["check_models dataset=demo task=gender"]


def test_subgroup_parameter_reruns_no_suggestions(plan):
    def edit(config):
        config["searches"]["subgroups"]["depth"] = 2

    assert rules(plan(edit)) == SLICES - {"suggest_slices"}


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("spotlight", "max_rows"), 7, {"make_view"}),
        (("report", "max_megabytes"), 3, REPORT),
        (("datasets", "demo", "note"), "another", REPORT),
        (("tasks", "age", "margin"), 1, RESAMPLED - {"abstain", "abstain_in_conditions"}),
        # abstention of the other task follows the searches of the whole study
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
    assert rules(jobs) - REPORT == {"measure_costs"}
    assert sum(job.startswith("measure_costs") for job in jobs) == 3


def test_another_size_of_shards_splits_and_scores_again(plan):
    def edit(config):
        config["datasets"]["demo"]["shard_hours"] = 0.1

    # how many shards there will be, and so how many jobs, is known once they are split
    assert {"split_dataset", "gather_failures", "score"} <= rules(plan(edit))
    assert not rules(plan(edit)) & {"fetch_dataset", "list_utterances", "fetch_model"}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture(scope="module")
def config(inputs):
    config = study_config(inputs)
    table = pd.read_csv(inputs / "voices.csv").assign(text=60_000 * "a")  # more than 1 MB
    table.to_csv(inputs / "voices.csv", index=False)
    return config


@pytest.fixture(scope="module")
def workflow(tmp_path_factory):
    return copy_workflow(tmp_path_factory.mktemp("workflow"))


@pytest.fixture(scope="module")
def study(tmp_path_factory, inputs, config, workflow):
    folder = tmp_path_factory.mktemp("study")
    path = write_config(inputs / "study.yaml", config)
    snakemake(folder, configfiles=[path], workflow=workflow)
    return folder


@pytest.fixture
def plan_small(study, config, inputs, workflow):
    """A function that plans the finished study with an edit of its config."""

    def with_edit(edit=lambda config: None, *arguments):
        edited = copy.deepcopy(config)
        edit(edited)
        path = write_config(inputs / "study.yaml", edited)
        return planned(study, *arguments, configfiles=[path], workflow=workflow)

    return with_edit


@pytest.fixture
def edited(workflow):
    """A function that edits a file of the workflow until the end of the test."""
    before = {}

    def edit(name, addition):
        path = workflow / name
        before[path] = path.read_bytes()
        path.write_bytes(before[path] + addition.encode())

    yield edit
    for path, content in before.items():
        path.write_bytes(content)


def test_edits_that_change_no_result_rerun_nothing(plan_small, inputs, workflow, edited):
    for path in [inputs / "voices.csv", *inputs.glob("audio/*"), *workflow.rglob("*.*")]:
        path.touch()
    edited("rules/captions/report.rst", "Another sentence.\n")
    arguments = ["--set-threads", "predict=1", "--set-resources", "predict:mem_mb=500"]
    # no utterance is as long as that
    assert plan_small(lambda config: config.update(longest_seconds=60), *arguments) == []


def test_another_comment_in_the_config(study, config, inputs, workflow):
    path = write_config(inputs / "study.yaml", config)
    path.write_text("# another comment\n" + path.read_text())
    assert planned(study, configfiles=[path], workflow=workflow) == []


@pytest.mark.parametrize(
    ("file", "addition", "expected"),
    [
        ("scripts/voxslice/report/page/report.html.j2", "<!-- another -->", REPORT),
        ("scripts/voxslice/report/answer.py", "\n", REPORT),
        ("scripts/voxslice/report/spotlight/tables.py", "# another comment\n", {"make_view"}),
        ("scripts/voxslice/slices/search.py", "# another comment\n", SLICES - CONDITIONS),
        ("scripts/compare.py", "# another comment\n", {"compare"} | REPORT),
        ("scripts/measure.py", "# another comment\n", {"measure"} | REPORT),
        (
            "scripts/voxslice/models/costs.py",
            "# another comment\n",
            {"measure_costs"} | REPORT,
        ),
        (
            "scripts/voxslice/scores/scores.py",
            "# another comment\n",
            UNCHECKED_SCORES | {"score_references"},
        ),
    ],
)
def test_an_edit_of_code_reruns_the_steps_that_use_it(plan_small, edited, file, addition, expected):
    edited(file, addition)
    assert rules(plan_small()) == expected


def test_address_of_a_model(plan_small, inputs):
    models = write_models(inputs / "moved", ["first"])

    def edit(config):
        config["models"]["first"] = models["first"]

    jobs = plan_small(edit)
    assert [job for job in jobs if not rules([job]) & SCORES] == [
        "fetch_model model=first",
        "gather_failures dataset=voices model=first",
        "measure_costs model=first",
        "predict dataset=voices model=first shard=0",
    ]


def test_checksum_of_a_model(plan_small):
    def edit(config):
        config["models"]["second"]["sha256"] = 64 * "0"

    jobs = plan_small(edit)
    assert {"fetch_model model=second", "predict dataset=voices model=second shard=0"} <= set(jobs)
    assert not any("model=first" in job for job in jobs if not rules([job]) & SCORES)


def test_classes_of_a_task(plan_small):
    jobs = plan_small(lambda config: config["tasks"]["gender"].update(exclude=["child"]))
    assert rules(jobs) == UNCHECKED_SCORES
    assert [job for job in jobs if job.startswith("score")] == [
        "score dataset=voices task=gender model=first",
        "score dataset=voices task=gender model=second",
    ]


def inference(jobs):
    return [job for job in jobs if rules([job]) & {"fetch_model", "predict", "measure_costs"}]


def test_a_task_that_reads_the_same_output_infers_nothing(plan_small):
    def edit(config):
        config["tasks"]["adult"] = config["tasks"]["gender"] | {"exclude": ["child"]}
        for model in config["models"].values():
            model["tasks"].append("adult")

    jobs = plan_small(edit)
    assert inference(jobs) == []
    assert "score dataset=voices task=adult model=first" in jobs


def test_a_task_that_reads_another_output_infers_its_models_again(plan_small):
    def edit(config):
        config["tasks"]["embedded"] = config["tasks"]["age"] | {"output": "hidden_states"}
        config["tasks"]["embedded"]["label"] = "hidden_states-1"
        config["models"]["second"]["tasks"].append("embedded")

    assert inference(plan_small(edit)) == ["predict dataset=voices model=second shard=0"]


def test_another_device(plan_small):
    jobs = plan_small(lambda config: config.update(device="cuda"))
    assert [job for job in jobs if job.startswith(("predict", "measure_costs", "fetch"))] == [
        "measure_costs model=first",
        "measure_costs model=second",
        "predict dataset=voices model=first shard=0",
        "predict dataset=voices model=second shard=0",
    ]


def test_new_dataset(plan_small, inputs):
    def edit(config):
        config["datasets"]["others"] = write_data(inputs / "others")

    jobs = plan_small(edit)
    assert "list_utterances dataset=others" in jobs
    # modes count only if their search holds in the study, which has more searches now
    judged = {"judge_searches", "abstain", "abstain_in_conditions", "make_view", *REPORT}
    others = [job for job in jobs if job.split()[0] not in judged]
    assert all("dataset=others" in job for job in others)


def test_a_changed_file_of_a_dataset(plan_small, inputs):
    path = inputs / "voices.csv"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"a0.wav,a,female,30", b"a0.wav,a,female,31"))
    try:
        jobs = plan_small()
    finally:
        path.write_bytes(before)
    assert "read_metadata dataset=voices" in jobs
    assert {"score", "measure", "make_report"} <= rules(jobs)
