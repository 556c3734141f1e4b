"""Predictions from a table of the user are matched with the utterances of a dataset."""

import numpy as np
import pandas as pd
import pytest
from voxslice.classes import Classes
from voxslice.data.user_tables import read_table
from voxslice.errors import InputError
from voxslice.files import sha256
from voxslice.inference.given_predictions import (
    describe_tables,
    match_predictions,
    read_predictions,
)
from voxslice.utterance_keys import KEY

TASKS = {"gender": Classes(["female", "male"]), "age": None}


def utterances(files="abc"):
    rows = [(f"wav/{name}.wav", 0.0, 1.2345625) for name in files]
    return pd.DataFrame(rows, columns=KEY).assign(duration=1.2345625)


def table(**columns):
    given = {
        "file": ["wav/c.wav", "wav/a.wav", "wav/b.wav"],
        "gender": ["male", "female", "male"],
        "age": ["31", "20.5", "40"],
    }
    return pd.DataFrame(given | columns).dropna(axis=1, how="all").astype("string")


def check(given, rows=None, tasks=TASKS):
    return match_predictions(given, utterances() if rows is None else rows, tasks, source="t.csv")


def test_predictions_come_in_the_order_of_the_utterances():
    predictions, failures = check(table())
    assert list(predictions) == [*KEY, "gender", "age"]
    assert predictions[KEY].equals(utterances()[KEY])
    assert predictions["gender"].to_list() == ["female", "male", "male"]
    assert list(predictions["gender"].cat.categories) == ["female", "male"]
    assert predictions["age"].to_list() == [20.5, 40, 31]
    assert list(failures) == [*KEY, "reason"] and len(failures) == 0


@pytest.mark.parametrize(
    ("dataset", "predictions"),
    [("w/\u00fc.wav", "w/u\u0308.wav"), ("w/u\u0308.wav", "w/\u00fc.wav")],
)
def test_names_in_another_unicode_form_are_matched(dataset, predictions):
    rows = utterances().replace({"file": {"wav/a.wav": dataset}})
    given = table(file=["wav/c.wav", predictions, "wav/b.wav"])
    found, failures = check(given, rows)
    assert len(failures) == 0 and dataset in set(found["file"])
    assert found.set_index("file")["age"][dataset] == 20.5
    twice = table(file=[dataset, predictions, "wav/b.wav"])
    with pytest.raises(InputError, match="has more than one row for"):
        check(twice, rows)


def test_other_columns_are_left_alone():
    predictions, _ = check(table(note=["x", "y", "z"]), tasks={"age": None})
    assert list(predictions) == [*KEY, "age"]


def test_an_utterance_without_a_prediction_is_a_failure():
    given = table(gender=["male", None, None], age=["31", "20", None])
    predictions, failures = check(given, utterances("abcd"))
    assert failures["file"].to_list() == ["wav/a.wav", "wav/b.wav", "wav/d.wav"]
    assert failures["reason"].to_list() == [
        "the table has no gender",
        "the table has no gender and no age",
        "the table has no row",
    ]
    assert predictions["file"].to_list() == ["wav/a.wav", "wav/b.wav", "wav/c.wav"]
    assert predictions["age"].to_list()[::2] == [20, 31]
    assert predictions["gender"].isna().to_list() == [True, True, False]


def test_rows_of_filtered_utterances_are_ignored():
    predictions, failures = match_predictions(
        table(), utterances("bd"), TASKS, source="t.csv", filtered=True
    )
    assert predictions["file"].to_list() == ["wav/b.wav"]
    assert predictions["age"].to_list() == [40]
    assert failures["reason"].to_list() == ["the table has no row"]
    with pytest.raises(InputError, match=r"2 rows of t\.csv name no utterance"):
        check(table(), utterances("bd"))


def test_segments_match_to_the_millisecond():
    rows = pd.DataFrame(
        {"file": ["a", "a"], "start": [0.0, 0.5], "end": [0.5, 1.2345625], "duration": 0.5}
    )
    given = pd.DataFrame(
        {"file": ["a", "a"], "start": ["0.5", "0"], "end": ["1.2346", "0.5"], "age": ["1", "2"]}
    ).astype("string")
    predictions, failures = check(given, rows, {"age": None})
    assert predictions["age"].to_list() == [2, 1]
    assert predictions["end"].to_list() == [0.5, 1.2345625]
    assert len(failures) == 0
    with pytest.raises(InputError, match=r"t\.csv has more than one row for a: keep one"):
        check(given.drop(columns=["start", "end"]), rows, {"age": None})
    one = given.drop(columns=["start", "end"]).iloc[:1]
    with pytest.raises(InputError, match="several utterances in a: add the columns start and end"):
        check(one, rows, {"age": None})
    with pytest.raises(InputError, match=r"name no utterance .* the first a 0.5 1.2: .* a 0.0 0.5"):
        check(given.replace("1.2346", "1.2"), rows, {"age": None})


