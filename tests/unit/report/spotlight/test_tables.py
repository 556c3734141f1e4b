"""The interactive view: what Spotlight is given, without starting it."""

import json

import numpy as np
import pandas as pd
import pytest
from voxslice.errors import InputError
from voxslice.files import KEY, write_parquet, write_text
from voxslice.report.numbers import measures
from voxslice.report.spotlight import tables, viewer
from voxslice.scores.classes import Classes
from voxslice.scores.scores import score_classes, score_values
from voxslice.slices.table import COLUMNS

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
    return score_classes(
        predictions, files["gender"], classes=classes, task=Classes(["female", "male"])
    )


def make_table(files, scores, **changes):
    settings = {
        "classification": True,
        "audio": "../../../../resources/made/audio",
        "embedding": None,
        "seed": 0,
    }
    rows, _ = tables.select(files, scores, max_rows=1000, seed=0)
    return tables.make_table(rows, scores, **{**settings, **changes})


def make_slice(rows, **columns):
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "finder": "subgroups", "search": "metadata",
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
    table = make_table(files, scores)
    types = {str(table[name].dtype) for name in ("label", "a_prediction", "b_prediction")}
    assert len(types) == 1
    assert list(table["label"].cat.categories) == ["female", "male", "child"]
    # what Spotlight's accuracy does
    agree = (table["label"].cat.codes == table["a_prediction"].cat.codes).mean()
    assert agree == pytest.approx(5 / 6)
    assert table["a_correct"].tolist() == ["right", "wrong", *["right"] * 4]


def test_table_holds_relative_audio_metadata_and_probabilities():
    files = make_files()
    table = make_table(files, {"a": class_scores(files, ["female", "male"])})
    assert table["audio"].iloc[0] == "../../../../resources/made/audio/wav/0.wav"
    assert table["file"].tolist() == files["file"].tolist()
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
    table = make_table(files, scores)
    assert "right" in table["a_summary"].iloc[0]
    assert "wrong" not in table["a_summary"].iloc[0]
    assert table["a_b_summary"].iloc[0].startswith("a_b · prediction female, correct wrong")


def test_metadata_does_not_take_the_place_of_results():
    files = make_files(label="x", map_x="y", a_loss="z")
    table = make_table(files, {"a": class_scores(files, ["female", "male"])})
    assert {"metadata_label", "metadata_map_x", "metadata_a_loss"} <= set(table)
    assert table["a_loss"].tolist() == [0.0] * COUNT


def test_parts_of_files_have_a_window():
    files = make_files(file="wav/long.wav", start=np.arange(6.0), end=np.arange(6.0) + 1)
    table = make_table(files, {"a": class_scores(files, ["female", "male"])})
    assert list(table["window"].iloc[2]) == [2.0, 3.0]


def test_utterances_that_one_model_failed_on_stay():
    files = make_files()
    scores = {
        "a": class_scores(files, ["female", "male"]).iloc[1:],
        "b": class_scores(files, ["female", "male"]).iloc[:-1],
    }
    table = make_table(files, scores)
    assert len(table) == COUNT
    assert table["label"].notna().all()
    assert pd.isna(table["a_prediction"].iloc[0])


def test_regression_keeps_numbers():
    files = make_files(age=np.arange(6.0))
    predictions = files[KEY].assign(age=np.arange(6.0) + 1)
    scores = score_values(predictions, files["age"], column="age", scale=1)
    table = make_table(files, {"a": scores}, classification=False)
    assert table["label"].tolist() == list(range(6))
    assert table["a_loss"].tolist() == [1.0] * 6
    assert "a_correct" not in table


def test_map_is_two_numbers_and_does_not_change():
    files = make_files()
    scores = {"a": class_scores(files, ["female", "male"])}
    matrix = np.random.default_rng(0).normal(size=(COUNT - 1, 8)).astype(np.float32)
    embedding = (files[KEY].iloc[1:], matrix)
    first = make_table(files, scores, embedding=embedding)
    second = make_table(files, scores, embedding=embedding)
    places = first[tables.MAP].to_numpy()
    assert places.shape == (COUNT, 2)
    assert places[0].tolist() == [0, 0]  # it has no embedding
    assert places.tobytes() == second[tables.MAP].to_numpy().tobytes()
    # principal components: the first spreads most
    assert places[1:, 0].var() > places[1:, 1].var()


