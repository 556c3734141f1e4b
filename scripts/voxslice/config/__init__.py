"""Config of a study: checks, defaults, lookups for the rules, and fingerprints of code."""
