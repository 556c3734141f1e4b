"""All findings of an audit in one table."""

from collections.abc import Sequence

import pandas as pd

from voxslice.audit.audio_faults import check_audio, check_copies
from voxslice.audit.constraints import check_overlaps, check_speakers, check_splits
from voxslice.audit.finding import ISSUES, Finding
from voxslice.data.audio import NO_FILE


def audit(
    metadata: pd.DataFrame,
    examined: pd.DataFrame,
    *,
    speaker_columns: Sequence[str],
    split_column: str,
    shortest: float,
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

    Returns:
        table with one row per finding and the fields of `Finding` as columns, sorted by the order
        of `ISSUES` and by the utterance
    """
    findings = [
        *check_overlaps(metadata),
        *check_speakers(metadata, speaker_columns),
        *check_splits(metadata, split_column),
    ]
    if not examined["reason"].eq(NO_FILE).fillna(False).all():
        splits = metadata.get(split_column)
        findings += [*check_audio(examined, shortest), *check_copies(examined, splits)]
    order = {issue: position for position, issue in enumerate(ISSUES)}
    findings.sort(key=lambda one: (order[one.issue], one.file, one.start, one.end))
    return pd.DataFrame(findings, columns=list(Finding._fields))
