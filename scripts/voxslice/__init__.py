"""Voxslice: where do voice models fail?

The workflow's rules call the functions of this package through the scripts beside it. Only
`voxslice.config` knows the config of a study, and no module imports Snakemake.
"""
