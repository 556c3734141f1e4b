"""The header `db.yaml` of a database in the audformat, checked before audformat reads it.

audformat reads it with a YAML loader that runs code, and builds the names of files from the ids of
its tables. Neither is safe for a database from a stranger.
"""

from collections.abc import Mapping
from pathlib import Path

from voxslice.errors import InputError
from voxslice.safe_yaml import parse_yaml, read_text


def read_header(path: str | Path) -> str:
    """Read a header that audformat may load.

    Args:
        path: The file `db.yaml`.

    Returns:
        Its text, which holds plain data only and whose table ids are plain names.

    Raises:
        InputError: The file is not plain YAML (see `voxslice.safe_yaml`), is not the header of a
            database, or the id of a table would name a file in another folder.
    """
    text = read_text(path)
    header = parse_yaml(text, str(path))
    if isinstance(header, Mapping) and len(header) == 1:  # an old form: all is below the name
        header = next(iter(header.values()))
    if not isinstance(header, Mapping):
        raise InputError(f"{path} is not the header of a database: provide one from audformat.")
    for kind in ("tables", "misc_tables"):
        tables = header.get(kind) or {}
        if not isinstance(tables, Mapping):
            raise InputError(f"{path} has {kind} that are not a mapping: correct the header.")
        for table in map(str, tables):
            if any(part in table for part in ("/", "\\", "\0")):
                raise InputError(
                    f"{path} has a table called {table[:100]!r}, which would be a file in another"
                    " folder: rename the table."
                )
    return text
