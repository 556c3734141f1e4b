"""Values of a filter and of metadata as text, so that they can be compared.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import re
from collections.abc import Iterable
from typing import Any

from voxslice.unicode_text import nfc

_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


def text(value: Any) -> str:
    """Write a value as text that does not depend on where the value was read.

    A table, YAML and Parquet write the same value in different ways. `1`, `1.0` and `"1"` give the
    same text, as do `true` and `"True"`. `"01"` is text, not a number.

    Args:
        value: Text, number or boolean.

    Returns:
        The text.
    """
    written = nfc(str(value).strip())
    if written in ("True", "False"):
        return written.lower()
    return f"{float(written):.15g}" if _NUMBER.fullmatch(written) else written


def texts(values: Iterable[Any]) -> set[str]:
    """Write each value as `text` does, and collect the texts in a set.

    Args:
        values: Text, numbers or booleans.

    Returns:
        The set of texts.
    """
    return {text(value) for value in values}
