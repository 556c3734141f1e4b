"""The recipes of both READMEs and of docs/models.md run as they are written, on a small study."""

import json
import re
import shutil

import audformat
import audonnx
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from small_inputs import LABELS, noise, publish, write_audio, write_model
from small_study import study_config
from snakemake_cli import ROOT, jobs_of, snakemake, write_config
from voxslice.models.transforms import folder_checksum

pytestmark = pytest.mark.workflow

README = "Your own study"
MODELS = ["Add a model", "Add predictions from elsewhere"]
COLUMNS_AND_TASK = ["Audit the data", "Add columns that are computed", "Add a task"]
DATASETS = ["Add a dataset"]
KINDS = [
    "Models of Hugging Face Transformers",
    "Models with a transform",
    "ONNX files",
    "Outputs with a time axis",
    "Windows",
]


def recipes():
    """The YAML blocks by heading, for headings with YAML blocks."""
    pages = ("README.md", "config/README.md", "docs/models.md")
    texts = [(ROOT / name).read_text("utf-8") for name in pages]
    text = "\n".join(texts)
    assert "--configfile config/config.yaml mine.yaml" in text
    sections = re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    found = {name: re.findall(r"```yaml\n(.*?)```", part, re.DOTALL) for name, part in sections}
    return {name: blocks for name, blocks in found.items() if blocks}


def test_no_recipe_is_left_out():
    assert sorted(recipes()) == sorted([README, *MODELS, *COLUMNS_AND_TASK, *DATASETS, *KINDS])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def follow(home):
    """A function that runs recipes: it writes their text to files beside the study."""

    def run(headings, *goals, more=(), checksum=None):
        files, found = [], recipes()
        for text in [*(block for name in headings for block in found[name]), *more]:
            # only the paths of files in the recipes, and the checksum of a file, are replaced
            text = text.replace("/home/me/", f"{home}/").replace("/data/", f"{home}/")
            if checksum:
                text = re.sub(r"sha256: [0-9a-f]{64}", f"sha256: {checksum}", text)
            files.append(home / f"mine{len(files)}.yaml")
            files[-1].write_text(text, encoding="utf-8")
        return jobs_of(snakemake(home, *goals, configfiles=[home / "study.yaml", *files]))

    return run


def name_files(home):
    """Name the files as emodb names them: the speaker, the text, and a letter for the emotion."""
    table = pd.read_csv(home / "voices.csv")
    letters = table["emotion"].map({"anger": "W", "neutral": "N"})
    numbers = table["speaker"].map({"a": "03", "b": "08", "c": "09", "d": "10"})
    names = numbers + "a0" + table["take"].astype(str) + letters + "a.wav"
    for old, new in zip(table["file"], names, strict=True):
        (home / "audio" / old).rename(home / "audio" / new)
    table.assign(file=names).to_csv(home / "voices.csv", index=False)


@pytest.fixture(scope="module")
def study(home):
    """A finished study with the ids and the names of files that the recipes use."""
    config = study_config(home)
    name_files(home)
    voices = config["datasets"].pop("voices")
    voices["columns"]["arousal"] = {"column": "take"}
    labels = {"logits": ["arousal", "dominance", "valence"]}
    emotion = {"path": str(write_model(home / "emotion", labels=labels)), "license": "MIT"}
    config["datasets"]["emodb"] = voices
    config["models"] = {"gender_age_small": config["models"]["first"], "emotion": emotion}
    snakemake(home, "predictions", configfiles=[write_config(home / "study.yaml", config)])
    return home


