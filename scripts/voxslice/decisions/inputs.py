"""The list of all inputs of a handover, with checksums and versions."""

from collections.abc import Mapping

import pandas as pd

from voxslice.files import sha256

INPUT_COLUMNS = ["kind", "name", "version", "sha256"]


def input_table(
    files: Mapping[str, str], checksums: Mapping[str, str], versions: Mapping[str, str]
) -> pd.DataFrame:
    """List files, known checksums and versions.

    Args:
        files: path of each file, by the name that is shown
        checksums: known checksums, by name
        versions: versions of datasets and libraries, by name

    Returns:
        the table in the columns `INPUT_COLUMNS`
    """
    rows: list[tuple[str, str, str | None, str | None]] = [
        ("model", name, None, digest) for name, digest in checksums.items()
    ]
    rows += [("table", name, None, sha256(path)) for name, path in sorted(files.items())]
    rows += [("version", name, version, None) for name, version in versions.items()]
    return pd.DataFrame(rows, columns=INPUT_COLUMNS)
