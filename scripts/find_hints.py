from collections.abc import Mapping

import pandas as pd
from voxslice.audit.hints import label_hints
from voxslice.files import write_csv
from voxslice.logs import to_log


def main(*, scores: Mapping[str, str], output: str) -> None:
    """List the labels that models of another training contradict."""
    hints = label_hints({model: pd.read_parquet(path) for model, path in scores.items()})
    for model in scores:
        print(f"{model}: {(hints['model'] == model).sum():,} hints")
    write_csv(hints, output)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input, strict=True)),
            output=snakemake.output[0],
        )
