"""The tables of failure modes: what a mode holds, its name and its figures."""

import numpy as np
import pandas as pd
import pytest
from voxslice.modes.table import LINK_COLUMNS, MODE_COLUMNS, find_modes
from voxslice.slices.table import SLICE_COLUMNS, slice_id
from voxslice.task import Task
from voxslice.utterance_keys import KEY

N, SPEAKERS = 1200, 30
CLASSES = Task("classification")


@pytest.fixture
def metadata():
    rng = np.random.default_rng(0)
    who = np.arange(N) % SPEAKERS
    return pd.DataFrame(
        {
            "file": [f"{i:04}.wav" for i in range(N)],
            "start": 0.0,
            "end": 1.0,
            "duration": 1.0,
            "speaker": [f"s{i:02}" for i in who],
            "gender": np.where(who < 15, "female", "male"),
            "emotion": rng.choice(["anger", "calm", "fear", "joy"], N),
            "pitch": rng.normal(150, 20, N).round(1),
        }
    )


def scored(metadata, rate, seed=1):
    """Scores of a model with an error rate for each utterance; errors predict `b`."""
    wrong = np.random.default_rng(seed).random(len(metadata)) < rate
    table = metadata[KEY].assign(label="a", prediction=np.where(wrong, "b", "a"))
    return table.assign(loss=wrong.astype(float))


def found(metadata, slices):
    """Tables of slices and members, given for each slice its mask and columns."""
    rows, members = [], [metadata[KEY].iloc[:0].assign(slice="")]
    for mask, columns in slices:
        name = slice_id(metadata.loc[mask, KEY])
        defaults = {
            "slice": name, "finder": "subgroups", "search": "people", "precision": 1.0,
            "recall": 1.0, "evidence": "within speakers", "confirmed": True, "stability": np.nan,
        }  # fmt: skip
        rows.append(defaults | columns)
        members.append(metadata.loc[mask, KEY].assign(slice=name))
    table = pd.DataFrame(rows).reindex(columns=SLICE_COLUMNS)
    return table, pd.concat(members).drop_duplicates()


def modes_of(metadata, scores, slices, **options):
    tables = {model: found(metadata, rows) for model, rows in slices.items()}
    return find_modes(
        scores,
        {model: table for model, (table, _) in tables.items()},
        {model: members for model, (_, members) in tables.items()},
        metadata,
        options.pop("flagged", metadata[KEY].iloc[:0]),
        task=options.pop("task", CLASSES),
        seed=0,
        **options,
    )


def rows_of(result, model="m"):
    """Rows of the confirmed and suggested modes of a model."""
    table = result.modes
    return table[(table["model"] == model) & (table["mode"] != "rest")].reset_index(drop=True)


def test_without_slices_there_are_no_modes(metadata):
    result = modes_of(metadata, {"m": scored(metadata, 0.1)}, {"m": []})
    assert list(result.modes) == MODE_COLUMNS and list(result.slices) == LINK_COLUMNS
    (row,) = result.modes.to_dict("records")
    assert (row["mode"], row["support"], row["share_of_errors"]) == ("rest", N, 1.0)
    assert not len(result.members) and not len(result.differences)


