"""The utterances of a dataset are listed with fingerprints of their files' contents."""

import pandas as pd
import pytest
from small_inputs import noise, write_audio
from voxslice.data.listing import list_utterances
from voxslice.data.local_data import of_table
from voxslice.errors import InputError


@pytest.fixture
def listed(tmp_path):
    """A function that lists a table of three files, of which one does not exist."""
    for number, name in enumerate(["a.wav", "b.wav"]):
        write_audio(tmp_path / "audio" / name, noise(0.3, seed=number))
    table = pd.DataFrame(
        {"file": ["b.wav", "./a.wav", "a.wav", "none.wav"], "start": [0, 0, 0.1, 0]}
    )
    table.assign(end=[0.2, 0.1, 0.2, 0.2]).to_csv(tmp_path / "t.csv", index=False)
    csv = {"path": str(tmp_path / "t.csv"), "audio": str(tmp_path / "audio")}

    def run(links="inside"):
        state = of_table(**csv, filters={}).fingerprint()
        return list_utterances(
            csv["audio"], csv=csv, table=None, filters={}, links=links, state=state, threads=2
        )

    return run


def test_each_file_has_one_content(listed):
    utterances, contents, record = listed()
    assert utterances["file"].to_list() == ["a.wav", "a.wav", "b.wav", "none.wav"]
    assert contents["file"].to_list() == ["a.wav", "b.wav", "none.wav"]
    assert contents["content"].notna().to_list() == [True, True, False]
    assert record["files"]["b.wav"][-1] == contents["content"][1]


def test_another_signal_of_the_same_duration_is_another_content(listed, tmp_path):
    utterances, before, _ = listed()
    write_audio(tmp_path / "audio/b.wav", noise(0.3, seed=9))
    again, after, _ = listed()
    pd.testing.assert_frame_equal(utterances, again)
    assert (before["content"] == after["content"]).to_list() == [True, False, False]


def test_a_file_is_read_once(listed, monkeypatch):
    read = []
    monkeypatch.setattr(
        "voxslice.data.local_data._content", lambda folder, file: read.append(file) or "0"
    )
    listed()
    assert sorted(read) == ["./a.wav", "a.wav", "b.wav"]


def test_links_out_of_the_folder_are_followed_only_if_the_dataset_allows_it(listed, tmp_path):
    (tmp_path / "audio/none.wav").symlink_to(write_audio(tmp_path / "private.wav", noise(0.3)))
    with pytest.raises(InputError, match=r"names none\.wav, which a symbolic link leads out"):
        listed()
    assert listed(links="anywhere")[1]["content"].notna().all()
