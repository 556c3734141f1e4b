"""The synthetic corpus has the form of emodb and the same bytes in each run."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import audb
import audiofile
import pytest
import soundfile
from voxslice.data.bandwidth import bandwidth
from voxslice.demo.corpus import BACKEND, NAME, REPOSITORY, SENTENCES, VERSION, publish
from voxslice.demo.voices import EVALUATION_VOICES, STYLES

VOICES, CODES = EVALUATION_VOICES[:2], ("a01", "b04")


def contents(folder):
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")
    publish(folder, 1, VOICES, CODES)
    return folder


@pytest.fixture(scope="module")
def database(host, tmp_path_factory):
    before = audb.config.REPOSITORIES
    audb.config.REPOSITORIES = [audb.Repository(REPOSITORY, str(host), BACKEND)]
    cache = str(tmp_path_factory.mktemp("cache"))
    try:
        yield audb.load(NAME, version=VERSION, cache_root=cache, verbose=False)
    finally:
        audb.config.REPOSITORIES = before


def test_the_header_lies_where_the_rule_looks(host):
    assert (host / "voxslice-demo" / "demo" / "1.0.0" / "db.yaml").is_file()


def test_tables_are_those_of_emodb(database):
    assert set(database.tables) == {"emotion", "files"}
    assert set(database.misc_tables) == {"speaker"}
    assert list(database["emotion"].columns) == ["emotion"]
    assert list(database["files"].columns) == ["duration", "speaker", "transcription"]
    assert list(database["speaker"].columns) == ["age", "gender", "language"]
    assert database["emotion"].is_filewise
    assert database["files"].is_filewise
    emotions = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
    assert database.schemes["emotion"].labels == emotions
    assert database["emotion"].df["emotion"].value_counts().to_dict() == dict.fromkeys(emotions, 4)


def test_voices_map_to_gender_and_age(database):
    speakers = database["files"]["speaker"].get()
    genders = database["files"]["speaker"].get(map="gender")
    ages = database["files"]["speaker"].get(map="age")
    for voice in VOICES:
        mine = speakers == int(voice.name)
        assert mine.sum() == len(CODES) * len(STYLES)
        assert set(genders[mine]) == {voice.gender}
        assert set(ages[mine]) == {voice.age}
    texts = set(database["files"]["transcription"].get(map=True))
    assert texts == {SENTENCES[code] for code in CODES}


def test_recordings_are_as_described(database):
    media = database.media["synthetic"]
    durations = database["files"]["duration"].get()
    for file in database.files:
        assert audiofile.sampling_rate(file) == media.sampling_rate == 16000
        assert audiofile.channels(file) == media.channels == 1
        assert audiofile.bit_depth(file) == media.bit_depth == 16
        seconds = durations[file].total_seconds()  # in whole microseconds
        assert audiofile.duration(file) == pytest.approx(seconds, abs=1e-6)


@pytest.mark.slow
def test_a_fifth_of_the_utterances_comes_over_a_telephone(tmp_path):
    codes = tuple(SENTENCES)[:5]
    publish(tmp_path, 1, VOICES, codes)
    limits = {}
    for archive in tmp_path.rglob("*.zip"):
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if not name.endswith(".wav"):
                    continue
                audio, rate = soundfile.read(io.BytesIO(opened.read(name)), dtype="float32")
                limits[name] = bandwidth(audio, rate)
    assert len(limits) == len(VOICES) * len(codes) * len(STYLES)
    sent = [name for name, limit in limits.items() if limit == "telephone"]
    # one of five sentences of each voice in each style
    kinds = Counter((Path(name).stem[:2], Path(name).stem.split("-")[1]) for name in sent)
    assert kinds == {(f"0{v.name}", style): 1 for v in VOICES for style in STYLES}
    # the sentences are drawn, so that they do not name the telephone
    assert len({Path(name).stem[2:5] for name in sent}) == len(codes)
    assert set(limits.values()) == {"telephone", "wideband"}


def test_no_column_names_the_telephone(database):
    columns = [name for table in database.tables.values() for name in table.columns]
    assert not [name for name in columns if "phone" in name or "channel" in name]


def test_the_description_claims_no_people(database):
    assert "Synthetic speech" in database.description
    assert "not people" in database.description
    assert "nominal" in database.description
    assert "telephone" in database.description
    assert database.license == "CC0-1.0"


@pytest.mark.slow
def test_a_second_run_gives_the_same_bytes_and_a_rerun_replaces_the_first(host, tmp_path):
    publish(tmp_path, 1, VOICES[:1], CODES[:1])
    publish(tmp_path, 1, VOICES, CODES)
    assert contents(tmp_path) == contents(host)


@pytest.mark.slow
def test_a_failed_run_leaves_the_repository_as_it_was(tmp_path, monkeypatch):
    publish(tmp_path, 1, VOICES[:1], CODES[:1])
    before = contents(tmp_path)

    def fail(*_, **__):
        raise OSError("disk full")

    monkeypatch.setattr(audb, "publish", fail)
    with pytest.raises(OSError, match="disk full"):
        publish(tmp_path, 2, VOICES[:1], CODES[:1])
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("voices", "codes"), [((), ("a01",)), (VOICES, ()), (VOICES, ("z99",))])
def test_an_empty_or_unknown_cast_is_refused(tmp_path, voices, codes):
    with pytest.raises(ValueError, match="sentences out of a01"):
        publish(tmp_path, 1, voices, codes)
