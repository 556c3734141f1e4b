"""Make text from data safe to show: no invisible characters, and no effect on other text.

Labels, file names and messages of libraries may contain characters that control a terminal or the
direction of writing. A number after a label that ends in such a character may be shown in reverse.
Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import re
from typing import Any

CONTROL = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f"  # control a terminal
    "\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"  # reverse text, or end a line
    "\\u2060-\\u2065\\u206a-\\u206f\\ufeff\\ufff9-\\ufffb\\U000e0000-\\U000e007f"  # hide text
    "\\ud800-\\udfff]"  # cannot be written
)
RIGHT_TO_LEFT = (
    "\\u0590-\\u08ff\\ufb1d-\\ufdff\\ufe70-\\ufefc\\U00010800-\\U00010fff\\U0001e800-\\U0001efff"
)
"""Hebrew, Arabic and the other scripts that are read from right to left."""
JOINING = r"\s\u0300-\u036f\u200c\u200d"
"""Characters between letters that are read from right to left: blanks, accents and joiners."""
TURNED = re.compile(f"[{RIGHT_TO_LEFT}](?:[{RIGHT_TO_LEFT}{JOINING}]*[{RIGHT_TO_LEFT}])?")
FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE = "\u2068", "\u2069"


def visible(text: str, keep: str = "") -> str:
    """Replace control characters by characters that can be seen.

    Args:
        text: Text from data, or text that contains it.
        keep: Control characters that stay, such as the ends of lines of a log.

    Returns:
        The text with a picture such as `␛` for each ASCII control character, and a form such as
        `[U+202E]` for each of the others. Applying the function twice gives the same text.
    """
    return CONTROL.sub(lambda match: match[0] if match[0] in keep else _picture(match[0]), text)


def _picture(letter: str) -> str:
    """A visible form of a control character."""
    code = ord(letter)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"[U+{code:04X}]"


def shown(text: str, keep: str = "") -> str:
    """Make control characters visible, and isolate text that is read from right to left.

    Isolated text, such as an Arabic label, does not change the order of the text around it. The two
    invisible characters that isolate it mean the same as the element `<bdi>` of HTML. They also
    work in charts, attributes and other places that cannot contain an element.

    Args:
        text: Text from data, or text that contains it. It was not isolated before.
        keep: Control characters that stay.

    Returns:
        The text to show.
    """
    isolated = f"{FIRST_STRONG_ISOLATE}\\g<0>{POP_DIRECTIONAL_ISOLATE}"
    return TURNED.sub(isolated, visible(text, keep))


def shown_texts(value: Any, keep: str = "") -> Any:
    """Apply `shown` to every text in nested lists and dictionaries, also to keys.

    Args:
        value: Plain values, such as the specification of a chart.
        keep: Control characters that stay.

    Returns:
        The same structure.
    """
    if isinstance(value, str):
        return shown(value, keep)
    if isinstance(value, dict):
        return {shown_texts(key, keep): shown_texts(each, keep) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [shown_texts(each, keep) for each in value]
    return value
