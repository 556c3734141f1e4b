"""Render the index: every dataset, task and model of the study in one table, and what failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pandas as pd

from voxslice.conditions.outcomes import WORST_COLUMNS
from voxslice.decisions.documents import summary
from voxslice.files import as_booleans
from voxslice.report.conditions import worst_sentence
from voxslice.report.modes import REST
from voxslice.report.numbers import NONE, Measure, decimal, measures, share
from voxslice.report.page.templates import style, template
from voxslice.report.searches import searches_sentence
from voxslice.report.tables import Cell, Column, Table, count, number, text_of
from voxslice.task import Task

REASONS = 3
"""Largest number of reasons for failures that the page names for a model."""


@dataclass(frozen=True)
class Compared:
    """The results of one dataset and task.

    Args:
        dataset: id of the dataset
        task: id of the task
        models: ids of the compared models
        kind: kind of the task
        unit: unit of the true values
        metric: metric of the task; None for the default of its kind
        metrics: metrics of all models and references
        comparison: each pair of models, overall and on every group
        modes: the failure modes, one row per mode and model
        checks: answers of the checks; empty if there are none
        worst: the worst condition of each model; empty if no model is run in conditions
    """

    dataset: str
    task: str
    models: Sequence[str]
    kind: str
    unit: str
    metric: str | None
    metrics: pd.DataFrame
    comparison: pd.DataFrame
    modes: pd.DataFrame
    checks: pd.DataFrame
    worst: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=WORST_COLUMNS))

    @property
    def worst_sentence(self) -> str:
        """The worst condition of each model in words; empty without conditions."""
        return worst_sentence(self.worst, measures(self.unit))

    @property
    def check_summary(self) -> str:
        """The answers of the checks in words, as in `1 failed, 2 passed`; empty without checks."""
        return summary(self.checks) if len(self.checks) else ""

    @property
    def report(self) -> str:
        """Address of the report, relative to the folder of the index."""
        return f"{quote(self.dataset)}/{quote(self.task)}.html"

    @property
    def summary(self) -> str:
        """Address of the summary, relative to the folder of the index."""
        return f"{quote(self.dataset)}/{quote(self.task)}.summary.html"

    @property
    def measure(self) -> Measure:
        """The metric by which models are compared on all utterances."""
        name = self.metric or Task(self.kind).metric  # type: ignore[arg-type]
        return measures(self.unit)[name]


def render_index(
    studies: Sequence[Compared],
    *,
    cards: Mapping[str, Mapping[str, Any]],
    costs: Mapping[str, pd.DataFrame],
    failures: Mapping[tuple[str, str], pd.DataFrame],
    searches: pd.DataFrame,
) -> str:
    """Make the index of the reports.

    Args:
        studies: results of each dataset and task
        cards: content of the file model.json of each model, by its id
        costs: costs of each model that was measured, by its id
        failures: utterances that could not be scored, by the ids of the dataset and the model
        searches: the searches of the study, see `voxslice.slices.study_level`

    Returns:
        HTML of the page
    """
    return template("index.html.j2").render(
        style=style(),
        studies=studies,
        models=model_table(studies, cards, costs),
        failed=failure_table(failures),
        searches_sentence=searches_sentence(searches),
    )


def model_table(
    studies: Sequence[Compared],
    cards: Mapping[str, Mapping[str, Any]],
    costs: Mapping[str, pd.DataFrame],
) -> Table:
    """Make the table with one row per dataset, task and model."""
    columns = [
        Column("Dataset and task", number=False),
        Column("Model", number=False),
        Column("Result", meaning="metric of the task, with 95 % interval"),
        Column("Verdict", number=False, meaning="compared with the best model of the task"),
        Column("Worst failure mode", number=False, meaning="with the share of the errors"),
        Column("Size", "MB"),
        Column("Latency", "ms", meaning="median for one utterance, with the fewest threads"),
    ]
    rows = []
    for study in studies:
        for place, model in enumerate(study.models):
            size = cards[model]["size_mb"]
            rows.append(
                [
                    _place(study) if place == 0 else Cell(""),
                    Cell(model),
                    _result(study, model),
                    _verdict(study, model),
                    _worst_mode(study, model),
                    Cell(NONE) if size is None else number(decimal(size, 1), size),
                    _latency(costs.get(model)),
                ]
            )
    return Table("All models of the study", columns, rows)


def _place(study: Compared) -> Cell:
    """Name a dataset and task, and the metric of the task."""
    return Cell(f"{study.dataset} / {study.task}", note=study.measure.title)


def _overall(study: Compared) -> pd.DataFrame:
    """Select the metric of the task of each compared model, the best model first."""
    name = study.metric or Task(study.kind).metric  # type: ignore[arg-type]
    rows = study.metrics[study.metrics["metric"] == name].set_index("model")
    rows = rows.loc[list(study.models)]
    return rows.sort_values("value", ascending=not study.measure.rises, kind="stable")


def _result(study: Compared, model: str) -> Cell:
    """Make the cell with the metric of a model and its interval."""
    row, measure = _overall(study).loc[model], study.measure
    limits = measure.interval(row["low"], row["high"])
    return number(measure.text(row["value"]), row["value"], note=limits)


def _verdict(study: Compared, model: str) -> Cell:
    """State how a model compares with the best model of the task."""
    best = _overall(study).index[0]
    if len(study.models) == 1:
        return Cell("the only model")
    if model == best:
        return Cell("best result")
    table = study.comparison[study.comparison["slice"] == "all"]
    pair = table[table["model_a"].isin([best, model]) & table["model_b"].isin([best, model])]
    if not len(pair):
        return Cell("not compared", note=f"with {best}")
    row = pair.iloc[0]
    verdict = row["verdict"]
    if verdict in ("better", "worse"):
        # the verdict is about the second model of the pair
        worse = (verdict == "worse") == (row["model_b"] == model)
        word = "worse" if worse else "better"
        size = study.measure.change(row["difference"])
        return Cell(f"{word} than {best}", note=size, mark=f"verdict-{word}")
    if verdict == "equivalent":
        return Cell(f"equivalent to {best}", mark="verdict-equivalent")
    return Cell(f"no difference to {best} is shown")


def _worst_mode(study: Compared, model: str) -> Cell:
    """Name the worst failure mode of a model: a confirmed one if there is one."""
    rows = study.modes[(study.modes["model"] == model) & (study.modes["mode"] != REST)]
    rows = rows.assign(_confirmed=as_booleans(rows["confirmed"]))
    rows = rows[rows["_confirmed"]] if rows["_confirmed"].any() else rows
    rows = rows[rows["share_of_errors"] > 0]
    if not len(rows):
        return Cell(NONE)
    row = rows.loc[rows["share_of_errors"].idxmax()]
    errors = "the errors" if study.measure.rises else "the absolute error"
    note = f"{share(row['share_of_errors'])} of {errors} in"
    note += f" {share(row['share_of_utterances'])} of the utterances"
    return Cell(text_of(row["name"]), note=note if row["_confirmed"] else f"{note}, not confirmed")


def _latency(costs: pd.DataFrame | None) -> Cell:
    """Make the cell with the latency of a model, measured with the fewest threads."""
    if costs is None or not len(costs):
        return Cell(NONE)
    row = costs.sort_values(["threads", "seconds"], kind="stable").iloc[0]
    return number(decimal(row["p50_ms"], 1), row["p50_ms"], note=f"for {row['seconds']:g} s")


def failure_table(failures: Mapping[tuple[str, str], pd.DataFrame]) -> Table | None:
    """Make the table of what failed.

    Args:
        failures: utterances that could not be scored, by the ids of the dataset and the model

    Returns:
        one row per dataset, model and reason; None if nothing failed
    """
    columns = [
        Column("Dataset", number=False),
        Column("Model", number=False),
        Column("Utterances"),
        Column("Reason", number=False),
    ]
    rows = []
    for (dataset, model), table in failures.items():
        reasons = table["reason"].astype(str).value_counts()
        reasons = reasons.sort_index().sort_values(ascending=False, kind="stable")
        for reason, total in reasons.head(REASONS).items():
            rows.append([Cell(dataset), Cell(model), count(total), Cell(str(reason), mark="long")])
        if len(reasons) > REASONS:
            total = int(reasons.iloc[REASONS:].sum())
            rows.append([Cell(dataset), Cell(model), count(total), Cell("other reasons")])
    return Table("Utterances that could not be scored", columns, rows) if rows else None