def test_slices_of_several_searches_are_one_mode(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    part = angry & (np.random.default_rng(2).random(N) < 0.9)
    scores = scored(metadata, 0.05 + 0.5 * angry)
    result = modes_of(
        metadata,
        {"m": scores},
        {
            "m": [
                (angry, {"rule": "emotion = anger"}),
                (part, {"rule": "no rule", "search": "sound", "finder": "sliceguard"}),
            ]
        },
    )
    (row,) = rows_of(result).to_dict("records")
    assert (row["name"], row["confirmed"], row["searches"]) == ("anger", True, "people, sound")
    assert (row["support"], row["speakers"]) == (angry.sum(), SPEAKERS)
    wrong = scores["loss"].to_numpy()
    assert row["value"] == pytest.approx(1 - wrong[angry].mean())
    assert row["errors"] == wrong[angry].sum()
    assert row["share_of_errors"] == pytest.approx(wrong[angry].sum() / wrong.sum())
    assert row["share_of_utterances"] == pytest.approx(angry.mean())
    assert row["confusion"].startswith("a predicted as b (")
    assert row["compared_with"] == "same speakers"
    assert 0 < row["low"] < row["excess"] < row["high"]
    assert set(result.members["file"]) == set(metadata.loc[angry, "file"])
    links = result.slices.set_index("search")
    assert list(links["mode"]) == ["1", "1"]
    assert links.loc["people", "representative"] and not links.loc["sound", "representative"]
    rest = result.modes[result.modes["mode"] == "rest"].iloc[0]
    assert rest["errors"] == wrong[~angry].sum() and rest["support"] == (~angry).sum()


def test_groups_that_share_no_errors_stay_apart_and_the_costlier_is_first(metadata):
    angry, afraid = ((metadata["emotion"] == name).to_numpy() for name in ("anger", "fear"))
    scores = scored(metadata, 0.05 + 0.3 * angry + 0.6 * afraid)
    coarse = angry | afraid | (metadata["gender"] == "male").to_numpy()
    result = modes_of(
        metadata,
        {"m": scores},
        {
            "m": [
                (coarse, {"rule": "no rule", "search": "coarse"}),
                (angry, {"rule": "emotion = anger"}),
                (afraid, {"rule": "emotion = fear"}),
            ]
        },
    )
    assert list(rows_of(result)["name"]) == ["fear", "anger"]
    links = result.slices[result.slices["search"] == "coarse"]
    assert set(links["mode"]) == {"1", "2"}


def test_a_rule_that_fits_names_its_own_utterances(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    cluster = angry & (np.random.default_rng(3).random(N) < 0.85)
    recall, precision = 1.0, float(cluster.sum() / angry.sum())
    columns = {"rule": "emotion = anger", "precision": precision, "recall": recall}
    scores = scored(metadata, 0.05 + 0.5 * angry)
    (row,) = rows_of(modes_of(metadata, {"m": scores}, {"m": [(cluster, columns)]})).to_dict(
        "records"
    )
    assert (row["name"], row["support"]) == ("anger", angry.sum())
    assert (row["precision"], row["recall"]) == (precision, recall)
    assert row["value"] == pytest.approx(1 - scores["loss"][angry].mean())


def test_a_rule_that_fits_roughly_is_no_name(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    cluster = angry & (np.random.default_rng(4).random(N) < 0.7)
    columns = {"rule": "emotion = anger", "precision": 0.7, "recall": 1.0, "search": "sound"}
    scores = scored(metadata, 0.05 + 0.5 * cluster)
    (row,) = rows_of(modes_of(metadata, {"m": scores}, {"m": [(cluster, columns)]})).to_dict(
        "records"
    )
    assert row["name"] == "cluster 1 of the search sound: anger"
    assert pd.isna(row["rule"]) and np.isnan(row["precision"])
    assert row["support"] == cluster.sum()


def test_a_rule_on_the_sound_stands_back_unless_it_explains_more(metadata):
    high = (metadata["pitch"] >= 160).to_numpy()
    angry = high & (np.random.default_rng(5).random(N) < 0.8)
    metadata["emotion"] = np.where(angry, "anger", "calm")
    slices = [
        (high, {"rule": "pitch at least 160", "search": "sound"}),
        (angry, {"rule": "emotion = anger"}),
    ]
    scores = {"m": scored(metadata, 0.05 + 0.5 * high)}
    first = rows_of(modes_of(metadata, scores, {"m": slices}, indirect=["pitch"])).iloc[0]
    assert first["name"] == "anger"
    units = {"pitch": "Hz"}
    first = rows_of(modes_of(metadata, scores, {"m": slices}, units=units)).iloc[0]
    assert first["name"] == "pitch at least 160 Hz"
    few = [slices[0], (angry & (metadata["gender"] == "male") & (metadata["pitch"] > 175), {
        "rule": "no rule"})]  # fmt: skip
    first = rows_of(modes_of(metadata, scores, {"m": few}, indirect=["pitch"])).iloc[0]
    assert first["name"] == "pitch at least 160"


def test_each_model_has_a_row_and_is_confirmed_by_its_own_slices(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    scores = {
        "small": scored(metadata, 0.05 + 0.5 * angry),
        "big": scored(metadata, 0.05, seed=6).iloc[:-100],
    }
    slices = {"small": [(angry, {"rule": "emotion = anger"})], "big": []}
    result = modes_of(metadata, scores, slices)
    small, big = (rows_of(result, model).iloc[0] for model in scores)
    assert small["confirmed"] and not big["confirmed"]
    assert big["evidence"] is None and big["slices"] == 0
    assert big["support"] == angry[:-100].sum()


def test_suggestions_that_share_no_errors_follow_the_confirmed_modes(metadata):
    angry, afraid = ((metadata["emotion"] == name).to_numpy() for name in ("anger", "fear"))
    male = (metadata["gender"] == "male").to_numpy()
    scores = scored(metadata, 0.05 + 0.5 * angry + 0.3 * afraid)
    no = {"confirmed": False, "evidence": None}
    sliceguard = {"search": "sound", "finder": "sliceguard", "rule": "no rule"}
    slices = [
        (angry, {"rule": "emotion = anger"}),
        (angry & male, {"rule": "emotion = anger & gender = male"} | no),
        (afraid, {"rule": "emotion = fear"} | no),
        (afraid & male, sliceguard | no | {"stability": 0.0}),
    ]
    result = modes_of(metadata, {"m": scores}, {"m": slices})
    rows = rows_of(result)
    assert list(rows["name"]) == ["anger", "fear"]
    assert list(rows["confirmed"]) == [True, False]
    assert rows["evidence"].iloc[1] is None
    rest = result.modes[result.modes["mode"] == "rest"].iloc[0]
    assert rest["support"] == (~angry).sum()  # only confirmed modes hold errors


def test_a_suggestion_that_no_other_seed_finds_is_no_mode(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    columns = {"rule": "no rule", "confirmed": False, "evidence": None, "stability": 0.0}
    scores = {"m": scored(metadata, 0.05 + 0.5 * angry)}
    result = modes_of(metadata, scores, {"m": [(angry, columns)]})
    assert not len(rows_of(result))
    assert list(result.slices["mode"]) == ["none"]


def test_a_simple_rule_takes_the_place_of_a_long_one_that_fits(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    most = angry & (metadata["pitch"] >= 125).to_numpy()
    scores = {"m": scored(metadata, 0.05 + 0.6 * most)}
    slices = [
        (most, {"rule": "emotion = anger & pitch at least 125"}),
        (angry, {"rule": "emotion = anger", "search": "other"}),
    ]
    assert list(rows_of(modes_of(metadata, scores, {"m": slices}))["name"]) == ["anger"]


def test_what_is_different_is_compared_for_the_same_speakers(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    metadata["pitch"] += 40 * angry + 50 * (metadata["gender"] == "female")
    scores = {"m": scored(metadata, 0.05 + 0.5 * angry)}
    result = modes_of(
        metadata, scores, {"m": [(angry, {"rule": "emotion = anger"})]}, units={"pitch": "Hz"}
    )
    (row,) = result.differences.to_dict("records")
    assert (row["column"], row["unit"], row["speakers"]) == ("pitch", "Hz", SPEAKERS)
    assert row["inside"] - row["outside"] == pytest.approx(40, abs=4)
    assert row["q"] < 0.001 and 1 < row["low"] < row["difference"] < row["high"]
    rule = "emotion = anger & pitch at least 100"
    held = angry & (metadata["pitch"] >= 100).to_numpy()
    result = modes_of(metadata, scores, {"m": [(held, {"rule": rule})]})
    assert not len(result.differences)  # the rule itself is on the pitch


def test_a_mode_of_one_speaker_names_the_speaker(metadata):
    mine = ((metadata["speaker"] == "s03") & (metadata["emotion"] == "anger")).to_numpy()
    scores = {"m": scored(metadata, 0.02 + 0.9 * mine)}
    slices = [(mine, {"rule": "emotion = anger & speaker = s03"})]
    (row,) = rows_of(modes_of(metadata, scores, {"m": slices})).to_dict("records")
    assert (row["leading_speaker"], row["speakers"]) == ("s03", 1)


def test_a_regression_has_directions_and_units(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    error = np.random.default_rng(7).normal(0, 3, N) - 12 * angry
    table = metadata[KEY].assign(label=30.0, prediction=30 + error, loss=np.abs(error))
    result = modes_of(
        metadata,
        {"m": table},
        {"m": [(angry, {"rule": "emotion = anger"})]},
        task=Task("regression", "years"),
    )
    (row,) = rows_of(result).to_dict("records")
    assert row["confusion"] == "predicts 12.2 years too low on average"
    assert row["value"] == pytest.approx(np.abs(error)[angry].mean())
    assert row["errors"] == pytest.approx(np.abs(error)[angry].sum())


def test_unknown_speakers_and_no_speakers_give_the_pooled_figure(metadata):
    angry = (metadata["emotion"] == "anger").to_numpy()
    metadata = metadata.drop(columns="speaker")
    scores = {"m": scored(metadata, 0.05 + 0.5 * angry)}
    slices = {"m": [(angry, {"rule": "emotion = anger", "evidence": "rows"})]}
    row = rows_of(modes_of(metadata, scores, slices)).iloc[0]
    assert row["compared_with"] == "all other utterances"
    assert (row["excess"], row["low"]) == (row["drop"], row["drop_low"])
    assert pd.isna(row["speakers"]) and pd.isna(row["leading_speaker"])


@pytest.mark.slow
def test_figures_without_flagged_utterances(metadata):
    rng = np.random.default_rng(4)
    angry = (metadata["emotion"] == "anger").to_numpy()
    flagged = angry & (rng.random(N) < 0.4)
    scores = {"m": scored(metadata, 0.05 + 0.6 * flagged), "n": scored(metadata, 0.05, seed=5)}
    slices = {"m": [(angry, {"rule": "emotion = anger"})], "n": []}
    keys = metadata.loc[flagged, KEY]
    row, other = modes_of(metadata, scores, slices, flagged=keys).modes.iloc[:2].to_dict("records")
    assert row["flagged"] == other["flagged"] == flagged.sum()
    assert row["confirmed"] and row["confirmed_unflagged"] is False and row["p_unflagged"] > 0.05
    assert row["excess"] > 0.2 and abs(row["excess_unflagged"]) < 0.05
    assert pd.isna(other["confirmed_unflagged"]) and np.isnan(other["p_unflagged"])
    row = modes_of(metadata, scores, slices).modes.iloc[0]
    assert (row["flagged"], row["confirmed_unflagged"]) == (0, True)
    assert row["excess_unflagged"] == row["excess"] and np.isnan(row["p_unflagged"])


def test_recordings_of_modes_of_people_and_of_categories_are_compared(metadata):
    female = (metadata["gender"] == "female").to_numpy()
    angry = female & (metadata["emotion"] == "anger").to_numpy()
    snr = np.random.default_rng(3).normal(25, 2, N) - 10 * female
    table = metadata.assign(snr=snr.round(1), place="lab")
    scores = {"m": scored(metadata, 0.05 + 0.5 * angry), "n": scored(metadata, 0.05).iloc[60:]}
    rule = "gender = female & emotion = anger"
    result = modes_of(
        table,
        scores,
        {"m": [(angry, {"rule": rule})], "n": []},
        people=["speaker", "gender"],
        channel=["snr", "place"],
        units={"snr": "dB"},
    )
    rows = result.channels[result.channels["column"] == "snr"]
    assert rows["rule"].tolist() == ["gender = female", "gender = male", rule]
    assert (rows["p"] <= 0.001).all()
    assert (result.channels.loc[result.channels["column"] == "place", "p"] == 1).all()
    kept = table.iloc[60:]
    inside = kept[kept["gender"] == "female"]["snr"].mean()
    assert rows["inside"].iloc[0] == pytest.approx(inside)
    assert not len(modes_of(table, scores, {"m": [], "n": []}).channels)
