"""What sliceguard receives, and how its slices are read."""

import numpy as np
import pandas as pd
import pytest
from voxslice.slices import sliceguard_finder
from voxslice.slices.sliceguard_finder import EMBEDDING, LABEL, PREDICTION, suggest
from voxslice.task import Task


def table(count=60):
    return pd.DataFrame(
        {
            "emotion": ["anger", "joy", None] * (count // 3),
            "age": pd.array([None if i % 10 == 0 else i for i in range(count)], dtype="Int64"),
            "clean": [True, False] * (count // 2),
        }
    )


def scored(count=60):
    label = np.array(["a", "b"] * (count // 2))
    return pd.DataFrame({"label": label, "prediction": np.where(np.arange(count) < 12, "a", label)})


@pytest.fixture
def given(monkeypatch):
    """A replacement for sliceguard that records its arguments and returns the rows in `answer`."""
    seen = {"answer": []}

    def run(frame, types, embeddings, *settings):
        seen.update(frame=frame, types=types, embeddings=embeddings, settings=settings)
        return [np.array(rows) for rows in seen["answer"]]

    monkeypatch.setattr(sliceguard_finder, "_run", run)
    return seen


def ask(features, data=None, scores=None, **changes):
    settings = {"task": Task("classification", min_drop=0.1), "min_support": 5, "seed": 0}
    data = table() if data is None else data
    scores = scored(len(data)) if scores is None else scores
    return suggest(data, scores, features, **(settings | changes))


def test_rows_without_a_number_are_left_out_and_positions_kept(given, capsys):
    given["answer"] = [[0, 1, 2]]
    (rows,) = ask(["age", "emotion"])
    assert rows.tolist() == [1, 2, 3]  # row 0 has no age
    assert len(given["frame"]) == 54
    assert given["types"] == {"age": "numerical", "emotion": "nominal"}
    assert set(given["frame"]["emotion"]) == {"anger", "joy", "missing"}
    assert "6 utterances lack a number" in capsys.readouterr().out


def test_without_min_drop_the_error_of_a_slice_is_at_least_1_5_times_as_large(given, capsys):
    ask(["clean"], task=Task("classification"))  # 6 of 60 predictions are wrong
    assert given["settings"][2] == pytest.approx(0.05)
    numbers = pd.DataFrame({"label": np.zeros(60), "prediction": np.full(60, 8.0)})
    ask(["clean"], scores=numbers, task=Task("regression"))
    assert given["settings"][2] == pytest.approx(4)
    ask(["clean"], task=Task("classification", min_drop=0.2))
    assert given["settings"][2] == 0.2
    given["answer"] = [[0, 1]]
    right = scored().assign(prediction=scored()["label"])
    assert ask(["clean"], scores=right, task=Task("classification")) == []
    assert "no errors" in capsys.readouterr().out


def test_rows_without_an_embedding_are_left_out(given):
    matrix = np.ones((60, 3))
    matrix[:4] = np.nan
    matrix[7, 1] = np.inf
    given["answer"] = [[0, 4]]
    (rows,) = ask(["clean"], embedding=matrix)
    assert rows.tolist() == [4, 9]
    assert given["embeddings"][EMBEDDING].shape == (55, 3)
    assert given["embeddings"][EMBEDDING].dtype == np.float32
    assert given["types"] == {"clean": "nominal", EMBEDDING: "embedding"}


def test_too_few_rows_give_no_slice(given, capsys):
    given["answer"] = [[0]]
    assert ask(["emotion"], min_support=31) == []
    assert "60 utterances are too few for slices of 31" in capsys.readouterr().out
    assert "frame" not in given
    assert len(ask(["emotion"], min_support=30)) == 1


def test_labels_are_text_or_numbers(given):
    ask(["clean"])
    assert set(given["frame"][LABEL]) == {"a", "b"}
    scores = pd.DataFrame({"label": np.arange(60), "prediction": np.arange(60) + 1.5})
    ask(["clean"], scores=scores, task=Task("regression", min_drop=0.1))
    assert given["frame"][PREDICTION].dtype == float


def test_features_may_have_the_names_of_score_columns(given):
    names = {"emotion": "label", "age": "prediction", "clean": "embedding"}
    ask(list(names.values()), table().rename(columns=names), embedding=np.ones((60, 2)))
    assert set(given["frame"]["label"]) == {"anger", "joy", "missing"}
    assert given["frame"]["prediction"].tolist() == table()["age"].dropna().tolist()
    assert set(given["frame"][LABEL]) == {"a", "b"}
    assert given["types"] == {
        "label": "nominal",
        "prediction": "numerical",
        "embedding": "nominal",
        EMBEDDING: "embedding",
    }


def test_of_nested_slices_the_most_significant_is_kept(given):
    # the 6 errors are in the first 12 rows
    given["answer"] = [list(range(40)), list(range(12)), [1, 3], list(range(30, 50))]
    found = ask(["clean"])
    assert [len(rows) for rows in found] == [12, 20]
    assert found[0].tolist() == list(range(12))


@pytest.mark.slow
def test_a_fallback_of_sliceguard_is_noticed(monkeypatch, capsys):
    pytest.importorskip("sliceguard")
    import sliceguard

    class Fallback:
        def find_issues(self, *_, **__):
            print("Using fallback clustering.")
            return [{"rows": [0, 1]}]

    monkeypatch.setattr(sliceguard, "SliceGuard", Fallback)
    assert ask(["clean"]) == []
    assert "they are dropped" in capsys.readouterr().out


@pytest.mark.slow
def test_sliceguard_finds_a_planted_slice_twice():
    pytest.importorskip("sliceguard")
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        {"emotion": rng.choice(list("uvwx"), 300), "gender": rng.choice(["f", "m"], 300)}
    )
    bad = ((data["emotion"] == "u") & (data["gender"] == "f")).to_numpy()
    label = rng.choice(["yes", "no"], 300)
    other = np.where(label == "yes", "no", "yes")
    wrong = np.where(bad, rng.random(300) < 0.8, rng.random(300) < 0.05)
    scores = pd.DataFrame({"label": label, "prediction": np.where(wrong, other, label)})
    first, again = (ask(["emotion", "gender"], data, scores, min_support=10) for _ in range(2))
    assert [rows.tolist() for rows in first] == [rows.tolist() for rows in again]
    assert any(set(rows) == set(np.flatnonzero(bad)) for rows in first)
