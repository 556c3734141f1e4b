from pathlib import Path
from typing import Any

from voxslice.files import write_csv
from voxslice.logs import to_log
from voxslice.models.costs import costs_table


def main(model: str, *, folder: str | Path, costs: str, **settings: Any) -> None:
    """Measure the costs of a model on this machine."""
    table = costs_table(model, folder, **settings)
    print(table.to_string(index=False))
    write_csv(table, costs)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.wildcards.model,
            folder=Path(snakemake.input.yaml).parent,
            threads=[1, snakemake.threads],
            device=snakemake.params.device,
            sampling_rate=snakemake.params.sampling_rate,
            seed=snakemake.params.seed,
            max_seconds=snakemake.params.max_seconds,
            costs=snakemake.output[0],
            **snakemake.params.costs,
        )
