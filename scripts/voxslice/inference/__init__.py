"""Inference: predictions of a model, in shards."""
