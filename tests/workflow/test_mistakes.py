"""A mistake is reported in one sentence that tells what to change, without a traceback."""

import copy
import re
import shutil
import zipfile

import onnx
import pytest
import yaml
from small_inputs import write_model
from small_study import study_config
from snakemake_cli import ROOT, snakemake, write_config

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module")
def demo():
    return yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))


def fail(folder, config, *targets):
    """Run a study that must fail, and return its output."""
    path = write_config(folder / "study.yaml", config)
    process = snakemake(folder, *targets, configfiles=[path], check=False)
    assert process.returncode != 0
    assert "Traceback" not in process.stdout
    return process.stdout


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seeds": 1}, "'seeds' was unexpected"),
        ({"seed": "one"}, "seed: 'one' is not of type 'integer'"),
        ({"tasks": {"sex": {"type": "guess"}}}, "tasks.sex.type: 'guess' is not one of"),
        ({"models": {"Big Model": {}}}, "lower case letters, digits, hyphen and underscore"),
    ],
)
def test_config(tmp_path, demo, change, sentence):
    output = fail(tmp_path, {**demo, **change}, "--dry-run")
    assert "Mistake in the config: " in output
    assert sentence in output
    assert output.count("\n") < 5


def test_unknown_column(tmp_path, demo):
    config = copy.deepcopy(demo)
    config["tasks"]["gender"]["target"] = "sex"
    output = fail(tmp_path, config, "--dry-run")
    assert (
        "no dataset has the column 'sex'; the columns are age, arousal, bandwidth, emotion, gender,"
        in output
    )


def test_version_that_does_not_exist(tmp_path, demo, finished_study):
    config = copy.deepcopy(demo)
    source = config["datasets"]["demo"]["audb"]
    source["version"] = "9.9.9"
    source["repositories"][0]["host"] = str(finished_study / "resources/demo/repository")
    output = fail(tmp_path, config, "datasets")
    assert "Error: The dataset demo 9.9.9 does not exist in the repositories" in output
    assert "demo has the versions 1.0.0; change the dataset's name, version or" in output


def test_table_that_does_not_exist(tmp_path, demo, finished_study):
    config = copy.deepcopy(demo)
    config["datasets"]["demo"]["table"] = "emotions"
    host = str(finished_study / "resources/demo/repository")
    config["datasets"]["demo"]["audb"]["repositories"][0]["host"] = host
    output = fail(tmp_path, config, "datasets")
    assert "no table in the database demo called 'emotions'" in output


@pytest.fixture
def one_model(demo):
    """A function that returns the config of a study with the given model."""

    def config(model):
        return {**copy.deepcopy(demo), "models": {**demo["models"], "mine": model}}

    return config


TARGET = "resources/models/mine/model.json"


def test_archive_that_is_not_a_zip(tmp_path, one_model):
    archive = tmp_path / "model.zip"
    archive.write_text("<html>Not found</html>")
    output = fail(tmp_path, one_model({"url": archive.as_uri(), "license": "MIT"}), TARGET)
    assert f"Error: {archive.as_uri()} is not a readable zip archive" in output


def test_wrong_checksum(tmp_path, one_model):
    archive = tmp_path / "model.zip"
    archive.write_bytes(b"something")
    model = {"url": archive.as_uri(), "sha256": "0" * 64, "license": "MIT"}
    output = fail(tmp_path, one_model(model), TARGET)
    assert "but the config has 0000" in output
    assert not (tmp_path / "resources/models/mine").exists() or not any(
        (tmp_path / "resources/models/mine").iterdir()
    )


def test_download_that_changed(tmp_path, one_model, finished_study):
    archive, source = tmp_path / "model.zip", finished_study / "resources/demo/models/small"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(source / "model.onnx", "model.onnx")
        file.write(source / "model.yaml", "model.yaml")
    config = one_model({"url": archive.as_uri(), "license": "MIT"})
    path = write_config(tmp_path / "study.yaml", config)
    snakemake(tmp_path, TARGET, configfiles=[path])
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("more.txt", "more")
    output = fail(tmp_path, config, TARGET, "--forcerun", "fetch_model")
    assert "has changed" in output
    assert "resources/checksums/mine.json" in output


def test_model_that_does_not_load(tmp_path, one_model, finished_study):
    shutil.copytree(finished_study / "resources/demo/models/small", tmp_path / "model")
    (tmp_path / "model/model.onnx").write_bytes(b"no model")
    model = {"path": str(tmp_path / "model"), "license": "MIT"}
    output = fail(tmp_path, one_model(model), TARGET)
    assert re.search(
        "Error: The model from .* is not a readable ONNX file .*: export it again", output
    )


def test_model_of_another_rate(tmp_path):
    config = study_config(tmp_path)
    del config["models"]["second"]
    path = write_model(tmp_path / "model") / "model.onnx"
    proto = onnx.load(str(path))
    proto.metadata_props.add(key="sampling_rate", value="8000")
    onnx.save(proto, str(path))
    config["models"]["first"] = {
        "path": str(path.parent), "tasks": ["gender", "age"], "license": "MIT"
    }  # fmt: skip
    output = fail(tmp_path, config, "predictions")
    assert (
        "Error: The model first expects 8000 Hz but would be given 16000 Hz: set"
        " models.first.sampling_rate to 8000." in output
    )


def test_model_without_the_output_of_its_task(tmp_path, demo, finished_study):
    study = shutil.copytree(finished_study, tmp_path / "study", symlinks=True)
    config = copy.deepcopy(demo)
    config["tasks"]["gender"]["output"] = "logits_sex"
    output = fail(study, config, "scores")
    assert "has no output 'logits_sex', but hidden_states, logits_age, logits_gender" in output
    # what does not depend on the mistake is not lost
    assert (study / "results/scores/demo/age/practice_small.parquet").exists()


def test_a_missing_gpu_is_an_error_and_the_processor_is_not_used(tmp_path, demo, finished_study):
    folder = tmp_path / "study"
    shutil.copytree(finished_study, folder)
    output = fail(
        folder, {**demo, "device": "cuda"}, "results/predictions/demo/practice_small/0.parquet"
    )
    assert "gpu=1" in output
    assert (
        "Error: The config asks for device: cuda, but the installed onnxruntime supports no"
        in output
    )


def test_several_gpus_of_a_machine_are_refused(tmp_path, demo):
    path = write_config(tmp_path / "gpu.yaml", {**demo, "device": "cuda"})
    several = ["--dry-run", "models", "--resources", "gpu=4"]
    refused = snakemake(tmp_path, *several, configfiles=[path], check=False)
    assert refused.returncode != 0
    assert "A machine counts as one GPU" in refused.stdout and "Traceback" not in refused.stdout
    # of all machines together, as on a cluster, there may be several
    snakemake(tmp_path, *several, "--set-resource-scopes", "gpu=global", configfiles=[path])