def test_issues_hold_the_rows_of_slices_worst_first():
    files = make_files()
    sure = {"confirmed": True, "q": 0.0123, "evidence": "within speakers"}
    made = {
        "a": make_slice([4, 5], drop=0.2, slice="small", **sure),
        "b": make_slice([0, 2], drop=0.5, slice="large", **sure),
        "c": make_slice([1], drop=0.6, slice="unsure", note="too few"),
    }
    issues = tables.make_issues(
        files[KEY],
        {name: found for name, (found, _) in made.items()},
        {name: members for name, (_, members) in made.items()},
        measure=measures("")["accuracy"],
        min_drop=0.15,
    )
    assert [issue["rows"] for issue in issues] == [[0, 2], [4, 5], [1]]
    assert [issue["severity"] for issue in issues] == ["high", "medium", "low"]
    assert issues[0]["title"] == "b: gender = male [large]"
    assert issues[0]["description"] == (
        "Confirmed; accuracy 50.0 % on 2 utterances of 2 speakers, 90.0 % elsewhere."
        " Found by subgroups in metadata, q 0.012, within speakers."
    )
    assert issues[2]["description"] == (
        "Suggested, not confirmed; accuracy 50.0 % on 1 utterance of 2 speakers, 90.0 % elsewhere."
        " Found by subgroups in metadata, too few."
    )


def test_a_slice_that_two_searches_found_is_one_issue():
    files = make_files()
    found, members = make_slice([0, 2], slice="same")
    twice = pd.concat([found.assign(search="subgroups"), found.assign(search="embedding")])
    issues = tables.make_issues(
        files[KEY], {"a": twice}, {"a": members}, measure=measures("")["accuracy"], min_drop=0.1
    )
    assert [issue["rows"] for issue in issues] == [[0, 2]]
    assert " in subgroups, embedding" in issues[0]["description"]


def test_slices_are_tabled_with_every_model_on_them():
    files = make_files()
    scores = {
        "a": class_scores(files, ["female", "male"], wrong=[0, 4]),
        "b": class_scores(files, ["female", "male"], wrong=[4]).iloc[::-1],
    }
    worse, worse_members = make_slice([0, 2, 4], slice="one", confirmed=True)
    other, other_members = make_slice([0, 1], slice="two")
    table = tables.make_slice_table(
        {"a": other, "b": worse},
        {"a": other_members, "b": worse_members},
        scores,
        classification=True,
    )
    assert table["slice"].tolist() == ["one", "two"]
    assert table["model"].tolist() == ["b", "a"]
    assert table["confirmed"].tolist() == ["confirmed", "not confirmed"]
    assert table["a_value"].tolist() == pytest.approx([1 / 3, 1 / 2])
    assert table["b_value"].tolist() == pytest.approx([2 / 3, 1])


def test_layout_of_slices_shows_columns_that_are_there():
    files = make_files()
    scores = {name: class_scores(files, ["female", "male"]) for name in ("a", "b", "c")}
    found, members = make_slice([0, 1])
    table = tables.make_slice_table(
        dict.fromkeys(scores, found), dict.fromkeys(scores, members), scores, classification=True
    )
    layout = tables.make_slice_layout(list(scores))
    shown = widgets(layout)
    assert [kind for kind, _ in shown].count("scatterplot") == 3  # one, and two later models
    for _, config in shown:
        for key in COLUMN_KEYS & config.keys():
            names = [config[key]] if isinstance(config[key], str) else config[key] or []
            assert set(names) <= set(table.columns), key


