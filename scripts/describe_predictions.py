import json

from voxslice.files import write_text
from voxslice.logs import to_log
from voxslice.prediction_table import describe_tables

with to_log(snakemake.log):
    write_text(json.dumps(describe_tables(snakemake.input), indent=2) + "\n", snakemake.output[0])
