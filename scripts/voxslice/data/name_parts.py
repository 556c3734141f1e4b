"""Parts of the names of files that tell something about an utterance, such as its sentence."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from voxslice.errors import InputError


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
