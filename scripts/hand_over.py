from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.decisions.data_sheet import data_sheet, sheet_text
from voxslice.decisions.group_table import group_table
from voxslice.decisions.inputs import input_table
from voxslice.decisions.model_card import Results, model_card
from voxslice.decisions.table import CHECK_COLUMNS
from voxslice.files import read_csv, write_csv, write_text
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study
from voxslice.report.inputs import read_first, read_json
from voxslice.task import Task
from voxslice.versions import git_commit, versions


def main(
    *,
    model: str,
    settings: Mapping[str, Any],
    studies: Sequence[Mapping[str, Any]],
    searches: str,
    card: str,
    commit: str,
    card_text: str,
    groups: str,
    sheet: str,
    sheet_page: str,
    inputs: str,
) -> None:
    """Write the model card, the group table, the data sheet and the list of inputs of a model."""
    results, tables, sheets, files = [], [], {}, {"model.json": card, searches: searches}
    all_searches = read_csv(searches)
    for study in studies:
        metadata = pd.read_parquet(study["metadata"])
        results.append(
            Results(
                study["dataset"],
                study["task"],
                study["shown"],
                read_csv(study["metrics"]),
                count_in_study(
                    read_csv(study["modes"]), all_searches, study["dataset"], study["task"]
                ),
                read_first([study["checks"]] if study["checks"] else [], CHECK_COLUMNS),
            )
        )
        tables.append(
            group_table(
                pd.read_parquet(study["scores"]),
                metadata,
                dataset=study["dataset"],
                task_name=study["task"],
                task=Task(study["type"]),
                columns=study["columns"],
                demographic=study["demographic"],
                units=study["units"],
            )
        )
        sheets[study["dataset"]] = data_sheet(metadata, study["dataset"], study["columns"])
        names = ("metadata", "scores", "metrics", "modes", *(["checks"] if study["checks"] else []))
        files |= {study[name]: study[name] for name in names}
    group_rows = pd.concat(tables, ignore_index=True)
    sheet_rows = pd.concat(list(sheets.values()), ignore_index=True)
    known = {study["dataset"]: study["shown"] for study in studies}
    released = {
        f"dataset {name}": shown["version"] for name, shown in known.items() if shown.get("version")
    }
    checksum = read_json(card).get("sha256")
    listed = input_table(files, {model: checksum} if checksum else {}, released | versions())
    write_csv(group_rows, groups)
    write_csv(sheet_rows, sheet)
    write_csv(listed, inputs)
    write_text(sheet_text(sheet_rows, known), sheet_page)
    version = commit or "of an unknown version"
    write_text(model_card(model, settings, results, group_rows, version=version), card_text)


if __name__ == "__main__":
    with to_log(snakemake.log):
        given, params = snakemake.input, snakemake.params
        checked = iter(given.checks)
        files = zip(given.metadata, given.scores, given.metrics, given.modes, strict=True)
        names = ("metadata", "scores", "metrics", "modes")
        main(
            model=snakemake.wildcards.model,
            settings=params.settings,
            studies=[
                {
                    **study,
                    **dict(zip(names, paths, strict=True)),
                    "checks": next(checked) if study["checked"] else None,
                }
                for study, paths in zip(params.studies, files, strict=True)
            ],
            searches=given.searches,
            card=given.card,
            commit=git_commit(snakemake.scriptdir),
            card_text=snakemake.output.card,
            groups=snakemake.output.groups,
            sheet=snakemake.output.sheet,
            sheet_page=snakemake.output.sheet_page,
            inputs=snakemake.output.inputs,
        )
