"""Broken and unusual audio in one csv dataset: each utterance is scored or listed as a failure."""

import os
import re

import numpy as np
import pandas as pd
import pytest
from small_inputs import RATE, noise, write_audio, write_model
from small_study import GENDER
from snakemake_cli import planned, snakemake, write_config

pytestmark = pytest.mark.workflow

SCORED = {
    "stereo.wav": {"channels": 2},
    "8 kHz.wav": {"rate": 8000},
    "96 kHz.wav": {"rate": 96000},
    "24 bit.wav": {"subtype": "PCM_24"},
    "a.flac": {},
    "a.mp3": {},
    "a.ogg": {},
    "5 ms.wav": {"seconds": 0.005},
    "deep/er/name with spaces.wav": {},
    "quotes ' and \".wav": {},
    "ümläut 声.wav": {},
    "new\nline.wav": {},
    "<b>.wav": {},
    "NA": {"format": "WAV"},
}
REASONS = {
    "empty.wav": "cannot be read",
    "half a header.wav": "cannot be read",
    "header.wav": "is empty",
    "truncated.wav": "ends 0.",
    "truncated.flac": "cannot be read|ends 0.",
    "text.wav": "cannot be read",
    "text.mp3": "cannot be read",
    "nan.wav": "not finite",
    "inf.wav": "not finite",
    "missing.wav": "does not exist",
    "pipe.wav": "not a file",
    "folder.wav": "not a file",
}
SILENT = ["zeros.wav", "swapped.wav"]
CUT = {"truncated.wav", "truncated.flac"}
FAILED = REASONS | {"hour.flac": "it lasts 3600 s"}  # whole; its segments are scored


