"""Results per recording are those of the pooled predictions, computed independently here."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.recordings import compare_recordings, pool
from voxslice.files import read_csv, write_csv
from voxslice.table_specs import TABLES, problems
from voxslice.task import Task

LABELS = ["female", "male"]


def scores(rows, seed=0):
    """Scores of segments of recordings, whose speakers and labels depend on the file."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"file": np.sort(rng.choice([f"{n}.wav" for n in range(12)], rows))})
    table["start"] = np.arange(rows, dtype=float) * 20
    table["end"] = table["start"] + rng.uniform(1, 15, rows)
    number = table["file"].str.removesuffix(".wav").astype(int)
    table["label"] = np.where(number % 2, "male", "female")
    table["p_male"] = np.clip(rng.normal(0.4 + 0.2 * (number % 2), 0.3), 0, 1)
    table["p_female"] = 1 - table["p_male"]
    chosen = np.where(table["p_male"] > 0.5, "male", "female")
    table["prediction"] = pd.Categorical(chosen, LABELS)
    table["loss"] = (chosen != table["label"]).astype(float)
    return table


def metadata(table):
    return table[["file", "start", "end"]].assign(speaker=table["file"].str[0])


def test_the_accuracy_of_recordings_is_that_of_weighted_probabilities():
    tables = {"first": scores(200), "second": scores(200, seed=1)}
    tables["second"][["file", "start", "end", "label"]] = tables["first"][
        ["file", "start", "end", "label"]
    ]
    tables["second"]["loss"] = (
        tables["second"]["prediction"].astype(str) != tables["second"]["label"]
    ).astype(float)
    found = compare_recordings(
        tables,
        metadata(tables["first"]),
        labels=LABELS,
        task=Task("classification", margin=0.02, overall="accuracy"),
        sources={},
        resamples=200,
        seed=0,
    )
    for name, table in tables.items():
        right = []
        for _, part in table.groupby("file"):  # without the code of the package
            seconds = part["end"] - part["start"]
            male = (part["p_male"] * seconds).sum() / seconds.sum()
            right.append((male > 0.5) == (part["label"].iloc[0] == "male"))
        metrics = found.metrics[found.metrics["model"] == name].set_index("metric")
        assert metrics.loc["accuracy", "value"] == pytest.approx(np.mean(right))
        assert metrics.loc["accuracy", ["n", "speakers"]].tolist() == [12, 10]
        assert metrics.loc["accuracy", "low"] < np.mean(right) < metrics.loc["accuracy", "high"]
    (row,) = found.comparison.itertuples()
    assert (row.support, row.model_a, row.model_b) == (12, "first", "second")
    assert row.difference == pytest.approx(row.value_b - row.value_a)


def test_tables_are_as_specified(tmp_path):
    table = scores(60)
    found = compare_recordings(
        {"first": table, "second": table},
        metadata(table),
        labels=LABELS,
        task=Task("classification", overall="uar"),
        sources={},
        resamples=100,
        seed=0,
    )
    specs = {spec.path: spec for spec in TABLES}
    place = "results/recordings/{dataset}/{task}"
    assert problems(found.pooled, specs[f"{place}.parquet"]) == []
    for name in ("metrics", "comparison"):
        write_csv(getattr(found, name), tmp_path / "table.csv")
        assert problems(read_csv(tmp_path / "table.csv"), specs[f"{place}.{name}.csv"]) == []


def test_speakers_of_a_file_are_pooled_apart():
    table = scores(6).assign(file="a.wav", label="male")
    pooled = pool(table, np.array(["x", "y"] * 3))
    assert list(pooled["speaker"]) == ["x", "y"]
    assert list(pooled["segments"]) == [3, 3]


def test_without_probabilities_the_class_of_the_longest_time_wins():
    table = pd.DataFrame(
        {
            "file": "a.wav",
            "start": [0.0, 10.0, 20.0],
            "end": [2.0, 12.0, 27.0],
            "label": "male",
            "prediction": pd.Categorical(["female", "female", "male"], LABELS),
            "loss": [1.0, 1.0, 0.0],
        }
    )
    (row,) = pool(table, np.array(["x"] * 3)).itertuples()
    assert (row.prediction, row.loss, row.seconds) == ("male", 0.0, 11.0)


def test_numbers_are_averaged_by_duration():
    table = pd.DataFrame(
        {
            "file": "a.wav",
            "start": [0.0, 10.0],
            "end": [3.0, 11.0],
            "label": 40.0,
            "prediction": [30.0, 50.0],
            "loss": [10.0, 10.0],
        }
    )
    (row,) = pool(table, np.array(["x", "x"])).itertuples()
    assert (row.prediction, row.loss) == (35.0, 5.0)


def test_a_site_of_which_recordings_have_one_widens_the_intervals_and_a_sentence_does_not():
    # 48 speakers of eight sites; half of the sites are always right
    rows = 192
    site = np.arange(rows) // 24
    table = pd.DataFrame({"file": [f"{n // 2}.wav" for n in range(rows)]})
    table["start"], table["end"], table["label"] = np.arange(rows) % 2 * 5.0, 20.0, "male"
    wrong = (site % 2 == 1) & (np.arange(rows) // 2 % 3 > 0)
    table["prediction"] = pd.Categorical(np.where(wrong, "female", "male"), LABELS)
    table["loss"] = wrong.astype(float)
    known = table[["file", "start", "end"]].assign(
        speaker=(np.arange(rows) // 4).astype(str), site=site, sentence=np.arange(rows) % 2
    )

    def interval(units):
        found = compare_recordings(
            {"model": table},
            known,
            labels=LABELS,
            task=Task("classification", overall="accuracy"),
            sources={},
            resamples=100,
            seed=0,
            units=units,
        )
        row = found.metrics.set_index("metric").loc["accuracy"]
        return row["low"], row["high"]

    low, high = interval([])
    assert interval(["sentence"]) == (low, high)
    wider = interval(["sentence", "site"])
    assert wider[0] < low - 0.03 and wider[1] > high + 0.03
