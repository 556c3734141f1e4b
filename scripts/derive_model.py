from pathlib import Path

from voxslice.logs import to_log
from voxslice.models.variants import derive

with to_log(snakemake.log):
    settings = snakemake.params.derive
    derive(
        Path(snakemake.input[0]).parent,
        Path(snakemake.output.onnx).parent,
        quantize=settings["quantize"],
        origin=f"{settings['from']}, quantised to {settings['quantize']}",
    )