def test_more_utterances_than_fit_are_sampled_with_the_seed():
    files = pd.DataFrame({"file": [f"{i}.wav" for i in range(200)], "start": 0.0, "end": 1.0})
    scores = {"a": files[KEY].iloc[:150], "b": files[KEY].iloc[50:180]}
    draws = [tables.select(files, scores, max_rows=40, seed=seed) for seed in (0, 0, 1)]
    rows, total = draws[0]
    assert total == 180 and len(rows) == 40
    assert rows["file"].is_unique and set(rows["file"]) <= set(files["file"][:180])
    assert rows["file"].str.removesuffix(".wav").astype(int).is_monotonic_increasing
    pd.testing.assert_frame_equal(rows, draws[1][0])
    assert not rows.equals(draws[2][0])
    everything, total = tables.select(files, scores, max_rows=180, seed=0)
    assert len(everything) == total == 180
    note = tables.sample_note(40, 180, 7)
    assert note["title"] == "A sample: 40 of 180 utterances" and "seed 7" in note["description"]


def test_no_slices_make_no_issues():
    empty = pd.DataFrame(columns=COLUMNS)
    members = pd.DataFrame(columns=["slice", *KEY])
    issues = tables.make_issues(
        make_files()[KEY], {"a": empty}, {"a": members},
        measure=measures("")["accuracy"], min_drop=0.1,
    )  # fmt: skip
    assert issues == []


@pytest.mark.parametrize("models", [["a"], ["a", "b"], list("abcde")])
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
    table = make_table(files, scores, classification=classification, embedding=(files[KEY], matrix))
    made = [tables.make_layout(table, models, classification=classification) for _ in range(2)]
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
        assert kinds.count("ConfusionMatrix") == 2 * count - 1
        assert kinds.count("scatterplot") == 1  # the map
    else:
        assert kinds.count("scatterplot") == count + 1
    assert kinds.count("histogram") == count
    for kind in ("table", "IssuesWidget", "inspector"):
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
    # one is lost, which must not take the other with it
    paths = pd.DataFrame({"audio": ["../../resources/wav/0.wav", str(audio / "1.wav")]})
    write_parquet(paths, view / "table.parquet")
    write_text("[]", view / "issues.json")
    write_text("{}", view / "layout.json")
    opened = viewer.load(view)
    assert opened.table["audio"].tolist() == [str(audio / name) for name in ("0.wav", "1.wav")]
    assert opened.issues == []
    assert opened.name == "results view"
    (audio / "0.wav").unlink()
    with pytest.raises(InputError, match="keep resources/ beside results/"):
        viewer.load(view)


def test_a_view_moves_with_the_audio_of_the_workflow(tmp_path):
    audio = tmp_path / "study/resources/made/audio"
    audio.mkdir(parents=True)
    (audio / "0.wav").write_bytes(b"RIFF")
    name = "results/spotlight/made/gender"
    found = tables.place("resources/made/audio", name)
    view = tmp_path / "study" / name
    write_parquet(pd.DataFrame({"audio": [f"{found}/0.wav"]}), view / "table.parquet")
    write_text("[]", view / "issues.json")
    write_text("{}", view / "layout.json")
    moved = (tmp_path / "study").rename(tmp_path / "moved")
    opened = viewer.load(moved / name)
    assert opened.table["audio"].tolist() == [str(moved / "resources/made/audio/0.wav")]
    assert opened.name == "made gender"


def test_audio_of_the_user_stays_where_it_is():
    assert tables.place("/data/calls", "results/spotlight/made/gender") == "/data/calls"
    beside = tables.place("../calls", "results/spotlight/made/gender")
    assert beside == "../../../../../calls"


def test_a_folder_that_is_no_view_is_told_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"is no view, it lacks table\.parquet") as error:
        viewer.load(tmp_path)
    assert "\n" not in str(error.value)


def test_no_slice_is_told_in_one_sentence(tmp_path):
    write_parquet(pd.DataFrame({"slice": []}), tmp_path / "slices.parquet")
    write_text("{}", tmp_path / "slices.layout.json")
    with pytest.raises(InputError, match="No slice was found in the study"):
        viewer.load_slices(tmp_path)
