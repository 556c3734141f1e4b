import vl_convert
from voxslice.files import write_text
from voxslice.logs import to_log

with to_log(snakemake.log):
    write_text(vl_convert.javascript_bundle(), snakemake.output[0])
