"""Models with a transform: refused unless the config trusts the code, then run as by audonnx."""

import json
import shutil
from pathlib import Path

import audinterface
import audonnx
import audonnx.core.node
import numpy as np
import onnx
import pandas as pd
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import RunOptions
from small_inputs import RATE, noise, write_audio
from voxslice.errors import InputError
from voxslice.inference.predict import predict
from voxslice.models.costs import measure_costs
from voxslice.models.definition import read_definition
from voxslice.models.fetching import fetch_model
from voxslice.models.sessions import load, run
from voxslice.models.transforms import folder_checksum
from voxslice.models.variants import derive

LABELS = {"logits": ["calm", "angry"]}


def log_energy(signal, sampling_rate, bands=3):
    """Log power of bands of equal width, in frames of 20 ms: (bands, frames)."""
    import numpy as np

    size = sampling_rate // 50
    frames = max(1, signal.size // size)
    padded = np.resize(signal.ravel(), frames * size).reshape(frames, size)
    power = np.abs(np.fft.rfft(padded, axis=1)) ** 2
    parts = np.array_split(power, bands, axis=1)
    return np.log(np.stack([part.mean(axis=1) for part in parts]) + 1e-6).astype(np.float32)


def write_trusted(folder, transform=None):
    """Write an audonnx model of features of the shape (3, any), with a transform."""
    folder.mkdir(parents=True)
    weights = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["feature", "axis"], ["mean"], keepdims=0),
            helper.make_node("MatMul", ["mean", "weights"], ["flat"]),
            helper.make_node("Unsqueeze", ["flat", "zero"], ["logits"]),
        ],
        "features",
        [helper.make_tensor_value_info("feature", TensorProto.FLOAT, [3, "time"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
            numpy_helper.from_array(np.array([0], np.int64), "zero"),
        ],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(proto, str(folder / "model.onnx"))
    audonnx.Model(
        str(folder / "model.onnx"),
        labels=LABELS,
        transform=transform or audonnx.Function(log_energy, func_args={"bands": 3}),
    ).to_yaml(str(folder / "model.yaml"))
    return folder


@pytest.fixture
def source(tmp_path):
    return write_trusted(tmp_path / "source")


def fetch(source, target, **settings):
    fetch_model(
        {"path": str(source), "sampling_rate": RATE, **settings},
        target,
        download=False,
        record=target / "record.json",
        max_megabytes=100,
        max_minutes=1,
        max_seconds=60,
    )
    return json.loads((target / "model.json").read_text())


def trusted(source, target, **settings):
    return fetch(source, target, trust="transform", sha256=folder_checksum(source), **settings)


def refused(source, tmp_path, sentence, **settings):
    with pytest.raises(InputError) as error:
        fetch(source, tmp_path / "refused", **settings)
    assert sentence in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "refused" / "model.yaml").exists()
    return str(error.value)


def marking(signal, sampling_rate):
    """A transform that leaves a mark when it runs."""
    from pathlib import Path

    Path("mark").touch()
    return signal.reshape(1, -1)[:, :3].T


def test_code_runs_only_if_the_content_of_the_folder_is_trusted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = write_trusted(tmp_path / "source", audonnx.Function(marking))
    refused(source, tmp_path, "has a transform, which is not run (audonnx.core.function.F")
    message = refused(source, tmp_path, "read its model.yaml, and trust", trust="transform")
    checksum = folder_checksum(source)
    assert f"by adding sha256: {checksum} beside trust" in message
    wrong = {"trust": "transform", "sha256": "0" * 64}
    message = refused(source, tmp_path, "is not the one that the config trusts", **wrong)
    assert f"set sha256 to {checksum}" in message
    assert not Path("mark").exists()
    fetch(source, tmp_path / "model", trust="transform", sha256=checksum.upper())
    assert Path("mark").exists()


@pytest.mark.parametrize("change", ["another file", "other code", "another name", "other weights"])
def test_a_change_of_the_folder_has_to_be_trusted_again(tmp_path, source, change):
    checksum = folder_checksum(source)
    if change == "another file":
        (source / "inner").mkdir()
        (source / "inner" / "more.txt").touch()
    elif change == "other code":
        text = (source / "model.yaml").read_text()
        (source / "model.yaml").write_text(text.replace("1e-6", "1e-5"))
    elif change == "another name":
        (source / "model.onnx").rename(source / "other.onnx")
    else:
        with (source / "model.onnx").open("ab") as file:
            file.write(b"\0")
    assert folder_checksum(source) != checksum
    refused(source, tmp_path, "is not the one that", trust="transform", sha256=checksum)


def test_links_out_of_a_trusted_folder_are_refused(tmp_path, source):
    (tmp_path / "elsewhere").mkdir()
    for place in ("elsewhere", "source/../elsewhere"):
        (source / "link").symlink_to(tmp_path / place)
        refused(source, tmp_path, "has the link link, which leads out of it", trust="transform")
        (source / "link").unlink()
    (source / "link").symlink_to(source / "other")
    (source / "other").symlink_to(source / "link")
    refused(source, tmp_path, "has the link link, which leads out of it", trust="transform")


@pytest.mark.parametrize(
    "arguments",
    [
        {"labels": {"$audonnx.Model": {"path": "x"}}},
        {"device": {"$audonnx.Model": {"path": "x"}}},
        {"unknown": 1},
        {"path": "../model.onnx"},
    ],
)
def test_only_the_transform_is_trusted(tmp_path, source, arguments):
    document = yaml.safe_load((source / "model.yaml").read_text())
    [own] = document.values()
    (source / "model.yaml").write_text(yaml.safe_dump({next(iter(document)): {**own, **arguments}}))
    shutil.copyfile(source / "model.onnx", tmp_path / "model.onnx")
    with pytest.raises(InputError):
        trusted(source, tmp_path / "refused")


def test_code_in_other_files_is_not_run(tmp_path, source, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("transform.yaml", "labels.yaml"):
        text = yaml.safe_dump(audonnx.Function(marking).to_dict())
        (source / name).write_text(text)
    trusted(source, tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "model.json", "model.onnx", "model.yaml",
    ]  # fmt: skip
    assert not Path("mark").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("!!python/object/apply:os.system ['true']", "the tag"),
        ("&a [*a, *a]", "the alias"),
        ("[" + "[" * 100 + "]" * 100 + "]", "more than 50 levels"),
        ("[" + "x, " * 300_000 + "x]", "more than 200,000 keys and values"),
    ],
)
def test_the_yaml_of_a_trusted_folder_is_plain_and_bounded(tmp_path, source, text, sentence):
    with (source / "model.yaml").open("a") as file:
        file.write(f"  sampling_rate: {text}\n")
    with pytest.raises(InputError, match=sentence):
        trusted(source, tmp_path / "refused")


