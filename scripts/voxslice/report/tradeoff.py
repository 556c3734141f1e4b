"""What a model costs against how good it is, overall and where it is worst."""

from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from voxslice.report.drawing import SOFT, Drawing, draw, style
from voxslice.report.numbers import NONE, decimal
from voxslice.report.study import Study, rule_text
from voxslice.report.tables import Cell, Column, Table, model_cell, number

OVERALL, WORST = "overall", "worst slice"
GOALS = (OVERALL, WORST)
"""What is held against a cost: the metric on all utterances, and on the worst confirmed slice."""


@dataclass(frozen=True)
class Cost:
    """A cost of a model.

    Args:
        title: its name in a text
        unit: shown
        digits: significant ones
    """

    title: str
    unit: str
    digits: int = 3


COSTS = {
    "size_mb": Cost("Size", "MB"),
    "rtf": Cost("Real-time factor", "s per s of audio"),
    "p50_ms": Cost("Latency", "ms"),
}


def measured(study: Study) -> pd.DataFrame:
    """The row of each model's costs that is shown.

    With the fewest threads that were measured, and of the utterance whose duration is nearest to
    the dataset's median.

    Returns:
        rows of `study.costs`, at most one a model
    """
    if not len(study.costs):
        return study.costs
    median = study.durations.median()
    order = study.costs.assign(_off=(study.costs["seconds"] - median).abs())
    order = order.sort_values(["threads", "_off", "seconds"], kind="stable")
    return order.drop_duplicates("model").drop(columns="_off")


def tradeoff(study: Study) -> pd.DataFrame:
    """The models' costs against how good they are.

    The worst slice of a model is the one on which it is worst, of the slices that are confirmed for
    any model: so every model is held against the same slices.

    Returns:
        one row for each model, cost and goal: `model`, `cost` (`size_mb`, `rtf`, `p50_ms`), `x`,
        `goal` (`overall`, `worst slice`), `y`, `slice` and `rule` of the worst slice, `front`
        (whether no other model is better at one and at least as good at the other; of times, no
        model where they were measured on several machines)
    """
    costs = measured(study)
    apart = len(costs) and len(set(costs["machine"])) > 1
    costs = costs.set_index("model") if len(costs) else costs
    slices = [(row, study.inside(row)) for _, row in study.confirmed.iterrows()]
    everyone = np.ones(len(study.joined), dtype=bool)
    rows = []
    for position, model in enumerate(study.models):
        worst = _worst(study, position, slices)
        for cost in COSTS:
            x = model.card["size_mb"] if cost == "size_mb" else np.nan
            if cost != "size_mb" and model.name in costs.index:
                x = float(costs.loc[model.name, cost])
            start = {"model": model.name, "cost": cost, "x": np.nan if x is None else x}
            value = study.value(position, everyone)
            rows.append(start | {"goal": OVERALL, "y": value, "slice": "all", "rule": "all"})
            if worst is not None:
                rows.append(start | {"goal": WORST} | worst)
    table = pd.DataFrame(rows).assign(front=False)
    for (cost, _), part in table.groupby(["cost", "goal"]):
        if apart and cost != "size_mb":
            continue
        table.loc[part.index, "front"] = pareto(
            part["x"].to_numpy(float), part["y"].to_numpy(float), rises=study.measure.rises
        )
    return table


def _worst(
    study: Study, position: int, slices: list[tuple[pd.Series, np.ndarray]]
) -> dict[str, object] | None:
    values = [(study.value(position, mask), row) for row, mask in slices if mask.any()]
    if not values:
        return None
    choose = min if study.measure.rises else max
    value, row = choose(values, key=lambda pair: pair[0])
    return {"y": value, "slice": row["slice"], "rule": rule_text(row)}


def pareto(x: np.ndarray, y: np.ndarray, *, rises: bool) -> np.ndarray:
    """Which points no other point beats: at least as good in both, better in one.

    Args:
        x: a cost, the less the better; shape (points,)
        y: a value
        rises: whether a greater value is better

    Returns:
        booleans; false where a number is missing
    """
    value = y if rises else -y
    known = np.isfinite(x) & np.isfinite(value)
    with np.errstate(invalid="ignore"):
        as_good = (x <= x[:, None]) & (value >= value[:, None])
        better = (x < x[:, None]) | (value > value[:, None])
    return known & ~(as_good & better & known).any(axis=1)


