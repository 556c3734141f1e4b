"""Suggestions for all models of a task: which rows sliceguard gets, and what is written."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from voxslice.slices import suggest as module
from voxslice.slices.suggest import OWNER_COLUMNS, SUGGESTION_COLUMNS, suggest_for_models
from voxslice.task import Task
from voxslice.utterance_keys import KEY

COUNT = 160


def keys():
    return pd.DataFrame({"file": [f"{i:03}.wav" for i in range(COUNT)], "start": 0.0, "end": 1.0})


def metadata(speakers=True):
    """Eight speakers, each angry in half of the utterances."""
    table = keys().assign(
        speaker=[f"s{i // 20}" for i in range(COUNT)], emotion=["anger", "joy"] * (COUNT // 2)
    )
    return table if speakers else table.drop(columns="speaker")


@pytest.fixture
def finder(monkeypatch):
    """A finder that suggests the angry rows, and records its arguments."""
    calls = []

    def suggest(table, scores, features, **settings):
        calls.append({"table": table, "scores": scores, "features": features} | settings)
        return [np.flatnonzero(table["emotion"] == "anger")]

    monkeypatch.setattr(module, "suggest", suggest)
    return calls


@pytest.fixture
def scores(tmp_path):
    """Paths of the scores of two models: one fails on angry utterances, the other one at random."""
    rng = np.random.default_rng(0)
    angry = metadata()["emotion"].eq("anger").to_numpy()
    paths = {}
    for name, rate in {"angry": np.where(angry, 0.8, 0.05), "even": np.full(COUNT, 0.3)}.items():
        paths[name] = str(tmp_path / f"{name}.parquet")
        loss = (rng.random(COUNT) < rate).astype(float)
        keys().assign(label="a", prediction="b", loss=loss).to_parquet(paths[name], index=False)
    return paths


def search(**settings):
    defaults = {"features": ["emotion"], "min_support": 10, "sample": 1000, "stability_seeds": 1}
    return defaults | settings


def suggested(scores, searches, embeddings=None, speakers=True):
    return suggest_for_models(
        scores, metadata(speakers), searches, embeddings or {}, task=Task("classification"),
        alpha=0.05, seed=0,
    )  # fmt: skip


def test_each_model_and_search_has_its_slices(finder, scores):
    result = suggested(scores, {"one": search(), "two": search(min_support=40)})
    assert set(result.slices) == {*OWNER_COLUMNS, *SUGGESTION_COLUMNS}
    owners = result.slices[OWNER_COLUMNS].to_numpy().tolist()
    assert owners == [[m, s, 0] for m in ("angry", "even") for s in ("one", "two")]
    assert result.slices.set_index(["model", "search"])["confirmed"].to_list() == [True] * 2 + (
        [False] * 2
    )
    rows = result.members[(result.members["model"] == "even") & (result.members["search"] == "two")]
    angry = metadata()["emotion"].eq("anger")
    assert rows["file"].to_list() == keys().loc[angry, "file"].to_list()
    halves = result.halves.groupby(["model", "search", "half"]).size()
    assert (halves == 4).all() and len(halves) == 8
    assert {call["min_support"] for call in finder} == {10, 5, 40, 20}


def test_a_search_gets_a_sample_with_the_embedding_of_its_rows(finder, scores, tmp_path, capsys):
    path = str(tmp_path / "predictions.parquet")
    matrix = np.arange(COUNT, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    order = np.random.default_rng(1).permutation(COUNT)
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix[order].ravel()), 3)
    table = pa.Table.from_pandas(keys().iloc[order], preserve_index=False)
    pq.write_table(table.append_column("embedding", column), path)
    settings = search(sample=100, embedding_of="m")
    result = suggested(scores, {"one": settings}, {"one": [path]})
    assert "a sample of 100 of 160 utterances" in capsys.readouterr().out
    first = finder[0]
    assert len(first["table"]) == 100
    numbers = first["table"]["file"].str[:3].astype(float)
    np.testing.assert_array_equal(first["embedding"][:, 0], numbers)
    # the slice is found again with one further seed
    assert result.slices["stability"].to_list() == [1, 1]
    assert set(result.members["file"]) <= set(first["table"]["file"])


def test_without_slices_or_speakers_the_tables_keep_their_columns(monkeypatch, scores):
    monkeypatch.setattr(module, "suggest", lambda *args, **settings: [])
    result = suggested(scores, {"one": search()}, speakers=False)
    assert result.slices.empty and set(result.slices) == {*OWNER_COLUMNS, *SUGGESTION_COLUMNS}
    assert result.members.empty and list(result.members) == [*OWNER_COLUMNS, *KEY]
    assert result.halves.empty and list(result.halves) == ["model", "search", "half", "speaker"]
    assert suggested(scores, {}).slices.empty
