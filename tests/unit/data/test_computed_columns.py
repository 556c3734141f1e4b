"""Computed columns: measures, and the predictions of another model in bins."""

import numpy as np
import pandas as pd
import pytest
from voxslice.data.computed_columns import add_columns, in_bins
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY


@pytest.fixture
def metadata():
    return pd.DataFrame(
        {
            "file": ["a.wav", "b.wav", "b.wav", "c.wav"],
            "start": [0.0, 0.0, 1.0, 0.0],
            "end": [1.0, 1.0, 2.004, 1.0],
            "duration": [1.0, 1.0, 1.004, 1.0],
            "gender": pd.Categorical(["f", "m", "m", "f"]),
        }
    )


def add(metadata, columns, measures=None, predictions=None):
    return add_columns(metadata, columns, measures=measures, predictions=predictions or {})


def test_measures_are_matched_by_key(metadata):
    measured = metadata[KEY].assign(pitch=[100.0, np.nan, 300.0, 400.0])
    columns = {"tone": {"measure": "pitch"}, "length": {"measure": "duration"}}
    full = add(metadata, columns, measured.iloc[::-1])
    assert list(full) == [*metadata, "tone", "length"]
    assert full["tone"].tolist() == pytest.approx([100, np.nan, 300, 400], nan_ok=True)
    assert full["length"].tolist() == [1, 1, 1, 1]
    assert full["gender"].dtype == metadata["gender"].dtype


def test_a_measured_category_becomes_categories(metadata):
    bands = pd.array(["telephone", None, "full", "full"], dtype="string")
    full = add(
        metadata, {"channel": {"measure": "bandwidth"}}, metadata[KEY].assign(bandwidth=bands)
    )
    assert list(full["channel"].cat.categories) == ["full", "telephone"]
    assert full["channel"].isna().tolist() == [False, True, False, False]


def test_audio_that_cannot_be_read_has_no_duration(metadata):
    columns = {"length": {"measure": "duration"}}
    for lengths in ([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.004, 1.126]):
        full = add(metadata.assign(duration=lengths), columns)
        expected = [round(length, 2) if length else np.nan for length in lengths]
        assert full["length"].tolist() == pytest.approx(expected, nan_ok=True)


def test_predictions_become_groups_and_failures_are_missing(metadata):
    arousal = metadata[KEY].assign(arousal=np.float32([0.9, 0.1, 0.5, 0.7])).iloc[:3]
    columns = {"energy": {"model": "other", "label": "arousal", "bins": 3}}
    full = add(metadata, columns, predictions={"other": arousal})
    assert full["energy"].astype("string").fillna("missing").tolist() == [
        "high 0.9..0.9",
        "low 0.1..0.1",
        "middle 0.5..0.5",
        "missing",
    ]


def test_predicted_classes_stay(metadata):
    predicted = metadata[KEY].assign(emotion=pd.Categorical(["x", "y", "y", None]))
    columns = {"guess": {"model": "other", "label": "emotion", "bins": 3}}
    full = add(metadata, columns, predictions={"other": predicted})
    assert full["guess"].tolist()[:3] == ["x", "y", "y"]
    assert pd.isna(full["guess"].iloc[3])


def test_a_missing_label_is_explained(metadata):
    predicted = metadata[KEY].assign(arousal=1.0, valence=1.0)
    columns = {"guess": {"model": "other", "label": "joy", "bins": 3}}
    with pytest.raises(InputError, match=r"no label 'joy'.*one of arousal, valence\."):
        add(metadata, columns, predictions={"other": predicted})


def test_a_model_without_predictions_is_explained(metadata):
    columns = {"guess": {"model": "other", "label": "joy", "bins": 3}}
    with pytest.raises(InputError, match="scored no utterance: remove the column guess"):
        add(metadata, columns, predictions={"other": metadata[KEY].iloc[:0].assign(joy=[])})


@pytest.mark.parametrize(("count", "first"), [(2, "low"), (3, "low"), (5, "1 of 5")])
def test_bins_have_the_same_size_and_name_their_limits(count, first):
    values = pd.Series(np.random.default_rng(0).permutation(60) / 10)
    bins = in_bins(values, count)
    assert bins.value_counts().tolist() == [60 // count] * count
    assert bins.cat.ordered
    assert bins.cat.categories[0] == f"{first} 0..{60 / count / 10 - 0.1:.3g}"
    assert (
        values[bins == bins.cat.categories[0]].max() < values[bins == bins.cat.categories[1]].min()
    )


def test_equal_numbers_share_a_bin():
    bins = in_bins(pd.Series([1.0] * 8 + [2.0, 3.0]), 3)
    assert bins.astype(str).tolist()[:8] == ["low 1..1"] * 8
    constant = in_bins(pd.Series([1.0, 1.0, np.nan]), 3)
    assert constant.notna().tolist() == [True, True, False]


def test_a_column_is_read_from_the_names_of_files(metadata):
    metadata["file"] = ["wav/03a01Fa.wav", "wav/03b02Nb.wav", "wav/03b02Nb.wav", "other.wav"]
    columns = {
        "sentence": {"file_name": r"/\d\d(?P<value>[ab]\d\d)"},
        "emotion": {"file_name": r"\d(?P<value>[A-Z])[a-z]?[.]", "map": {"F": "happiness"}},
        "speaker": {"file_name": r"/(?P<value>\d\d)"},
    }
    full = add(metadata, columns)
    assert list(full) == [*KEY, "duration", "speaker", "gender", "sentence", "emotion"]
    missing = full.astype("string").fillna("missing")
    assert missing["sentence"].tolist() == ["a01", "b02", "b02", "missing"]
    assert missing["emotion"].tolist() == ["happiness", "N", "N", "missing"]
    assert missing["speaker"].tolist() == ["03", "03", "03", "missing"]


def test_a_pattern_that_fits_no_file_is_refused(metadata):
    message = r"^The pattern of the column part fits no file name, such as a.wav: correct its file_"
    with pytest.raises(InputError, match=message):
        add(metadata, {"part": {"file_name": "_(?P<value>.)"}})
