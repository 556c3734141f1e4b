"""What is different in a failure mode: the measured columns inside and outside."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from voxslice.slices.excess import within_speakers

DIFFERENCE_COLUMNS = [
    "mode", "column", "unit", "inside", "outside", "difference", "low", "high", "speakers", "p", "q"
]  # fmt: skip


def differences(
    masks: Mapping[str, np.ndarray],
    metadata: pd.DataFrame,
    columns: Sequence[str],
    excluded: Mapping[str, set[str]],
    units: Mapping[str, str],
    speakers: np.ndarray | None,
) -> pd.DataFrame:
    """Compare numbers inside each mode with other utterances, of the same speakers if known.

    A difference is a hint and not a cause: the search has not tested it.

    Args:
        masks: the utterances of each mode, masks of shape (utterances,)
        metadata: the metadata of all utterances
        columns: columns with numbers
        excluded: for each mode, columns that its own rule is on
        units: unit of each column that has one
        speakers: speaker of each utterance, None if not known

    Returns:
        one row per mode and column, in the columns `DIFFERENCE_COLUMNS`: the means inside and
        outside, for the same speakers (see `voxslice.slices.excess.within_speakers`); `difference`
        in standard deviations of the utterances around their speakers' means, with its interval
        `low` and `high`; the number of `speakers` with utterances on both sides; and p with `q`,
        which adjusts p for all rows (Benjamini and Yekutieli, for dependent tests). Rows without a
        speaker on both sides are left out
    """
    rows = []
    for mode, mask in masks.items():
        for column in columns:
            if column in excluded.get(mode, set()):
                continue
            values = metadata[column].to_numpy(dtype=float, na_value=np.nan)
            known = np.isfinite(values)
            of_known = None if speakers is None else speakers[known]
            spread = _spread(values[known], of_known)
            found = within_speakers(values[known], mask[known], of_known)
            if np.isnan(found.p) or not spread > 0:
                continue
            rows.append(
                {
                    "mode": mode,
                    "column": column,
                    "unit": units.get(column, ""),
                    "inside": found.inside,
                    "outside": found.outside,
                    "difference": found.value / spread,
                    "low": found.low / spread,
                    "high": found.high / spread,
                    "speakers": found.speakers,
                    "p": found.p,
                }
            )
    table = pd.DataFrame(rows, columns=DIFFERENCE_COLUMNS)
    if len(table):
        table["q"] = false_discovery_control(table["p"].astype(float), method="by")
    return table.astype({"speakers": "Int64"})


def _spread(values: np.ndarray, speakers: np.ndarray | None) -> float:
    """Standard deviation of utterances around the mean of their speaker."""
    series = pd.Series(values)
    if speakers is not None:
        series = series - series.groupby(speakers).transform("mean")
    return float(series.std(ddof=0))
