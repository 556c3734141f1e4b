from collections.abc import Mapping, Sequence
from typing import Any

from voxslice.conditions.outcomes import WORST_COLUMNS
from voxslice.decisions.table import CHECK_COLUMNS
from voxslice.files import read_csv, write_text
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study
from voxslice.report.inputs import read_first, read_json, read_modes
from voxslice.report.page.index import Compared, render_index


def main(
    *,
    studies: Sequence[Mapping[str, Any]],
    metrics: Sequence[str],
    comparisons: Sequence[str],
    modes: Sequence[str],
    searches: str,
    checks: Mapping[tuple[str, str], Sequence[str]],
    conditions: Mapping[tuple[str, str], Sequence[str]],
    cards: Mapping[str, str],
    costs: Mapping[str, str],
    failures: Mapping[tuple[str, str], str],
    page: str,
) -> None:
    """Write the index of the reports of a study."""
    all_searches = read_csv(searches)
    compared = [
        Compared(
            study["dataset"],
            study["task"],
            study["models"],
            study["type"],
            study.get("unit", ""),
            study.get("metric"),
            read_csv(metrics_path),
            read_csv(comparison_path),
            count_in_study(read_modes(modes_path), all_searches, study["dataset"], study["task"]),
            read_first(checks.get((study["dataset"], study["task"]), ()), CHECK_COLUMNS),
            read_first(conditions.get((study["dataset"], study["task"]), ()), WORST_COLUMNS),
        )
        for study, metrics_path, comparison_path, modes_path in zip(
            studies, metrics, comparisons, modes, strict=True
        )
    ]
    html = render_index(
        compared,
        cards={name: read_json(path) for name, path in cards.items()},
        costs={name: read_csv(path) for name, path in costs.items()},
        failures={pair: read_csv(path) for pair, path in failures.items()},
        searches=all_searches,
    )
    write_text(html, page)


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs, params = snakemake.input, snakemake.params
        pairs = [tuple(pair) for pair in params.failures]

        def by_pair(
            pairs: Sequence[Sequence[str]], paths: Sequence[str]
        ) -> dict[tuple[str, str], list[str]]:
            return {(pair[0], pair[1]): [path] for pair, path in zip(pairs, paths, strict=True)}

        main(
            studies=params.studies,
            metrics=inputs.metrics,
            comparisons=inputs.comparisons,
            modes=inputs.modes,
            searches=inputs.searches,
            checks=by_pair(params.checked, inputs.checks),
            conditions=by_pair(params.conditioned, inputs.conditions),
            cards=dict(zip(params.models, inputs.cards, strict=True)),
            costs=dict(zip(params.run_models, inputs.costs, strict=True)),
            failures=dict(zip(pairs, inputs.failures, strict=True)),
            page=snakemake.output.page,
        )
