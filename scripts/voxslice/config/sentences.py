"""One sentence for each mistake that the schema finds in a config."""

import re
from typing import Any

import jsonschema


def sentence(error: jsonschema.ValidationError) -> str:
    """Explain a schema error.

    Args:
        error: error of a config

    Returns:
        one sentence with the place of the mistake, what is wrong and, if the schema describes the
        key, the first sentence of its description
    """
    place = ".".join(str(part) for part in error.absolute_path) or "the config"
    if error.validator == "oneOf":
        return f"{place}: {_one_of(error)}"
    if error.validator == "additionalProperties":
        known = ", ".join(error.schema["properties"])
        return f"{place}: {error.message.rstrip('.')}; the keys here are {known}."
    if error.validator == "pattern" and isinstance(error.schema, dict):
        return f"{place}: {error.instance!r} does not fit; expected: {_hint(error.schema)}."
    unquoted = not isinstance(error.instance, dict | list)
    if error.validator == "type" and error.validator_value == "string" and unquoted:
        return f"{place}: {_unquoted(error.instance)}"
    hint = _hint(error.schema)
    return f"{place}: {error.message}" + (f" ({hint})." if hint else ".")


def _hint(schema: Any) -> str:
    """First sentence of the description in a schema, without the full stop; empty without one."""
    description = schema.get("description", "") if isinstance(schema, dict) else ""
    return re.split(r"\.(?:\s|$)", description, maxsplit=1)[0]


def _one_of(error: jsonschema.ValidationError) -> str:
    """Name the keys that exclude each other, or those of which one is missing."""
    keys = [", ".join(choice["required"]) for choice in error.validator_value]
    given = [key for key in keys if key in error.instance]
    if len(given) > 1:
        return (
            f"{_listed(given)} exclude each other: remove all but one (a config file adds its keys"
            " to those of the files before it)."
        )
    return f"give either {', '.join(keys[:-1])} or {keys[-1]}, and only one of them."


def _unquoted(value: Any) -> str:
    """Explain how to write text that YAML reads as another type."""
    if isinstance(value, bool):
        return (
            "YAML reads yes, no, on, off, true and false as booleans: put the text in quotes, as in"
            f' "{"yes" if value else "no"}".'
        )
    if value is None:
        return (
            'YAML reads null, ~ and nothing as a missing value: put the text in quotes, as in "".'
        )
    kind = "number" if isinstance(value, int | float) else "date"
    return f'YAML reads {value} as a {kind}: put it in quotes, as in "{value}".'


def _listed(names: list[str]) -> str:
    """Join names with commas and `and`."""
    return f"{', '.join(names[:-1])} and {names[-1]}"
