"""Audit of a dataset: faults of its metadata and its audio, found by rules and without a model."""
