"""Recordings of a dataset become segments with labels, and an overview."""

import numpy as np
import pandas as pd
import pytest
from voxslice.errors import InputError
from voxslice.files import read_csv, write_csv
from voxslice.recordings.labels import read_labels
from voxslice.recordings.segments import FRAME_SECONDS, Lengths
from voxslice.recordings.table import describe, segment_recordings
from voxslice.table_specs import TABLES, problems

LENGTHS = Lengths(min=3, max=10, join=1)


def speech(spans, *, reasons=None, seconds=30.0, start=0.0):
    """A table as `detect_speech` returns it, with speech in spans of seconds."""
    rows = []
    for file, own in spans.items():
        probabilities = np.zeros(round(seconds / FRAME_SECONDS), np.float32)
        for first, last in own:
            probabilities[round(first / FRAME_SECONDS) : round(last / FRAME_SECONDS)] = 0.9
        rows.append(
            {
                "file": file,
                "start": start,
                "end": start + seconds,
                "probabilities": probabilities,
                "levels": np.zeros(len(probabilities), np.float32),
                "reason": (reasons or {}).get(file, ""),
                "note": "",
            }
        )
    return pd.DataFrame(rows)


def segmented(table, by="silero", **more):
    settings = {"lengths": LENGTHS, "turns": None, "channels": None, "source": "calls.csv", **more}
    return segment_recordings(table, by=by, **settings)


def turns(*rows):
    table = pd.DataFrame(rows, columns=["file", "start", "end", "speaker"])
    return table.astype({"speaker": "string"})


def test_short_segments_are_kept_and_marked():
    segments, overview = segmented(speech({"a.wav": [(1, 6), (10, 11)]}))
    assert list(segments["short"]) == [False, True]
    assert segments["speech_share"].between(0.8, 1).all()
    assert overview.loc[0, ["segments", "short"]].tolist() == [2, 1]
    assert overview["speech_seconds"][0] == pytest.approx(6, abs=0.1)
    assert "50.0% of the segments are shorter than 3 s." in describe(segmented(speech(
        {"a.wav": [(1, 6), (10, 11)]})), 3)  # fmt: skip


def test_a_recording_that_begins_later_in_its_file_keeps_its_times():
    (segment,) = segmented(speech({"a.wav": [(1, 6)]}, start=100.0)).segments.itertuples()
    assert (segment.start, segment.end) == pytest.approx((100.9, 106.1), abs=0.05)
    assert (segment.recording, segment.recording_start, segment.recording_end) == (
        "a.wav", 100.0, 130.0,
    )  # fmt: skip


def test_a_recording_without_speech_is_noted_and_one_that_cannot_be_read_is_kept():
    table = speech({"a.wav": [(1, 6)], "b.wav": [], "c.wav": []}, reasons={"c.wav": "broken"})
    segments, overview = segmented(table)
    assert list(segments["file"]) == ["a.wav", "c.wav"]
    assert list(overview["note"]) == ["", "no speech was found", "broken"]


def test_a_dataset_without_speech_is_refused():
    with pytest.raises(InputError, match=r"calls\.csv lists no recording with speech"):
        segmented(speech({"a.wav": []}))


def test_turns_of_a_speaker_are_joined_unless_another_one_speaks_between():
    found = turns(
        ("a.wav", 0, 2, "anna"), ("a.wav", 2.5, 4, "anna"), ("a.wav", 4, 5, "ben"),
        ("a.wav", 5.2, 6, "anna"),
    )  # fmt: skip
    segments, _ = segmented(speech({"a.wav": []}), "turns", turns=found)
    assert list(segments[["start", "end", "speaker"]].itertuples(index=False, name=None)) == [
        (0.0, 4.0, "anna"), (4.0, 5.0, "ben"), (5.2, 6.0, "anna"),
    ]  # fmt: skip


