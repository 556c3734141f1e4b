"""Models that never end are stopped when they are fetched, measured, or run on an utterance."""

import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from endless_models import write_endless, write_slow_to_load
from small_inputs import RATE, noise, write_audio
from voxslice.errors import InputError, MachineError
from voxslice.inference.predict import predict
from voxslice.models.costs import measure_costs
from voxslice.models.install import install, install_onnx
from voxslice.models.sessions import load, run
from voxslice.models.time_limits import TimeLimitError, time_limit

LIMIT = 0.3


@pytest.fixture
def endless(tmp_path):
    return write_endless(tmp_path / "endless")


@pytest.fixture(autouse=True)
def not_long():
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 30


def test_a_loop_without_an_end_is_stopped(endless):
    model = load(endless, threads=1)
    begin = time.monotonic()
    with (
        pytest.raises(TimeLimitError, match=r"^It takes longer than 0\.3 s: .*limits\.model_sec"),
        time_limit(LIMIT, "It") as options,
    ):
        run(model, noise(0.1)[None], ["level"], options)
    assert LIMIT <= time.monotonic() - begin < LIMIT + 2


def test_a_model_that_ends_in_time_is_not_stopped(model_folder):
    model = load(model_folder, threads=1)
    for _ in range(3):
        with time_limit(60, "It") as options:
            values = run(model, noise(0.1)[None], ["logits_age", "hidden_states"], options)
        expected = model(noise(0.1), RATE, outputs=["logits_age", "hidden_states"])
        assert list(values) == list(expected)
        assert all((values[name] == expected[name]).all() for name in values)


def test_other_errors_are_raised_unchanged():
    with pytest.raises(ZeroDivisionError), time_limit(60, "It"):
        raise ZeroDivisionError


@pytest.mark.slow
@pytest.mark.parametrize("bare", [True, False])
def test_an_endless_model_is_refused_when_it_is_fetched(endless, tmp_path, bare):
    with pytest.raises(InputError, match=r"^Running the model from here on .* longer than 0\.3 s"):
        if bare:
            install_onnx(
                endless / "model.onnx", {}, tmp_path / "out", origin="here", max_seconds=LIMIT
            )
        else:
            install(endless, tmp_path / "out", origin="here", checksum=None, max_seconds=LIMIT)
    assert not list((tmp_path / "out").iterdir())


def measure(model):
    """Measure the costs of a model on one utterance."""
    measure_costs(
        model, threads=[1], device="cpu", sampling_rate=RATE, durations=[0.5], warm_up=1,
        repetitions=1, seconds=0, seed=0, max_seconds=LIMIT,
    )  # fmt: skip


@pytest.mark.slow
def test_an_endless_model_is_stopped_when_it_is_measured(endless):
    with pytest.raises(InputError, match=r"^The model endless takes longer than 0\.3 s"):
        measure(endless)


def score(model, audio, out, threads=1):
    files = sorted(path.name for path in audio.iterdir())
    rows = pd.DataFrame({"file": files, "start": 0.0, "end": 0.1})
    predict(
        rows,
        audio=audio,
        model=model,
        embedding_output="hidden_states",
        sampling_rate=RATE,
        threads=threads,
        device="cpu",
        max_seconds=LIMIT,
        predictions=out / "0.parquet",
        failures=out / "0.csv",
        silence=out / "0.silence.csv",
    )
    return pd.read_parquet(out / "0.parquet"), pd.read_csv(out / "0.csv")


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 4])
def test_an_utterance_that_never_ends_does_not_stop_the_others(tmp_path, threads):
    model = write_endless(tmp_path / "model", above=0.2)
    for number in range(6):
        signal = np.full(1600, 0.5 if number == 2 else 0.0, np.float32)
        write_audio(tmp_path / f"audio/{number}.wav", signal)
    scored, failed = score(model, tmp_path / "audio", tmp_path / "out", threads)
    assert scored["file"].tolist() == [f"{number}.wav" for number in (0, 1, 3, 4, 5)]
    assert failed["file"].tolist() == ["2.wav"]
    assert "The model takes longer than 0.3 s" in failed["reason"][0]


@pytest.mark.slow
def test_a_model_that_never_ends_does_not_wait_for_each_utterance(endless, tmp_path):
    for number in range(100):
        write_audio(tmp_path / f"audio/{number}.wav", noise(0.1))
    with pytest.raises(MachineError, match=r"longer than 0\.3 s for each of 11 utterances"):
        score(endless, tmp_path / "audio", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


PROGRAM = """
import sys
from voxslice.logs import to_log
from voxslice.models import time_limits
from voxslice.models.install import install
time_limits.GRACE_S = 0.3
with to_log(sys.argv[2]):
    install(sys.argv[1], sys.argv[3], origin="here", checksum=None, max_seconds=0.3)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["loop that cannot be told to stop", "file that never loads"])
def test_a_computation_that_ignores_the_stop_ends_the_process_in_one_sentence(tmp_path, kind):
    if kind == "file that never loads":
        model, what = write_slow_to_load(tmp_path / "model"), "Loading the model from here"
    else:
        model = write_endless(tmp_path / "model", empty=True)
        what = "Running the model from here on 3 s of noise"
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, model, tmp_path / "job.log", tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    sentence = f"Error: {what} takes longer than 0.3 s: use another model or raise limits.model_sec"
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence)
    assert ended.stderr.count("\n") == 1
    assert sentence in (tmp_path / "job.log").read_text()


@pytest.mark.slow
def test_a_measurement_that_ignores_the_stop_ends_in_one_sentence(tmp_path, monkeypatch):
    model = write_endless(tmp_path / "model", empty=True)
    program = (
        "import sys; from voxslice.models import costs, time_limits;"
        "time_limits.GRACE_S = 0.3; costs._main(sys.argv[-1])"
    )
    real = subprocess.run

    def short_grace(words, **settings):
        return real([sys.executable, "-c", program, words[-1]], **settings)

    monkeypatch.setattr(subprocess, "run", short_grace)
    with pytest.raises(InputError, match=r"^The model model takes longer than 0\.3 s: use anot"):
        measure(model)
