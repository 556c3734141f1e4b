"""The figures of failure modes, corrected for their choice by a search."""

import pandas as pd

SELECTION_NOTE = (
    "A search has chosen these groups because they are bad. The figures of confirmed groups are"
    " corrected for this choice; the figures of the other groups are too large on average."
)
"""Remark beside the figures of slices that a search has found."""


def with_corrected_excess(modes: pd.DataFrame) -> pd.DataFrame:
    """Show the corrected excess of each mode instead of the measured one.

    Args:
        modes: the failure modes, as the workflow writes them

    Returns:
        the modes, where `excess`, `low` and `high` are corrected for the choice by a search if they
        can be; `measured`, `measured_low` and `measured_high` are the figures before, missing if
        nothing was corrected
    """
    is_corrected = modes["corrected"].notna() & modes["confirmed"].astype(bool)
    names = {"excess": "", "low": "_low", "high": "_high"}
    shown = {
        name: modes[f"corrected{end}"].where(is_corrected, modes[name])
        for name, end in names.items()
    }
    measured = {f"measured{end}": modes[name].where(is_corrected) for name, end in names.items()}
    return modes.assign(**shown, **measured)
