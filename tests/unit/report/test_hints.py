"""Labels that models contradict are shown as hints, with their share in failure modes."""

import dataclasses

import pandas as pd
import pytest
from report_study import make_study, page_of, write_noise
from voxslice.audit.hints import HINT_COLUMNS
from voxslice.report.hints import hint_sentences, hint_table, placed_hints
from voxslice.utterance_keys import KEY


def with_hints(rows, **study):
    """A study with hints: for each row, the model, the position of the utterance and p."""
    study = make_study(confirmed=True, **study)
    keys = study.metadata[KEY].to_numpy().tolist()
    table = [[*keys[i], model, "male", "female", p, 1 - p] for model, i, p in rows]
    return dataclasses.replace(study, hints=pd.DataFrame(table, columns=HINT_COLUMNS))


def confirmed_members(study, model):
    """Positions of the utterances in confirmed modes of a model."""
    modes = study.modes[study.modes["confirmed"].eq(True) & study.modes["model"].eq(model)]
    members = study.mode_members[study.mode_members["mode"].isin(modes["mode"])]
    files = study.metadata["file"].tolist()
    return [files.index(file) for file in members["file"]]


def test_sentences_count_hints_and_their_share_in_confirmed_modes():
    study = make_study(confirmed=True)
    inside = confirmed_members(study, "a")
    outside = [i for i in range(24) if i not in inside]
    study = with_hints([("a", inside[0], 0.1), ("a", inside[1], 0.2), ("a", outside[0], 0.3)])
    assert hint_sentences(study) == [
        "Labels that a model contradicts are hints, not errors: the model was trained on other data"
        " and may be wrong.",
        "a contradicts 3 labels (12 %). 2 of them (67 %) are in confirmed failure modes of this"
        " model, where the model is more likely to be wrong than the label.",
    ]
    study = with_hints([("a", outside[0], 0.3), ("a", inside[0], 0.1)])
    assert "1 of them (50 %) is in a confirmed failure mode of this" in hint_sentences(study)[1]
    assert hint_sentences(with_hints([("a", outside[0], 0.3)]))[1] == "a contradicts 1 label (4 %)."
    study = with_hints([("a", inside[0], 0.3)])
    assert "It is in a confirmed failure mode of this model" in hint_sentences(study)[1]
    study = with_hints([("a", inside[0], 0.3), ("a", inside[1], 0.3)])
    assert "All of them are in confirmed failure modes of this" in hint_sentences(study)[1]


def test_a_study_without_hints_says_nothing():
    assert hint_sentences(make_study()) == [] and hint_table(make_study()) is None
    assert hint_sentences(make_study(classification=False)) == []


def test_labels_that_several_models_contradict_come_first():
    study = make_study(confirmed=True)
    inside = confirmed_members(study, "a")
    outside = [i for i in range(24) if i not in inside]
    rows = [("a", inside[0], 0.01), ("a", outside[1], 0.2), ("a", outside[0], 0.3)]
    study = with_hints([*rows, ("b", outside[0], 0.4)])
    table = hint_table(study)
    names = study.metadata["file"]
    assert [row[0].text for row in table.rows] == [
        names[outside[0]], names[outside[1]], names[inside[0]],
    ]  # fmt: skip
    assert table.rows[0][2].text == "a: female; b: female"
    assert table.caption == "Labels that models contradict"
    assert hint_table(with_hints([("a", i, 0.1) for i in range(24)])).caption.endswith(", 20 of 24")
    assert table.rows[0][4].text == "" and table.rows[2][4].text == "1"


def test_whole_numbers_of_a_csv_table_are_placed():
    study = make_study(confirmed=True)
    study = with_hints([("a", confirmed_members(study, "a")[0], 0.1)])
    hints = study.hints.astype({"start": int, "end": int})
    assert placed_hints(hints, study.modes, study.mode_members)["mode"].tolist() == ["1"]


@pytest.mark.slow
def test_the_page_shows_hints(tmp_path):
    page = page_of(with_hints([("a", 0, 0.1)]), write_noise(tmp_path))
    assert "are hints, not errors" in page and "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page
