"""Decisions about a model: checks with three answers."""
