"""Labels that are digits are treated as categories in slices and metrics."""

import numpy as np
import pandas as pd
import pytest
from snakemake_cli import snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow


@pytest.fixture(scope="module", params=[["2", "7", "9"], ["02", "07", "09"], ["1", "7", "x"]])
def study(request, tmp_path_factory):
    """A study of spoken digits, in which the model is wrong at one of them."""
    folder = tmp_path_factory.mktemp("digits")
    labels = request.param
    number = np.arange(240)
    table = pd.DataFrame(
        {
            "file": [f"{n}.wav" for n in number],
            "speaker": [f"s{n // 3 % 20}" for n in number],
            "digit": [labels[n % 3] for n in number],
            "take": number // 60,
        }
    )
    table.loc[:2, "digit"] = None
    table.to_csv(folder / "digits.csv", index=False)
    predicted = table["digit"].where(table["digit"] != labels[1], labels[2]).fillna(labels[0])
    table[["file"]].assign(digit=predicted).to_csv(folder / "model.csv", index=False)
    config = {
        "resamples": 200,
        "datasets": {
            "digits": {
                "csv": {"path": "digits.csv"},
                "columns": {name: {"column": name} for name in ["speaker", "digit", "take"]},
                "license": "MIT",
            }
        },
        "models": {
            "model": {
                "predictions": {"digits": "model.csv"},
                "tasks": ["digit"],
                "license": "MIT",
            }
        },
        "tasks": {"digit": {"type": "classification", "target": "digit", "labels": labels}},
        "searches": {"all": {"finder": "subgroups", "features": ["digit", "take"]}},
    }
    path = write_config(folder / "study.yaml", config)
    snakemake(folder, "metrics", "slices", configfiles=[path])
    return folder, labels


def test_slices_name_the_digit_and_no_range(study):
    folder, labels = study
    slices = read_csv(folder / "results/slices/digits/digit/model.csv")
    assert f"digit = {labels[1]}" in slices["rule"].to_list()
    metadata = pd.read_parquet(folder / "resources/digits/metadata.parquet")
    assert set(metadata["digit"].dropna()) == set(labels)
    assert pd.api.types.is_integer_dtype(metadata["take"])


def test_every_label_is_counted(study):
    folder, labels = study
    metrics = pd.read_csv(folder / "results/metrics/digits/digit.csv")
    accuracy = metrics.query("model == 'model' and metric == 'accuracy'").iloc[0]
    assert accuracy["n"] == 237 and accuracy["value"] == pytest.approx(2 / 3)
    confusion = read_csv(folder / "results/metrics/digits/digit.confusion.csv")
    wrong = confusion[(confusion["label"] != confusion["prediction"]) & (confusion["count"] > 0)]
    assert wrong[["label", "prediction", "count"]].to_numpy().tolist() == [
        [labels[1], labels[2], 79]
    ]
