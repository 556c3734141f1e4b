"""Names with a fixed meaning in tables, configs and views."""

CHANCE, MAJORITY, MEDIAN = "chance", "majority", "median"
REFERENCES = (CHANCE, MAJORITY, MEDIAN)
"""Ids of the reference models (see `voxslice.scores.baselines`), which no model can have."""
