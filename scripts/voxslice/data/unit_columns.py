"""Columns of a dataset whose names tell that utterances with the same value share something."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

UNIT_WORDS = frozenset(
    [
        *("sentence", "text", "transcript", "transcription", "prompt", "script", "statement"),
        *("item", "stimulus", "word", "phrase", "passage", "chapter", "book", "story", "song"),
        *("session", "recording", "source", "original", "take", "call", "dialog", "dialogue"),
        *("conversation", "interview", "meeting", "episode", "video", "clip", "site", "family"),
    ]
)
"""Words in the name of a column that describes a unit, in the singular and in lower case."""
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def names_unit(name: str) -> bool:
    """Whether the name of a column tells that it describes a unit, such as a sentence.

    Args:
        name: name of the column, for example `sentence_id`

    Returns:
        True if a word of the name is one of `UNIT_WORDS`, or its plural
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in UNIT_WORDS or word.removesuffix("s") in UNIT_WORDS for word in words)


def unit_columns(sources: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Select the columns that describe a unit by their name.

    Args:
        sources: settings of columns as in the config, with `column` and maybe `table`

    Returns:
        the settings of those columns
    """
    return [dict(source) for source in sources if names_unit(source["column"])]


def as_text(settings: Mapping[str, Any]) -> str:
    """Write settings of the config in one line.

    Args:
        settings: mappings, lists and texts

    Returns:
        the settings in YAML, as in `{table: files, column: transcription}`
    """
    text = yaml.safe_dump(
        dict(settings), default_flow_style=True, width=float("inf"), allow_unicode=True,
        sort_keys=False,
    )  # fmt: skip
    # JSON is YAML, and writes line breaks as escapes
    return str(text).strip() if len(text.splitlines()) == 1 else json.dumps(settings)
