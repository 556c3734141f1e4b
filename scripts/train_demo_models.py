from pathlib import Path

from voxslice.demo.practice import train
from voxslice.logs import to_log


def main(model: str, *, seed: int) -> None:
    """Train the models of the embedded study."""
    # <folder>/<model>/model.onnx
    train(Path(model).parents[1], seed)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(snakemake.output[0], seed=snakemake.params.seed)