def test_a_model_without_a_transform_needs_no_trust(tmp_path, source):
    document = yaml.safe_load((source / "model.yaml").read_text())
    del next(iter(document.values()))["transform"]
    (source / "model.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(InputError, match="has no transform: remove trust from the model"):
        trusted(source, tmp_path / "refused")


def test_a_missing_package_is_named(tmp_path, source):
    document = yaml.safe_load((source / "model.yaml").read_text())
    next(iter(document.values()))["transform"] = {"$nowhere.core.Transform==1.0.0": {"size": 3}}
    (source / "model.yaml").write_text(yaml.safe_dump(document))
    with pytest.raises(InputError, match="needs the Python package nowhere, which is missing"):
        trusted(source, tmp_path / "refused")


def test_the_card_names_the_code_and_the_folder(tmp_path, source):
    card = trusted(source, tmp_path / "model")
    assert card["sha256"] == folder_checksum(source)
    assert card["transform"] == {
        "classes": ["audonnx.core.function.Function"],
        "sampling_rate": RATE,
    }
    assert card["outputs"] == LABELS


def outputs(folder, signal, **settings):
    return run(load(folder, threads=1), signal, ["logits"], RunOptions(), **settings)["logits"]


@pytest.mark.parametrize("rate", [8000, RATE])
def test_outputs_are_those_of_audonnx_and_audinterface(tmp_path, source, rate):
    trusted(source, tmp_path / "model", sampling_rate=rate)
    model = audonnx.load(str(source))
    process = audinterface.Process(process_func=model, sampling_rate=rate)
    for seconds in (0.01, 0.5, 2.3):
        signal = noise(seconds, rate=rate)[np.newaxis]
        before = signal.copy()
        found = outputs(tmp_path / "model", signal, sampling_rate=rate)
        np.testing.assert_array_equal(found, model(signal, rate))
        np.testing.assert_array_equal(found, process.process_signal(signal, rate).iloc[0])
        np.testing.assert_array_equal(signal, before)


def test_a_class_of_a_package_is_a_transform(tmp_path, monkeypatch):
    """A transform like opensmile.Smile: an object that audobject writes by its class."""
    package = tmp_path / "packages" / "mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import audobject, numpy as np\n"
        "__version__ = '1.0.0'\n"
        "class Energy(audobject.Object):\n"
        "    def __init__(self, bands):\n"
        "        self.bands = bands\n"
        "    def __call__(self, signal, sampling_rate):\n"
        "        return np.full((self.bands, 1), (signal ** 2).mean())\n"  # float64
    )
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    import mine

    source = write_trusted(tmp_path / "source", mine.Energy(3))
    card = trusted(source, tmp_path / "model")
    assert card["transform"]["classes"] == ["mine.Energy"]
    signal = noise(0.5)[np.newaxis]
    value = (signal**2).mean()
    weights = numpy_helper.to_array(onnx.load(str(source / "model.onnx")).graph.initializer[0])
    np.testing.assert_allclose(
        outputs(tmp_path / "model", signal)[0], np.float32(value) * weights.sum(axis=0), rtol=1e-5
    )


