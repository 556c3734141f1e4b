from collections.abc import Mapping
from pathlib import Path

from voxslice.data.file_names import names_on_disk
from voxslice.files import read_csv, write_parquet, write_text
from voxslice.logs import to_log
from voxslice.report.collected import listen
from voxslice.report.page.collected import render_collected
from voxslice.report.spotlight import layouts, tables


def main(
    *,
    collected: str,
    audio: Mapping[str, str],
    dataset: str,
    task: str,
    max_megabytes: float,
    page: str,
    table: str,
    layout: str,
    issues: str,
) -> None:
    """Write the page and the interactive view of the utterances to collect."""
    summary = read_csv(Path(collected, "summary.csv"))
    lists = {mode: read_csv(Path(collected, f"{mode}.csv")) for mode in summary["mode"].astype(str)}
    modes = listen(summary, lists, audio, int(max_megabytes * 1e6))
    files = {name: {file for one in lists.values() for file in one["file"]} for name in audio}
    view = tables.make_collected_table(
        summary,
        lists,
        {name: tables.place(folder, Path(table).parent) for name, folder in audio.items()},
        {
            name: dict(zip(sorted(some), names_on_disk(audio[name], sorted(some)), strict=True))
            for name, some in files.items()
        },
    )
    write_text(render_collected(dataset, task, modes), page)
    write_parquet(view, table)
    write_text(layouts.to_json(layouts.make_collected_layout(view)), layout)
    write_text(layouts.to_json([]), issues)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            collected=snakemake.input.collected,
            audio={name: snakemake.input[f"audio_{name}"] for name in snakemake.params.pools},
            dataset=snakemake.wildcards.dataset,
            task=snakemake.wildcards.task,
            max_megabytes=snakemake.params.max_megabytes,
            page=snakemake.output.page,
            table=snakemake.output.table,
            layout=snakemake.output.layout,
            issues=snakemake.output.issues,
        )
