"""The comparison of all models of a task, as the workflow writes it."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.tables import compare_models, compared_pairs
from voxslice.task import Task
from voxslice.utterance_keys import KEY

COUNT = 120


def keys():
    return pd.DataFrame({"file": [f"{i:03}.wav" for i in range(COUNT)], "start": 0.0, "end": 1.0})


def study(columns, kind="classification", **changes):
    """Three models: `small` makes more errors than `big`, in men; `int8` is made from `big`."""
    rng = np.random.default_rng(0)
    metadata = keys().assign(
        speaker=[f"s{i // 2 % 12}" for i in range(COUNT)], gender=["f", "m"] * (COUNT // 2)
    )
    men = metadata["gender"].eq("m").to_numpy()
    losses = {
        "small": (rng.random(COUNT) < np.where(men, 0.7, 0.05)).astype(float),
        "big": (rng.random(COUNT) < 0.05).astype(float),
    }
    losses["int8"] = losses["big"].copy()
    losses["int8"][:3] = 1 - losses["int8"][:3]
    scores = {name: keys().assign(loss=loss) for name, loss in losses.items()}
    scores["big"] = scores["big"].iloc[::-1].iloc[5:]  # the last five have not been scored
    chance = keys().assign(model="chance", loss=rng.integers(0, 2, COUNT).astype(float))
    slices = pd.DataFrame({"slice": ["abc"], "rule": ["gender = m"]})
    members = keys()[men].assign(slice="abc")
    settings = {"task": Task(kind), "sources": {"int8": "big"}, "gate": 0.99} | changes
    return metadata, compare_models(
        scores,
        chance,
        [slices, slices.iloc[:0], slices],
        [members, members.iloc[:0], members],
        metadata,
        columns=columns,
        resamples=200,
        seed=0,
        **settings,
    )


def test_models_and_references_are_compared_on_common_utterances():
    _, tables = study(["gender"])
    table = tables.comparison
    pairs = table[["model_a", "model_b"]].drop_duplicates().itertuples(index=False, name=None)
    assert list(pairs) == [
        ("small", "big"), ("big", "int8"),  # a variant is compared with its source only
        ("chance", "small"), ("chance", "big"), ("chance", "int8"),
    ]  # fmt: skip
    overall = table[table["slice"] == "all"]
    assert (overall["support"] == COUNT - 5).all() and (overall["speakers"] == 12).all()
    # the men are a slice, so that they are not compared again as a category
    assert table["slice"].drop_duplicates().to_list() == ["all", "gender=f", "abc"]
    worse = table[(table["slice"] == "abc") & (table["model_b"] == "big")].iloc[0]
    assert worse["verdict"] == "better" and worse["difference"] > 0.4


def test_regressions_are_those_of_models_only():
    _, tables = study(["gender"])
    assert set(tables.regressions["model_a"]) <= {"small", "big"}
    assert (tables.regressions["difference"] < 0).all()
    assert len(tables.regressions)


@pytest.mark.parametrize(("gate", "answers"), [(0.5, {"passed"}), (1.0, {"undecided"})])
def test_gates_are_summarised(capsys, gate, answers):
    _, tables = study([], gate=gate)
    assert tables.gates["model"].unique().tolist() == ["int8"]
    assert set(tables.gates["answer"]) == answers
    assert f"int8 has to keep {gate:.4g} of big: " in capsys.readouterr().out


def test_one_model_without_references_in_groups_has_an_empty_comparison():
    scores = {"only": keys().assign(loss=0.0)}
    references = keys().assign(model="median", loss=1.0)
    empty = pd.DataFrame(columns=["slice", "rule"]), pd.DataFrame(columns=["slice", *KEY])
    tables = compare_models(
        scores, references, [empty[0]], [empty[1]], keys(), columns=[], task=Task("regression"),
        sources={}, gate=0.9, resamples=100, seed=0,
    )  # fmt: skip
    assert tables.comparison[["model_a", "model_b", "slice"]].to_numpy().tolist() == [
        ["median", "only", "all"]
    ]
    assert tables.regressions.empty and tables.gates.empty


def test_variants_are_compared_with_their_source_in_any_order():
    sources = {"x8": "x", "y8": "y", "y16": "y"}
    assert compared_pairs(["x8", "x", "y", "y8", "y16", "z"], sources) == [
        ("x8", "x"), ("x", "y"), ("x", "z"), ("y", "y8"), ("y", "y16"), ("y", "z"),
    ]  # fmt: skip
    assert compared_pairs(["x"], {}) == []
