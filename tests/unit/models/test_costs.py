"""The latency and memory of models are measured."""

import os
import platform
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from small_inputs import RATE
from voxslice.errors import InputError
from voxslice.models import costs
from voxslice.models.costs import measure_costs
from voxslice.models.speech_noise import speech_like

SETTINGS = {
    "device": "cpu",
    "sampling_rate": RATE,
    "durations": [0.5],
    "warm_up": 1,
    "repetitions": 3,
    "seconds": 0,
    "seed": 0,
    "max_seconds": 60,
}


@pytest.mark.slow
def test_one_row_per_number_of_threads_and_duration(model_folder):
    settings = SETTINGS | {"durations": [2, 0.5]}
    table = measure_costs(model_folder, threads=[2, 1, 2], **settings)
    assert table[["threads", "seconds"]].to_numpy().tolist() == [[1, 0.5], [1, 2], [2, 0.5], [2, 2]]
    assert (table["repetitions"] == 3).all()
    assert (table["load_s"] > 0).all()
    assert (table["p50_ms"] > 0).all()
    assert (table["p50_ms"] <= table["p95_ms"]).all()
    assert (table["p95_ms"] <= table["p99_ms"]).all()
    assert table["machine"].str.startswith(platform.node()).all()
    assert table.groupby("threads")["load_s"].nunique().max() == 1


@pytest.mark.slow
def test_repetitions_fill_the_time(model_folder):
    table = measure_costs(model_folder, threads=[1], **SETTINGS | {"seconds": 0.2})
    row = table.iloc[0]
    assert row["repetitions"] > 3
    # rtf is the mean latency by duration: all runs together took the time
    assert row["rtf"] * 0.5 * row["repetitions"] == pytest.approx(0.2, rel=0.2)


@pytest.mark.slow
def test_the_memory_of_the_calling_process_is_not_counted(model_folder):
    held = np.ones(100_000_000)
    table = measure_costs(model_folder, threads=[1], **SETTINGS)
    assert 20 < table["peak_mb"][0] < held.nbytes / 1e6


@pytest.mark.slow
def test_peak_memory_is_known_after_the_memory_is_freed():
    script = (
        "import numpy as np\n"
        "from voxslice.models.costs import peak_memory\n"
        "before = peak_memory()\n"
        "np.ones(25_000_000)\n"
        "print(peak_memory() - before)\n"
    )
    grown = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(grown.stdout) == pytest.approx(200e6, rel=0.1)


@pytest.mark.slow
def test_an_utterance_that_the_model_cannot_take(tmp_path):
    node = helper.make_node("Identity", ["signal"], ["logits"])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, RATE])
        for name in ("signal", "logits")
    ]
    graph = helper.make_graph([node], "fixed", ends[:1], ends[1:])
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(proto, str(tmp_path / "model.onnx"))
    (tmp_path / "model.yaml").write_text("$audonnx.core.model.Model==1.0.1:\n  path: model.onnx\n")
    measure_costs(tmp_path, threads=[1], **SETTINGS | {"durations": [1]})
    with pytest.raises(InputError, match=r"fails on an utterance of 0\.5 s: change costs.duration"):
        measure_costs(tmp_path, threads=[1], **SETTINGS)


@pytest.mark.slow
def test_cuda_without_a_gpu_is_refused(model_folder):
    with pytest.raises(InputError, match="device: cuda"):
        measure_costs(model_folder, threads=[1], **SETTINGS | {"device": "cuda"})


@pytest.mark.slow
def test_the_process_that_measures_finds_packages_on_the_python_path(
    model_folder, tmp_path, monkeypatch, capsys
):
    (tmp_path / "sitecustomize.py").write_text("print('from the path')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    measure_costs(model_folder, threads=[1], **SETTINGS)
    assert "from the path" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", [0.00001, 0.01, 1, 10])
def test_the_signal_resembles_speech(seconds):
    signal = speech_like(seconds, RATE, 0)
    assert signal.dtype == np.float32
    assert signal.shape == (1, max(1, round(seconds * RATE)))
    assert np.abs(signal).max() <= 0.5
    np.testing.assert_array_equal(signal, speech_like(seconds, RATE, 0))
    assert seconds < 0.01 or (signal != speech_like(seconds, RATE, 1)).any()
    if seconds >= 1:
        power = np.abs(np.fft.rfft(signal[0])) ** 2
        low, high = np.split(power, [len(power) // 8])  # 1 kHz
        assert low.sum() > 10 * high.sum()


def test_the_name_of_the_machine_ends_with_its_cores():
    assert costs.machine().endswith(f"{os.cpu_count()} cores)")
