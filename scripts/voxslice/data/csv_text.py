"""The text of a CSV file: its encoding, its separator, and lines before the header.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import codecs
import re
from pathlib import Path
from typing import NamedTuple

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATOR_LINE = re.compile(r"\"?sep=(?P<separator>[^\r\n]?)\"?[,;\s]*", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]*(\r\n|\r|\n|$)")


class CsvText(NamedTuple):
    """A CSV file as text.

    Attributes:
        text: the table, from its header line
        separator: character between two cells
    """

    text: str
    separator: str


def read_csv_text(path: str | Path) -> CsvText:
    """Read a CSV file.

    Lines before the header are skipped if they are blank, begin with `#`, or are `sep=;`, which
    sets the separator. Without such a line, the separator is a comma, or a semicolon or tab if the
    header has one of these and no comma.

    Args:
        path: file in UTF-8, or in UTF-16 as Excel writes it

    Returns:
        the text and its separator

    Raises:
        OSError: if the file cannot be read
        UnicodeDecodeError: if it has another encoding
    """
    content = Path(path).read_bytes()
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    text = content.decode(encoding)
    separator = ""
    while text:
        line = _LINE.match(text)[0]  # type: ignore[index]  # it matches any text
        declared = _SEPARATOR_LINE.fullmatch(line)
        if declared and not separator:
            separator = declared["separator"] or ","
        elif line.strip() and not line.startswith("#"):
            separator = separator or next((mark for mark in ",;\t" if mark in line), ",")
            break
        text = text[len(line) :]
    return CsvText(text, separator or ",")
