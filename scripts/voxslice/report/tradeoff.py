"""The section on the trade-off between the costs of models and their performance."""

import altair as alt
import numpy as np
import pandas as pd

from voxslice.report.costs import COSTS, measured
from voxslice.report.drawing import SOFT, Drawing, draw, style
from voxslice.report.numbers import NONE, Measure, decimal
from voxslice.report.study import Study, rule_text
from voxslice.report.tables import Cell, Column, Table, capital, model_cell, number
from voxslice.task import rises

OVERALL, WORST = "overall", "worst slice"
GOALS = (OVERALL, WORST)
"""Performance that is plotted against a cost: on all utterances, and on the worst slice."""


def tradeoff(study: Study) -> pd.DataFrame:
    """Compute the costs and the performance of the models.

    The worst slice of a model is the slice on which its metric is worst, among the slices that are
    confirmed for any model. So all models are compared on the same slices.

    Args:
        study: the study

    Returns:
        one row per model, cost and goal: `model`, `cost` (`size_mb`, `rtf` or `p50_ms`), `x` (the
        cost), `goal` (`overall` or `worst slice`), `metric`, `y` (its value), `slice` and `rule`
        of the worst slice, and `front` (whether the model is on the Pareto front; false for times
        that were measured on different machines)
    """
    costs = measured(study)
    several_machines = len(costs) and len(set(costs["machine"])) > 1
    costs = costs.set_index("model") if len(costs) else costs
    slices = [(row, study.inside(row)) for _, row in study.confirmed.iterrows()]
    rows = []
    for position, model in enumerate(study.models):
        worst = _worst(study, position, slices)
        overall = {
            "metric": study.overall_metric,
            "y": study.overall_value(position),
            "slice": "all",
            "rule": "all",
        }
        for cost in COSTS:
            x = model.card["size_mb"] if cost == "size_mb" else np.nan
            if cost != "size_mb" and model.name in costs.index:
                x = float(costs.loc[model.name, cost])
            row = {"model": model.name, "cost": cost, "x": np.nan if x is None else x}
            rows.append(row | {"goal": OVERALL} | overall)
            if worst is not None:
                rows.append(row | {"goal": WORST} | worst)
    table = pd.DataFrame(rows).assign(front=False)
    for (cost, _, metric), part in table.groupby(["cost", "goal", "metric"]):
        if several_machines and cost != "size_mb":
            continue
        table.loc[part.index, "front"] = pareto(
            part["x"].to_numpy(float), part["y"].to_numpy(float), rises=rises(metric)
        )
    return table


def _worst(
    study: Study, position: int, slices: list[tuple[pd.Series, np.ndarray]]
) -> dict[str, object] | None:
    """Find the slice on which a model is worst, and its metric there; None without slices."""
    values = [(study.value(position, mask), row) for row, mask in slices if mask.any()]
    if not values:
        return None
    choose = min if study.measure.rises else max
    value, row = choose(values, key=lambda pair: pair[0])
    return {"metric": study.metric, "y": value, "slice": row["slice"], "rule": rule_text(row)}


def pareto(x: np.ndarray, y: np.ndarray, *, rises: bool) -> np.ndarray:
    """Find the Pareto front of some points.

    A point is on the front if no other point is better in one coordinate and at least as good in
    the other.

    Args:
        x: costs, shape (points,); lower is better
        y: values of a metric, shape (points,)
        rises: whether higher values of `y` are better

    Returns:
        mask of shape (points,); false if a coordinate is missing
    """
    value = y if rises else -y
    known = np.isfinite(x) & np.isfinite(value)
    with np.errstate(invalid="ignore"):
        as_good = (x <= x[:, None]) & (value >= value[:, None])
        better = (x < x[:, None]) | (value > value[:, None])
    return known & ~(as_good & better & known).any(axis=1)


