from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.conditions.scores import separated
from voxslice.decisions.documents import junit, markdown, summary
from voxslice.decisions.table import check_models
from voxslice.files import read_csv, write_csv, write_text
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study


def main(
    *,
    checks: Sequence[Mapping[str, Any]],
    scores: Mapping[str, str],
    in_conditions: Mapping[str, str],
    conditions: Mapping[str, Sequence[str]],
    metadata: str,
    modes: str | None,
    members: str | None,
    searches: str | None,
    costs: Mapping[str, str],
    units: Sequence[str],
    dataset: str,
    task: str,
    undecided_fails: bool,
    table: str,
    xml: str,
    text: str,
) -> None:
    """Answer the checks of a dataset and task, and write them as table, JUnit XML and Markdown."""
    changed = {
        model: separated(pd.read_parquet(path), conditions[model])
        for model, path in in_conditions.items()
    }
    answers = check_models(
        checks,
        {model: pd.read_parquet(path) for model, path in scores.items()},
        pd.read_parquet(metadata),
        in_conditions={
            condition: {
                model: tables[condition] for model, tables in changed.items() if condition in tables
            }
            for tables in changed.values()
            for condition in tables
        },
        modes=None
        if modes is None or searches is None
        else count_in_study(read_csv(modes), read_csv(searches), dataset, task),
        members=None if members is None else pd.read_parquet(members),
        costs={model: read_csv(path) for model, path in costs.items()},
        units=units,
    )
    print(f"Checks: {summary(answers)}.")
    write_text(junit(answers, f"{dataset}.{task}", undecided_fails=undecided_fails), xml)
    write_text(markdown(answers, dataset, task), text)
    write_csv(answers, table)


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs, params = snakemake.input, snakemake.params
        main(
            checks=params.checks,
            scores=dict(zip(params.models, inputs.scores, strict=True)),
            in_conditions=dict(zip(params.conditions, inputs.in_conditions, strict=True)),
            conditions=params.conditions,
            metadata=inputs.metadata,
            modes=inputs.get("modes"),
            members=inputs.get("mode_members"),
            searches=inputs.get("searches"),
            costs=dict(zip(params.cost_models, inputs.costs, strict=True)),
            units=params.units,
            dataset=snakemake.wildcards.dataset,
            task=snakemake.wildcards.task,
            undecided_fails=params.undecided_fails,
            table=snakemake.output.table,
            xml=snakemake.output.xml,
            text=snakemake.output.text,
        )