def test_probabilities():
    given = table(**{"gender.male": ["0.7", "0.2", "1"], "gender.female": ["0.3", "0.8", "0"]})
    predictions, _ = check(given)
    assert list(predictions) == [*KEY, "gender", "gender.female", "gender.male", "age"]
    assert predictions["gender.male"].to_list() == [0.2, 1, 0.7]


def test_probabilities_that_rounding_puts_out_of_range_are_clipped():
    above = str(float(np.nextafter(np.float32(1), np.float32(2))))
    given = table(**{"gender.male": [above, "-1e-9", "1"], "gender.female": ["-1e-7", above, "0"]})
    predictions, failures = check(given)
    assert predictions["gender.male"].to_list() == [0, 1, 1]
    assert predictions["gender.female"].to_list() == [1, 0, 0]
    assert len(failures) == 0
    named = {"gender": Classes(["female", "male"], {"male": "male"}), "age": None}
    predictions, _ = check(given, tasks=named)
    shares = predictions[["gender.female", "gender.male"]].to_numpy()
    assert ((shares >= 0) & (shares <= 1)).all() and (shares.sum(axis=1) == 1).all()


def test_probabilities_may_have_classes_that_the_task_lacks():
    given = table(
        gender=["child", "female", "male"],
        **{f"gender.{name}": ["0.3", "0.3", "0.4"] for name in ("child", "male", "female")},
    )
    predictions, _ = check(given)
    assert list(predictions["gender"].cat.categories) == ["female", "male", "child"]
    assert predictions["gender"].to_list() == ["female", "male", "child"]


MOODS = {"mood": Classes(["low", "high"], {"sad": "low", "joy": "high"}, ["calm"])}


def test_classes_stand_for_labels():
    given = utterances()[["file"]].assign(mood=["sad", "high", "calm"]).astype("string")
    predictions, failures = check(given, tasks=MOODS)
    assert predictions["mood"].to_list()[:2] == ["low", "high"]
    assert list(predictions["mood"].cat.categories) == ["low", "high"]
    assert failures["reason"].to_list() == ["the table has only excluded classes as mood"]
    with pytest.raises(
        InputError, match="'Sad' in the column mood, but the labels of the task are low,"
    ):
        check(given.replace("sad", "Sad"), tasks=MOODS)


def test_probabilities_are_added_up_by_label():
    shares = {
        "sad": [0.3, 0, 0.2],
        "low": [0.2, 0.1, 0],
        "joy": [0.4, 0.3, 0],
        "calm": [0.1, 0.6, 0.8],
    }
    given = utterances()[["file"]].assign(mood=["joy", "calm", None])
    given = given.assign(**{f"mood.{name}": values for name, values in shares.items()})
    predictions, failures = check(given.astype("string"), tasks=MOODS)
    assert list(predictions) == [*KEY, "mood", "mood.low", "mood.high"]
    assert predictions["mood"].to_list()[:2] == ["low", "high"]
    np.testing.assert_allclose(predictions["mood.low"][:2], [0.5 / 0.9, 0.1 / 0.4])
    np.testing.assert_allclose(predictions["mood.high"][:2], [0.4 / 0.9, 0.3 / 0.4])
    assert failures["reason"].to_list() == ["the table has no mood"]
    nothing = given.assign(**{"mood.low": 0, "mood.sad": 0, "mood.joy": 0}).astype("string")
    _, failures = check(nothing, tasks=MOODS)
    assert failures["reason"].to_list()[:2] == ["the table has only excluded classes as mood"] * 2


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"file": None},
            "t.csv has no column 'file'; its columns are gender, age: add the column, since file",
        ),
        ({"gender": None}, "has no column 'gender'; its columns are file, age"),
        ({"gender": ["Male", "female", "male"]}, "has the class 'Male' in the column gender, but"),
        ({"age": ["31", "old", "40"]}, "has 'old' as age of wav/a.wav, which is not a number"),
        ({"age": ["31", "inf", "40"]}, "has 'inf' as age of wav/a.wav, which is not a number"),
        ({"file": ["wav/a.wav", "wav/b.wav", "wav/a.wav"]}, "more than one row for wav/a.wav"),
        ({"file": ["wav/a.wav", None, "wav/b.wav"]}, "Row 2 of t.csv lacks one of file"),
        (
            {"file": ["wav/a.wav", "b.wav", "c.wav"]},
            "2 rows of t.csv name no utterance of the dataset, the first b.wav: write file as the"
            " dataset has them, as in wav/a.wav, or remove",
        ),
        (
            {"start": ["0", "0", "0"]},
            "has the column start but not the other of start and end: add it",
        ),
        (
            {"start": ["0", "zero", "0"], "end": ["1", "1", "1"]},
            "has 'zero' as start of wav/a.wav, which is not a time in seconds",
        ),
        ({"start": ["0", None, "0"], "end": ["1", "1", "1"]}, "Row 2 of t.csv lacks one of file,"),
        (
            {"gender.male": ["1", "0", "1"]},
            "has probabilities of male but none of female: add the column gender.female",
        ),
        (
            {"gender.male": ["1", "0", "1"], "gender.female": ["0", "1.5", "0"]},
            "has 1.5 as gender.female of wav/a.wav instead of a probability from 0 to 1",
        ),
        (
            {"gender.male": ["1", "0", "1"], "gender.female": ["0", None, "0"]},
            "has no value as gender.female of wav/a.wav instead of a probability from 0 to 1",
        ),
        (
            {"gender.male": ["1", "0", "1"], "gender.female": ["0", "-0.001", "0"]},
            "has -0.001 as gender.female of wav/a.wav instead of a probability from 0 to 1",
        ),
    ],
)
def test_every_mistake_is_one_sentence(columns, sentence):
    given = table(**{name: [None] * 3 if x is None else x for name, x in columns.items()})
    with pytest.raises(InputError) as error:
        check(given)
    text = str(error.value)
    assert sentence in text
    assert text.endswith(".") and "\n" not in text


