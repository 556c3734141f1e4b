"""Windows: how signals are cut, and models that take a signal of a fixed length."""

import json

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper
from onnxruntime import RunOptions
from small_inputs import RATE, noise, write_audio
from voxslice.errors import InputError
from voxslice.inference.predict import predict
from voxslice.models.costs import measure_costs
from voxslice.models.fetching import fetch_model
from voxslice.models.sessions import load, run, windows_of
from voxslice.models.variants import derive
from voxslice.models.windows import Windows


def windows(samples, hop, pool="mean", pad="repeat"):
    return Windows(samples, hop, pool, pad)


@pytest.mark.parametrize(
    ("length", "pad", "expected"),
    [
        (4, "repeat", [[0, 1, 2, 3]]),
        (2, "repeat", [[0, 1, 0, 1]]),
        (3, "zeros", [[0, 1, 2, 0]]),
        (5, "zeros", [[0, 1, 2, 3], [3, 4, 0, 0]]),
        (7, "repeat", [[0, 1, 2, 3], [3, 4, 5, 6]]),
        (8, "repeat", [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 0, 1]]),
        (1, "repeat", [[0, 0, 0, 0]]),
    ],
)
def test_each_sample_is_in_a_window(length, pad, expected):
    signal = np.arange(length, dtype=np.float32)[np.newaxis]
    assert windows(4, 3, pad=pad).cut(signal).tolist() == expected


@pytest.mark.parametrize("seed", range(20))
def test_windows_begin_at_multiples_of_the_hop(seed):
    generator = np.random.default_rng(seed)
    samples, hop, length = generator.integers(1, 50, 3)
    signal = generator.normal(size=(1, length)).astype(np.float32)
    found = windows(int(samples), int(hop)).cut(signal)
    assert found.shape[1] == samples
    assert len(found) == 1 or (len(found) - 2) * hop + samples < length
    for number, window in enumerate(found):
        inside = signal[0, number * hop : number * hop + samples]
        np.testing.assert_array_equal(window[: len(inside)], inside)


@pytest.mark.parametrize("pool", ["mean", "max", "median"])
def test_outputs_of_windows_are_pooled(pool):
    values = [np.array([[1, 5]]), np.array([[2, 3]]), np.array([[6, 1]])]
    expected = getattr(np, pool)(np.array([[1, 5], [2, 3], [6, 1]]), axis=0)
    np.testing.assert_array_equal(windows(1, 1, pool).merge(values), [expected])
    assert windows(1, 1, pool).merge(values[:1]) is values[0]


def test_settings_are_in_seconds():
    settings = {"seconds": 9.01, "pool": "mean", "pad": "zeros"}
    assert Windows.from_settings(settings, 16000) == Windows(144160, 144160, "mean", "zeros")
    assert Windows.from_settings(settings | {"hop": 1}, 16000).hop == 16000


def write_fixed(path, samples=4000, batch="batch"):
    """Write a model of one length, whose output is the mean of the first and last 100 samples."""
    nodes = [
        helper.make_node("Slice", ["signal", "zero", "hundred", "one"], ["first"]),
        helper.make_node("ReduceMean", ["first", "one"], ["a"]),
        helper.make_node("Slice", ["signal", "late", "end", "one"], ["last"]),
        helper.make_node("ReduceMean", ["last", "one"], ["b"]),
        helper.make_node("Concat", ["a", "b"], ["ends"], axis=1),
    ]
    numbers = {"zero": 0, "one": 1, "hundred": 100, "late": samples - 100, "end": samples}
    graph = helper.make_graph(
        nodes,
        "fixed",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [batch, samples])],
        [helper.make_tensor_value_info("ends", TensorProto.FLOAT, [batch, 2])],
        [helper.make_tensor(name, TensorProto.INT64, [1], [n]) for name, n in numbers.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(proto, str(path))
    return path


def fetch(path, target, **source):
    fetch_model(
        {"onnx": str(path), "outputs": {"ends": ["early", "late"]}, "sampling_rate": RATE} | source,
        target,
        download=False,
        record=target / "record.json",
        max_megabytes=100,
        max_minutes=1,
        max_seconds=60,
    )


WINDOW = {"seconds": 0.25, "hop": 0.125, "pool": "mean", "pad": "zeros"}


def expected_ends(signal):
    starts = range(0, max(1, len(signal) - 4000 + 2000), 2000)
    parts = [np.pad(signal[s : s + 4000], (0, max(0, s + 4000 - len(signal)))) for s in starts]
    return np.mean([[part[:100].mean(), part[-100:].mean()] for part in parts], axis=0)


def test_a_model_of_a_fixed_length_runs_on_windows(tmp_path):
    fetch(write_fixed(tmp_path / "model.onnx"), tmp_path / "model", window=WINDOW)
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    assert card["window"] == {"samples": 4000, "hop": 2000, "pool": "mean", "pad": "zeros"}
    signals = [noise(seconds, seed=index) for index, seconds in enumerate((0.1, 0.25, 0.5, 1.03))]
    rows = []
    for index, signal in enumerate(signals):
        write_audio(tmp_path / "audio" / f"{index}.wav", signal, subtype="FLOAT")
        rows.append({"file": f"{index}.wav", "start": 0.0, "end": len(signal) / RATE})
    predict(
        pd.DataFrame(rows),
        audio=tmp_path / "audio",
        model=tmp_path / "model",
        embedding_output=None,
        sampling_rate=RATE,
        threads=2,
        device="cpu",
        predictions=tmp_path / "p.parquet",
        failures=tmp_path / "f.csv",
        silence=tmp_path / "s.csv",
    )
    assert len(pd.read_csv(tmp_path / "f.csv")) == 0
    found = pd.read_parquet(tmp_path / "p.parquet")[["early", "late"]]
    np.testing.assert_allclose(found, [expected_ends(signal) for signal in signals], atol=1e-6)


@pytest.mark.slow
def test_costs_and_variants_use_the_windows(tmp_path):
    fetch(write_fixed(tmp_path / "model.onnx"), tmp_path / "model", window=WINDOW)
    settings = {
        "device": "cpu", "sampling_rate": RATE, "durations": [1], "warm_up": 0, "repetitions": 1,
        "seconds": 0, "seed": 0, "max_seconds": 60,
    }  # fmt: skip
    assert len(measure_costs(tmp_path / "model", threads=[1], **settings)) == 1
    derive(tmp_path / "model", tmp_path / "half", quantize="fp16", origin="model")
    assert windows_of(tmp_path / "half") == windows_of(tmp_path / "model")
    signal = noise(0.7)[np.newaxis]
    found = run(
        load(tmp_path / "half", threads=1), signal, ["ends"], RunOptions(),
        windows_of(tmp_path / "half"),
    )  # fmt: skip
    np.testing.assert_allclose(found["ends"], [expected_ends(signal[0])], atol=1e-3)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({}, "takes 4000 samples at a time: set window.seconds to 0.25"),
        ({"window": WINDOW | {"seconds": 1}}, "at a time, but a window has 16000: set window.sec"),
    ],
)
def test_a_fixed_length_without_its_window_is_refused(tmp_path, source, sentence):
    with pytest.raises(InputError, match=sentence):
        fetch(write_fixed(tmp_path / "model.onnx"), tmp_path / "model", **source)
