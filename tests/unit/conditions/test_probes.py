"""A probe exposes the property that a model goes by, and no other one."""

import numpy as np
import pandas as pd
import pytest
from voxslice.conditions.probes import (
    NO_EFFECT,
    PART,
    PROBE_COLUMNS,
    REASON,
    UNDECIDED,
    change_in_words,
    judge_models,
    judge_probes,
    probed_modes,
)
from voxslice.multiple_tests import holm
from voxslice.task import Task

PROBES = {
    "lower": {"pitch": -4},
    "quieter": {"gain": -10},
    "narrow": {"band": [0, 4000]},
    "faster": {"speed": 1.2},
    "noisy": {"noise": "white", "snr": 20},
}
"""Probes by id."""
CHANGED = {"lower": "pitch", "quieter": "level", "narrow": "band", "faster": "speed"}
"""What each probe changes in `voices`."""
TASK = Task("classification")


def voices(seed=0, speakers=10, utterances=40):
    """Properties of the utterances of men: those in anger have a high pitch and a narrow band."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(speakers), utterances)
    anger = rng.random(len(who)) < 0.25
    return pd.DataFrame(
        {
            "speaker": who.astype(str),
            "anger": anger,
            "pitch": rng.normal(110, 8, len(who)) + 80 * anger + rng.normal(0, 8, speakers)[who],
            "band": rng.normal(4500, 300, len(who)) + 3000 * ~anger,
            "level": rng.normal(-25, 3, len(who)),
            "speed": rng.normal(4, 0.3, len(who)),
        }
    )


def probed(table, probe):
    """Properties after a probe: each changes one of them, or adds a little to the band."""
    factors = {"pitch": 2 ** (-4 / 12), "level": 1.0, "band": 0.5, "speed": 1.2}
    if probe not in CHANGED:
        return table
    name = CHANGED[probe]
    changed = table[name] - 10 if name == "level" else table[name] * factors[name]
    if name == "band":
        changed = np.minimum(table["band"], 4000)
    return table.assign(**{name: changed})


def scored(wrong):
    loss = np.asarray(wrong, float)
    # the labels of a study are several, so that a change cannot move all answers to one of them
    return pd.DataFrame({"loss": loss, "label": np.arange(len(loss)) % 2})


def judged(is_wrong, table, modes=None, probes=PROBES, task=TASK, **options):
    """Judge the probes of a model, given a function from properties to errors."""
    clean = scored(is_wrong(table))
    return judge_probes(
        "model",
        clean,
        {probe: scored(is_wrong(probed(table, probe))) for probe in probes},
        dict.fromkeys(probes, clean),
        modes or {"1": ("anger", table["anger"].to_numpy())},
        table["speaker"].to_numpy(str),
        probes,
        task=task,
        seed=0,
        **options,
    )


def verdicts(table):
    return dict(zip(table["probe"], table["verdict"], strict=True))


@pytest.mark.slow
def test_a_model_that_goes_by_pitch_is_exposed_by_the_pitch_probe_alone():
    table = judged(lambda voice: voice["pitch"] > 165, voices())
    assert list(table) == PROBE_COLUMNS
    found = verdicts(table)
    assert found.pop("lower") == REASON
    assert set(found.values()) == {NO_EFFECT}
    row = table.iloc[0]
    assert row["repaired"] >= 0.5 * row["errors"]
    assert row["others_broken"] == 0
    assert row["gain"] > 0.3
    assert row["sentence"].startswith("Lowering the pitch by 4 semitones repairs ")
    assert row["sentence"].endswith("So the model goes by pitch.")
    assert "no effect on the mode: level is not the reason" in table["sentence"][1]


@pytest.mark.slow
def test_a_model_that_goes_by_bandwidth_is_exposed_by_the_band_probe_alone():
    # it is right about narrow audio only, so the mode is calm speech
    voice = voices()
    modes = {"1": ("calm", ~voice["anger"].to_numpy())}
    found = verdicts(judged(lambda part: part["band"] > 6000, voice, modes))
    assert found.pop("narrow") == REASON
    assert set(found.values()) == {NO_EFFECT}


@pytest.mark.slow
def test_a_change_that_disturbs_the_model_at_random_is_no_reason():
    table, rng = voices(1), np.random.default_rng(1)
    wrong = np.where(table["anger"], rng.random(len(table)) < 0.7, rng.random(len(table)) < 0.05)
    hits = 0
    for seed in range(20):
        flips = np.random.default_rng(seed).random(len(table)) < 0.3
        result = judge_probes(
            "model",
            scored(wrong),
            {"noisy": scored(wrong ^ flips)},
            {"noisy": scored(wrong)},
            {"1": ("anger", table["anger"].to_numpy())},
            table["speaker"].to_numpy(str),
            {"noisy": PROBES["noisy"]},
            task=TASK,
            seed=seed,
        )
        assert result["repaired"][0] > 10  # it repairs errors, and breaks as many right answers
        hits += result["verdict"][0] in (REASON, PART)
    assert hits <= 3


def test_what_the_processing_alone_repairs_is_no_effect_of_the_property():
    table = voices(2)
    wrong = table["anger"].to_numpy()
    nothing = scored(np.zeros(len(table)))
    result = judge_probes(
        "model", scored(wrong), {"lower": nothing}, {"lower": nothing},
        {"1": ("anger", wrong)}, table["speaker"].to_numpy(str), {"lower": PROBES["lower"]},
        task=TASK, seed=0,
    )  # fmt: skip
    assert result["repaired_alone"][0] == wrong.sum()
    assert result["verdict"][0] == UNDECIDED
    assert result["p"][0] == 1


def test_counts_by_hand():
    table = pd.DataFrame({"speaker": list("aaaabbbb"), "anger": [1, 1, 1, 0, 1, 1, 0, 0]})
    clean = scored([1, 1, 0, 0, 1, 0, 0, 1])
    changed = scored([0, 1, 1, 0, 0, 0, 1, 0])
    result = judge_probes(
        "model", clean, {"lower": changed}, {"lower": clean},
        {"1": ("anger", table["anger"].to_numpy(bool))}, table["speaker"].to_numpy(str),
        {"lower": PROBES["lower"]}, task=TASK, seed=0,
    ).iloc[0]  # fmt: skip
    assert (result["errors"], result["repaired"], result["right"], result["broken"]) == (3, 2, 2, 1)
    others = [f"others_{name}" for name in ("errors", "repaired", "right", "broken")]
    assert result[others].to_list() == [1, 1, 2, 1]
    assert (result["clean"], result["value"]) == (pytest.approx(2 / 5), pytest.approx(3 / 5))
    assert result["share"] == pytest.approx(2 / 3)
    assert result["gain"] == pytest.approx(1 / 5 - 0)


@pytest.mark.slow
def test_a_regression_is_judged_by_the_error():
    def error(voice):
        return 2 + np.maximum(voice["pitch"] - 140, 0) / 4

    table = judged(error, voices(3), task=Task("regression", unit="years"))
    found = verdicts(table)
    assert found.pop("lower") == REASON
    assert set(found.values()) == {NO_EFFECT}
    assert table["errors"].isna().all()
    assert "changes the mean absolute error from" in table["sentence"][0]
    assert "years" in table["sentence"][0]


def test_a_mode_of_all_utterances_of_its_speakers_has_no_others():
    table = voices(4)
    modes = {"1": ("everyone", np.ones(len(table), bool))}
    result = judged(lambda voice: voice["pitch"] > 165, table, modes)
    assert (result["others"] == 0).all()
    assert (result["p"] == 1).all()
    assert not set(result["verdict"]) & {REASON, PART}


@pytest.mark.slow
def test_other_speakers_do_not_count_as_others():
    table = voices(5)
    first = (table["speaker"] == "0").to_numpy()
    modes = {"1": ("anger of one", first & table["anger"].to_numpy())}
    result = judged(lambda voice: voice["pitch"] > 165, table, modes)
    assert (result["support"] + result["others"] == first.sum()).all()


@pytest.mark.slow
def test_p_is_adjusted_over_the_probes_and_modes_of_a_model():
    assert holm(np.array([0.01, 0.04, 0.03])) == pytest.approx([0.03, 0.06, 0.06])
    table = voices(6)
    modes = {str(n): (str(n), table["anger"].to_numpy()) for n in range(2)}
    probes = {name: PROBES[name] for name in ("lower", "quieter")}
    result = judged(lambda voice: voice["pitch"] > 165, table, modes, probes)
    assert len(result) == 4
    assert result["q"].to_numpy() == pytest.approx(holm(result["p"].to_numpy()))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pitch": -4}, "lowering the pitch by 4 semitones"),
        ({"pitch": 1}, "raising the pitch by 1 semitone"),
        ({"gain": 10}, "raising the level by 10 dB"),
        ({"band": [300, 3400]}, "keeping only 300 to 3400 Hz"),
        ({"speed": 0.8}, "making it 0.8 times as fast at the same pitch"),
        ({"noise": "white", "snr": 10}, "adding white noise at 10 dB"),
    ],
)
def test_changes_are_said_in_words(settings, words):
    assert change_in_words(settings)[0] == words


def test_only_confirmed_modes_of_a_model_are_probed():
    modes = pd.DataFrame(
        {
            "mode": ["1", "1", "2", "3", "4", "rest"],
            "model": ["a", "b", "a", "a", "a", "a"],
            "confirmed": [True, True, False, True, True, False],
        }
    )
    assert probed_modes(modes, "a", 2) == ["1", "3"]
    assert probed_modes(modes, "b", 3) == ["1"]


def test_without_modes_there_is_no_row():
    table = voices(7)
    result = judge_probes(
        "model", scored(table["anger"]), {}, {}, {}, table["speaker"].to_numpy(str), {},
        task=TASK, seed=0,
    )  # fmt: skip
    assert list(result) == PROBE_COLUMNS
    assert not len(result)


def test_models_are_judged_on_the_utterances_that_all_probes_have():
    table = voices(8)
    keys = pd.DataFrame({"file": [f"{n}.wav" for n in range(len(table))], "start": 0.0, "end": 1.0})
    metadata = keys.assign(speaker=table["speaker"])
    wrong = (table["pitch"] > 165).to_numpy(float)
    lower = (probed(table, "lower")["pitch"] > 165).to_numpy(float)
    keys_of_men = keys.assign(label="male")
    clean = keys_of_men.assign(loss=wrong)
    modes = pd.DataFrame(
        {
            "mode": ["1", "rest"],
            "model": "model",
            "name": ["anger", None],
            "confirmed": [True, False],
        }
    )
    result = judge_models(
        {"model": clean},
        {"model": {"lower": keys_of_men.assign(loss=lower).iloc[::-1].iloc[5:]}},
        {"model": {"lower": clean}},
        modes,
        keys[table["anger"]].assign(mode="1"),
        metadata,
        {"lower": PROBES["lower"]},
        task=TASK,
        seed=0,
    )
    assert result["verdict"].to_list() == [REASON]
    assert result["support"][0] + result["others"][0] == len(table) - 5
    none = judge_models(
        {"model": clean}, {"model": {"lower": clean}}, {"model": {"lower": clean}},
        modes.assign(confirmed=False), keys.iloc[:0].assign(mode=""), metadata,
        {"lower": PROBES["lower"]}, task=TASK, seed=0,
    )  # fmt: skip
    assert list(none) == PROBE_COLUMNS
    assert not len(none)


def test_without_speakers_a_mode_is_compared_with_all_other_utterances():
    table = voices(9)
    wrong = (table["pitch"] > 165).to_numpy()
    clean = scored(wrong)
    result = judge_probes(
        "model", clean, {"lower": scored(probed(table, "lower")["pitch"] > 165)}, {"lower": clean},
        {"1": ("anger", table["anger"].to_numpy())}, None, {"lower": PROBES["lower"]},
        task=TASK, seed=0,
    )  # fmt: skip
    assert result["verdict"][0] == REASON
    assert pd.isna(result["speakers"][0])


def test_a_mode_that_only_stays_as_bad_while_others_get_worse_has_no_reason():
    rng = np.random.default_rng([10, 1])
    table = voices(10)
    anger = table["anger"].to_numpy()
    alone = np.where(anger, 15.0, 8.0) + rng.random(len(table))
    changed = np.where(anger, 14.7, 12.0) + rng.random(len(table))
    result = judge_probes(
        "model", scored(alone), {"lower": scored(changed)}, {"lower": scored(alone)},
        {"1": ("anger", anger)}, table["speaker"].to_numpy(str), {"lower": PROBES["lower"]},
        task=Task("regression", unit="years"), seed=0,
    ).iloc[0]  # fmt: skip
    assert result["q"] <= 0.05
    assert result["gain"] > 3
    assert result["share"] < 0.1
    assert result["verdict"] == NO_EFFECT


def test_a_change_that_breaks_right_answers_of_the_mode_as_often_is_no_reason():
    rng = np.random.default_rng([11, 1])
    table = voices(11)
    anger = table["anger"].to_numpy()
    wrong = anger & (rng.random(len(table)) < 0.7)
    flips = anger & (rng.random(len(table)) < 0.4)  # all utterances of the mode are unstable
    result = judge_probes(
        "model", scored(wrong), {"lower": scored(wrong ^ flips)}, {"lower": scored(wrong)},
        {"1": ("anger", anger)}, table["speaker"].to_numpy(str), {"lower": PROBES["lower"]},
        task=TASK, seed=0,
    ).iloc[0]  # fmt: skip
    assert result["q"] <= 0.05
    assert result["share"] > 0.3
    assert result["verdict"] == UNDECIDED


def test_a_change_that_repairs_nothing_but_breaks_the_right_answers_has_an_effect():
    rng = np.random.default_rng([12, 1])
    table = voices(12)
    anger = table["anger"].to_numpy()
    wrong = anger & (rng.random(len(table)) < 0.7)
    verdicts_by_broken = {}
    for name, changed in (("some", wrong), ("all", wrong | anger)):
        result = judge_probes(
            "model", scored(wrong), {"lower": scored(changed)}, {"lower": scored(wrong)},
            {"1": ("anger", anger)}, table["speaker"].to_numpy(str), {"lower": PROBES["lower"]},
            task=TASK, seed=0,
        ).iloc[0]  # fmt: skip
        assert result["repaired"] == 0
        verdicts_by_broken[name] = result["verdict"]
    assert verdicts_by_broken == {"some": NO_EFFECT, "all": UNDECIDED}


@pytest.mark.slow
def test_a_sentence_names_the_label_that_all_compared_utterances_have():
    """Without a second label, the change may move all answers to the only one."""
    table = voices()
    clean = scored(table["pitch"] > 165)
    changed = scored(probed(table, "lower")["pitch"] > 165)
    men = [one.assign(label="male") for one in (clean, changed)]
    found = [
        judge_probes(
            "model", before, {"lower": after}, {"lower": before},
            {"1": ("anger", table["anger"].to_numpy())}, table["speaker"].to_numpy(str),
            {"lower": PROBES["lower"]}, task=TASK, seed=0,
        ).iloc[0]
        for before, after in (men, (clean, changed))
    ]  # fmt: skip
    assert [row["verdict"] for row in found] == [REASON, REASON]
    assert found[0]["label"] == "male" and pd.isna(found[1]["label"])
    assert found[0]["sentence"].endswith(
        "So the model goes by pitch, or the change moves all answers to “male”: all these"
        " utterances have this label."
    )


@pytest.mark.slow
def test_a_mode_of_few_sentences_needs_sentences_that_agree():
    # the change flips all answers to half of the sentences, chosen at random; the mode is a topic
    speaker, sentence = np.divmod(np.arange(20 * 24), 24)
    mode = sentence < 8

    def significant(seed, units):
        rng = np.random.default_rng(seed)
        wrong = rng.random(len(mode)) < np.where(mode, 0.6, 0.2)
        flips = (rng.random(24) < 0.5)[sentence] & (rng.random(len(mode)) < 0.9)
        clean, probes = scored(wrong), {"lower": PROBES["lower"]}
        table = judge_probes(
            "model",
            clean,
            {"lower": scored(wrong ^ flips)},
            {"lower": clean},
            {"1": ("topic", mode)},
            speaker.astype(str),
            probes,
            task=TASK,
            seed=0,
            units=units,
        )
        return table["p"].iloc[0] <= 0.05

    seeds = range(20)
    assert sum(significant(seed, []) for seed in seeds) >= 5
    assert sum(significant(seed, [sentence]) for seed in seeds) <= 2