def test_whole_numbers_and_lists_in_parquet(tmp_path):
    table = pd.DataFrame(
        {"file": ["a", "b"], "digit": [3.0, None], "age": [30.0, 31.5], "hidden": [[1.0], [2.0]]}
    )
    table.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")
    assert list(read) == ["file", "digit", "age"]  # a list is neither a class nor a number
    assert read["digit"].fillna("").to_list() == ["3", ""]
    assert read["age"].to_list() == ["30.0", "31.5"]


def test_both_formats_read_the_same(tmp_path):
    given = pd.DataFrame(
        {"file": ["NA", "b"], "gender": ["1", None], "clean": [True, False], "age": [30.5, None]}
    )
    given.to_csv(tmp_path / "t.csv", index=False, encoding="utf-8-sig")
    given.astype({"gender": "category"}).to_parquet(tmp_path / "t.parquet")
    given.set_index("file").to_parquet(tmp_path / "indexed.parquet")
    expected = pd.DataFrame(
        {"file": ["NA", "b"], "gender": ["1", None], "clean": ["True", "False"],
         "age": ["30.5", None]}, dtype="string",
    )  # fmt: skip
    for name in ["t.csv", "t.parquet", "indexed.parquet"]:
        read = read_table(tmp_path / name)
        pd.testing.assert_frame_equal(read[list(expected)], expected)


def test_a_parquet_file_may_hold_embeddings_and_segments(tmp_path):
    given = pd.DataFrame({"file": ["a", "b"], "age": [1, 2]})
    given["embedding"] = list(np.zeros((2, 3)))
    given["end"] = pd.to_timedelta([1.5, 2], unit="s")
    given.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")
    assert read["age"].to_list() == ["1", "2"]
    assert not pd.to_numeric(read["end"], errors="coerce").notna().any()  # never nanoseconds


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_that_is_not_a_table_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\xfe\x00\xff no table")
    with pytest.raises(
        InputError, match=rf"{name} cannot be read \(.*\): correct it, or save it as CSV"
    ):
        read_table(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=rf"{name} cannot be read"):
        read_table(tmp_path / name)


def test_the_card_has_the_keys_of_a_model(tmp_path):
    (tmp_path / "a.csv").write_text("file")
    (tmp_path / "b.csv").write_text("file,x")
    card = describe_tables([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert list(card) == [
        "origin",
        "sha256",
        "size_mb",
        "outputs",
        "refused",
        "activations",
        "parameters",
        "sampling_rate",
    ]
    assert card["origin"] == f"{tmp_path / 'a.csv'}, {tmp_path / 'b.csv'}"
    assert card["sha256"] == f"{sha256(tmp_path / 'a.csv')}, {sha256(tmp_path / 'b.csv')}"
    assert card["parameters"] is None


def test_a_table_that_lacks_many_predictions_is_refused(tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    settings = {"filtered": False, "model": "theirs"}
    predictions, failures = read_predictions(
        tmp_path / "t.csv", utterances("abcd"), TASKS, tolerated=0.25, **settings
    )
    assert len(predictions) == 3 and failures["file"].to_list() == ["wav/d.wav"]
    with pytest.raises(InputError, match=r"^theirs .* 1 of 4 utterances"):
        read_predictions(tmp_path / "t.csv", utterances("abcd"), TASKS, tolerated=0.2, **settings)
