"""Settings of datasets of long recordings."""

import pytest
from project import SCHEMA
from voxslice.config.complete import complete
from voxslice.config.lookups import audio_folder
from voxslice.config.recordings import turn_files
from voxslice.errors import InputError


def completed(config, **settings):
    config["datasets"]["table"] |= settings
    return complete(config, SCHEMA)


def test_segments_have_speakers_and_default_lengths(config):
    full = completed(config, segment={"by": "silero"})
    dataset = full["datasets"]["table"]
    assert dataset["segment"] == {"by": "silero", "min": 3, "max": 10, "join": 1}
    assert dataset["columns"]["speaker"] == {"column": "speaker"}
    assert audio_folder(full, "table") == "/data/mine"


def test_channels_are_numbered_and_separated(config):
    full = completed(config, segment={"by": "silero"}, channels={1: "customer", 0: "agent"})
    assert list(full["datasets"]["table"]["channels"].items()) == [
        ("0", "agent"), ("1", "customer"),
    ]  # fmt: skip
    assert full["datasets"]["table"]["columns"]["channel"] == {"column": "channel"}
    assert audio_folder(full, "table") == "resources/table/audio"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"segment": {"by": "energy"}}, "'energy' is not one of"),
        ({"segment": {"by": "silero", "min": 12}}, "segment.min: it is larger than max"),
        ({"segment": {"by": "fixed", "max": 200}}, "more than longest_seconds"),
        ({"segment": {"by": "turns"}}, "segment.turns: name the file"),
        ({"segment": {"by": "silero", "turns": "a.rttm"}}, "only by: turns reads it"),
        ({"channels": {0: "agent"}}, "add the key segment"),
        ({"segment": {"by": "turns", "turns": "a.rttm"}, "channels": {0: "a"}}, "turns name the"),
        ({"segment": {"by": "silero"}, "channels": {0: "a", 1: "a"}}, "two channels have one name"),
        ({"segment": {"by": "silero"}, "channels": {"left": "a"}}, "'left' does not fit"),
        ({"segment": {"by": "silero"}, "channels": {-1: "a"}}, "numbers of channels"),
    ],
)
def test_mistakes_are_explained(config, settings, message):
    with pytest.raises(InputError, match=message):
        completed(config, **settings)


def test_a_database_is_not_segmented(config):
    config["datasets"]["local"]["segment"] = {"by": "silero"}
    with pytest.raises(InputError, match="only the recordings of a csv"):
        complete(config, SCHEMA)


def test_a_folder_of_turns_is_listed(tmp_path):
    for name in ("b.rttm", "in/a.TextGrid", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = turn_files({"segment": {"turns": str(tmp_path)}})
    assert found == [f"{tmp_path}/b.rttm", f"{tmp_path}/in/a.TextGrid"]
    assert turn_files({"segment": {"turns": "all.rttm"}}) == ["all.rttm"]
    assert turn_files({"segment": {}}) == []
