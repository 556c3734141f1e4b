"""Jobs that run again after an edit of the config, the code or an input of a finished study."""

import copy

import pandas as pd
import pytest
from small_study import copy_workflow, study_config, write_data, write_models
from snakemake_cli import planned, snakemake, write_config

pytestmark = pytest.mark.workflow

REPORT = {"make_report"}
SLICES = {"find_slices", "compare", "make_report", "make_view"}
SCORES = SLICES | {"score", "measure", "suggest_slices"}


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
def plan(study, config, inputs, workflow):
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


def rules(jobs):
    return {job.split()[0] for job in jobs}


def test_what_changes_no_result_reruns_nothing(plan, inputs, workflow, edited):
    for path in [inputs / "voices.csv", *inputs.glob("audio/*"), *workflow.rglob("*.*")]:
        path.touch()
    edited("rules/captions/report.rst", "Another sentence.\n")
    arguments = ["--set-threads", "predict=1", "--set-resources", "predict:mem_mb=500"]
    # no utterance is as long as that
    assert plan(lambda config: config.update(longest_seconds=60), *arguments) == []


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
        ("scripts/voxslice/slices/search.py", "# another comment\n", SLICES | {"suggest_slices"}),
        ("scripts/compare.py", "# another comment\n", {"compare", "make_report"}),
        ("scripts/measure.py", "# another comment\n", {"measure", "make_report"}),
        (
            "scripts/voxslice/models/costs.py",
            "# another comment\n",
            {"measure_costs", "make_report"},
        ),
        ("scripts/voxslice/scores/scores.py", "# another comment\n", SCORES | {"score_references"}),
    ],
)
def test_an_edit_of_code_reruns_what_uses_it(plan, edited, file, addition, expected):
    edited(file, addition)
    assert rules(plan()) == expected


def test_address_of_a_model(plan, inputs):
    models = write_models(inputs / "moved", ["first"])

    def edit(config):
        config["models"]["first"] = models["first"]

    jobs = plan(edit)
    assert [job for job in jobs if not rules([job]) & SCORES] == [
        "fetch_model model=first",
        "gather_failures dataset=voices model=first",
        "measure_costs model=first",
        "predict dataset=voices model=first shard=0",
    ]


def test_checksum_of_a_model(plan):
    def edit(config):
        config["models"]["second"]["sha256"] = 64 * "0"

    jobs = plan(edit)
    assert {"fetch_model model=second", "predict dataset=voices model=second shard=0"} <= set(jobs)
    assert not any("model=first" in job for job in jobs if not rules([job]) & SCORES)


def test_classes_of_a_task(plan):
    jobs = plan(lambda config: config["tasks"]["gender"].update(exclude=["child"]))
    assert rules(jobs) == SCORES
    assert [job for job in jobs if job.startswith("score")] == [
        "score dataset=voices task=gender model=first",
        "score dataset=voices task=gender model=second",
    ]


def inference(jobs):
    return [job for job in jobs if rules([job]) & {"fetch_model", "predict", "measure_costs"}]


def test_a_task_that_reads_the_same_output_infers_nothing(plan):
    def edit(config):
        config["tasks"]["adult"] = config["tasks"]["gender"] | {"exclude": ["child"]}
        for model in config["models"].values():
            model["tasks"].append("adult")

    jobs = plan(edit)
    assert inference(jobs) == []
    assert "score dataset=voices task=adult model=first" in jobs


def test_a_task_that_reads_another_output_infers_its_models_again(plan):
    def edit(config):
        config["tasks"]["embedded"] = config["tasks"]["age"] | {"output": "hidden_states"}
        config["tasks"]["embedded"]["label"] = "hidden_states-1"
        config["models"]["second"]["tasks"].append("embedded")

    assert inference(plan(edit)) == ["predict dataset=voices model=second shard=0"]


def test_another_device(plan):
    jobs = plan(lambda config: config.update(device="cuda"))
    assert [job for job in jobs if job.startswith(("predict", "measure_costs", "fetch"))] == [
        "measure_costs model=first",
        "measure_costs model=second",
        "predict dataset=voices model=first shard=0",
        "predict dataset=voices model=second shard=0",
    ]


def test_new_dataset(plan, inputs):
    def edit(config):
        config["datasets"]["others"] = write_data(inputs / "others")

    jobs = plan(edit)
    assert "list_utterances dataset=others" in jobs
    assert all("dataset=others" in job for job in jobs)


def test_a_changed_file_of_a_dataset(plan, inputs):
    path = inputs / "voices.csv"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"a0.wav,a,female,30", b"a0.wav,a,female,31"))
    try:
        jobs = plan()
    finally:
        path.write_bytes(before)
    assert "read_metadata dataset=voices" in jobs
    assert {"score", "measure", "make_report"} <= rules(jobs)
