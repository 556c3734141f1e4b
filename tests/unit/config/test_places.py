"""Paths in a config: characters that are refused, and files that must exist."""

import pytest
from voxslice.config.places import check_existence, check_places
from voxslice.errors import InputError


def config(**places):
    """A config with paths of all kinds, some of them replaced."""
    paths = {
        "table": "mine.csv",
        "audio": "audio",
        "database": "/data/emodb",
        "folder": "model",
        "onnx": "model.onnx",
        "predictions": "theirs.csv",
    } | places
    return {
        "datasets": {
            "mine": {"csv": {"path": paths["table"], "audio": paths["audio"]}},
            "emodb": {"audformat": {"path": paths["database"]}},
            "remote": {"audb": {"name": "x", "version": "1.0.0"}},
        },
        "models": {
            "a": {"path": paths["folder"]},
            "b": {"onnx": paths["onnx"]},
            "c": {"predictions": {"mine": paths["predictions"]}},
            "d": {"url": "https://example.org/{v1}.zip"},
            "e": {"onnx": "https://example.org/~me/{v1}.onnx"},
            "f": {"derive": {"from": "a", "quantize": "int8"}},
        },
    }


@pytest.mark.parametrize(
    "path",
    [
        "my data/x.csv", "a'b\"c.csv", "100%/x.csv", "x*[1]?.csv", "a~b/$x.csv", "ü/u\u0308.csv",
        "{}.csv", "{a b}/x.csv", "}{.csv", "a;b&c|d.csv", "../x.csv", "\\x.csv", "#1.csv",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["table", "audio", "database", "folder", "onnx", "predictions"])
def test_most_characters_are_fine(kind, path):
    check_places(config(**{kind: path}))


@pytest.mark.parametrize(
    ("kind", "path", "message"),
    [
        ("table", "data {v1}/x.csv", r"^datasets\.mine\.csv\.path: 'data {v1}/x\.csv' has '{v1}'"),
        ("audio", "{dataset}", r"^datasets\.mine\.csv\.audio: .* reads as a wildcard: rename"),
        ("database", "/d/{ a }", r"^datasets\.emodb\.audformat\.path: .* has '\{ a }'"),
        ("folder", "m/{a.b}", r"^models\.a\.path: .* has '{a\.b}'"),
        ("onnx", r"{x,\d{2}}.onnx", r"^models\.b\.onnx: .* has '{x,"),
        ("predictions", "{shard}.csv", r"^models\.c\.predictions\.mine: .* has '{shard}'"),
        ("table", "~/x.csv", r"begins with '~', which only a shell replaces: write the whole"),
        ("audio", "~me/x", r"begins with '~me', which only a shell"),
        ("audio", "$DATA/x", r"begins with '\$DATA', which only a shell"),
        ("table", " x.csv", r"begins or ends with a blank"),
        ("audio", "x\n", r"begins or ends with a blank"),
        ("audio", "x\ty", r"cannot be printed"),
    ],
)
def test_paths_with_a_special_meaning_are_refused_in_one_sentence(kind, path, message):
    with pytest.raises(InputError, match=message) as error:
        check_places(config(**{kind: path}))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"datasets": {"calls": {"csv": {"path": "calls.csv", "audio": "."}}}},
            "datasets.calls.csv.path: there is no 'calls.csv' in study: correct the path, since"
            " relative paths are relative to the folder in which snakemake is started, or to"
            " --directory.",
        ),
        (
            {"models": {"small": {"path": "/nowhere/small"}}},
            "models.small.path: there is no '/nowhere/small': correct the path.",
        ),
        ({"models": {"given": {"predictions": {"calls": "t.csv"}}}}, "models.given.predictions"),
    ],
)
def test_a_path_that_does_not_exist_is_named_with_its_folder(tmp_path, change, sentence):
    folder = tmp_path / "study"
    folder.mkdir()
    with pytest.raises(InputError) as error:
        check_existence({"datasets": {}, "models": {}} | change, folder)
    assert str(error.value).startswith(sentence)


def test_what_is_made_or_downloaded_need_not_exist(tmp_path):
    (tmp_path / "calls.csv").touch()
    models = {"made": {"path": "resources/demo/models/made"}, "far": {"onnx": "https://a/b.onnx"}}
    datasets = {"calls": {"csv": {"path": "calls.csv", "audio": "."}}, "audb": {"audb": {}}}
    check_existence({"datasets": datasets, "models": models}, tmp_path)
