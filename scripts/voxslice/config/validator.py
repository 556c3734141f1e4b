"""Validator of configs: JSON schema, with two gaps of its Python implementation closed."""

import math
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
from jsonschema import Draft202012Validator


def _is_finite_number(checker: jsonschema.TypeChecker, instance: Any) -> bool:
    """Whether a value is a finite number: YAML also reads `.nan` and `.inf`, which pass limits."""
    is_number = Draft202012Validator.TYPE_CHECKER.is_type(instance, "number")
    return is_number and (isinstance(instance, int) or math.isfinite(instance))


def _pattern(
    validator: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    """Compare a text with a pattern whose `$` matches only at the end, not before a newline."""
    if validator.is_type(instance, "string"):
        end = r"\Z" if pattern.endswith("$") else ""
        if not re.search(pattern.removesuffix("$") + end, instance):
            yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = jsonschema.validators.extend(
    Draft202012Validator,
    validators={"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("number", _is_finite_number),
)
"""Validates a config against a JSON schema of draft 2020-12."""
