"""Exact copies are told by their samples."""

import numpy as np
import pandas as pd
from small_inputs import noise, write_audio
from voxslice.audit.audit import audit
from voxslice.audit.exact_copies import content_of, exact_copies
from voxslice.audit.examine import examine

NAMES = ["a.wav", "b.flac", "c.wav", "silent.wav", "still.wav", "absent.wav"]


def examined(folder):
    # samples that both formats hold without rounding
    sound, other = (np.round(noise(1.0, seed=seed) * 2**14) / 2**15 for seed in (0, 1))
    signals = [sound, sound, other, 0 * sound, 0 * sound]
    for name, signal in zip(NAMES, signals, strict=False):
        write_audio(folder / name, signal)
    keys = pd.DataFrame({"file": NAMES, "start": 0.0, "end": 1.0})
    return keys, examine(keys, audio=folder, threads=1)


def test_copies_have_the_same_samples_in_any_format(tmp_path):
    keys, table = examined(tmp_path)
    copies = exact_copies(keys.iloc[::-1], table)
    assert copies.index.tolist() == list(range(5, -1, -1))
    assert copies[0] == copies[1]
    # neither silence nor audio that cannot be read is a copy
    assert copies.notna().sum() == 2
    assert content_of(table).notna().tolist() == [True, True, True, False, False, False]


def test_copies_are_those_of_the_audit(tmp_path):
    keys, table = examined(tmp_path)
    findings = audit(
        keys, table, speaker_columns=[], split_column="split", shortest=0.1, file_names={}
    )
    pairs = findings.loc[findings["issue"] == "exact copy", ["other_file", "file"]]
    assert pairs.to_numpy().tolist() == [["a.wav", "b.flac"]]


def test_without_copies_there_is_no_column(tmp_path):
    keys, table = examined(tmp_path)
    assert exact_copies(keys, table[table["file"] != "b.flac"]) is None
    parts = pd.DataFrame({"file": "a.wav", "start": [0.0, 0.5], "end": [0.5, 1.0]})
    assert exact_copies(parts, examine(parts, audio=tmp_path, threads=1)) is None
