"""The rules name each config key that they read, through one helper."""

import re

import pytest
from project import ROOT, SCHEMA
from rule_files import RULE_FILES

CALL = re.compile(r"\bsetting\(\s*((?:\"[^\"]+\",?\s*)+)\)")
SEARCHES = re.compile(r"STUDY\.searches\(\s*((?:\"[^\"]+\",?\s*)+)")


def named(pattern, text):
    """The texts that each call of a helper names."""
    return [re.findall(r"\"([^\"]+)\"", call) for call in pattern.findall(text)]


def resolved(schema):
    """A schema and all schemas that its references and conditions lead to."""
    if "$ref" in schema:
        return resolved(SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[-1]])
    more = [part for key in ("then", "else") if key in schema for part in resolved(schema[key])]
    return [schema, *more]


def below(schemas, key):
    """Schemas of a key; the schemas of all keys if the key is a wildcard."""
    found = []
    for schema in schemas:
        if key.startswith("{"):
            children = (
                [schema["additionalProperties"]] if schema.get("additionalProperties") else []
            )
        else:
            children = [schema["properties"][key]] if key in schema.get("properties", {}) else []
        for child in children:
            found += resolved(child)
    return found


def mistakes(text):
    """List the mistakes in the settings that a rule file names."""
    found = []
    for place, *keys in named(CALL, text):
        schemas = [SCHEMA]
        for part in place.split("/"):
            schemas = below(schemas, part)
        for key, nodes in [(key, below(schemas, key)) for key in keys] or [("", schemas)]:
            if not nodes:
                found.append(f"{place} {key}: no such key")
            if any("properties" in node for node in nodes):
                found.append(f"{place} {key}: a node of several settings")
    searches = below(below([SCHEMA], "searches"), "{search}")
    for keys in named(SEARCHES, text):
        found += [f"searches {key}: no such key" for key in keys if not below(searches, key)]
    return found


def test_a_call_may_span_several_lines():
    text = 'task=setting(\n    "tasks/{task}",\n    "type",\n    "unit",\n),'
    assert named(CALL, text) == [["tasks/{task}", "type", "unit"]]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('setting("sede")', "sede : no such key"),
        ('setting("costs")', "costs : a node of several settings"),
        ('setting("tasks/{task}")', "tasks/{task} : a node of several settings"),
        ('setting("tasks/{task}", "kind")', "tasks/{task} kind: no such key"),
        ('setting("datasets/{dataset}", "csv")', "datasets/{dataset} csv: a node of several"),
        ('STUDY.searches("dept")', "searches dept: no such key"),
    ],
)
def test_mistakes_are_noticed(text, mistake):
    assert mistakes(text)[0].startswith(mistake)


@pytest.mark.parametrize("path", RULE_FILES, ids=lambda path: path.name)
def test_the_settings_that_rules_name_are_in_the_schema(path):
    assert mistakes(path.read_text(encoding="utf-8")) == []


def test_rules_name_settings():
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
    assert len(named(CALL, text)) > 30
    assert len(named(SEARCHES, text)) > 2
    assert len(re.findall(r"\bsetting\(", text)) == len(named(CALL, text))


@pytest.mark.parametrize("path", [ROOT / "Snakefile", *RULE_FILES], ids=lambda path: path.name)
def test_no_rule_reads_the_config_itself(path):
    text = path.read_text(encoding="utf-8")
    if path.name == "common.smk":
        text = text.split("STUDY = ")[1].replace('config["device"]', "", 1)
    text = text.replace('"datasets" not in config', "")  # whether a config was given
    forbidden = r"\bconfig\[|within=config|STUDY\.config\b|\bconfig\.(get|items|values)"
    assert not re.search(forbidden, text)
