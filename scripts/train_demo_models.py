from pathlib import Path

from voxslice.demo.practice import train
from voxslice.logs import to_log

with to_log(snakemake.log):
    # <folder>/<model>/model.onnx
    train(Path(snakemake.output[0]).parents[1], snakemake.params.seed)