def tradeoff_table(study: Study, table: pd.DataFrame) -> Table:
    """Make the table of costs and performance.

    Args:
        study: the study
        table: costs and performance, as `tradeoff` returns them

    Returns:
        one row per model
    """
    measure, overall = study.measure, study.overall_measure
    costs = measured(study)
    costs = costs.set_index("model") if len(costs) else costs
    columns = [
        Column("Model", number=False),
        Column(capital(overall.title), overall.unit),
        Column(
            "On the worst confirmed slice",
            measure.unit,
            meaning=f"{measure.title}, with the rule of the slice",
        ),
        Column("Parameters", "millions"),
        Column("Size", "MB"),
        Column("Real-time factor", meaning="computing time per second of audio"),
        Column("Latency", "ms", meaning="median for one utterance"),
        Column("Latency, 95th percentile", "ms", meaning="for one utterance"),
        Column("Peak memory", "MB", meaning="of the whole process"),
    ]
    rows = []
    for model in study.models:
        part = table[(table["model"] == model.name) & (table["cost"] == "size_mb")]
        values = part.set_index("goal")
        cells = [model_cell(study, model.name)]
        for goal in GOALS:
            if goal not in values.index:
                cells.append(Cell(NONE))
                continue
            row = values.loc[goal]
            rule = {"note": row["rule"], "mark": "rule"} if goal == WORST else {}
            value = study.measures[row["metric"]].number(row["y"])
            cells.append(number(value, row["y"], **rule))
        parameters, size = model.card["parameters"], model.card["size_mb"]
        cells.append(_cell(parameters, 1e6))
        cells.append(_cell(size, 1))
        own_costs = costs.loc[model.name] if model.name in costs.index else {}
        cells += [_cell(own_costs.get(name), 1) for name in ("rtf", "p50_ms", "p95_ms", "peak_mb")]
        rows.append(cells)
    return Table("Costs and performance of the models", columns, rows)


def _cell(value: float | None, factor: float) -> Cell:
    """Make a cell with a number divided by a factor, or a dash if it is not known."""
    if value is None or not np.isfinite(value):
        return Cell(NONE)
    return number(significant(value / factor), value)


def significant(value: float, digits: int = 3) -> str:
    """Write a number with some significant digits and without an exponent."""
    if value == 0:
        return "0"
    after = max(digits - 1 - int(np.floor(np.log10(abs(value)))), 0)
    return decimal(value, after)


def remarks(study: Study, table: pd.DataFrame) -> list[str]:
    """Describe how the costs were measured, and name the models without costs.

    Args:
        study: the study
        table: costs and performance, as `tradeoff` returns them

    Returns:
        the sentences
    """
    sentences = []
    costs = measured(study)
    compared = [model.name for model in study.models]
    costs = costs[costs["model"].isin(compared)] if len(costs) else costs
    if len(costs):
        threads = sorted({int(value) for value in costs["threads"]})
        seconds = sorted({float(value) for value in costs["seconds"]})
        machines = list(dict.fromkeys(costs["machine"]))
        sentences.append(
            f"Costs were measured on {' and '.join(machines)} with"
            f" {' or '.join(map(str, threads))} {'thread' if threads == [1] else 'threads'}, for an"
            f" utterance of {' or '.join(f'{value:g}' for value in seconds)} s. This is the"
            " measured duration nearest to the median of the dataset,"
            f" {study.durations.median():.3g} s."
        )
        sentences.append(
            "These figures cannot be compared with figures of other machines."
            if len(machines) == 1
            else "Figures of different machines cannot be compared, so no Pareto front is shown for"
            " times."
        )
    missing = [name for name in compared if not len(costs) or name not in set(costs["model"])]
    if missing:
        sentences.append(f"No time was measured for {', '.join(missing)}.")
    if WORST not in set(table["goal"]):
        sentences.append("No slice is confirmed for any model, so no worst slice is shown.")
    return sentences


def charts(study: Study, table: pd.DataFrame, cascades: pd.DataFrame) -> dict[str, list[Drawing]]:
    """Draw each cost against each goal if at least two models have both.

    Args:
        study: the study
        table: costs and performance, as `tradeoff` returns them
        cascades: cascades with costs, see `voxslice.report.cascades`, drawn against all utterances

    Returns:
        the charts of each goal
    """
    drawings: dict[str, list[Drawing]] = {goal: [] for goal in GOALS}
    for goal in GOALS:
        for cost in COSTS:
            part = table[(table["cost"] == cost) & (table["goal"] == goal)]
            part = part[np.isfinite(part["x"]) & np.isfinite(part["y"])]
            if len(part) > 1:
                more = cascades[cascades["cost"] == cost] if goal == OVERALL else cascades[:0]
                drawings[goal].append(_chart(study, part, more, cost, goal))
    return drawings


