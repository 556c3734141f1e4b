"""Text that looks the same: its one form in Unicode, and look-alikes.

Imported whenever Snakemake parses the workflow: it stays light.
"""

import unicodedata
from collections.abc import Sequence


def nfc(text: str) -> str:
    """Text in the normal form C of Unicode, in which `ü` is one character.

    The file names of a Mac, for example, have it as two: `u` and the dots.
    """
    return unicodedata.normalize("NFC", text)


def look_alike(text: str, others: Sequence[str]) -> str | None:
    """The first of some other texts that differs by case, blanks or Unicode form only.

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
