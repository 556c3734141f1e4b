"""YAML files from strangers: expensive files and tags are refused, and plain values are read."""

import os

import pytest
import yaml
from refusals import refusal, require_cheap
from voxslice.errors import InputError
from voxslice.safe_yaml import MAX_NODES, parse_yaml, read_yaml

TENFOLD = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
)
MERGED = "\n".join(
    ["m0: &m0 {k0: 1}"]
    + [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}], k{i}: 1}}" for i in range(1, 12)]
)
SHARED_HASH = 2**61 - 1

EXPENSIVE = {
    "aliases of aliases": (TENFOLD, "more than 200,000 keys and values"),
    "merge keys of merge keys": (MERGED, "the merge key <<"),
    "a list inside itself": ("a: &a [*a]", "the alias *a"),
    "a mapping inside itself": ("&a {b: {c: *a}}", "the alias *a"),
    "deep lists": ("[" * 100_000, "more than 50 levels"),
    "deep mappings": ("\n".join(" " * i + "a:" for i in range(2000)), "more than 50 levels"),
    "many nodes": ("[" + "1," * 1_000_000 + "1]", "more than 200,000 keys and values"),
    "a large file": ("a: " + "x" * 20_000_000, "more than 16 MB"),
    "a number to base 60": ("a: 1" + ":1" * 500_000, "a number of 1,000,001 characters"),
    "a fraction to base 60": ("a: 1" + ":1" * 500_000 + ".5", "a number of"),
    "keys that share a hash": (
        "{" + ", ".join(f"{i * SHARED_HASH}: 1" for i in range(100, 100_000)) + "}",
        "a number of 21 characters",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPENSIVE)
def test_a_small_file_of_great_cost_is_refused_at_once(name, tmp_path):
    text, reason = EXPENSIVE[name]
    path = tmp_path / "a.yaml"
    path.write_text(text)
    found = refusal("from voxslice.safe_yaml import read_yaml", f"read_yaml({str(path)!r})")
    require_cheap(found)
    assert reason in found.message
    assert str(path) in found.message


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system ''",
        "!<tag:yaml.org,2002:python/module:os> ''",
        "!own {a: 1}",
        "! text",
        "!!str text",
        "!!set {a}",
        "!!binary aGVsbG8=",
        "!!omap [a: 1]",
    ],
)
def test_every_tag_is_refused(value):
    for text in (f"a: {value}", f"- [{value}]", f"? {value}\n: 1"):
        with pytest.raises(
            InputError, match=r"^db\.yaml has the tag '!?.*', which is not accepted"
        ):
            parse_yaml(text, "db.yaml")


def test_a_tag_behind_a_handle_or_in_a_later_document_is_refused():
    with pytest.raises(
        InputError, match=r"has the tag 'tag:yaml\.org,2002:python/name:os\.system'"
    ):
        parse_yaml("%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!name:os.system ''", "a")
    with pytest.raises(InputError, match="has the tag"):
        parse_yaml("a: 1\n---\n!!python/name:os.system ''", "a")


@pytest.mark.parametrize(
    "text",
    ["a: [", "a: 1\n---\nb: 1", "2020-13-01", "? [a]\n: 1", "a: \x00", "\t- a", "a: &a 1\n<<: *a"],
)
def test_invalid_yaml_is_refused_in_one_sentence(text):
    with pytest.raises(
        InputError, match=r"^db\.yaml (is not valid YAML|has the merge key)"
    ) as error:
        parse_yaml(text, "db.yaml")
    assert "\n" not in str(error.value)


def test_a_path_that_is_not_a_text_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "latin").write_bytes(b"a: \xe9")
    (tmp_path / "utf16").write_bytes("a: !!python/name:os.system ''".encode("utf-16"))
    for name, reason in {
        "pipe": "is missing or is not a regular file",
        ".": "is missing or is not a regular file",
        "none": "is missing or is not a regular file",
        "latin": "is not a text file in UTF-8",
        "utf16": "is not a text file in UTF-8",
    }.items():
        with pytest.raises(InputError, match=reason):
            read_yaml(tmp_path / name)
    with pytest.raises(InputError, match="is missing or is not a regular file"):
        read_yaml("/dev/zero")


def test_plain_values_are_read_as_pyyaml_reads_them(tmp_path):
    shared = [1, 2.5, -1.7976931348623157e308]
    value = {
        "text": "a\nb: <<", "<<": "!!x", "numbers": shared, "again": shared, "none": None,
        "flag": True, 7: [[], {}], "size": 2**63, "small": 1e-300, "empty": "", "umlaut": "ü",
    }  # fmt: skip
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")
    assert read_yaml(path) == value
    assert parse_yaml("", "a") is None
    assert parse_yaml("a: 2020-01-02\nb: 1:30", "a") == yaml.safe_load("a: 2020-01-02\nb: 1:30")


@pytest.mark.slow
def test_a_large_header_is_read():
    text = yaml.dump({f"speaker-{i}": {"age": 30} for i in range(20_000)}, Dumper=yaml.CSafeDumper)
    assert len(parse_yaml(text, "a")) == 20_000
    assert MAX_NODES > 3 * 20_000
