"""Failure modes: the few reasons behind the slices of all searches and models of a task."""