def test_predictions_use_the_transform(tmp_path, source):
    trusted(source, tmp_path / "model")
    model = audonnx.load(str(source))
    files = [f"{number}.wav" for number in range(6)]
    for seed, file in enumerate(files):
        write_audio(tmp_path / "audio" / file, noise(0.2 + seed / 10, seed=seed) / (seed + 1))
    lengths = [0.2 + seed / 10 for seed in range(6)]
    table = pd.DataFrame({"file": files, "start": 0.0, "end": lengths})
    predict(
        table,
        audio=tmp_path / "audio",
        model=tmp_path / "model",
        embedding_output=None,
        sampling_rate=RATE,
        threads=3,
        device="cpu",
        predictions=tmp_path / "found.parquet",
        failures=tmp_path / "failures.csv",
        silence=tmp_path / "silence.csv",
    )
    found = pd.read_parquet(tmp_path / "found.parquet")
    assert len(pd.read_csv(tmp_path / "failures.csv")) == 0
    process = audinterface.Process(process_func=model, sampling_rate=RATE)
    paths = [str(tmp_path / "audio" / file) for file in files]
    expected = np.stack([np.ravel(value) for value in process.process_files(paths)])
    np.testing.assert_allclose(found[["calm", "angry"]], expected, rtol=1e-5)


def test_a_transform_that_fails_is_named(tmp_path):
    def picky(signal, sampling_rate):
        import numpy as np

        if signal.shape[1] < 8000:
            raise ValueError("too short for this")
        return np.ones((3, 4), np.float32)

    source = write_trusted(tmp_path / "source", audonnx.Function(picky))
    trusted(source, tmp_path / "model")
    with pytest.raises(ValueError, match="too short for this"):
        outputs(tmp_path / "model", noise(0.1)[np.newaxis])


def test_windows_are_cut_before_the_transform(tmp_path, source):
    window = {"seconds": 0.5, "pool": "mean", "pad": "repeat"}
    trusted(source, tmp_path / "model", window=window)
    signal = noise(1.0)[np.newaxis]
    from voxslice.models.sessions import windows_of

    found = outputs(tmp_path / "model", signal, windows=windows_of(tmp_path / "model"))
    model = audonnx.load(str(source))
    parts = [model(signal[:, :8000], RATE), model(signal[:, 8000:], RATE)]
    np.testing.assert_allclose(found, np.mean(parts, axis=0), rtol=1e-6)


@pytest.mark.slow
def test_variants_and_costs_run_the_transform(tmp_path, source):
    trusted(source, tmp_path / "model", sampling_rate=8000)
    derive(tmp_path / "model", tmp_path / "variant", quantize="fp16", origin="model")
    card = json.loads((tmp_path / "variant" / "model.json").read_text())
    assert card["transform"]["sampling_rate"] == 8000
    assert read_definition(tmp_path / "variant", trusted=True).transform is not None
    signal = noise(0.5, rate=8000)[np.newaxis]
    own, expected = (
        outputs(tmp_path / name, signal, sampling_rate=8000) for name in ("variant", "model")
    )
    assert 0 < np.abs(own - expected).max() < 0.01 * np.abs(expected).max()
    costs = measure_costs(
        tmp_path / "model",
        threads=[1],
        device="cpu",
        sampling_rate=8000,
        durations=[0.1],
        warm_up=0,
        repetitions=1,
        seconds=0,
        seed=0,
        max_seconds=60,
    )
    assert len(costs) == 1
