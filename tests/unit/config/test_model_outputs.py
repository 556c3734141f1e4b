"""The outputs that a study reads are looked up in the card of a model."""

import json
import os
from pathlib import Path

import pytest
from project import SCHEMA
from snakemake.iocontainers import Wildcards
from voxslice.config.complete import complete
from voxslice.config.model_outputs import outputs_read
from voxslice.config.study_config import StudyConfig

JOB = Wildcards(fromdict={"dataset": "ages", "model": "small", "shard": "0"})


@pytest.fixture
def read(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config["datasets"]["ages"]["columns"]["sounds"] = {"model": "small", "label": "male"}
    return outputs_read(StudyConfig(complete(config, SCHEMA)))


def write_card(outputs, time):
    path = Path("resources/models/small/model.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"outputs": outputs}))
    os.utime(path, ns=(time, time))


def test_labels_are_looked_up_in_the_card_of_the_model(read):
    assert read(JOB)["outputs"] is None
    write_card({"logits_gender": ["female", "male"], "logits_age": ["age"]}, 1)
    assert read(JOB) == {
        "outputs": ["logits_age", "logits_gender"],
        "labels": [],
        "embedding_output": None,
    }


def test_another_card_is_read_again(read):
    write_card({"logits_gender": ["female", "male"]}, 1)
    assert read(JOB)["labels"] == []
    write_card({"voices": ["low", "male"]}, 2)
    assert read(JOB)["outputs"] == ["logits_age", "voices"]
    write_card({"voices": ["low"]}, 3)
    assert read(JOB)["labels"] == ["male"]