def write_broken(folder):
    whole = write_audio(folder / "whole.wav", noise(1)).read_bytes()
    for name, content in {
        "empty.wav": b"",
        "half a header.wav": whole[:20],
        "header.wav": whole[:44],
        "truncated.wav": whole[: len(whole) // 2],
        "text.wav": b"no audio\n" * 99,
        "text.mp3": b"no audio\n" * 99,
    }.items():
        (folder / name).write_bytes(content)
    for name, value in {"nan.wav": np.nan, "inf.wav": np.inf}.items():
        signal = noise(0.5)
        signal[100] = value
        write_audio(folder / name, signal, subtype="FLOAT")
    flac = write_audio(folder / "truncated.flac", noise(1))
    flac.write_bytes(flac.read_bytes()[:-9000])
    (folder / "folder.wav").mkdir()
    os.mkfifo(folder / "pipe.wav")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folder of the study, with a model, audio and the table mine.csv."""
    folder = tmp_path_factory.mktemp("bad audio")
    write_model(folder / "model")
    for name, settings in SCORED.items():
        made = {key: settings.pop(key) for key in ("seconds", "channels") if key in settings}
        rate = settings.pop("rate", RATE)
        signal = noise(made.pop("seconds", 0.5), rate=rate, seed=len(name), **made)
        write_audio(folder / "audio" / name, signal, rate=rate, **settings)
    write_audio(folder / "audio/zeros.wav", np.zeros(RATE))
    write_audio(folder / "audio/swapped.wav", np.stack([noise(0.5), -noise(0.5)], 1))
    write_audio(folder / "audio/hour.flac", np.zeros(3600 * RATE, dtype=np.float32))
    write_broken(folder / "audio")
    rows = [(name, None, 1.0 if name in CUT else None) for name in [*REASONS, *SCORED, *SILENT]]
    rows += [("hour.flac", None, None), ("hour.flac", 3000, 3000.5), ("hour.flac", 3599.5, None)]
    rows += [("whole.wav", start / 10, start / 10 + 0.1) for start in range(10)]
    table = pd.DataFrame(rows, columns=["file", "start", "end"])
    table["sex"] = np.where(np.arange(len(table)) % 2, "female", "male")
    table["who"] = [f"{number % 6:02}" for number in range(len(table))]
    table.to_csv(folder / "mine.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def config():
    return {
        "resamples": 100,
        "failures_tolerated": 0.5,
        "datasets": {
            "mine": {
                "csv": {"path": "mine.csv", "audio": "audio"},
                "columns": {
                    "speaker": {"column": "who"},
                    "gender": {"column": "sex"},
                    "level": {"measure": "level"},
                },
                "license": "MIT",
            }
        },
        "models": {"tiny": {"path": "model", "tasks": ["gender"], "license": "MIT"}},
        "tasks": {"gender": {**GENDER}},
        "searches": {"subgroups": {"finder": "subgroups", "features": ["gender"]}},
        "costs": {"durations": [0.1], "repetitions": 1, "seconds": 0},
    }


@pytest.fixture(scope="module")
def study(place, config):
    path = write_config(place / "study.yaml", config)
    snakemake(place, "reports", "views", configfiles=[path])
    return place


def test_each_utterance_is_scored_or_listed_with_its_reason(study):
    listed = pd.read_parquet(study / "resources/mine/metadata.parquet")
    scored = pd.concat(
        pd.read_parquet(path) for path in study.glob("results/predictions/mine/tiny/*.parquet")
    )
    failed = pd.read_csv(study / "results/failures/mine/tiny.csv", keep_default_na=False)
    assert len(listed) == len(scored) + len(failed) == len(FAILED) + len(SCORED) + 14
    assert sorted(failed["file"]) == sorted(FAILED)
    for file, reason in failed[["file", "reason"]].to_numpy():
        assert any(part in reason for part in FAILED[file].split("|")), (file, reason)
    assert set(scored["file"]) == {*SCORED, *SILENT, "hour.flac", "whole.wav"}
    assert np.isfinite(scored.drop(columns="file")).all(axis=None)


def test_each_utterance_is_measured_or_has_a_reason(study):
    metadata = pd.read_parquet(study / "resources/mine/metadata.parquet")
    log = (study / "logs/measure_speech/mine/0.log").read_text(encoding="utf-8")
    missing = log.count(" has no level: ") + log.count(" has no measures: ")
    assert missing == metadata["level"].isna().sum()
    assert "hour.flac from 0 to 3600 s has no measures: it lasts 3600 s, more than" in log
    measured = set(metadata.loc[metadata["level"].notna(), "file"])
    assert measured == {*SCORED} - {"5 ms.wav"}


def test_silent_utterances_are_in_a_table_the_log_and_the_report(study):
    silent = pd.read_csv(study / "results/silence/mine/tiny.csv")
    assert silent[["file", "reason"]].to_numpy().tolist() == [
        ["hour.flac", "no signal"],
        ["hour.flac", "no signal"],
        ["swapped.wav", "channels out of phase"],
        ["zeros.wav", "no signal"],
    ]
    total = len(FAILED) + len(SCORED) + 14
    log = (study / "logs/gather_failures/mine/tiny.log").read_text(encoding="utf-8")
    page = (study / "results/report/mine/gender.html").read_text(encoding="utf-8")
    for text in (log, page):
        assert f"The channels of 1 of the {total} utterances cancel each other" in text
        assert f"3 of the {total} utterances are silent, but models score them" in text
    metadata = pd.read_parquet(study / "resources/mine/metadata.parquet")
    missing = metadata["level"].isna().sum()
    assert f"{missing} of the {total} utterances have no value in the column level (" in page
    assert "1: it is silent (channels out of phase)" in page or "other reasons)" in page


def test_segments_are_scored_as_segments(study):
    scored = pd.concat(
        pd.read_parquet(path) for path in study.glob("results/predictions/mine/tiny/*.parquet")
    )
    hour = scored[scored["file"] == "hour.flac"]
    assert hour[["start", "end"]].to_numpy().tolist() == [
        [3000, 3000.5],
        [3599.5, 3600],
    ]
    assert scored.loc[scored["file"] == "whole.wav", "male"].nunique() == 10


def test_another_limit_scores_only_shards_with_longer_utterances_again(study, config):
    path = write_config(study / "limit.yaml", {**config, "longest_seconds": 200})
    assert planned(study, "predictions", configfiles=[path]) == [
        "gather_failures dataset=mine model=tiny",
        "predict dataset=mine model=tiny shard=0",
    ]


def test_the_report_shows_the_count_and_escapes_names(study):
    page = (study / "results/report/mine/gender.html").read_text(encoding="utf-8")
    assert f"tiny could not score {len(FAILED)} utterances" in page
    assert "<b>.wav" not in page


def test_more_failures_than_tolerated_stop_the_study_and_name_files(study, config):
    path = write_config(study / "strict.yaml", {**config, "failures_tolerated": 0.01})
    process = snakemake(study, "predictions", configfiles=[path], check=False)
    total = len(FAILED) + len(SCORED) + 14
    assert process.returncode != 0 and "Traceback" not in process.stdout
    assert f"Error: tiny could not score {len(FAILED)} of {total} utterances" in process.stdout
    assert "all of them are listed in results/failures/mine/tiny; " in process.stdout
    parts = [pd.read_csv(part) for part in (study / "results/failures/mine/tiny").glob("*.csv")]
    assert sorted(pd.concat(parts)["file"]) == sorted(FAILED)
    # nothing that was scored is lost: only the count is looked at again
    assert list(study.glob("results/predictions/mine/tiny/*.parquet"))
    path = write_config(study / "study.yaml", config)
    assert planned(study, "predictions", configfiles=[path]) == [
        "gather_failures dataset=mine model=tiny"
    ]


def test_shards_are_scored_again_after_the_command_in_the_message(study, config):
    path = write_config(study / "strict.yaml", {**config, "failures_tolerated": 0.01})
    process = snakemake(study, "predictions", configfiles=[path], check=False)
    (removed,) = set(re.findall(r"has changed: rm (\S+)\)", process.stdout))
    (study / removed).unlink()
    path = write_config(study / "study.yaml", config)
    assert planned(study, "predictions", configfiles=[path]) == [
        "gather_failures dataset=mine model=tiny",
        "predict dataset=mine model=tiny shard=0",
    ]
