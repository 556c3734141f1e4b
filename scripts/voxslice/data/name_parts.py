"""Parts of the names of files that tell something about an utterance, such as its sentence."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations_with_replacement
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pandas as pd

from voxslice.errors import InputError

LETTERS, DIGITS, LETTERS_AND_DIGITS = r"[^\W\d_]+", r"\d+", r"[^\W_]+"
LATIN = "[A-Za-z]+"
MAX_WORDS = 8
"""Most words of a name that parts are made of. Eight words have 36 parts."""


def named_values(files: Iterable[str], pattern: str) -> list[str | None]:
    """Find a value in the name of each file.

    Args:
        files: paths of the files, relative to the folder of the audio
        pattern: regular expression that is searched in the path; its group `value` is the value

    Returns:
        the text of the group for each file, None if the path does not fit or the group is empty
    """
    found = [re.search(pattern, file) for file in files]
    return [(match["value"] or None) if match else None for match in found]


def column_of_names(
    files: pd.Series, pattern: str, mapping: Mapping[str, Any], *, name: str
) -> pd.Series:
    """Make a column of categories from the names of files.

    Args:
        files: paths of the files, relative to the folder of the audio
        pattern: regular expression, see `named_values`
        mapping: value of the column by the text of the group. A text that is not listed stands for
            itself.
        name: name of the column, for the message

    Returns:
        the values as text, missing where the name does not fit

    Raises:
        InputError: no name fits the pattern
    """
    texts = named_values(files, pattern)
    if len(texts) and not any(texts):
        raise InputError(
            f"The pattern of the column {name} fits no file name, such as {files.iloc[0]}: correct"
            " its file_name."
        )
    values = [None if text is None else str(mapping.get(text, text)) for text in texts]
    return pd.Series(pd.array(values, dtype="string"), index=files.index)


class NamePart(NamedTuple):
    """A part of the names of files.

    Attributes:
        pattern: regular expression, see `named_values`
        example: value of the first file
        words: positions of its words among those that differ between files
    """

    pattern: str
    example: str
    words: range


def parts_of_names(files: Sequence[str]) -> list[NamePart]:
    """List the parts of the names of files that differ between files.

    A name is divided into words of letters and numbers. If the names have different numbers of
    these, they are divided only at other characters than letters and digits. Words that some names
    lack at their end are left out. A part is one word, or several neighbours.

    Args:
        files: paths of the files, relative to the folder of the audio

    Returns:
        the parts of the first `MAX_WORDS` words that differ, with patterns that match in all files
    """
    paths = sorted({str(PurePosixPath(file).with_suffix("")) for file in files})
    for kinds in ((LETTERS, DIGITS), (LETTERS_AND_DIGITS,)):
        word = re.compile("|".join(kinds))
        found = [list(word.finditer(path)) for path in paths]
        shortest = min(map(len, found), default=0)
        if all(len(words) == shortest for words in found):
            break
    texts, differing = [], []
    for index in range(shortest):
        words = {words[index][0] for words in found}
        gaps = {_gap(path, words, index) for path, words in zip(paths, found, strict=True)}
        texts.append((_pattern(gaps, [r"[\W_]*"]), _pattern(words, kinds)))
        if len(words) > 1:
            differing.append(index)
    parts = []
    for first, last in combinations_with_replacement(range(min(len(differing), MAX_WORDS)), 2):
        start, end = differing[first], differing[last]
        before = "".join(map("".join, texts[:start])) + texts[start][0]
        value = texts[start][1] + "".join(map("".join, texts[start + 1 : end + 1]))
        pattern = f"^{before}(?P<value>{value})"
        example = str(named_values(files[:1], pattern)[0])
        parts.append(NamePart(pattern, example, range(first, last + 1)))
    return parts


def _gap(path: str, words: Sequence[re.Match[str]], index: int) -> str:
    """Text between a word of a path and the one before it."""
    return path[words[index - 1].end() if index else 0 : words[index].start()]


def _pattern(texts: Collection[str], kinds: Sequence[str]) -> str:
    """Regular expression that matches all of some texts: the text itself if there is only one."""
    if len(texts) == 1:
        return re.escape(next(iter(texts)))
    if LETTERS in kinds and all(re.fullmatch(LATIN, text) for text in texts):
        return LATIN  # is easier to read
    needed = [kind for kind in kinds if any(re.fullmatch(kind, text) for text in texts)]
    return needed[0] if len(needed) == 1 else f"(?:{'|'.join(needed)})"
