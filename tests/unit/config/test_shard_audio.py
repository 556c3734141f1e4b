"""The amount of audio in a shard, before and after the dataset is split."""

import math
from pathlib import Path

import pytest
from project import SCHEMA
from snakemake.iocontainers import Wildcards
from voxslice.config.complete import complete
from voxslice.config.shard_audio import (
    audio_of_shard,
    audio_to_score,
    longest_allowed,
    state_of_shard,
)
from voxslice.config.study_config import StudyConfig


def shard(number):
    return Wildcards(fromdict={"dataset": "calls", "model": "small", "shard": str(number)})


@pytest.fixture
def study(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config["longest_seconds"] = 60
    return StudyConfig(complete(config, SCHEMA))


@pytest.fixture
def table(study):
    path = Path("resources/calls/shards.csv")
    path.parent.mkdir(parents=True)
    path.write_text("first,stop,seconds,longest,state\n0,5,100.5,20,abc\n5,9,300,90,def\n")
    return path


def test_before_the_split_a_shard_is_as_large_as_the_config_allows(study):
    assert audio_of_shard(study, shard(0)) is None
    assert state_of_shard(study)(shard(0)) is None
    assert longest_allowed(study)(shard(0)) == 60
    assert audio_to_score(study, shard(0)) == (36000, 60)


def test_audio_of_a_shard(study, table):
    assert audio_of_shard(study, shard(0)) == (100.5, 20, "abc")
    assert state_of_shard(study)(shard(1)) == "def"
    assert audio_of_shard(study, shard(2)) is None
    assert audio_to_score(study, shard(0)) == (100.5, 20)
    assert audio_to_score(study, shard(1)) == (300, 60)  # the rest is a failure


def test_the_limit_counts_only_where_an_utterance_is_longer(study, table):
    assert longest_allowed(study)(shard(0)) == math.inf
    assert longest_allowed(study)(shard(1)) == 60


def test_an_incomplete_table_of_shards_is_ignored(study, table):
    table.write_text("first,stop,seconds\n0,5,100\n")
    assert audio_of_shard(study, shard(0)) is None