def _chart(
    study: Study, rows: pd.DataFrame, cascades: pd.DataFrame, name: str, goal: str
) -> Drawing:
    """Draw a cost against a goal: one point per model, and a line per cascade of two models."""
    cost, measure = COSTS[name], study.overall_measure if goal == OVERALL else study.measure
    positions = {model.name: position for position, model in enumerate(study.models)}
    order = [model for model in positions if model in set(rows["model"])]
    colours, shapes = zip(*(style(positions[model]) for model in order), strict=True)
    rows = rows.assign(
        y=rows["y"] * measure.factor,
        ring=np.where(rows["front"], "yes", "no"),
    )
    rows = rows[["model", "x", "y", "rule", "ring", "front"]]
    costs = [*rows["x"].astype(float), *cascades["x"].astype(float)]
    span = max(max(costs) - min(costs), 1e-9)
    low = max(min(costs) - 0.08 * span, 0.0)
    x = alt.X(
        "x:Q",
        title=f"{cost.title} ({cost.unit})",
        scale=alt.Scale(domain=[low, max(costs) + 0.08 * span], nice=True, zero=False),
        axis=alt.Axis(tickCount=4, format=".3~g"),
    )
    title = measure.label if goal == OVERALL else f"{measure.label}, worst slice"
    y = alt.Y(
        "y:Q",
        title=title,
        scale=alt.Scale(zero=False, nice=True, padding=16),
        axis=alt.Axis(tickCount=5),
    )
    tips = [
        alt.Tooltip("model:N"),
        alt.Tooltip("x:Q", title=cost.title.lower(), format=",.3~r"),
        alt.Tooltip("y:Q", title=measure.title, format=f",.{measure.digits}f"),
        *([alt.Tooltip("rule:N", title="slice")] if goal == WORST else []),
        alt.Tooltip("ring:N", title="on the Pareto front"),
    ]
    base = alt.Chart(rows)
    front = base.transform_filter("datum.front")
    layers = [
        front.mark_line(
            color=SOFT,
            strokeDash=[4, 3],
            interpolate="step-after",
        ).encode(x=x, y=y, order="x:Q"),
        front.mark_point(
            shape="circle", size=330, stroke="var(--ink)", strokeWidth=1.4, opacity=1, filled=False
        ).encode(x=x, y=y),
        base.mark_point(filled=True, opacity=1, size=110).encode(
            x=x,
            y=y,
            color=alt.Color(
                "model:N", scale=alt.Scale(domain=order, range=list(colours)), legend=None
            ),
            shape=alt.Shape(
                "model:N", scale=alt.Scale(domain=order, range=list(shapes)), legend=None
            ),
            tooltip=tips,
        ),
    ]
    if len(cascades):
        layers.insert(0, _cascades(cascades, measure, x, y))
    chart = alt.layer(*layers).properties(width=SIDE, height=SIDE * 0.7)
    return draw(chart, f"{title} against {cost.title.lower()}", left=60)


def _cascades(cascades: pd.DataFrame, measure: Measure, x: alt.X, y: alt.Y) -> alt.Chart:
    """Lines through the points of each cascade, one point per share that is handed on."""
    rows = cascades.assign(y=cascades["y"] * measure.factor, share=100 * cascades["handed"])
    return (
        alt.Chart(rows[["model", "x", "y", "share"]])
        .mark_line(color=SOFT, strokeWidth=1, point=alt.OverlayMarkDef(color=SOFT, size=24))
        .encode(
            x=x,
            y=y,
            detail="model:N",
            order="share:Q",
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("share:Q", title="handed on (%)", format=".0f"),
                alt.Tooltip("x:Q", title="cost", format=",.3~r"),
                alt.Tooltip("y:Q", title=measure.title, format=f",.{measure.digits}f"),
            ],
        )
    )


SIDE = 280
"""Width of a chart in pixels."""
