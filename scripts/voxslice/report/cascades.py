"""Cascades on the trade-off: a fast model answers where it is sure, otherwise a slower one."""

import pandas as pd

from voxslice.report.costs import measured
from voxslice.report.numbers import NONE, share
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, number
from voxslice.report.tradeoff import significant

POINT_COLUMNS = ["model", "cost", "x", "y", "handed", "row"]


def cascade_points(study: Study) -> pd.DataFrame:
    """Compute the costs of the cascades of a faster model and a better one.

    A cascade runs the first model on every utterance and the second one on those that are handed
    on. Its mean latency and real-time factor are the sum of both.

    Args:
        study: results of the workflow

    Returns:
        one row per cascade, share and cost: `model` (both models in words), `cost` (`p50_ms` or
        `rtf`), `x` (the cost), `y` (the metric of the task), `handed` and `row` (the row of the
        table of cascades); empty if the costs of the models are not comparable
    """
    costs = measured(study)
    if not len(costs) or len(set(costs["machine"])) > 1:
        return pd.DataFrame(columns=POINT_COLUMNS)
    costs = costs.set_index("model")
    values = {model.name: study.overall_value(at) for at, model in enumerate(study.models)}
    sign = 1 if study.overall_measure.rises else -1
    rows = []
    for place, row in study.cascades.iterrows():
        pair = [row["model"], row["then"]]
        if not set(pair) <= set(costs.index):
            continue
        first, second = (costs.loc[name] for name in pair)
        better = sign * (values[pair[1]] - values[pair[0]]) > 0
        if not better or first["p50_ms"] >= second["p50_ms"]:
            continue
        known = {"model": ", then ".join(pair), "y": row["value"], "handed": row["handed"]}
        known |= {"row": place}
        rows += [
            {**known, "cost": cost, "x": float(first[cost] + row["handed"] * second[cost])}
            for cost in ("p50_ms", "rtf")
        ]
    return pd.DataFrame(rows, columns=POINT_COLUMNS)


def cascade_table(study: Study, points: pd.DataFrame) -> Table | None:
    """Make the table of the cascades with their costs.

    Args:
        study: results of the workflow
        points: the cascades with costs, as `cascade_points` returns them

    Returns:
        one row per cascade and share; None if there is no cascade
    """
    if not len(points):
        return None
    overall, measure = study.overall_measure, study.measure
    columns = [
        Column("First model, then second model", number=False),
        Column("Handed on", meaning="share of the utterances that the second model answers"),
        Column("Latency", "ms", meaning="mean for one utterance"),
        Column("Real-time factor", meaning="computing time per second of audio"),
        Column(overall.short, overall.unit),
        Column("In the worst failure mode", measure.unit, meaning=measure.title),
    ]
    rows = []
    for place, part in points.groupby("row", sort=False):
        costs, row = part.set_index("cost")["x"], study.cascades.loc[place]
        limits = overall.interval(row["low"], row["high"])
        mode = measure.interval(row["mode_low"], row["mode_high"])
        rows.append(
            [
                Cell(str(part["model"].iloc[0])),
                number(share(row["handed"]), row["handed"]),
                *(number(significant(costs[name]), costs[name]) for name in ("p50_ms", "rtf")),
                number(overall.number(row["value"]), row["value"], note=limits),
                Cell(NONE)
                if pd.isna(row["mode_value"])
                else number(
                    measure.number(row["mode_value"]),
                    row["mode_value"],
                    note=f"{row['name']} {mode}".strip(),
                ),
            ]
        )
    return Table("Cascades of two models", columns, rows)