def test_turns_with_different_labels_are_not_joined():
    found = turns(("a.wav", 0, 2, "anna"), ("a.wav", 2.5, 4, "anna"))
    found["emotion"] = pd.array(["anger", None], dtype="string")
    segments, _ = segmented(speech({"a.wav": []}), "turns", turns=found)
    assert list(segments["emotion"].fillna("")) == ["anger", ""]


def test_two_speakers_with_the_same_times_are_one_segment_without_a_speaker():
    found = turns(("a.wav", 0, 4, "anna"), ("a.wav", 0, 4, "ben"), ("a.wav", 6, 9, "ben"))
    segments, _ = segmented(speech({"a.wav": []}), "turns", turns=found)
    assert segments["speaker"].isna().tolist() == [True, False]


def test_a_recording_without_turns_is_noted():
    found = turns(("a.wav", 0, 4, "anna"))
    _, overview = segmented(speech({"a.wav": [], "b.wav": []}), "turns", turns=found)
    assert list(overview["note"]) == ["", "it has no turns"]


def test_labels_of_a_recording_hold_for_its_segments(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("file,gender,speaker\na.wav,female,anna\nb.wav,male,ben\n")
    segments, _ = segmented(speech({"a.wav": [(1, 6), (10, 15)], "b.wav": [(2, 7)]}))
    labels = read_labels(path, segments)
    assert list(labels["gender"]) == ["female", "female", "male"]
    assert list(labels["speaker"]) == ["anna", "anna", "ben"]


def test_a_recording_without_a_speaker_is_a_speaker_of_its_own(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("file,gender\na.wav,female\nb.wav,male\n")
    segments, _ = segmented(speech({"a.wav": [(1, 6)], "b.wav": [(2, 7)]}))
    assert list(read_labels(path, segments)["speaker"]) == ["a.wav", "b.wav"]


def test_labels_of_turns_replace_those_of_recordings(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("file,emotion,speaker\na.wav,neutral,unknown\n")
    found = turns(("a.wav", 0, 2, "anna"), ("a.wav", 2.5, 4, "ben"))
    found["emotion"] = pd.array(["anger", None], dtype="string")
    segments, _ = segmented(speech({"a.wav": []}), "turns", turns=found)
    labels = read_labels(path, segments)
    assert list(labels["emotion"]) == ["anger", "neutral"]
    assert list(labels["speaker"]) == ["anna", "ben"]


def test_each_channel_is_a_speaker_and_has_its_own_labels(tmp_path):
    path = tmp_path / "calls.csv"
    path.write_text("file,topic,gender.agent,gender.customer,speaker.agent\na.wav,bill,f,m,zoe\n")
    files = ["a.wav.agent.flac", "a.wav.customer.flac"]
    channels = pd.DataFrame(
        {
            "file": files,
            "recording": "a.wav",
            "channel": ["agent", "customer"],
            "note": ["", "channel 1 is silent"],
        }
    )
    table = speech({files[0]: [(1, 6)], files[1]: [(2, 7)]})
    table[["start", "end"]] = [0.0, 30.0]
    segments, overview = segmented(table, channels=channels)
    path.write_text(path.read_text().replace("file,", "file,end,").replace("a.wav,", "a.wav,30,"))
    labels = read_labels(path, segments)
    assert list(labels["channel"]) == ["agent", "customer"]
    assert list(labels["gender"]) == ["f", "m"]
    assert list(labels["topic"]) == ["bill", "bill"]
    assert list(labels["speaker"]) == ["zoe", files[1]]
    assert list(overview["note"]) == ["", "channel 1 is silent"]


def test_tables_are_as_specified(tmp_path):
    specs = {spec.path: spec for spec in TABLES}
    table = speech({"a.wav": [(1, 6), (10, 11)], "b.wav": []})
    found = segmented(table)
    assert problems(table, specs["resources/{dataset}/speech/{shard}.parquet"]) == []
    assert problems(found.segments, specs["resources/{dataset}/segments.parquet"]) == []
    write_csv(found.overview, tmp_path / "overview.csv")
    overview = read_csv(tmp_path / "overview.csv")
    assert problems(overview, specs["results/recordings/{dataset}.csv"]) == []
