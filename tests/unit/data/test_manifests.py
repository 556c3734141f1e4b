"""Kaldi folders and manifests of NeMo and Lhotse are read as tables."""

import gzip
import json

import pytest
from small_inputs import noise, write_audio
from voxslice.config.lookups import table_files
from voxslice.data.csv_tables import add_columns, list_utterances, read_cells
from voxslice.data.local_data import of_table
from voxslice.data.user_tables import read_table
from voxslice.errors import InputError


def cells(table):
    return table.fillna("").to_dict("list")


def write_kaldi(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("wav", "wav.scp")).write_text(text)
    return folder


def test_a_kaldi_folder_with_segments(tmp_path):
    folder = write_kaldi(
        tmp_path / "data",
        wav="call1 /audio/call 1.wav\ncall2 b.flac\n",
        segments="u1 call1 0.5 2.25\nu2 call2 1 3\n",
        utt2spk="u1 anna\nu2 ben\n",
        spk2gender="anna f\nben m\n",
        spk2utt="anna u1\nben u2\n",
        text="u1 good morning\nu2\n",
        utt2emotion="u1 anger\n",
    )
    assert cells(read_table(folder)) == {
        "file": ["audio/call 1.wav", "b.flac"],
        "start": ["0.5", "1"],
        "end": ["2.25", "3"],
        "utterance": ["u1", "u2"],
        "speaker": ["anna", "ben"],
        "text": ["good morning", ""],
        "emotion": ["anger", ""],
        "gender": ["f", "m"],
    }
    names = [path.rsplit("/", 1)[1] for path in table_files(str(folder))]
    assert names == [
        "segments", "spk2gender", "spk2utt", "text", "utt2emotion", "utt2spk", "wav.scp",
    ]  # fmt: skip


def test_a_kaldi_folder_without_segments(tmp_path):
    folder = write_kaldi(tmp_path / "data", wav="a a.wav\n", utt2spk="a anna\n")
    table = cells(read_table(folder))
    assert (table["file"], table["start"], table["speaker"]) == (["a.wav"], [""], ["anna"])


def test_a_manifest_of_nemo(tmp_path):
    entries = [
        {"audio_filepath": "/d/a.wav", "offset": 1.5, "duration": 2.0, "label": "anger", "n": None},
        {"audio_filepath": "b.wav", "duration": 3, "words": [1]},
        {"audio_filepath": "c.wav", "label": "neutral"},
    ]
    path = tmp_path / "test.json"
    path.write_text("\n".join(map(json.dumps, entries)) + "\n")
    assert cells(read_table(path)) == {
        "file": ["d/a.wav", "b.wav", "c.wav"],
        "start": ["1.5", "0.0", "0.0"],
        "end": ["3.5", "3.0", ""],
        "label": ["anger", "", "neutral"],
    }


def cut(supervisions, **more):
    source = {"type": "file", "channels": [0], "source": "a.wav"}
    recording = {"id": "a", "sources": [source], "sampling_rate": 16000}
    return {"id": "c", "start": 10.0, "duration": 6.0, "recording": recording} | {
        "supervisions": supervisions, "type": "MonoCut", **more,
    }  # fmt: skip


def test_cuts_of_lhotse(tmp_path):
    parts = [
        {"start": 0.5, "duration": 2.0, "speaker": "anna", "custom": {"emotion": "joy", "x": [1]}},
        {"start": 3.0, "duration": 1.0, "speaker": "ben", "text": "yes"},
    ]
    path = tmp_path / "cuts.jsonl.gz"
    with gzip.open(path, "wt") as file:
        file.write(json.dumps(cut(parts)) + "\n" + json.dumps(cut([], start=30.0)) + "\n")
    assert cells(read_table(path)) == {
        "file": ["a.wav"] * 3,
        "start": ["10.5", "13.0", "30.0"],
        "end": ["12.5", "14.0", "36.0"],
        "speaker": ["anna", "ben", ""],
        "emotion": ["joy", "", ""],
        "text": ["", "yes", ""],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "line 1 is neither"),
        ("[1]", "line 1 is neither"),
        ('{"audio_filepath": "a.wav", "offset": "x"}', "line 1 is neither"),
        (json.dumps(cut([], recording={"sources": [{"type": "url", "source": "x"}]})), "line 1 is"),
        ("", "no utterances"),
    ],
)
def test_other_json_is_refused(tmp_path, text, message):
    path = tmp_path / "test.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(path)


def test_commands_of_kaldi_are_not_run(tmp_path):
    folder = write_kaldi(tmp_path / "data", wav=f"a touch {tmp_path}/x |\n")
    with pytest.raises(InputError, match="a command for a, which is not run"):
        read_table(folder)
    assert not (tmp_path / "x").exists()


def test_a_manifest_lists_utterances_and_has_their_labels(tmp_path):
    audio = write_audio(tmp_path / "audio" / "a.wav", noise(3.0))
    path = tmp_path / "test.jsonl"
    entry = {"audio_filepath": str(audio), "offset": 0.5, "duration": 1.0, "label": "anger"}
    path.write_text(json.dumps(entry))
    utterances = list_utterances(path, "/", {})
    assert utterances["duration"].tolist() == [1.0]
    columns = {"emotion": {"column": "label"}}
    metadata = add_columns(utterances, read_cells(path, utterances), columns, str(path))
    assert metadata["emotion"].tolist() == ["anger"]
    before = of_table(path, "/", {}).fingerprint()
    write_audio(audio, noise(3.5))
    assert of_table(path, "/", {}).fingerprint() != before
