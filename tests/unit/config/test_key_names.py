"""Renamed keys, and keys of the other finder, are errors that name the right key."""

import pytest
from project import SCHEMA
from voxslice.config.key_names import check_key_names
from voxslice.errors import InputError


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"slices": {"a": {"finder": "subgroups"}}},
            "slices: the key slices is now called searches: rename it.",
        ),
        (
            {"models": {"m": {"embedding": "hidden_states"}}},
            "models.m.embedding: the key embedding is now called embedding_output: rename it.",
        ),
        (
            {"searches": {"a": {"finder": "sliceguard", "embedding": "m"}}},
            "searches.a.embedding: the key embedding is now called embedding_of: rename it.",
        ),
    ],
)
def test_the_message_names_the_new_name_of_a_renamed_key(config, sentence):
    with pytest.raises(InputError) as error:
        check_key_names(config, SCHEMA)
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("finder", "key", "reader"),
    [
        ("sliceguard", "depth", "subgroups"),
        ("subgroups", "sample", "sliceguard"),
        ("subgroups", "stability_seeds", "sliceguard"),
        ("subgroups", "embedding_of", "sliceguard"),
    ],
)
def test_a_key_of_the_other_finder_is_refused(finder, key, reader):
    search = {"finder": finder, "features": ["age"], key: 3}
    with pytest.raises(InputError) as error:
        check_key_names({"searches": {"a": search}}, SCHEMA)
    assert str(error.value) == (
        f"searches.a.{key}: only the finder {reader} reads this key and this search has the finder"
        f" {finder}: remove the key or change the finder."
    )
    check_key_names({"searches": {"a": search | {"finder": reader}}}, SCHEMA)


@pytest.mark.parametrize(
    "config",
    [
        None,
        [],
        "slices",
        {"searches": None, "models": []},
        {"searches": {"a": None, "b": {"finder": ["x"], "depth": 1}, "c": {"finder": "x"}}},
        {"searches": {"a": {"finder": "subgroups", "min_support": 5, "unknown": 1}}},
    ],
)
def test_other_mistakes_are_left_to_the_schema(config):
    check_key_names(config, SCHEMA)
