"""Audit of a dataset: faults that rules find in metadata and audio, and hints of models."""
