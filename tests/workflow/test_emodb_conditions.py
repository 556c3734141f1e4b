"""On emodb, the figures of conditions are those that are computed here in another way.

It reads a finished study of emodb with the standard set of conditions:

    VOXSLICE_EMODB=FOLDER pytest tests/workflow/test_emodb_conditions.py
"""

import functools
import io
import os
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import scipy.signal
import soundfile

STUDY = Path(os.environ.get("VOXSLICE_EMODB", "no such folder"))
TABLES = STUDY / "results/conditions/emodb"
MODELS = ["gender_age_small", "gender_age_big"]
KEY = ["file", "start", "end"]

pytestmark = pytest.mark.skipif(
    not (TABLES / "gender.csv").exists(), reason="needs a study of emodb with conditions"
)


def predictions(model, condition):
    """The predicted gender of each utterance, from the raw outputs of a model."""
    folder = STUDY / "results/condition_predictions/emodb" / model / condition
    if condition == "clean":
        folder = STUDY / "results/predictions/emodb" / model
    table = pd.concat([pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))])
    classes = ["female", "male"]
    table["predicted"] = np.array(classes)[table[classes].to_numpy().argmax(axis=1)]
    return table[[*KEY, "predicted"]]


def recalls(model, condition):
    """Share of the women and of the men whose gender is predicted."""
    metadata = pd.read_parquet(STUDY / "resources/emodb/metadata.parquet")
    table = metadata.merge(predictions(model, condition), on=KEY)
    right = table["predicted"] == table["gender"].astype(str)
    return right.groupby(table["gender"].astype(str)).mean()


@pytest.fixture(scope="module")
def outcomes():
    return pd.read_csv(TABLES / "gender.csv")


def row(table, model, condition, group):
    where = (table["model"] == model) & (table["condition"] == condition)
    (found,) = table[where & (table["group"] == group)].to_dict("records")
    return found


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("condition", ["phone", "voip", "white"])
def test_figures_are_those_of_the_raw_outputs(outcomes, model, condition):
    clean, changed = recalls(model, "clean"), recalls(model, condition)
    for gender in ("female", "male"):
        found = row(outcomes, model, condition, f"gender={gender}")
        assert found["clean"] == pytest.approx(clean[gender])
        assert found["value"] == pytest.approx(changed[gender])
        assert found["difference"] == pytest.approx(changed[gender] - clean[gender])
    whole = row(outcomes, model, condition, "all")
    metric = {"uar": changed.mean(), "accuracy": None}[whole["metric"]]
    if metric is not None:
        assert whole["value"] == pytest.approx(metric)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("condition", ["phone", "mobile", "voip"])
def test_narrow_codecs_cost_women_nearly_all_points_and_men_none(outcomes, model, condition):
    women, men = (row(outcomes, model, condition, f"gender={name}") for name in ("female", "male"))
    assert women["difference"] < -0.8
    assert women["value"] < 0.05
    assert men["difference"] > -0.05
    assert women["changed_to"] == "male"
    assert women["p_excess"] <= 0.05
    assert women["evidence"] == "across speakers"


@pytest.mark.parametrize("model", MODELS)
def test_the_search_over_all_conditions_finds_women_on_the_phone(model):
    slices = pd.read_csv(TABLES / "gender.slices.csv")
    found = slices[slices["confirmed"] & (slices["model"] == model)]
    assert found["rule"].str.contains("gender = female").any()
    rules = found["rule"][found["rule"].str.contains("gender = female")]
    assert rules.str.contains("condition = (?:phone|mobile|voip)").any()


def g711(signal):
    """G.711 as the standard defines mu-law, without the code of the workflow."""
    narrow = scipy.signal.resample_poly(signal, 8000, 16000)
    level = np.sign(narrow) * np.log1p(255 * np.abs(narrow.clip(-1, 1))) / np.log(256)
    steps = np.round(level * 127) / 127
    decoded = np.sign(steps) * (256 ** np.abs(steps) - 1) / 255
    return scipy.signal.resample_poly(decoded, 2, 1)


def opus(signal, kbps):
    """Opus at the sampling rate of the signal, without the code of the workflow."""
    file = io.BytesIO()
    level = (256 - kbps) / 250
    soundfile.write(file, signal, 16000, "OPUS", format="OGG", compression_level=level)
    file.seek(0)
    return soundfile.read(file)[0]


CODECS = {
    "g711": (g711, True),
    "opus 8": (functools.partial(opus, kbps=8), True),
    "opus 9": (functools.partial(opus, kbps=9), False),  # it keeps high frequencies
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("codec", CODECS)
def test_narrow_codecs_made_here_turn_women_into_men_as_well(model, codec):
    change, narrow = CODECS[codec]
    session = onnxruntime.InferenceSession(STUDY / f"resources/models/{model}/model.onnx")
    metadata = pd.read_parquet(STUDY / "resources/emodb/metadata.parquet")
    women = metadata[metadata["gender"] == "female"].iloc[::10]
    outputs = [output.name for output in session.get_outputs() if "gender" in output.name]
    male = 0
    for key in women[KEY].itertuples(index=False):
        signal, rate = soundfile.read(STUDY / "resources/emodb/audio" / key.file, dtype="float32")
        assert rate == 16000
        signal = signal[round(key.start * rate) : round(key.end * rate)]
        (logits,) = session.run(outputs, {"signal": change(signal).astype(np.float32)[None]})
        male += logits[0, 1] > logits[0, 0]
    assert male >= 0.95 * len(women) if narrow else male <= 0.15 * len(women)