def test_models_predictions_computed_columns_and_tasks(study, follow):
    model = write_model(study / "models/mine")
    (study / "models/bare.onnx").write_bytes((model / "model.onnx").read_bytes())
    table = pd.read_csv(study / "voices.csv")
    (study / "tables").mkdir()
    theirs = pd.DataFrame({"file": table["file"], "gender": "male", "age": 40.0})
    theirs.assign(**{"gender.female": 0.2, "gender.male": 0.8}).to_csv(
        study / "tables/theirs.csv", index=False
    )
    results = study / "results"
    jobs = follow(
        [*MODELS, *COLUMNS_AND_TASK],
        "results/comparison/emodb/gender.csv",
        "results/metrics/emodb/arousal.csv",
        "results/metrics/emodb/adult.csv",
        "results/audit/emodb.csv",
        more=["tasks: {gender: {answer: {candidate: mine}}}"],  # the recipe names a model of emodb
    )
    assert [job for job in jobs if job.startswith(("predict ", "fetch_", "list_utterances"))] == [
        "fetch_model model=bare",
        "fetch_model model=mine",
        "predict dataset=emodb model=bare shard=0",
        "predict dataset=emodb model=bare_int8 shard=0",
        "predict dataset=emodb model=emotion shard=0",  # nothing has read its output before
        "predict dataset=emodb model=mine shard=0",
    ]
    comparison = pd.read_csv(results / "comparison/emodb/gender.csv")
    pairs = comparison[comparison["slice"] == "all"]
    models = {"gender_age_small", "mine", "bare", "bare_int8", "theirs"}
    assert {*pairs["model_a"], *pairs["model_b"]} == models | {"chance", "majority"}
    gates = pd.read_csv(results / "comparison/emodb/gender.gates.csv")
    assert set(zip(gates["model"], gates["source"], strict=True)) == {("bare_int8", "bare")}
    scores = pd.read_parquet(results / "scores/emodb/gender/theirs.parquet")
    assert (scores["p_male"] == 0.8).all() and (scores["prediction"] == "male").all()
    given = pd.read_parquet(results / "predictions/emodb/theirs/table.parquet")
    assert (given["age"] == 40).all()
    arousal = pd.read_csv(results / "metrics/emodb/arousal.csv").set_index(["model", "metric"])
    assert arousal.loc[("emotion", "mae"), ["n", "speakers"]].to_list() == [24, 4]
    adult = pd.read_csv(results / "metrics/emodb/adult.csv").set_index(["model", "metric"])
    assert adult.loc[("gender_age_small", "accuracy"), "n"] == 24
    scores = pd.read_parquet(results / "scores/emodb/adult/gender_age_small.parquet")
    assert "p_child" not in scores
    assert (scores["p_female"] + scores["p_male"]).to_numpy() == pytest.approx(1)
    searches = pd.read_csv(results / "slices/emodb/gender/mine.searches.csv")
    assert set(searches["search"]) == {"metadata", "sound"}
    metadata = pd.read_parquet(study / "resources/emodb/metadata.parquet")
    assert metadata["length"].to_numpy() == pytest.approx(0.3)
    assert "pitch" in metadata and metadata["valence"].nunique() == 3


