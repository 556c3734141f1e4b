"""The tables of the interactive view."""

import re

import numpy as np
import pandas as pd
import pytest
from view_study import (
    COUNT,
    NO_MODES,
    class_scores,
    make_metadata,
    make_modes,
    make_slice,
    make_table,
)
from voxslice.report.spotlight.issues import make_issues, sample_note
from voxslice.report.spotlight.tables import MAP, make_slice_table, place, select
from voxslice.scores.scores import score_values
from voxslice.shown_text import CONTROL
from voxslice.task import Task
from voxslice.utterance_keys import KEY


def test_label_and_predictions_share_one_type():
    """Spotlight compares codes: models with classes in another order would look wrong."""
    metadata = make_metadata()
    scores = {
        "a": class_scores(metadata, ["female", "male", "child"], wrong=[1]),
        "b": class_scores(metadata, ["male", "female"]),
    }
    table = make_table(metadata, scores)
    types = {str(table[name].dtype) for name in ("label", "a_prediction", "b_prediction")}
    assert len(types) == 1
    assert list(table["label"].cat.categories) == ["female", "male", "child"]
    # what Spotlight's accuracy does
    agree = (table["label"].cat.codes == table["a_prediction"].cat.codes).mean()
    assert agree == pytest.approx(5 / 6)
    assert table["a_correct"].tolist() == ["right", "wrong", *["right"] * 4]


def test_table_holds_relative_audio_metadata_and_probabilities():
    metadata = make_metadata()
    table = make_table(metadata, {"a": class_scores(metadata, ["female", "male"])})
    assert table["audio"].iloc[0] == "../../../../resources/made/audio/wav/0.wav"
    assert table["file"].tolist() == metadata["file"].tolist()
    assert {"a_p_female", "a_p_male", "a_loss", "duration"} <= set(table)
    # Spotlight cannot show categories that are booleans
    assert table["known"].tolist()[:2] == ["True", "False"]
    assert table["known"].iloc[2] == "missing"
    assert (
        table["summary"].iloc[0]
        == "file wav/0.wav, label male, duration 1, gender male, known True"
    )
    assert table["a_summary"].iloc[0] == (
        "a · prediction male, correct right, p_female 0.0474, p_male 0.953, loss 0"
    )
    assert "window" not in table


def test_models_with_similar_names_are_not_confused():
    metadata = make_metadata()
    scores = {
        "a": class_scores(metadata, ["female", "male"]),
        "a_b": class_scores(metadata, ["female", "male"], wrong=[0]),
    }
    table = make_table(metadata, scores)
    assert "right" in table["a_summary"].iloc[0]
    assert "wrong" not in table["a_summary"].iloc[0]
    assert table["a_b_summary"].iloc[0].startswith("a_b · prediction female, correct wrong")


def test_metadata_does_not_replace_results():
    metadata = make_metadata(label="x", map_x="y", a_loss="z")
    table = make_table(metadata, {"a": class_scores(metadata, ["female", "male"])})
    assert {"metadata_label", "metadata_map_x", "metadata_a_loss"} <= set(table)
    assert table["a_loss"].tolist() == [0.0] * COUNT


def test_parts_of_files_have_a_window():
    metadata = make_metadata(file="wav/long.wav", start=np.arange(6.0), end=np.arange(6.0) + 1)
    table = make_table(metadata, {"a": class_scores(metadata, ["female", "male"])})
    assert list(table["window"].iloc[2]) == [2.0, 3.0]


def test_utterances_that_one_model_failed_on_stay():
    metadata = make_metadata()
    scores = {
        "a": class_scores(metadata, ["female", "male"]).iloc[1:],
        "b": class_scores(metadata, ["female", "male"]).iloc[:-1],
    }
    table = make_table(metadata, scores)
    assert len(table) == COUNT
    assert table["label"].notna().all()
    assert table["a_prediction"].iloc[0] == table["a_correct"].iloc[0] == "not scored"
    assert table["b_prediction"].iloc[-1] == "not scored"
    assert table["label"].dtype == table["a_prediction"].dtype


def test_regression_keeps_numbers():
    metadata = make_metadata(age=np.arange(6.0))
    predictions = metadata[KEY].assign(age=np.arange(6.0) + 1)
    scores = score_values(predictions, metadata["age"], column="age", scale=1)
    table = make_table(metadata, {"a": scores}, task=Task("regression"))
    assert table["label"].tolist() == list(range(6))
    assert table["a_loss"].tolist() == [1.0] * 6
    assert "a_correct" not in table


