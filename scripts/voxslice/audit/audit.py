"""All findings of an audit in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from voxslice.audit.audio_faults import check_audio, check_copies
from voxslice.audit.constraints import (
    check_file_names,
    check_overlaps,
    check_speakers,
    check_splits,
)
from voxslice.audit.finding import ISSUES, Finding
from voxslice.data.audio import NO_FILE


def audit(
    metadata: pd.DataFrame,
    examined: pd.DataFrame,
    *,
    speaker_columns: Sequence[str],
    split_column: str,
    shortest: float,
    file_names: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    """Audit a dataset by rules, without a model.

    Args:
        metadata: table with one row per utterance: the key and the metadata columns
        examined: table with one row per utterance in the same order, see
            `voxslice.audit.examine.examine`. Its audio is not audited if none of the files exists,
            since models that are given as predictions need no audio.
        speaker_columns: columns that belong to a speaker
        split_column: column with the split of each utterance
        shortest: duration in seconds of the shortest utterance that is not far too short
        file_names: by column, the pattern of file names that gives its value, see
            `voxslice.audit.constraints.check_file_names`

    Returns:
        table with one row per finding and the fields of `Finding` as columns, sorted by the order
        of `ISSUES` and by the utterance
    """
    findings = [
        *check_overlaps(metadata),
        *check_speakers(metadata, speaker_columns),
        *check_splits(metadata, split_column),
        *check_file_names(metadata, file_names),
    ]
    if not examined["reason"].eq(NO_FILE).fillna(False).all():
        splits = metadata.get(split_column)
        findings += [*check_audio(examined, shortest), *check_copies(examined, splits)]
    order = {issue: position for position, issue in enumerate(ISSUES)}
    findings.sort(key=lambda one: (order[one.issue], one.file or "", one.start, one.end))
    return pd.DataFrame(findings, columns=list(Finding._fields))