def publish_database(home):
    """Publish a database in the repository that the recipe for audb names."""
    files = [f"wav/{number}.wav" for number in range(10)]
    for seed, file in enumerate(files):
        write_audio(home / "build" / file, noise(0.3, seed=seed))
    db = audformat.Database("mydata")
    speakers = pd.Index(["a", "b", "c"], name="speaker", dtype="string")
    db["speaker"] = audformat.MiscTable(speakers)
    db.schemes["gender"] = audformat.Scheme(labels=["female", "male"])
    db["speaker"]["gender"] = audformat.Column(scheme_id="gender")
    db["speaker"]["gender"].set(["female", "male", None])
    db.schemes["speaker"] = audformat.Scheme(labels="speaker", dtype="str")
    db["files"] = audformat.Table(audformat.filewise_index(files))
    db["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    db["files"]["speaker"].set([*"ababcababc"])
    publish(db, home / "build", home / "audb", "my-repository")


def test_datasets_from_a_table_and_from_audb(study, follow):
    publish_database(study)
    rows = []
    for number in range(12):
        write_audio(study / f"recordings/{number}.flac", noise(0.3, seed=number))
        sex = ["female", "male"][number % 2]
        rows.append([f"{number}.flac", f"{number % 4:02}", sex, "test" if number < 8 else "dev"])
    table = pd.DataFrame(rows, columns=["file", "speaker", "sex", "split"])
    table.to_csv(study / "mine.csv", index=False)
    datasets = {"mine": 4, "mydata": 2}
    goals = [f"results/metrics/{dataset}/gender.csv" for dataset in datasets]
    known = "datasets: {mydata: {filter: {gender: [female, male]}}}"
    jobs = follow(DATASETS, *goals, more=[known])
    assert [job for job in jobs if job.startswith(("predict ", "fetch_"))] == [
        "fetch_dataset dataset=mydata",
        "predict dataset=mine model=gender_age_small shard=0",
        "predict dataset=mydata model=gender_age_small shard=0",
    ]
    for dataset, speakers in datasets.items():
        metrics = pd.read_csv(study / f"results/metrics/{dataset}/gender.csv")
        assert set(metrics["model"]) == {"gender_age_small", "chance", "majority"}
        assert (metrics[["n", "speakers"]] == [8, speakers]).all(axis=None)
    metadata = pd.read_parquet(study / "resources/mine/metadata.parquet")
    assert set(metadata["split"]) == {"test"} and metadata["file"].iloc[0] == "0.flac"
    fetched = [path.name for path in (study / "resources/mydata").rglob("*.wav")]
    assert sorted(fetched) == [f"{number}.wav" for number in (0, 1, 2, 3, 5, 6, 7, 8)]


def test_the_study_of_the_readme(tmp_path):
    rows = []
    for number in range(12):
        write_audio(tmp_path / f"recordings/{number}.flac", noise(0.3, seed=number))
        sex, place = ["female", "male"][number % 2], ["home", "car"][number // 6]
        rows.append([f"{number}.flac", f"{number % 4:02}", sex, place])
    table = pd.DataFrame(rows, columns=["file", "speaker", "sex", "place"])
    table.to_csv(tmp_path / "mine.csv", index=False)
    write_model(tmp_path / "models/mine")
    (recipe,) = recipes()[README]
    path = tmp_path / "mine.yaml"
    path.write_text(recipe.replace("/home/me/", f"{tmp_path}/"), encoding="utf-8")
    snakemake(tmp_path, "slices", "metrics", configfiles=[path])
    metrics = pd.read_csv(tmp_path / "results/metrics/mine/gender.csv").set_index("model")
    assert (metrics.loc["mine", ["n", "speakers"]] == [12, 4]).all(axis=None)
    searches = pd.read_csv(tmp_path / "results/slices/mine/gender/mine.searches.csv")
    assert searches["search"].to_list() == ["metadata"]


def write_graph(path, nodes, length, outputs, stored=()):
    """Write an ONNX file with nodes that read `signal`."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, length])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in dict(stored).items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(proto, str(path))


def write_kinds(models):
    """Write one model of each kind, with the names of the recipes."""
    shutil.copytree(ROOT / "tests/data/hub/wav2vec2", models / "voices", dirs_exist_ok=True)
    quantize_dynamic(
        models / "voices/onnx/model.onnx",
        models / "voices/onnx/model_quantized.onnx",
        op_types_to_quantize=["MatMul"],
        weight_type=QuantType.QInt8,
    )
    path = write_model(models / "features") / "model.onnx"
    transform = audonnx.Function(lambda signal, sampling_rate: -signal)
    model = audonnx.Model(str(path), labels=LABELS, transform=transform)
    model.to_yaml(str(models / "features/model.yaml"))
    plain = write_model(models / "plain", labels={"gender": ["female", "male"]})
    shutil.copyfile(plain / "model.onnx", models / "mine.onnx")
    make = helper.make_node
    frames = [
        make("Unsqueeze", ["signal", "two"], ["hidden_states"]),
        make("Neg", ["hidden_states"], ["other"]),
        make("Concat", ["hidden_states", "other"], ["logits"], axis=2),
    ]
    outputs = {"logits": [1, "time", 2], "hidden_states": [1, "time", 1]}
    write_graph(models / "frames.onnx", frames, "time", outputs, {"two": np.array([2])})
    quality = [
        make("Abs", ["signal"], ["loud"]),
        make("ReduceMean", ["loud", "axis"], ["mean"]),
        make("MatMul", ["mean", "weights"], ["Identity:0"]),
    ]
    stored = {"axis": np.array([1]), "weights": np.array([[1, 2, 3]], np.float32)}
    write_graph(models / "sig_bak_ovr.onnx", quality, 144_160, {"Identity:0": [1, 3]}, stored)


def test_each_kind_of_model(study, follow):
    write_kinds(study / "models")
    names = ["features", "frames", "mine", "quality", "voices", "voices_int8"]
    goals = [f"resources/models/{name}/model.json" for name in names]
    jobs = follow(KINDS, *goals, checksum=folder_checksum(study / "models/features"))
    assert jobs == [f"fetch_model model={name}" for name in names]
    cards = {
        name: json.loads((study / f"resources/models/{name}/model.json").read_text())
        for name in names
    }
    assert cards["features"]["transform"]["classes"] == ["audonnx.core.function.Function"]
    assert cards["frames"]["outputs"] == {"logits": ["calm", "angry"], "hidden_states": [
        "hidden_states"]}  # fmt: skip
    assert cards["mine"]["outputs"]["gender"] == ["female", "male"]
    assert cards["quality"]["window"]["samples"] == 144_160
    assert cards["voices_int8"]["outputs"] == cards["voices"]["outputs"]
    assert cards["voices_int8"]["origin"].endswith("models/voices, model_quantized.onnx")
