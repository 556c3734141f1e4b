"""Names that have a meaning of their own in tables, config and views."""

CHANCE, MAJORITY, MEDIAN = "chance", "majority", "median"
REFERENCES = (CHANCE, MAJORITY, MEDIAN)
"""Ids of the reference models, see `voxslice.references`; no model may be called so."""