def test_map_is_two_numbers_and_does_not_change():
    metadata = make_metadata()
    scores = {"a": class_scores(metadata, ["female", "male"])}
    matrix = np.random.default_rng(0).normal(size=(COUNT - 1, 8)).astype(np.float32)
    embedding = (metadata[KEY].iloc[1:], matrix)
    first = make_table(metadata, scores, embedding=embedding)
    second = make_table(metadata, scores, embedding=embedding)
    places = first[MAP].to_numpy()
    assert places.shape == (COUNT, 2)
    assert places[0].tolist() == [0, 0]  # it has no embedding
    assert places.tobytes() == second[MAP].to_numpy().tobytes()
    # principal components: the first spreads most
    assert places[1:, 0].var() > places[1:, 1].var()


def test_the_table_of_slices_has_columns_for_every_model():
    metadata = make_metadata()
    scores = {
        "a": class_scores(metadata, ["female", "male"], wrong=[0, 4]),
        "b": class_scores(metadata, ["female", "male"], wrong=[4]).iloc[::-1],
    }
    worse, worse_members = make_slice([0, 2, 4], slice="one", confirmed=True)
    other, other_members = make_slice([0, 1], slice="two")
    table = make_slice_table(
        {"a": other, "b": worse},
        {"a": other_members, "b": worse_members},
        scores,
        make_modes([0, 2, 4], slices=["one"], models=["b"])[2],
        task=Task("classification"),
    )
    assert table["mode"].tolist() == ["1", "missing"]
    assert table["slice"].tolist() == ["one", "two"]
    assert table["model"].tolist() == ["b", "a"]
    assert table["confirmed"].tolist() == ["confirmed", "not confirmed"]
    assert table["a_value"].tolist() == pytest.approx([1 / 3, 1 / 2])
    assert table["b_value"].tolist() == pytest.approx([2 / 3, 1])


def test_more_utterances_than_fit_are_sampled_with_the_seed():
    metadata = pd.DataFrame({"file": [f"{i}.wav" for i in range(200)], "start": 0.0, "end": 1.0})
    scores = {"a": metadata[KEY].iloc[:150], "b": metadata[KEY].iloc[50:180]}
    draws = [select(metadata, scores, max_rows=40, seed=seed) for seed in (0, 0, 1)]
    rows, total = draws[0]
    assert total == 180 and len(rows) == 40
    assert rows["file"].is_unique and set(rows["file"]) <= set(metadata["file"][:180])
    assert rows["file"].str.removesuffix(".wav").astype(int).is_monotonic_increasing
    pd.testing.assert_frame_equal(rows, draws[1][0])
    assert not rows.equals(draws[2][0])
    everything, total = select(metadata, scores, max_rows=180, seed=0)
    assert len(everything) == total == 180
    note = sample_note(40, 180, 7)
    assert note["title"] == "A sample: 40 of 180 utterances" and "seed 7" in note["description"]


def test_audio_of_the_user_stays_where_it_is():
    assert place("/data/calls", "results/spotlight/made/gender") == "/data/calls"
    beside = place("../calls", "results/spotlight/made/gender")
    assert beside == "../../../../../calls"


def test_text_of_data_is_visible_but_paths_of_audio_are_opened_as_they_are():
    names = ["\x1b[2J.wav", "a\u202e.wav", *(f"wav/{i}.wav" for i in range(2, COUNT))]
    metadata = make_metadata(
        file=names, **{"mood\u202e": ["ok\x07", "ok\u2407", *["\u2067רע"] * (COUNT - 2)]}
    )
    scores = {"a": class_scores(metadata, ["female", "male"], wrong=[0])}
    table = make_table(metadata, scores)
    assert table["audio"].str.endswith(".wav").all() and "\x1b" in table["audio"].iloc[0]
    assert table["file"].tolist()[:2] == ["\u241b[2J.wav", "a[U+202E].wav"]
    # two categories that look the same are one
    assert table["mood[U+202E]"].tolist()[:3] == ["ok\u2407", "ok\u2407", "[U+2067]רע"]
    assert table["summary"].iloc[2].endswith("mood[U+202E] [U+2067]\u2068רע\u2069")
    shown = table.drop(columns="audio").select_dtypes(["object", "category"])
    for text in [*table.columns, *shown.astype(str).to_numpy().ravel()]:
        assert not CONTROL.search(re.sub("[\u2068\u2069]", "", text))


def test_rules_and_issues_show_text_of_data():
    metadata = make_metadata()
    scores = {"a": class_scores(metadata, ["female", "male"])}
    found, members = make_slice([0, 2], rule="mood = רע\u202e", note="a\nb", search="x\x1b[31m")
    task = Task("classification")
    table = make_slice_table({"a": found}, {"a": members}, scores, NO_MODES[2], task=task)
    assert table["rule"].tolist() == ["mood = \u2068רע\u2069[U+202E]"]
    assert table["note"].tolist() == ["a\u240ab"]
    issue = make_issues(metadata[KEY], *NO_MODES, {"a": found}, {"a": members}, task)[0]
    assert issue["title"] == "↳ a: mood = \u2068רע\u2069[U+202E] [abc]"
    assert "in x\u241b[31m" in issue["description"] and "a\u240ab" in issue["description"]
