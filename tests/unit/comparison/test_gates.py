"""Gates compare a derived model with its source on each slice, and have three answers."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.gates import GATE_COLUMNS, compare_with_sources, summaries
from voxslice.comparison.groups import Group
from voxslice.task import Task

DRAWN = {"resamples": 1000, "seed": 0}


def gates_of(losses, slices=None, kind="classification", gate=0.99, speakers=None, **settings):
    scores = {name: pd.DataFrame({"loss": np.asarray(x, float)}) for name, x in losses.items()}
    groups = {
        name: Group("slice", f"rule of {name}", np.asarray(mask, bool))
        for name, mask in (slices or {}).items()
    }
    sources = settings.pop("sources", {"int8": "big"})
    task = Task(kind, **settings)
    return compare_with_sources(scores, groups, speakers, sources, task=task, gate=gate, **DRAWN)


def wrong(count, total=200):
    return np.arange(total) < count


def by_speaker(total, speakers):
    return (np.arange(total) % speakers).astype(str)


@pytest.mark.parametrize("order", [1, -1])
def test_accuracy_is_compared_with_that_of_the_source(order):
    losses = dict(list({"big": wrong(20), "other": wrong(5), "int8": wrong(22)}.items())[::order])
    slices = {
        "thirty": np.arange(200) < 30,
        "few": (np.arange(200) >= 1) & (np.arange(200) < 30),
        "rest": np.arange(200) >= 30,
    }
    table = gates_of(losses, slices)
    assert list(table) == GATE_COLUMNS
    assert table["slice"].to_list() == ["all", "thirty", "rest"]
    assert table["rule"].to_list() == ["all utterances", "rule of thirty", "rule of rest"]
    assert table["support"].to_list() == [200, 30, 170]
    assert (table["model"] == "int8").all() and (table["source"] == "big").all()
    assert table["value"].to_list() == pytest.approx([178 / 200, 8 / 30, 1])
    assert table["source_value"].to_list() == pytest.approx([180 / 200, 10 / 30, 1])
    assert table["ratio"].to_list() == pytest.approx([178 / 180, 8 / 10, 1])
    assert (table["low"] <= table["ratio"]).all() and (table["ratio"] <= table["high"]).all()
    # two more errors in 200 utterances may be chance, and so may none in 170
    assert table["answer"].to_list() == ["undecided"] * 3


@pytest.mark.parametrize(("more", "answer"), [(0, "passed"), (18, "undecided"), (100, "failed")])
def test_an_answer_needs_evidence(more, answer):
    losses = {"big": wrong(100, 1000), "int8": wrong(100 + more, 1000)}
    table = gates_of(losses, {"s": np.ones(1000)}, speakers=by_speaker(1000, 20), gate=0.98)
    assert table["answer"].to_list() == [answer] * 2
    assert table["speakers"].to_list() == [20] * 2


def test_models_that_agree_on_few_utterances_show_nothing():
    for total, answer in ((298, "undecided"), (299, "passed")):  # 0.99 ** 299 <= 0.05
        losses = {"big": wrong(0, total), "int8": wrong(0, total)}
        row = gates_of(losses, speakers=by_speaker(total, 10)).iloc[0]
        assert (row["ratio"], row["low"], row["high"], row["answer"]) == (1, 1, 1, answer)


def test_the_rarest_label_has_to_show_a_loss():
    label = np.where(np.arange(2000) < 100, "m", "f")
    scores = pd.DataFrame({"loss": 0.0, "label": label, "prediction": label})
    task, speakers = Task("classification", overall="uar"), by_speaker(2000, 10)
    table = compare_with_sources(
        {"big": scores, "int8": scores},
        {},
        speakers,
        {"int8": "big"},
        task=task,
        gate=0.99,
        **DRAWN,
    )
    assert table["metric"].to_list() == ["uar"] and table["answer"].to_list() == ["undecided"]
    table = compare_with_sources(
        {"big": scores, "int8": scores},
        {},
        speakers,
        {"int8": "big"},
        task=task,
        gate=0.98,
        **DRAWN,
    )
    assert table["answer"].to_list() == ["passed"]  # 0.96 ** 100 <= 0.05


@pytest.mark.parametrize(("speakers", "answer"), [(4, "undecided"), (5, "passed")])
def test_an_answer_needs_five_speakers(speakers, answer):
    losses = {"big": wrong(0, 600), "int8": wrong(0, 600)}
    assert gates_of(losses, speakers=by_speaker(600, speakers))["answer"].to_list() == [answer]


def test_a_loss_of_one_speaker_fails_no_group():
    loss = np.zeros(400)
    worse = np.where(by_speaker(400, 10) == "0", 1.0, 0.0)
    row = gates_of({"big": loss, "int8": worse}, {"s": np.ones(400)}, speakers=by_speaker(400, 10))
    assert row["ratio"].to_list() == [0.9, 0.9] and row["answer"].to_list() == ["undecided"] * 2


def test_failures_are_adjusted_for_the_groups():
    rng = np.random.default_rng(0)
    speakers = by_speaker(1200, 8)
    losses = {"big": np.zeros(1200), "int8": rng.random(1200) < 0.1}
    one = {"s": np.arange(1200) < 100}
    many = one | {f"g{i}": rng.permutation(1200) < 100 for i in range(40)}
    alone = gates_of(losses, one, speakers=speakers).set_index("slice").loc["s"]
    among = gates_of(losses, many, speakers=speakers).set_index("slice").loc["s"]
    assert alone["q"] == pytest.approx(8 / 2**8) and alone["answer"] == "failed"
    assert among["q"] > alone["q"]


def test_a_smaller_error_is_better():
    source = np.full(100, 2.0)
    for error, ratio, answer in [(2.02, 2 / 2.02, "passed"), (2.03, 2 / 2.03, "failed"),
                                 (1, 2, "passed")]:  # fmt: skip
        table = gates_of({"big": source, "int8": np.full(100, error)}, {"s": np.ones(100)},
                         "regression", speakers=by_speaker(100, 10))  # fmt: skip
        assert table["ratio"].to_list() == pytest.approx([ratio] * 2)
        assert table["answer"].to_list() == [answer] * 2


def test_sources_that_are_always_wrong_or_never():
    def row(big, int8, kind="classification"):
        return gates_of({"big": big, "int8": int8}, kind=kind).iloc[0]

    both = row(wrong(200), wrong(200))
    assert (both["ratio"], both["answer"]) == (1, "undecided")
    better = row(wrong(200), wrong(100))
    assert np.isnan(better["ratio"]) and better["answer"] == "passed"
    perfect = np.zeros(200)
    equal = row(perfect, perfect, "regression")
    assert (equal["ratio"], equal["answer"]) == (1, "passed")
    worse = row(perfect, perfect + 0.1, "regression")
    assert (worse["ratio"], worse["answer"]) == (0, "failed")
    better = row(perfect + 0.1, perfect, "regression")
    assert np.isnan(better["ratio"]) and better["answer"] == "passed"


def test_a_gate_that_allows_no_loss_is_passed_by_a_better_model_only():
    speakers = by_speaker(400, 20)
    for errors, answer in ((100, "undecided"), (20, "passed")):
        losses = {"big": wrong(100, 400), "int8": wrong(errors, 400)}
        assert gates_of(losses, gate=1.0, speakers=speakers)["answer"].to_list() == [answer]


def test_the_gate_on_all_utterances_needs_no_minimum():
    assert gates_of({"big": wrong(1, 5), "int8": wrong(1, 5)})["support"].to_list() == [5]
    row = gates_of({"big": [], "int8": []}).iloc[0]
    assert row["answer"] == "undecided" and np.isnan(row["ratio"])


def test_without_derived_models_there_is_no_gate():
    gates = gates_of({"a": wrong(1), "b": wrong(2)}, sources={})
    assert list(gates) == GATE_COLUMNS and len(gates) == 0
    assert summaries(gates, 0.99) == []


def test_summaries():
    losses = {"big": wrong(100, 1000), "int8": wrong(300, 1000), "fp16": wrong(100, 1000)}
    sources = {"int8": "big", "fp16": "big"}
    group = {"s": np.arange(1000) % 20 < 2}
    gates = gates_of(losses, group, sources=sources, speakers=by_speaker(1000, 20))
    assert summaries(gates, 0.99) == [
        "int8 has to keep 0.99 of big: 0 of 2 gates passed, 1 failed, 1 undecided, the least 0.7778"
        " on all utterances.",
        "fp16 has to keep 0.99 of big: 1 of 2 gates passed, 0 failed, 1 undecided.",
    ]


@pytest.mark.parametrize(
    ("source", "model", "answer"), [(-1, -1, "passed"), (-1, -2, "failed"), (-2, -1, "passed")]
)
def test_a_model_with_a_negative_concordance_must_not_become_worse(source, model, answer):
    label = np.tile([1.0, 2.0, 3.0], 40)
    noise = np.random.default_rng(0).normal(0, 0.01, len(label))

    def scores(slope):
        prediction = 2 + slope * 0.1 * (label - 2) + noise
        return pd.DataFrame(
            {"loss": np.abs(prediction - label), "label": label, "prediction": prediction}
        )

    table = compare_with_sources(
        {"big": scores(source), "int8": scores(model)}, {}, by_speaker(120, 10), {"int8": "big"},
        task=Task("regression", overall="ccc"), gate=0.99, **DRAWN,
    )  # fmt: skip
    row = table.iloc[0]
    assert row["metric"] == "ccc" and row["source_value"] < 0 and np.isnan(row["ratio"])
    assert row["answer"] == answer


@pytest.mark.slow
def test_a_loss_on_single_sentences_passes_no_gate_and_fails_none():
    """The model loses as much as allowed on average, and sentences differ."""
    answers = {"plain": [], "units": []}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        speaker, sentence = np.divmod(np.arange(20 * 48), 48)
        sentence = sentence // 4
        source = rng.random(960) < 0.2
        lost = rng.normal(0.008, 0.06, 12)[sentence]
        flipped = rng.random(960) < np.where(source, np.maximum(-lost, 0) / 0.2, lost / 0.8)
        scores = {"big": source, "int8": source ^ flipped}
        scores = {name: pd.DataFrame({"loss": x.astype(float)}) for name, x in scores.items()}
        for name, units in (("plain", []), ("units", [sentence])):
            table = compare_with_sources(
                scores, {}, speaker.astype(str), {"int8": "big"}, task=Task("classification"),
                gate=0.99, units=units, **DRAWN | {"seed": seed},
            )  # fmt: skip
            answers[name].append(table["answer"].iloc[0])
    decided = {name: np.mean(np.array(x) != "undecided") for name, x in answers.items()}
    assert decided["plain"] >= 0.3 and decided["units"] <= 0.1
