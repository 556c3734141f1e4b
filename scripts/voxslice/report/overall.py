"""The overall section: metrics on all utterances and confusion matrices."""

import pandas as pd

from voxslice.report.drawing import SOFT, Drawing, intervals, scaled, style
from voxslice.report.numbers import share
from voxslice.report.speakers import known_speakers, spread
from voxslice.report.study import REFERENCES, Study
from voxslice.report.tables import Cell, Column, Matrix, Table, capital, count, model_cell, number
from voxslice.scores.metrics import CONSTANT, EXACT, HEAVY_TAILS


def names(study: Study) -> list[str]:
    """List the ids of the models, followed by the ids of the references that have metrics."""
    measured = set(study.metrics["model"])
    references = [name for name in REFERENCES if name in measured]
    return [model.name for model in study.models] + references


def metric_table(study: Study) -> Table:
    """Make the table of all metrics with their intervals, one row per model or reference."""
    measured = list(dict.fromkeys(study.metrics["metric"]))
    columns = [Column("Model", number=False)]
    for name in measured:
        measure = study.measures[name]
        columns.append(Column(capital(measure.title), measure.unit))
    columns += [Column("Utterances"), Column("Speakers")]
    by_speaker = bool(known_speakers(study))
    if by_speaker:
        meaning = f"{study.measure.title} of the middle half of the speakers, and of all"
        columns.append(Column("Of single speakers", study.measure.unit, meaning=meaning))
    rows = []
    for model in names(study):
        table = study.metrics[study.metrics["model"] == model].set_index("metric")
        first = model_cell(study, model)
        cells = [Cell(first.text, note=REFERENCES.get(model, ""), mark=first.mark)]
        for name in measured:
            if name not in table.index:
                cells.append(Cell("–"))
                continue
            row, measure = table.loc[name], study.measures[name]
            edges = measure.interval(row["low"], row["high"])
            if row.get("note") == EXACT:
                edges += " (exact)"
            elif row.get("note") == CONSTANT:
                edges = "no interval"
            elif edges and str(row.get("reliable", True)) == "False":
                edges += " (unreliable)"
            cells.append(number(measure.number(row["value"]), row["value"], note=edges))
        cells += [count(table.iloc[0]["n"]), count(table.iloc[0]["speakers"])]
        cells += [spread(study, model)] if by_speaker else []
        rows.append(cells)
    return Table("Metrics with 95 % intervals", columns, rows)


def interval_sentences(study: Study) -> list[str]:
    """Explain where intervals come from, and why some metrics have none.

    Args:
        study: the study

    Returns:
        the sentences
    """
    if study.speakers is None:
        sentences = ["Intervals come from leaving out one utterance at a time."]
    else:
        sentences = [
            "Intervals come from leaving out one speaker at a time, because utterances of one"
            " speaker are not independent."
        ]
    notes = study.metrics.get("note", pd.Series(dtype=str))
    if (notes == CONSTANT).any():
        sentences.append("A metric has no interval if it is the same without each speaker.")
    if (notes == HEAVY_TAILS).any():
        sentences.append(
            "Intervals are marked as unreliable where a few utterances have far larger labels or"
            " errors than the others, because such intervals cover the truth too seldom."
        )
    return sentences


def metric_chart(study: Study, name: str) -> Drawing:
    """Draw one metric of all models and references with intervals.

    Args:
        study: the study
        name: name of the metric in the table of metrics

    Returns:
        the chart
    """
    measure = study.measures[name]
    rows = study.metrics[study.metrics["metric"] == name].set_index("model")
    rows = rows.reindex([model for model in names(study) if model in rows.index]).reset_index()
    rows = rows[rows["value"].notna()]
    rows = scaled(rows, measure, ["value", "low", "high"]).assign(
        label=rows["model"], series=rows["model"]
    )
    styles = {model.name: style(position) for position, model in enumerate(study.models)}
    styles |= dict.fromkeys(REFERENCES, (SOFT, "diamond"))
    return intervals(
        rows, measure.label, f"{measure.label} of the models", styles=styles, digits=measure.digits
    )


def merged_sentence(study: Study) -> str:
    """Describe how the task renames and excludes classes of the models.

    Args:
        study: the study

    Returns:
        a sentence; empty if all classes are used as they are
    """
    merged, excluded = study.task_settings.get("classes"), study.task_settings.get("exclude")
    parts = [f"{name} counts as {label}" for name, label in (merged or {}).items()]
    if excluded:
        parts.append(f"{', '.join(excluded)} excluded, and the other probabilities rescaled")
    return f"Classes of the models: {'; '.join(parts)}." if parts else ""


def confusion_matrices(study: Study) -> list[Matrix]:
    """Make the confusion matrix of each model.

    Args:
        study: the study

    Returns:
        matrices with true labels as rows and predicted classes as columns; errors are shaded by
        their share of the row
    """
    matrices = []
    for model in study.models:
        table = study.confusion[study.confusion["model"] == model.name]
        counts = table.pivot_table(
            index="label", columns="prediction", values="count", sort=False, observed=False
        )
        rows = []
        for label, line in counts.iterrows():
            total = line.sum()
            cells = [
                Cell(
                    f"{int(value):,}",
                    note=share(value / total) if total else "",
                    shade=None if name == label or not total else value / total,
                    mark="right" if name == label else "",
                )
                for name, value in line.items()
            ]
            rows.append((str(label), cells))
        matrices.append(
            Matrix(model.name, "true", "predicted", [str(name) for name in counts.columns], rows)
        )
    return matrices


def has_values(study: Study, name: str) -> bool:
    """Whether any model or reference has a value of a metric."""
    rows: pd.DataFrame = study.metrics[study.metrics["metric"] == name]
    return bool(rows["value"].notna().any())
