"""Compare texts that look the same: one Unicode form for each text, and texts that look alike.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import unicodedata
from collections.abc import Sequence


def nfc(text: str) -> str:
    """Convert text to the normal form C of Unicode, in which `ü` is one character.

    A Mac, for example, writes `ü` in file names as two characters: `u` and the dots.

    Args:
        text: text in any Unicode form

    Returns:
        the same text in the normal form C
    """
    return unicodedata.normalize("NFC", text)


def look_alike(text: str, others: Sequence[str]) -> str | None:
    """Find the first text that differs from a given text only by case, blanks or Unicode form.

    Args:
        text: text to find
        others: texts to compare it with

    Returns:
        one of the others, None if none looks the same
    """
    return next((other for other in others if _key(other) == _key(text)), None)


def _key(text: str) -> str:
    shown = unicodedata.normalize("NFKC", text).casefold()
    visible = "".join(letter for letter in shown if unicodedata.category(letter) != "Cf")
    return " ".join(visible.split())
