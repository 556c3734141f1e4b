"""Datasets: download, utterances, metadata and audio."""
