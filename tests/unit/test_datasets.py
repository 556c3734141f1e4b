import audb
import audformat
import audiofile
import numpy as np
import pandas as pd
import pytest
from voxslice.datasets import fetch_audb, list_utterances, read_metadata
from voxslice.errors import InputError


def fetch(folder, repository, **changes):
    settings = {
        "name": "voices",
        "version": "1.0.0",
        "repositories": [repository],
        "sampling_rate": 16000,
        "format": "wav",
        "cache": folder.parent / "partial",
        "num_workers": 2,
    }
    fetch_audb(folder, **(settings | changes))


@pytest.fixture(scope="module")
def database(repository, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fetched") / "voices" / "audio"
    fetch(folder, repository)
    return folder


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_audio_is_mono_wav_at_the_rate(database):
    assert sorted(p.name for p in (database / "audio").iterdir()) == [
        f"{name}.wav" for name in "abcd"
    ]
    for name, seconds in {"a": 2.0, "b": 0.5, "c": 1.5, "d": 1.0}.items():
        signal, rate = audiofile.read(str(database / "audio" / f"{name}.wav"), always_2d=True)
        assert rate == 16000
        assert signal.shape == (1, seconds * 16000)
        assert np.abs(signal).max() > 0.1


def test_the_cache_is_removed(database):
    assert [p.name for p in database.parent.iterdir()] == ["audio"]
    assert not list(database.rglob("*.pkl"))
    assert not list(database.rglob(".complete"))


def test_a_second_fetch_gives_the_same(database, repository, tmp_path):
    again = tmp_path / "again" / "audio"
    fetch(again, repository)
    first, second = tree(database), tree(again)
    assert first.keys() == second.keys()
    assert {p for p in first if p.suffix == ".wav" and first[p] != second[p]} == set()
    (again / "stale").write_text("of an older fetch")
    fetch(again, repository)
    assert tree(again).keys() == first.keys()


def test_another_sampling_rate(repository, tmp_path):
    fetch(tmp_path / "db" / "audio", repository, sampling_rate=8000)
    file = tmp_path / "db" / "audio" / "audio" / "a.wav"
    assert audiofile.sampling_rate(str(file)) == 8000
    assert audiofile.duration(str(file)) == 2


def test_another_format(repository, tmp_path):
    fetch(tmp_path / "db" / "audio", repository, format="flac")
    files = list_utterances(tmp_path / "db" / "audio", "files")["file"]
    assert files.to_list() == [f"audio/{name}.flac" for name in "abcd"]
    assert all((tmp_path / "db" / "audio" / file).is_file() for file in files)


def test_what_an_interrupted_fetch_left_is_used(database, repository, tmp_path, monkeypatch):
    folder = tmp_path / "db" / "audio"
    convert = audb.core.flavor.Flavor.__call__
    converted = []

    def interrupted(self, source, *arguments, **settings):
        if len(converted) == 2:
            raise KeyboardInterrupt
        converted.append(source)
        return convert(self, source, *arguments, **settings)

    def counted(self, source, *arguments, **settings):
        converted.append(source)
        return convert(self, source, *arguments, **settings)

    monkeypatch.setattr(audb.core.flavor.Flavor, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(folder, repository, num_workers=1)
    assert not folder.exists()
    assert (tmp_path / "db" / "partial").exists()
    monkeypatch.setattr(audb.core.flavor.Flavor, "__call__", counted)
    fetch(folder, repository, num_workers=1)
    assert len(converted) == 4  # two before the interruption, the other two after it
    assert not (tmp_path / "db" / "partial").exists()
    assert tree(folder / "audio") == tree(database / "audio")


def test_repositories_of_the_home_are_not_consulted(repository, tmp_path, monkeypatch):
    home = audb.Repository(repository["name"], repository["host"], repository["backend"])
    monkeypatch.setattr(audb.config, "REPOSITORIES", [home])
    empty = tmp_path / "host"
    (empty / "local").mkdir(parents=True)
    with pytest.raises(InputError, match=r"voices 1\.0\.0 does not exist .* is in none of them"):
        fetch(tmp_path / "db", repository | {"host": str(empty)})
    assert not (tmp_path / "db").exists()


def test_the_first_repository_that_has_it_serves_it(repository, tmp_path):
    empty = tmp_path / "host"
    (empty / "local").mkdir(parents=True)
    places = [repository | {"host": str(empty)}, repository]
    fetch(tmp_path / "db" / "audio", repository, repositories=places)
    assert (tmp_path / "db" / "audio" / "db.yaml").exists()


def test_unknown_version_and_name(repository, tmp_path):
    with pytest.raises(InputError, match=r"voices 2\.0\.0 .* has the versions 1\.0\.0; change"):
        fetch(tmp_path / "db", repository, version="2.0.0")
    with pytest.raises(InputError, match=r"The dataset noises 1\.0\.0 does not exist") as error:
        fetch(tmp_path / "db", repository, name="noises")
    assert repository["host"] in str(error.value)


def test_missing_repository_gives_one_sentence(repository, tmp_path):
    with pytest.raises(InputError, match=r"local at .*missing") as error:
        fetch(tmp_path / "db", repository | {"host": str(tmp_path / "missing")})
    assert "\n" not in str(error.value)


def test_utterances_of_a_filewise_table_are_sorted(database):
    expected = pd.DataFrame(
        {
            "file": [f"audio/{name}.wav" for name in "abcd"],
            "start": 0.0,
            "end": [2.0, 0.5, 1.5, 1.0],
            "duration": [2.0, 0.5, 1.5, 1.0],
        }
    )
    pd.testing.assert_frame_equal(list_utterances(database, "files"), expected)


def test_utterances_of_a_segmented_table_are_sorted_and_ended(database):
    expected = pd.DataFrame(
        {
            "file": ["audio/a.wav", "audio/a.wav", "audio/d.wav"],
            "start": [0.0, 0.5, 0.0],
            "end": [2.0, 1.25, 0.4],
            "duration": [2.0, 0.75, 0.4],
        }
    )
    pd.testing.assert_frame_equal(list_utterances(database, "parts"), expected)


def test_unreadable_audio_lasts_no_time(database, tmp_path):
    db = audformat.Database("broken")
    db["files"] = audformat.Table(audformat.filewise_index(["missing.wav"]))
    db.save(str(tmp_path))
    assert list_utterances(tmp_path, "files")["duration"].to_list() == [0.0]


def test_tables_without_utterances(database):
    with pytest.raises(InputError, match=r"table in the database voices called 'x'.* files, p"):
        list_utterances(database, "x")
    with pytest.raises(InputError, match="The table empty of voices has no rows"):
        list_utterances(database, "empty")


def test_repeated_utterances_are_refused(tmp_path, database):
    db = audformat.Database("twice")
    index = audformat.segmented_index(["a.wav"] * 2, ["0s", "0s"], ["1s", None])
    db["parts"] = audformat.Table(index)
    db.save(str(tmp_path))
    (tmp_path / "a.wav").write_bytes((database / "audio" / "d.wav").read_bytes())  # 1 s
    with pytest.raises(InputError, match=r"lists a\.wav more than once"):
        list_utterances(tmp_path, "parts")


def read(database, table, **columns):
    return read_metadata(database, list_utterances(database, table), columns)


def column(table, name, **mapping):
    return {"table": table, "column": name, **mapping}


def test_metadata_of_files(database):
    found = read(
        database,
        "files",
        age=column("files", "speaker", map="age"),
        gender=column("files", "speaker", map="gender"),
        emotion=column("partial", "emotion"),
        clean=column("partial", "clean"),
        speaker=column("files", "speaker"),
    )
    names = ["file", "start", "end", "duration", "speaker", "age", "gender", "emotion", "clean"]
    assert list(found) == names
    assert values(found["speaker"]) == ["s2", None, "s3", "s1"]
    assert values(found["age"]) == [52, None, None, 31]
    assert values(found["gender"]) == ["female", None, None, "male"]
    assert values(found["emotion"]) == ["neutral", None, None, "fear"]
    assert list(found["emotion"].cat.categories) == ["neutral", "anger", "fear"]
    assert values(found["clean"]) == [False, None, None, True]


def values(column):
    return [None if pd.isna(value) else value for value in column]


def test_metadata_survives_a_file(database, tmp_path):
    found = read(
        database,
        "files",
        speaker=column("files", "speaker"),
        age=column("files", "speaker", map="age"),
        emotion=column("partial", "emotion"),
        clean=column("partial", "clean"),
    )
    found.to_parquet(tmp_path / "files.parquet")
    again = pd.read_parquet(tmp_path / "files.parquet")
    for name in found:
        assert values(again[name]) == values(found[name])
    assert list(again["emotion"].cat.categories) == ["neutral", "anger", "fear"]


def test_filewise_metadata_of_segments(database):
    found = read(
        database,
        "parts",
        speaker=column("files", "speaker"),
        emotion=column("partial", "emotion"),
        score=column("parts", "score"),
    )
    assert values(found["speaker"]) == ["s2", "s2", "s1"]
    assert values(found["emotion"]) == ["neutral", "neutral", "fear"]
    assert values(found["score"]) == [1.5, 0.5, None]


def test_segmented_metadata_of_files(database):
    found = read(database, "files", score=column("parts", "score"))
    # only the segment that is the whole file says something of the file
    assert values(found["score"]) == [1.5, None, None, None]


def test_metadata_is_matched_whatever_the_order(database):
    utterances = list_utterances(database, "files")
    columns = {"speaker": column("files", "speaker"), "emotion": column("partial", "emotion")}
    found = read_metadata(database, utterances, columns)
    turned = read_metadata(database, utterances[::-1].reset_index(drop=True), columns)
    pd.testing.assert_frame_equal(turned[::-1].reset_index(drop=True), found)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (column("x", "emotion"), r"no table in the database voices called 'x'.*one of .*partial"),
        (column("speaker", "age"), r"no table in the database voices called 'speaker'"),
        (column("partial", "x"), r"no column in the table partial of voices called 'x'.*emotion,"),
        (column("files", "speaker", map="x"), r"speaker .* has no map 'x'.*'age', 'gender'"),
        (column("partial", "emotion", map="x"), r"emotion .* has no map 'x'"),
        (column("partial", "clean", map="x"), r"clean .* has no map 'x'"),
    ],
)
def test_wrong_columns(database, source, message):
    with pytest.raises(InputError, match=message) as error:
        read(database, "files", wrong=source)
    assert "\n" not in str(error.value)
