"""The interactive view: what Spotlight is given, without starting it."""

import json

import numpy as np
import pandas as pd
import pytest
from voxslice import spotlight_view, viewer
from voxslice.errors import InputError
from voxslice.files import KEY, write_parquet, write_text
from voxslice.report.numbers import measures
from voxslice.scores import score_classes, score_values
from voxslice.slice_table import COLUMNS

COUNT = 6
COLUMN_KEYS = {
    "columns", "visibleColumns", "xColumn", "yColumn", "xAxisColumn", "yAxisColumn", "placeBy",
    "colorBy", "columnKey", "stackByColumnKey",
}  # fmt: skip


def make_files(**columns):
    """Six utterances with metadata."""
    files = pd.DataFrame(
        {
            "file": [f"wav/{i}.wav" for i in range(COUNT)],
            "start": 0.0,
            "end": 1.0,
            "duration": 1.0,
            "gender": pd.Categorical(["male", "female"] * 3, categories=["male", "female"]),
            "known": [True, False, None] * 2,
        }
    )
    return files.assign(**columns)


def class_scores(files, classes, wrong=()):
    """Scores of a model with the given classes, wrong on the given rows."""
    predictions = files[KEY].copy()
    other = {"male": "female", "female": "male"}
    said = [
        other[label] if i in wrong else label for i, label in enumerate(files["gender"].astype(str))
    ]
    for name in classes:
        predictions[name] = [3.0 if name == one else 0.0 for one in said]
    return score_classes(predictions, files["gender"], classes=classes, known=["female", "male"])


def make_table(files, scores, **changes):
    settings = {
        "classification": True,
        "audio": "../../../../resources/made/audio",
        "embedding": None,
        "seed": 0,
    }
    return spotlight_view.make_table(files, scores, **{**settings, **changes})


def make_slice(rows, **columns):
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "slice": "abc", "rule": "gender = male", "support": len(rows), "speakers": 2,
        "value": 0.5, "rest": 0.9, "drop": 0.4, "confirmed": False,
    }  # fmt: skip
    table = pd.DataFrame([row | columns])
    files = make_files()
    return table, files.loc[rows, KEY].assign(slice=table["slice"].iloc[0])


def widgets(layout):
    """All widgets of a layout as (type, config)."""
    found = []

    def walk(node):
        if node.get("kind") == "widget":
            config = dict(node["config"] or {})
            if node["type"] == "inspector":
                config.pop("visibleColumns")  # here it is a count
            found.append((node["type"], config))
        for child in node.get("children") or []:
            walk(child)

    walk(json.loads(layout.model_dump_json(by_alias=True)))
    return found


def test_label_and_predictions_share_one_type():
    """Spotlight compares codes: models with classes in another order would look wrong."""
    files = make_files()
    scores = {
        "a": class_scores(files, ["female", "male", "child"], wrong=[1]),
        "b": class_scores(files, ["male", "female"]),
    }
    table, _ = make_table(files, scores)
    types = {str(table[name].dtype) for name in ("label", "a_prediction", "b_prediction")}
    assert len(types) == 1
    assert list(table["label"].cat.categories) == ["female", "male", "child"]
    # what Spotlight's accuracy does
    agree = (table["label"].cat.codes == table["a_prediction"].cat.codes).mean()
    assert agree == pytest.approx(5 / 6)
    assert table["a_correct"].tolist() == ["right", "wrong", *["right"] * 4]


def test_table_holds_relative_audio_metadata_and_probabilities():
    files = make_files()
    table, keys = make_table(files, {"a": class_scores(files, ["female", "male"])})
    assert table["audio"].iloc[0] == "../../../../resources/made/audio/wav/0.wav"
    assert keys["file"].tolist() == files["file"].tolist()
    assert {"a_p_female", "a_p_male", "a_loss", "duration"} <= set(table)
    # Spotlight cannot show categories that are booleans
    assert table["known"].tolist()[:2] == ["True", "False"]
    assert pd.isna(table["known"].iloc[2])
    assert (
        table["summary"].iloc[0]
        == "file wav/0.wav, label male, duration 1, gender male, known True"
    )
    assert table["a_summary"].iloc[0] == (
        "a · prediction male, correct right, p_female 0.0474, p_male 0.953, loss 0"
    )
    assert "window" not in table


def test_models_whose_names_begin_alike_keep_apart():
    files = make_files()
    scores = {
        "a": class_scores(files, ["female", "male"]),
        "a_b": class_scores(files, ["female", "male"], wrong=[0]),
    }
    table, _ = make_table(files, scores)
    assert "right" in table["a_summary"].iloc[0]
    assert "wrong" not in table["a_summary"].iloc[0]
    assert table["a_b_summary"].iloc[0].startswith("a_b · prediction female, correct wrong")


def test_metadata_does_not_take_the_place_of_results():
    files = make_files(label="x", map="y", a_loss="z")
    table, _ = make_table(files, {"a": class_scores(files, ["female", "male"])})
    assert {"metadata_label", "metadata_map", "metadata_a_loss"} <= set(table)
    assert table["a_loss"].tolist() == [0.0] * COUNT


def test_parts_of_files_have_a_window():
    files = make_files(file="wav/long.wav", start=np.arange(6.0), end=np.arange(6.0) + 1)
    table, _ = make_table(files, {"a": class_scores(files, ["female", "male"])})
    assert list(table["window"].iloc[2]) == [2.0, 3.0]


