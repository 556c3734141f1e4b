"""Which utterances a dataset's filter keeps.

Imported whenever Snakemake parses the workflow: it stays light.
"""

import re
from collections.abc import Iterable
from typing import Any

from voxslice.unicode_text import nfc

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


def text(value: Any) -> str:
    """A value as text that is the same wherever it was read: in a table, in YAML, as a number.

    `1`, `1.0` and `"1"` are one value, as are `true` and `"True"`, and the Unicode forms of a text;
    `"01"` and `1` are two values.
    """
    written = nfc(str(value).strip())
    if written in ("True", "False"):
        return written.lower()
    return f"{float(written):.15g}" if _NUMBER.fullmatch(written) else written


def texts(values: Iterable[Any]) -> set[str]:
    """A set of values as such texts."""
    return {text(value) for value in values}
