"""Names with a fixed meaning in tables, configs and views."""

CHANCE, MAJORITY, MEDIAN = "chance", "majority", "median"
REFERENCES = (CHANCE, MAJORITY, MEDIAN)
"""Ids of the reference models (see `voxslice.scores.baselines`), which no model can have."""

PASSED, FAILED, UNDECIDED = "passed", "failed", "undecided"
"""Answers of a check and of a gate."""

WITHIN, ACROSS, ROWS = "within speakers", "across speakers", "rows"
"""Tests that confirm a slice or an effect, as the column `evidence` names them."""

NO_RULE = "no rule"
"""Rule of a slice that no rule describes well enough."""


def cluster_name(name: str, search: str = "") -> str:
    """Name a slice that no rule describes well enough.

    Args:
        name: id of the slice
        search: id of the search that found it; empty if it is not known

    Returns:
        name of the slice, such as `cluster 8f7ff108 of embedding`
    """
    return f"cluster {name} of {search}" if search else f"cluster {name}"
