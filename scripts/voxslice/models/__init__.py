"""Models: download, checks, variants and costs."""
