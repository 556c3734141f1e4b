"""Voxslice: where do voice models fail?

Pure functions on arrays and tables; the workflow's rules call them through the thin scripts beside
this package, and nothing here knows of Snakemake or its config.
"""
