"""Report which utterances are silent although models score them."""

import pandas as pd

from voxslice.data.audio import OUT_OF_PHASE

FILES_SHOWN = 3
"""Files that a sentence names."""


def silence_remarks(silence: pd.DataFrame, total: int) -> list[str]:
    """Describe the silent utterances of a dataset.

    Args:
        silence: table with one row per silent utterance: `file` and `reason`, which is `NO_SIGNAL`
            or `OUT_OF_PHASE`
        total: number of utterances of the dataset

    Returns:
        one sentence per reason
    """
    remarks = []
    for reason, rows in silence.groupby("reason"):
        count = f"{len(rows):,} of the {total:,} utterances"
        files = list(dict.fromkeys(rows["file"]))
        names = ", ".join(files[:FILES_SHOWN])
        if len(files) > FILES_SHOWN:
            names += f" and {len(files) - FILES_SHOWN:,} more"
        if reason == OUT_OF_PHASE:
            remarks.append(
                f"The channels of {count} cancel each other, so that models score silence"
                f" ({names}): convert these files to one of their channels."
            )
        else:
            verb, them = ("is", "it") if len(rows) == 1 else ("are", "them")
            remarks.append(f"{count} {verb} silent, but models score {them} anyway ({names}).")
    return remarks
