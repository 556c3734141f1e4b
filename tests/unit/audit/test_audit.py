"""Planted faults of audio are found, each by its name, and clean audio has none."""

import numpy as np
import pandas as pd
import pytest
from known_sounds import hiss, spoken, voice
from small_inputs import write_audio
from voxslice.audit.audit import audit
from voxslice.audit.examine import examine
from voxslice.audit.finding import ISSUES, Finding, flagged
from voxslice.data.signals import RATE

SETTINGS = {
    "speaker_columns": ["gender"], "split_column": "split", "shortest": 0.3, "file_names": {}
}  # fmt: skip


def clean(seed):
    """Return speech with pauses, whose pitch and pauses depend on the seed."""
    rng = np.random.default_rng(seed)
    pause = np.zeros(RATE // 5, np.float32)
    parts = [pause]
    for _ in range(5):
        seconds = rng.uniform(0.2, 0.4)
        tone = voice(np.linspace(*rng.uniform(100, 250, 2), round(seconds * RATE)), seconds)
        tone *= np.hanning(len(tone)).astype(np.float32) * rng.uniform(0.3, 1)
        parts += [tone, pause[: rng.integers(len(pause))]]
    signal = np.concatenate([*parts, pause])
    return signal + 0.0003 * hiss(len(signal) / RATE, seed)[: len(signal)]


@pytest.fixture
def corpus(tmp_path):
    """Return a function that writes audio and returns its metadata and examination."""

    def write(signals, longest=np.inf, **columns):
        rows = []
        for name, signal in signals.items():
            if signal is not None:
                write_audio(tmp_path / name, signal)
            rows.append((name, 0.0, 1.0 if signal is None else len(signal) / RATE))
        metadata = pd.DataFrame(rows, columns=["file", "start", "end"]).assign(**columns)
        return metadata, examine(metadata, audio=tmp_path, threads=2, longest=longest)

    return write


def test_clean_audio_has_no_findings(corpus):
    signals = {f"{seed}.wav": clean(seed) for seed in range(20)}
    found = audit(*corpus(signals), **SETTINGS)
    assert len(found) == 0 and list(found) == list(Finding._fields)


def test_faults_of_audio_are_found(corpus):
    first = clean(0)
    limit = np.quantile(np.abs(first), 0.98)
    signals = {
        "clean.wav": clean(1),
        "clipped.wav": first.clip(-limit, limit),
        "silent.wav": np.zeros(RATE, np.float32),
        "short.wav": clean(2)[RATE // 4 : RATE // 3] * np.hanning(RATE // 3 - RATE // 4),
        "ends.wav": np.concatenate([clean(3), voice(150, 0.4)]),
        "begins.wav": np.concatenate([voice(150, 0.4), clean(4)]),
        "absent.wav": None,
    }
    found = audit(*corpus(signals), **SETTINGS)
    assert found[["issue", "file"]].to_numpy().tolist() == [
        ["unreadable", "absent.wav"],
        ["silent", "silent.wav"],
        ["too short", "short.wav"],
        ["clipped", "clipped.wav"],
        ["cut off", "begins.wav"],
        ["cut off", "ends.wav"],
    ]
    details = found.set_index("file")["detail"]
    assert details["absent.wav"] == "the file does not exist"
    assert details["ends.wav"] == "the audio ends within speech"
    assert details["clipped.wav"] == "2.0% of the samples"


@pytest.mark.slow
def test_a_dataset_that_was_cut_at_one_length_is_one_finding(corpus):
    whole = {f"{seed}.wav": clean(seed) for seed in range(5)}
    length = round(3.2 * RATE)
    cut = {f"cut{i}.wav": np.r_[clean(9 + i), voice(150 + i, 2.0)][:length] for i in range(12)}
    lone = {"lone.wav": np.concatenate([clean(30)[: RATE // 2], voice(140, 0.2)])}
    metadata, examined = corpus(whole | cut | lone)
    found = audit(metadata, examined, **SETTINGS)
    found = found[~found["issue"].str.contains("copy")]
    assert found["issue"].tolist() == ["cut off", "same length"]
    assert found["file"].tolist() == ["lone.wav", None]
    seconds = f"{length / RATE:.2f} s"
    assert found["detail"].iloc[1] == (
        f"12 of 18 utterances end within speech at {seconds}, the length of the longest utterance"
    )
    few = examined[~examined["file"].isin([f"cut{i}.wav" for i in range(3)])]
    found = audit(metadata, few, **SETTINGS)
    assert (found["issue"] == "cut off").sum() == 10 and "same length" not in set(found["issue"])


def test_an_empty_file_is_found(corpus):
    metadata, examined = corpus({"a.wav": clean(0), "empty.wav": np.zeros(0, np.float32)})
    found = audit(metadata, examined, **SETTINGS)
    assert found[["issue", "file"]].to_numpy().tolist() == [["unreadable", "empty.wav"]]


def test_flagged_utterances_are_those_of_findings_about_utterances():
    findings = pd.DataFrame(
        [
            Finding("clipped", "b.wav", 0.0, 1.0, ""),
            Finding("near copy", "b.wav", 0.0, 1.0, "", "a.wav", 0.0, 1.0),
            Finding("same length", None, None, None, ""),
            Finding("splits", "c.wav", 0.0, 1.0, "", "d.wav", 0.0, 1.0),
        ],
        columns=list(Finding._fields),
    )
    assert flagged(findings).to_numpy().tolist() == [["b.wav", 0.0, 1.0]]


def test_copies_are_found_once_and_their_splits_are_named(corpus):
    signals = {f"{seed}.wav": clean(seed) for seed in range(6)}
    signals |= {"exact.wav": clean(0), "near.wav": 0.5 * clean(1)[2000:]}
    split = ["train"] * 6 + ["test", "train"]
    found = audit(*corpus(signals, split=split), **SETTINGS)
    found = found[found["issue"].str.contains("copy")]
    assert found[["issue", "file", "other_file"]].to_numpy().tolist() == [
        ["exact copy", "exact.wav", "0.wav"],
        ["near copy", "near.wav", "1.wav"],
    ]
    assert found["detail"].iloc[0] == "the same samples; in the splits train and test"
    assert "splits" not in found["detail"].iloc[1]


def test_findings_grow_with_the_copies_and_not_with_their_pairs(corpus):
    signals = {f"{number}.wav": (1 - 0.02 * number) * clean(0) for number in range(12)}
    found = audit(*corpus(signals, split=["train"] * 10 + ["test", "train"]), **SETTINGS)
    found = found[found["issue"] == "near copy"]
    assert set(found["file"]) == set(list(signals)[1:]) and len(found) <= 2 * len(signals)
    leaks = found[found["detail"].str.endswith("; in the splits train and test")]
    assert leaks["file"].tolist() == ["10.wav"]
    reverse = found[found["detail"].str.endswith("; in the splits test and train")]
    assert reverse[["file", "other_file"]].to_numpy().tolist() == [["11.wav", "10.wav"]]


def test_an_utterance_that_has_a_copy_is_always_named(corpus):
    # the third utterance holds the first two, which are no copies of each other
    signals = {"a.wav": clean(0), "b.wav": clean(1), "c.wav": np.concatenate([clean(0), clean(1)])}
    found = audit(*corpus(signals), **SETTINGS)
    found = found[found["issue"] == "near copy"]
    assert found[["file", "other_file"]].to_numpy().tolist() == [
        ["c.wav", "a.wav"],
        ["c.wav", "b.wav"],
    ]


def test_silent_utterances_are_no_copies(corpus):
    signals = {name: np.zeros(RATE, np.float32) for name in ("a.wav", "b.wav")}
    assert set(audit(*corpus(signals), **SETTINGS)["issue"]) == {"silent"}


def test_parts_of_one_file_are_no_copies(tmp_path):
    write_audio(tmp_path / "a.wav", clean(0))
    times = [("a.wav", 0.0, 1.5), ("a.wav", 0.2, 1.6)]
    metadata = pd.DataFrame(times, columns=["file", "start", "end"])
    found = audit(metadata, examine(metadata, audio=tmp_path, threads=1), **SETTINGS)
    assert set(found["issue"]) - {"cut off"} == {"listed twice"}


def test_a_dataset_without_audio_is_audited_by_its_metadata(tmp_path):
    (tmp_path / "other.txt").write_text("no audio")
    metadata = pd.DataFrame(
        {
            "file": ["a.wav", "b.wav", "c.wav"],
            "start": 0.0,
            "end": 1.0,
            "speaker": "one",
            "gender": ["f", "f", "m"],
        }
    )
    found = audit(metadata, examine(metadata, audio=tmp_path, threads=1), **SETTINGS)
    assert found[["issue", "file"]].to_numpy().tolist() == [["speaker", "c.wav"]]


def test_threads_change_nothing_and_long_audio_is_not_read(corpus):
    signals = {"a.wav": clean(0), "b.wav": spoken(seconds=4.0)}
    _, examined = corpus(signals, longest=3.5)
    assert examined["reason"].isna().tolist() == [True, False]
    assert examined["words"].str.len().tolist()[1] == 0
    assert set(audit(examined, examined, **SETTINGS)["issue"]) <= set(ISSUES)
