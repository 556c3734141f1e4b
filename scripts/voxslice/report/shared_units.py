"""Name exact copies, and units that the config does not name and that have similar errors."""

import pandas as pd

from voxslice.report.numbers import counted, decimal, probability_of
from voxslice.report.study import Study
from voxslice.slices.shared_losses import OF_A_SPEAKER, SPEAKERS, UTTERANCES
from voxslice.units import COPIES

ALL_AFFECTED = (
    "Searches, comparisons and intervals treat them as independent, so slices may be false and"
    " intervals too narrow."
)
AFFECTS = {
    UTTERANCES: ALL_AFFECTED,
    SPEAKERS: ALL_AFFECTED,
    OF_A_SPEAKER: "Searches treat them as independent, so slices may be false.",
}
"""What it means that utterances or speakers of a unit are alike."""


def unit_warnings(study: Study) -> list[str]:
    """Warn of units that matter to searches, comparisons or intervals.

    Copies are named, and the clearest other unit. A unit that hides behind these is tested when the
    config names them. Copies also have the same duration, so that is not named beside them.

    Args:
        study: the study

    Returns:
        at most two sentences with the settings that take the units into account
    """
    found = study.units[study.units["found"].astype(bool)]  # the clearest first
    found = found[_matters(found)]
    copies = found["source"] == "copies"
    others = found[~copies & ~(copies.any() & (found["source"] == "duration"))]
    return [
        _sentence(study, rows.iloc[0], AFFECTS[rows.iloc[0]["alike"]])
        for rows in (found[copies], others)
        if len(rows)
    ]


def unit_remarks(study: Study) -> list[str]:
    """Name units that do not matter to the searches, because no feature goes with them.

    Args:
        study: the study

    Returns:
        a sentence on the clearest unit; nothing if there is a warning of other units
    """
    found = study.units[study.units["found"].astype(bool)]
    if not len(found) or _matters(found).any():
        return []
    affects = (
        "No feature of the searches goes with these groups, so what they find hardly depends on it."
    )
    return [_sentence(study, found.iloc[0], affects)]


def copy_remarks(study: Study) -> list[str]:
    """Say how exact copies count.

    Args:
        study: the study

    Returns:
        a sentence; nothing if there are no copies
    """
    if COPIES not in study.metadata:
        return []
    repeated = int(study.metadata[COPIES].dropna().duplicated().sum())
    are = "is an exact copy of another one" if repeated == 1 else "are exact copies of other ones"
    as_one = "Tests and intervals treat an utterance and its copies as one"
    each = "Metrics count each of them"
    if study.speakers is None:
        as_one = "Tests treat an utterance and its copies as one, and so do intervals of metrics"
        each += ", and so do intervals of slices"
    return [f"{repeated:,} of {counted(len(study.metadata), 'utterance')} {are}. {as_one}. {each}."]


def _matters(rows: pd.DataFrame) -> pd.Series:
    """Whether units are copies, cross speakers, or have a feature of a search in common."""
    has_features = rows["features"].fillna("") != ""
    return (rows["alike"] != OF_A_SPEAKER) | has_features | (rows["source"] == "copies")


def _sentence(study: Study, row: pd.Series, affects: str) -> str:
    """Name the units of a row, the correlation of their errors, what it means, and what to do."""
    who = {SPEAKERS: "Speakers", OF_A_SPEAKER: "Utterances of one speaker"}.get(
        "" if row["source"] == "copies" else row["alike"], "Utterances"
    )
    first = study.metadata["file"].iloc[0]
    what = {
        "copies": "that are near copies of each other",
        "column": f"with the same value of {row['clue']}",
        "file": "in the same file",
        "file name": f"with the same part of the file name (such as {row['clue']} in {first})",
        "duration": "with the same duration",
    }[row["source"]]
    settings = str(row["config"])[1:-1]
    advice = f"To take this into account, set in the dataset {study.dataset}: {settings}"
    if row["source"] == "copies":
        advice = "Remove the copies, or name a column with their source in units of the dataset."
    elif not study.speakers:
        advice += " (or name the column speaker, if it tells the speakers)"
    return (
        f"{who} {what} have similar errors: for {row['model']}, the errors of two of them have a"
        f" correlation of {decimal(row['correlation'], 2)} ({counted(int(row['units']), 'group')},"
        f" {probability_of('q', row['q'])}). {affects} {advice}"
    )
