from collections.abc import Sequence

from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.slices.study_level import Searches, judge_searches


def main(
    *, models: Sequence[Sequence[str]], searches: Sequence[str], alpha: float, table: str
) -> None:
    """Gather the searches of all datasets, tasks and models, and judge them together."""
    found = [
        Searches(dataset, task, model, read_csv(path))
        for (dataset, task, model), path in zip(models, searches, strict=True)
    ]
    write_csv(judge_searches(found, alpha), table)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            models=snakemake.params.models,
            searches=snakemake.input.searches,
            alpha=snakemake.params.alpha,
            table=snakemake.output.table,
        )
