"""The config of a study with each kind of dataset, model, task and search."""

import pytest


@pytest.fixture
def config():
    return {
        "datasets": {
            "calls": {
                "audb": {"name": "calls", "version": "1.0.0"},
                "table": "files",
                "columns": {
                    "speaker": {"table": "files", "column": "speaker"},
                    "gender": {"table": "files", "column": "speaker", "map": "gender"},
                },
                "license": "CC0-1.0",
            },
            "ages": {
                "audb": {"name": "ages", "version": "2.0.0"},
                "table": "files",
                "columns": {"age": {"table": "files", "column": "age"}},
                "license": "CC0-1.0",
            },
            "table": {
                "csv": {"path": "mine.csv", "audio": "/data/mine"},
                "columns": {"age": {"column": "years"}, "split": {"column": "set"}},
                "filter": {"split": ["test", 2, True]},
                "license": "MIT",
            },
            "local": {
                "audformat": {"path": "/data/local"},
                "table": "files",
                "columns": {"speaker": {"table": "files", "column": "speaker"}},
                "license": "MIT",
            },
        },
        "models": {
            "small": {"path": "models/small", "tasks": ["gender", "age"], "license": "MIT"},
            "big": {"url": "https://example.org/big.zip", "tasks": ["gender"], "license": "MIT"},
            "other": {"url": "file:///other.zip", "license": "MIT"},
            "given": {
                "predictions": {"calls": "given.csv"},
                "tasks": ["gender", "age"],
                "license": "MIT",
            },
            "bare": {"onnx": "bare.onnx", "outputs": {"out": ["age"]}, "license": "MIT"},
            "tiny": {"derive": {"from": "small", "quantize": "int8"}},
        },
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "output": "logits_gender",
                "labels": ["female", "male"],
                "min_drop": 0.1,
            },
            "age": {"type": "regression", "target": "age", "output": "logits_age", "min_drop": 3},
        },
        "searches": {
            "metadata": {"finder": "sliceguard", "features": ["gender", "age"]},
            "voice": {"finder": "sliceguard", "features": [], "embedding_of": "other"},
            "young": {"finder": "subgroups", "features": ["age"], "min_support": 5},
        },
    }