def tradeoff_table(study: Study, table: pd.DataFrame) -> Table:
    """One row a model."""
    measure = study.measure
    costs = measured(study)
    costs = costs.set_index("model") if len(costs) else costs
    columns = [
        Column("Model", number=False),
        Column(measure.title[0].upper() + measure.title[1:], measure.unit),
        Column("On its worst confirmed slice", measure.unit),
        Column("Parameters", "millions"),
        Column("Size", "MB"),
        Column("Real-time factor", meaning="seconds of computing for a second of audio"),
        Column("Latency", "ms", meaning="median, of one utterance"),
        Column("95 % within", "ms"),
        Column("Peak memory", "MB"),
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
            # where it is worst is a rule, which may be long
            where = {"note": row["rule"], "mark": "rule"} if goal == WORST else {}
            cells.append(number(measure.number(row["y"]), row["y"], **where))
        parameters, size = model.card["parameters"], model.card["size_mb"]
        cells.append(_given(parameters, 1e6))
        cells.append(_given(size, 1))
        known = costs.loc[model.name] if model.name in costs.index else {}
        cells += [_given(known.get(name), 1) for name in ("rtf", "p50_ms", "p95_ms", "peak_mb")]
        rows.append(cells)
    return Table("What each model costs", columns, rows)


def _given(value: float | None, factor: float) -> Cell:
    if value is None or not np.isfinite(value):
        return Cell(NONE)
    return number(significant(value / factor), value)


def significant(value: float, digits: int = 3) -> str:
    """A number with some significant digits, without an exponent."""
    if value == 0:
        return "0"
    after = max(digits - 1 - int(np.floor(np.log10(abs(value)))), 0)
    return decimal(value, after)


def remarks(study: Study, table: pd.DataFrame) -> list[str]:
    """How the costs were measured, and which models have none."""
    said = []
    costs = measured(study)
    compared = [model.name for model in study.models]
    costs = costs[costs["model"].isin(compared)] if len(costs) else costs
    if len(costs):
        threads = sorted({int(value) for value in costs["threads"]})
        seconds = sorted({float(value) for value in costs["seconds"]})
        machines = list(dict.fromkeys(costs["machine"]))
        said.append(
            f"Measured on {' and '.join(machines)} with"
            f" {' or '.join(map(str, threads))} {'thread' if threads == [1] else 'threads'} on an"
            f" utterance of {' or '.join(f'{value:g}' for value in seconds)} s, the one that is"
            f" nearest to the dataset's median of {study.durations.median():.3g} s."
        )
        said.append(
            "The figures are those of that machine and cannot be compared with figures of another."
            if len(machines) == 1
            else "The machines differ: figures of one cannot be compared with those of another, and"
            " times have no Pareto front."
        )
    lacking = [name for name in compared if not len(costs) or name not in set(costs["model"])]
    if lacking:
        said.append(
            f"No time was measured for {', '.join(lacking)}: "
            "costs are measured of models that this workflow runs."
        )
    if WORST not in set(table["goal"]):
        said.append("No slice is confirmed for any model, so there is no worst one.")
    return said


def charts(study: Study, table: pd.DataFrame) -> list[Drawing]:
    """A drawing for each cost and goal that more than one model has."""
    made = []
    for goal in GOALS:
        for cost in COSTS:
            part = table[(table["cost"] == cost) & (table["goal"] == goal)]
            part = part[np.isfinite(part["x"]) & np.isfinite(part["y"])]
            if len(part) > 1:
                made.append(_chart(study, part, cost, goal))
    return made


def _chart(study: Study, rows: pd.DataFrame, name: str, goal: str) -> Drawing:
    cost, measure = COSTS[name], study.measure
    positions = {model.name: position for position, model in enumerate(study.models)}
    order = [model for model in positions if model in set(rows["model"])]
    colours, shapes = zip(*(style(positions[model]) for model in order), strict=True)
    rows = rows.assign(
        y=rows["y"] * measure.factor,
        ring=np.where(rows["front"], "on the front", "beaten"),
    )
    rows = rows[["model", "x", "y", "rule", "ring", "front"]]
    span = max(float(rows["x"].max() - rows["x"].min()), 1e-9)
    low = max(float(rows["x"].min()) - 0.08 * span, 0.0)
    x = alt.X(
        "x:Q",
        title=f"{cost.title} ({cost.unit})",
        scale=alt.Scale(domain=[low, float(rows["x"].max()) + 0.08 * span], nice=True, zero=False),
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
        alt.Tooltip("ring:N", title="Pareto front"),
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
    chart = alt.layer(*layers).properties(width=SIDE, height=SIDE * 0.7)
    return draw(chart, f"{title} against {cost.title.lower()}", left=60)


SIDE = 280
"""Width of a drawing, in pixels."""
