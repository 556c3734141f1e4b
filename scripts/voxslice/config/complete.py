"""Check a config and fill in the defaults.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

import copy
from collections.abc import Mapping
from typing import Any

import jsonschema

from voxslice.config.checks import check_references
from voxslice.config.condition_checks import add_standard_sets, check_conditions
from voxslice.config.default_measures import add_default_measures
from voxslice.config.key_names import check_key_names
from voxslice.config.lookups import columns_read
from voxslice.config.model_checks import check_model_checks, restore_on
from voxslice.config.recordings import add_recording_columns, check_recordings
from voxslice.config.script_texts import check_texts
from voxslice.config.sentences import sentence
from voxslice.config.validator import Validator
from voxslice.errors import InputError
from voxslice.unicode_text import nfc

INHERITED = ("license", "intended_use", "tasks", "embedding_output", "sampling_rate", "scale")
"""Keys that a derived model takes from its source if they are not given."""
PLACES = {
    "path", "audio", "turns", "url", "onnx", "host", "predictions", "noise", "room",
}  # fmt: skip
"""Keys that hold file names, which stay in the Unicode form in which they are written."""


def complete(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check a config and fill in the defaults of the schema.

    Args:
        config: the config as read from YAML
        schema: JSON schema of draft 2020-12

    Returns:
        a new config with all defaults

    Raises:
        InputError: the config has a mistake; one sentence names the key and what to change
    """
    config = restore_on(config)
    check_texts(config)
    check_key_names(config, schema)
    errors = list(Validator(schema).iter_errors(config))
    if errors:
        raise InputError(sentence(jsonschema.exceptions.best_match(errors)))
    full = _composed(copy.deepcopy(dict(config)))
    _inherit(full["models"])
    add_default_measures(full)
    add_standard_sets(full)
    add_recording_columns(full)
    full = _defaults(full, schema, schema)
    check_references(full)
    check_recordings(full)
    check_model_checks(full)
    check_conditions(full)
    _type_labels(full)
    return full


def _type_labels(config: dict[str, Any]) -> None:
    """Set, in place, the type of the labels of classifications to `category`, also for digits.

    A column that is also the target of a regression is not changed, because it must hold numbers.
    """
    targets: dict[str, set[str]] = {"classification": set(), "regression": set()}
    for task in config["tasks"].values():
        targets[task["type"]].add(task["target"])
    for dataset in config["datasets"].values():
        for name, column in columns_read(dataset).items():
            if name in targets["classification"] - targets["regression"]:
                column["type"] = "category"


def _composed(node: Any) -> Any:
    """Convert the text of a config to Unicode normal form C, except the values of `PLACES`."""
    if isinstance(node, dict):
        return {
            _composed(key): value if key in PLACES else _composed(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_composed(item) for item in node]
    return nfc(node) if isinstance(node, str) else node


def _inherit(models: dict[str, Any]) -> None:
    """Fill in, in place, the keys that derived models take from their sources."""
    for name, model in models.items():
        if "derive" not in model:
            continue
        source = model["derive"]["from"]
        if source not in models:
            known = ", ".join(other for other in models if other != name)
            raise InputError(
                f"models.{name}.derive.from: there is no model {source!r}; the others are {known}."
            )
        if "derive" in models[source]:
            raise InputError(
                f"models.{name}.derive.from: {source} is itself derived: name the model that is"
                " fetched."
            )
        given = models[source]
        inherited = {key: given[key] for key in INHERITED if key in given and key not in model}
        model.update(copy.deepcopy(inherited))


def _defaults(node: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """A part of the config with the defaults of its schema.

    References and conditions of the schema are followed. `root` is the whole schema.
    """
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _defaults(node, root["$defs"][name], root)
    if not isinstance(node, dict):
        if isinstance(node, list) and "items" in schema:
            return [_defaults(item, schema["items"], root) for item in node]
        return node
    if "if" in schema:
        fits = jsonschema.Draft202012Validator(schema["if"]).is_valid(node)
        node = _defaults(node, schema.get("then" if fits else "else", {}), root)
    for key, value in schema.get("properties", {}).items():
        if key not in node and "default" in value:
            node[key] = copy.deepcopy(value["default"])
        if key in node:
            node[key] = _defaults(node[key], value, root)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        known = schema.get("properties", {})
        node |= {k: _defaults(v, others, root) for k, v in node.items() if k not in known}
    return node
