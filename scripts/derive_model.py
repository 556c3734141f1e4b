from pathlib import Path

from voxslice.logs import to_log
from voxslice.models.variants import derive


def main(source: str, *, origin: str, quantize: str, max_seconds: float, onnx: str) -> None:
    """Write a smaller variant of an installed model."""
    derive(
        Path(source).parent,
        Path(onnx).parent,
        quantize=quantize,
        origin=f"{origin}, quantised to {quantize}",
        max_seconds=max_seconds,
    )


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.input[0],
            origin=snakemake.params.derive["from"],
            quantize=snakemake.params.derive["quantize"],
            max_seconds=snakemake.params.max_seconds,
            onnx=snakemake.output.onnx,
        )
