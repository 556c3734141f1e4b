"""Scores: predictions compared with labels, metrics and intervals."""
