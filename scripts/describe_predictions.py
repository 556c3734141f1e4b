import json

from voxslice.files import write_text
from voxslice.inference.given_predictions import describe_tables
from voxslice.logs import to_log

with to_log(snakemake.log):
    write_text(json.dumps(describe_tables(snakemake.input), indent=2) + "\n", snakemake.output[0])
