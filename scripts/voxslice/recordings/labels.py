"""Labels of segments: those of their recording, their channel and their turn."""

from pathlib import Path

import pandas as pd

from voxslice.data.csv_tables import read_cells
from voxslice.recordings.table import FIXED, RECORDING
from voxslice.utterance_keys import KEY


def read_labels(path: str | Path, segments: pd.DataFrame) -> pd.DataFrame:
    """Read the labels of segments.

    A label of a turn replaces the label of its recording. A column such as `gender.agent` gives the
    column `gender` of the channel `agent`. A recording without a speaker is a speaker of its own.

    Args:
        path: the table that lists the recordings
        segments: segments, as `voxslice.recordings.table.segment_recordings` returns them

    Returns:
        text columns, one row per segment, with the column `speaker`

    Raises:
        InputError: if the table no longer lists the recordings
    """
    keys = segments[RECORDING].set_axis(KEY, axis=1)
    cells = read_cells(path, keys)
    for name in [name for name in segments if name not in FIXED]:
        labels = segments[name].astype("string")
        cells[name] = labels.fillna(cells[name]) if name in cells else labels
    if "channel" in segments:
        _take_columns_of_channels(cells, segments["channel"])
    if "speaker" not in cells:
        cells["speaker"] = segments["file"].astype("string")
    return cells


def _take_columns_of_channels(cells: pd.DataFrame, channels: pd.Series) -> None:
    """Fill in, in place, columns from those whose names end with the name of a channel."""
    for channel in channels.unique():
        for name in [name for name in cells if name.endswith(f".{channel}")]:
            column = name.removesuffix(f".{channel}")
            if column not in cells:
                cells[column] = pd.array([None] * len(cells), dtype="string")
            cells.loc[channels == channel, column] = cells.loc[channels == channel, name]
