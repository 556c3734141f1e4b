"""Slices: search, tests and descriptions of the utterances in which a model fails."""