def test_utterances_that_one_model_failed_on_stay():
    files = make_files()
    scores = {
        "a": class_scores(files, ["female", "male"]).iloc[1:],
        "b": class_scores(files, ["female", "male"]).iloc[:-1],
    }
    table, _ = make_table(files, scores)
    assert len(table) == COUNT
    assert table["label"].notna().all()
    assert pd.isna(table["a_prediction"].iloc[0])


def test_regression_keeps_numbers():
    files = make_files(age=np.arange(6.0))
    predictions = files[KEY].assign(age=np.arange(6.0) + 1)
    scores = score_values(predictions, files["age"], column="age", scale=1)
    table, _ = make_table(files, {"a": scores}, classification=False)
    assert table["label"].tolist() == list(range(6))
    assert table["a_loss"].tolist() == [1.0] * 6
    assert "a_correct" not in table


def test_map_is_two_numbers_and_does_not_change():
    files = make_files()
    scores = {"a": class_scores(files, ["female", "male"])}
    matrix = np.random.default_rng(0).normal(size=(COUNT - 1, 8)).astype(np.float32)
    embedding = (files[KEY].iloc[1:], matrix)
    first, _ = make_table(files, scores, embedding=embedding)
    second, _ = make_table(files, scores, embedding=embedding)
    places = np.stack(first["map"])
    assert places.shape == (COUNT, 2)
    assert places[0].tolist() == [0, 0]  # it has no embedding
    assert places.tobytes() == np.stack(second["map"]).tobytes()
    # principal components: the first spreads most
    assert places[1:, 0].var() > places[1:, 1].var()


def test_issues_hold_the_rows_of_slices_worst_first():
    files = make_files()
    small, small_members = make_slice([4, 5], drop=0.2, slice="small")
    large, large_members = make_slice([0, 2], drop=0.5, slice="large")
    issues = spotlight_view.make_issues(
        files[KEY],
        {"a": small, "b": large},
        {"a": small_members, "b": large_members},
        measure=measures("")["accuracy"],
        min_drop=0.15,
    )
    assert [issue["rows"] for issue in issues] == [[0, 2], [4, 5]]
    assert [issue["severity"] for issue in issues] == ["high", "medium"]
    assert issues[0]["title"] == "b: gender = male [large]"
    assert issues[0]["description"] == (
        "Suggested, not confirmed; accuracy 50.0 % on 2 utterances of 2 speakers, 90.0 % elsewhere."
    )


def test_no_slices_make_no_issues():
    empty = pd.DataFrame(columns=COLUMNS)
    members = pd.DataFrame(columns=["slice", *KEY])
    issues = spotlight_view.make_issues(
        make_files()[KEY], {"a": empty}, {"a": members},
        measure=measures("")["accuracy"], min_drop=0.1,
    )  # fmt: skip
    assert issues == []


@pytest.mark.parametrize("models", [["a"], ["a", "b"], ["a", "b", "c"]])
@pytest.mark.parametrize("classification", [True, False])
def test_layout_shows_columns_that_are_there(models, classification):
    files = make_files(age=np.arange(6.0))
    if classification:
        scores = {name: class_scores(files, ["female", "male"]) for name in models}
    else:
        predictions = files[KEY].assign(age=np.arange(6.0) + 1)
        one = score_values(predictions, files["age"], column="age", scale=1)
        scores = dict.fromkeys(models, one)
    matrix = np.random.default_rng(0).normal(size=(COUNT, 8)).astype(np.float32)
    table, _ = make_table(
        files, scores, classification=classification, embedding=(files[KEY], matrix)
    )
    made = [
        spotlight_view.make_layout(table, models, classification=classification) for _ in range(2)
    ]
    assert made[0].model_dump_json() == made[1].model_dump_json()
    shown = widgets(made[0])
    for _, config in shown:
        for key in COLUMN_KEYS & config.keys():
            names = [config[key]] if isinstance(config[key], str) else config[key] or []
            assert set(names) <= set(table.columns), key
    kinds = [kind for kind, _ in shown]
    count = len(models)
    if classification:
        assert kinds.count("Metric") == count
        assert kinds.count("ConfusionMatrix") == count + (count > 1)
    else:
        assert kinds.count("scatterplot") == count
    assert kinds.count("histogram") == count
    for kind in ("table", "IssuesWidget", "similaritymap", "inspector"):
        assert kinds.count(kind) == 1
    views = dict(shown)["inspector"]["views"]
    assert [(view["view"], view["columns"]) for view in views] == [
        ("AudioView", ["audio"]),
        *(("TextLens", [name]) for name in ["summary", *(f"{model}_summary" for model in models)]),
    ]


def test_a_view_is_read_with_absolute_audio(tmp_path):
    view = tmp_path / "results" / "view"
    audio = tmp_path / "resources" / "wav"
    audio.mkdir(parents=True)
    (audio / "0.wav").write_bytes(b"RIFF")
    write_parquet(pd.DataFrame({"audio": ["../../resources/wav/0.wav"]}), view / "table.parquet")
    write_text("[]", view / "issues.json")
    write_text("{}", view / "layout.json")
    table, issues = viewer.load(view)
    assert table["audio"].tolist() == [str(audio / "0.wav")]
    assert issues == []
    (audio / "0.wav").unlink()
    with pytest.raises(InputError, match="keep resources/ beside results/"):
        viewer.load(view)


def test_a_folder_that_is_no_view_is_told_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"is no view, it lacks table\.parquet") as error:
        viewer.load(tmp_path)
    assert "\n" not in str(error.value)
