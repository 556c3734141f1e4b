"""Comparison of models, overall and per group."""
