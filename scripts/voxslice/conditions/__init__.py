"""Conditions: what a phone, a room or a noise changes in the results of the models."""
