"""Cascades of two models, compared with counting by hand."""

import numpy as np
import pandas as pd
import pytest
from voxslice.decisions.cascade import CASCADE_COLUMNS, SHARES, cascade_table, handed_on
from voxslice.utterance_keys import KEY

COUNT = 400


def make():
    """A model that is wrong exactly where it is least sure, and one that is always right."""
    keys = pd.DataFrame({"file": [f"{i:03}.wav" for i in range(COUNT)], "start": 0.0, "end": 1.0})
    sure = 0.5 + np.random.default_rng(0).permutation(COUNT) / COUNT / 2
    wrong = sure < np.quantile(sure, 0.2)
    label = np.where(np.arange(COUNT) % 2 == 0, "a", "b")
    other = np.where(label == "a", "b", "a")
    tables = {}
    for name, bad, probability in (
        ("fast", wrong, sure),
        ("slow", wrong & False, np.full(COUNT, 0.9)),
    ):
        prediction = np.where(bad, other, label)
        tables[name] = keys.assign(
            label=label,
            prediction=pd.Categorical(prediction, categories=["a", "b"]),
            loss=bad.astype(float),
            p_a=np.where(prediction == "a", probability, 1 - probability),
            p_b=np.where(prediction == "b", probability, 1 - probability),
        )
    metadata = keys.assign(speaker=[f"s{i % 20:02}" for i in range(COUNT)])
    modes = pd.DataFrame({"mode": ["1"], "model": ["fast"], "name": ["b"], "confirmed": [True]})
    members = keys[label == "b"].assign(mode="1")[["mode", *KEY]]
    return tables, metadata, modes, members


def test_the_other_model_answers_where_the_first_one_is_unsure():
    table = cascade_table(*make(), metric="accuracy", seed=0)
    assert list(table.columns) == CASCADE_COLUMNS
    assert table[["model", "then"]].drop_duplicates().to_numpy().tolist() == [
        ["fast", "slow"], ["slow", "fast"],
    ]  # fmt: skip
    rows = table[table["model"] == "fast"].set_index("share")
    assert rows.index.tolist() == list(SHARES)
    for share, row in rows.iterrows():
        assert row["handed"] == pytest.approx(share, abs=0.05)
        # each handed utterance is an error that is mended, until all are
        assert row["value"] == pytest.approx(min(0.8 + row["handed"], 1), abs=1e-9)
        assert row["low"] <= row["value"] <= row["high"]
        assert (row["mode"], row["name"]) == ("1", "b")


def test_thresholds_come_from_the_other_half_of_the_speakers():
    sure = np.concatenate([np.linspace(0.5, 0.6, 50), np.linspace(0.9, 1, 50)])
    halves = np.arange(100) < 50
    # the first half is below every threshold of the second half, and the other way round
    assert handed_on(sure, halves, 0.3).tolist() == halves.tolist()
    alike = np.tile(np.linspace(0.5, 1, 50), 2)
    assert handed_on(alike, halves, 0.3).sum() == 30


def test_models_without_probabilities_and_studies_without_modes():
    tables, metadata, modes, members = make()
    tables["fast"] = tables["fast"].drop(columns="p_b")
    table = cascade_table(tables, metadata, modes.iloc[:0], members, metric="accuracy", seed=0)
    assert set(table["model"]) == {"slow"}
    assert table["mode_value"].isna().all()
