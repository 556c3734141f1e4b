"""Reasons why measures are missing, as text in one column of the table of measures."""

from collections.abc import Mapping

import pandas as pd

SEPARATOR = "; "


def joined(reasons: Mapping[str, str]) -> str | None:
    """Join the reasons why measures of an utterance are missing.

    Args:
        reasons: the reasons by measure

    Returns:
        one text, as in `pitch: no part of it is voiced`; None without reasons
    """
    return SEPARATOR.join(f"{name}: {reason}" for name, reason in reasons.items()) or None


def reasons_of(measures: pd.DataFrame, measure: str) -> pd.Series:
    """Return the reasons why one measure is missing.

    Args:
        measures: table of measures, with a column of the measure and the column `reason`
        measure: name of the measure

    Returns:
        the reason of each utterance without the measure, and a missing value for the others. It is
        the reason why all measures are missing, if there is none for the single measure.
    """

    def reason(text: str) -> str:
        prefix = f"{measure}: "
        parts = [part for part in text.split(SEPARATOR) if part.startswith(prefix)]
        return parts[0].removeprefix(prefix) if parts else text

    texts = measures["reason"].astype("string").where(measures[measure].isna())
    return texts.map(reason, na_action="ignore").astype("string")
