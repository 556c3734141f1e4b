"""The answer says where the channel, and not the person, may be the cause."""

import dataclasses

import pandas as pd
import pytest
from report_study import make_study
from voxslice.modes.channels import CHANNEL_COLUMNS
from voxslice.report.answer import answer, named_rules
from voxslice.report.caveats import warnings
from voxslice.report.channel_notes import channel_note, label_note, missing_channel
from voxslice.report.mode_cards import cards
from voxslice.report.modes import modes_of

FEMALE, ANGRY = "gender = female", "gender = male & emotion = anger"
NUMBER = ["snr", None, "dB", 12.34, 25.1, 6, 6, -0.8, 0.01]
TELEPHONE = ["bandwidth", "telephone", None, 0.82, 0.12, 6, 6, 0.9, 0.001]
WIDEBAND = ["bandwidth", "wideband", None, 0.18, 0.88, 6, 6, -0.9, 0.001]


def with_channels(rows, **study):
    """A study in which the recordings of groups of people differ."""
    study = make_study(**study)
    settings = study.dataset_settings
    columns = settings["columns"] | {
        "bandwidth": {"measure": "bandwidth"}, "snr": {"measure": "snr"}, "place": {"column": "p"}
    }  # fmt: skip
    table = pd.DataFrame([[rule, *row] for rule, row in rows], columns=CHANNEL_COLUMNS)
    settings = settings | {"columns": columns, "channel_columns": ["bandwidth", "snr", "place"]}
    return dataclasses.replace(study, channels=table, dataset_settings=settings)


def test_the_clearest_column_is_given_with_its_figure():
    study = with_channels([(FEMALE, NUMBER), (FEMALE, WIDEBAND), (FEMALE, TELEPHONE)])
    assert channel_note(study, FEMALE) == (
        "The channel may be the cause: 82 % of these utterances are telephone speech, compared with"
        " 12 % of the other utterances. Snr differs too."
    )
    assert channel_note(study, "gender = male") == ""


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (NUMBER, "the mean snr of these utterances is 12.3 dB, compared with 25.1 dB of the other"),
        (
            ["place", "lab", None, 1, 0, 6, 6, 1, 0.01],
            "100 % of these utterances have the place lab",
        ),
        ([*TELEPHONE[:-1], 0.06], ""),
    ],
)
def test_numbers_and_other_categories(row, words):
    note = channel_note(with_channels([(FEMALE, row)]), FEMALE)
    assert note.startswith(f"The channel may be the cause: {words}" if words else "")
    assert bool(note) == bool(words)


def test_a_group_in_one_state_is_compared_with_others_in_that_state():
    note = channel_note(with_channels([(ANGRY, TELEPHONE)]), ANGRY)
    assert note.endswith("compared with 12 % of the other utterances (anger).")


@pytest.mark.slow
def test_the_answer_the_cards_and_the_warnings_have_the_note():
    study = with_channels([(ANGRY, TELEPHONE)], confirmed=True)
    rules = [rule for rule in named_rules(study) if rule]
    study = with_channels([(rule, TELEPHONE) for rule in rules], confirmed=True)
    assert any("82 % of these utterances are telephone speech" in text for text in answer(study))
    assert not any("channel" in text for text in answer(make_study(confirmed=True)))
    mode = next(card for card in cards(study, modes_of(study)) if card.mode.rule in rules)
    assert mode.channel.startswith("The channel may be the cause")


def test_the_largest_weak_group_has_the_note():
    study = make_study(slices=False)
    (rule, *_) = [rule for rule in named_rules(study) if "gender" in rule or "age" in rule]
    study = with_channels([(rule, TELEPHONE)], slices=False)
    (sentence, *_) = [text for text in answer(study) if "largest weak group" in text]
    assert "The channel may be the cause" in " ".join(answer(study)), sentence


def test_labels_that_differ_in_the_channel_are_a_warning():
    study = with_channels([(FEMALE, TELEPHONE), ("gender = male", NUMBER)])
    assert label_note(study, []) == [
        "82 % of the utterances with the label female are telephone speech, compared with 12 % of"
        " the others. So the channel may be the cause where the labels differ."
    ]
    assert label_note(study, ["gender = male"]) == []
    assert label_note(with_channels([(FEMALE, TELEPHONE)], classification=False), []) == []
    assert any("with the label female are telephone" in text for text in warnings(study))


def test_a_study_without_columns_of_the_recording_says_so():
    study = make_study(confirmed=True)
    settings = study.dataset_settings | {"channel_columns": []}
    study = dataclasses.replace(study, dataset_settings=settings)
    (sentence,) = missing_channel(study, [FEMALE, FEMALE, "emotion = anger", ""])
    assert sentence == (
        "No column describes how the utterances were recorded. A channel, such as a telephone, may"
        " be the cause of what is found for female. To measure it, set measures: default for the"
        " dataset."
    )
    assert missing_channel(study, ["emotion = anger"]) == []
    assert missing_channel(make_study(), [FEMALE]) == []
