from pathlib import Path

from voxslice.demo.corpus import publish
from voxslice.logs import to_log

with to_log(snakemake.log):
    # <host>/<repository>/<dataset>/<version>/db.yaml
    publish(Path(snakemake.output[0]).parents[3], snakemake.params.seed)
