"""The slices of each model, and the metric over two columns of the metadata."""

from dataclasses import dataclass, replace

import pandas as pd

from voxslice.conditions import as_text, category_order
from voxslice.report.drawing import SOFT, Drawing, intervals, scaled, style
from voxslice.report.numbers import NONE, Measure, counted, decimal, probability
from voxslice.report.study import Model, Study, rule_text
from voxslice.report.tables import Cell, Column, Matrix, Table, capital, count, number, said

MAX_CHART_SLICES = 30
"""Most slices in a chart; the table has all slices."""


def slice_table(study: Study, model: Model, rows: pd.DataFrame) -> Table:
    """The table of the slices of one model.

    Args:
        study: the study
        model: the model
        rows: of its slices, as `voxslice.report.study.distinct` gives them
    """
    measure = study.measure
    rest = "higher" if measure.rises else "lower"
    columns = [
        Column("#", meaning="rank: confirmed slices first, then by drop"),
        Column("Slice", number=False, meaning="rule on the metadata"),
        Column("Utter\u00adances"),
        Column("Speakers"),
        Column("Inside", measure.unit, meaning=f"{measure.title} inside the slice"),
        Column("Else\u00adwhere", measure.unit, meaning=f"outside the slice; {rest} is expected"),
        Column("Drop", measure.step, meaning="how much worse it is inside, with 95 % interval"),
        Column("q", meaning="p adjusted for everything that was searched"),
        Column("Evidence", number=False, meaning="the test that confirms the slice, or why none"),
        Column("Found by", number=False, meaning="search and finder"),
        Column("Stable", "%", meaning="how often the slice comes back with another seed"),
    ]
    shown = []
    for _, row in rows.iterrows():
        stable = 100 * float(row["stability"])
        shown.append(
            [
                count(row["rank"]),
                Cell(rule_text(row), note=fit(row), mark="rule"),
                count(row["support"]),
                count(row["speakers"]),
                number(measure.number(row["value"]), row["value"]),
                number(measure.number(row["rest"]), row["rest"]),
                number(measure.signed(row["drop"]), row["drop"], note=edges(measure, row)),
                number(probability(float(row["q"])), float(row["q"])),
                Cell(
                    "confirmed" if row["confirmed"] else "suggested",
                    note=said(row["evidence"]) or said(row["note"]),
                    mark="confirmed" if row["confirmed"] else "suggested",
                ),
                Cell(str(row["finder"]), note=_searches(row)),
                number(decimal(stable, 0), stable),
            ]
        )
    state = "Confirmed slices" if rows["confirmed"].all() else "Suggested slices"
    return Table(f"{state} of {model.name}", columns, shown)


def _searches(row: pd.Series) -> str:
    """The search that found a slice, unless it has the finder's name, and other such searches."""
    own = row["search"] if row["search"] != row["finder"] else ""
    also = f"also: {row['also']}" if row["also"] else ""
    return "; ".join(filter(None, [own, also]))


def slice_name(row: pd.Series) -> str:
    """The id of a slice; empty for all utterances, which need none."""
    if row["slice"] == "all":
        return ""
    return "no rule fits it" if row["rule"] == "no rule" else str(row["slice"])


def fit(row: pd.Series) -> str:
    """The id of a slice and, if its rule is not exact, precision and recall of the rule."""
    name = slice_name(row)
    if row["rule"] == "no rule" or min(row["precision"], row["recall"]) == 1:
        return name
    precision, recall = decimal(100 * row["precision"], 0), decimal(100 * row["recall"], 0)
    return f"{name} · rule: precision {precision} %, recall {recall} %"


def searched(study: Study, model: Model) -> list[str]:
    """What was searched for slices of one model, and how much of it was confirmed."""
    told = []
    for row in model.searches.to_dict(orient="records"):
        found, confirmed = int(row["found"]), int(row["confirmed"])
        if not pd.isna(row["searched"]):
            rules, depth = counted(int(row["searched"]), "rule"), int(row["depth"])
            rules += f" of up to {counted(depth, 'condition')}" * (depth > 0)
            text = f"{rules} searched and tested together"
            text += f", {confirmed} of {counted(found, 'slice')} shown are confirmed" * (found > 0)
        elif found:
            text = f"{row['finder']} suggested {counted(found, 'slice')}"
            text += f", {confirmed} of them confirmed on speakers that were held out"
        else:
            text = f"{row['finder']} suggested no slice"
        told.append(f"{capital(row['search'])}: {text}.")
    suggested = model.searches["searched"].isna() & (model.searches["found"] > 0)
    if study.speakers and suggested.any():
        path = f"results/suggestions/{study.dataset}/{study.task}.halves.csv"
        told.append(
            f"The halves of the speakers that hold each other out are drawn with the seed"
            f" {study.seed} and listed in {path}."
        )
    return told


def edges(measure: Measure, row: pd.Series) -> str:
    """Interval of a difference; there is none with a single speaker."""
    if pd.notna(row["speakers"]) and row["speakers"] <= 1:
        return "one speaker" if row["speakers"] == 1 else "no named speaker"
    return measure.interval(row["low"], row["high"])


def drop_chart(study: Study, model: Model, rows: pd.DataFrame) -> Drawing:
    """Chart of the drops of a model's slices.

    Args:
        study: the study
        model: the model
        rows: slices of the model
    """
    count_of_all = len(rows)
    rows = scaled(rows.head(MAX_CHART_SLICES), study.measure, ["drop", "low", "high"]).assign(
        label=[rule_text(row) for _, row in rows.head(MAX_CHART_SLICES).iterrows()],
        series=rows["confirmed"].map({True: "confirmed", False: "suggested"}),
    )
    colour, _ = style(study.models.index(model))
    drawing = intervals(
        rows.assign(value=rows["drop"]),
        f"Worse than elsewhere by ({study.measure.step or 'units'})",
        f"Drop of the slices of {model.name}",
        styles={"confirmed": (colour, "circle"), "suggested": (SOFT, "diamond")},
        digits=study.measure.digits,
        zero=True,
        series="slice",
    )
    if len(rows) == count_of_all:
        return drawing
    note = f"The chart shows the first {len(rows)} of {count_of_all:,} slices."
    return replace(drawing, note=f"{note} The table has all of them.")


# the metric over two columns


def heat_columns(study: Study) -> list[str]:
    """Two categorical columns; the target comes first if it is categorical."""
    names = [name for name in study.categories if name == study.target]
    names += [name for name in study.categories if name != study.target]
    return names[:2]


@dataclass(frozen=True)
class Heat:
    """The metric of each model over two categorical columns.

    Attributes:
        cells: one row per cell that has utterances: `model`, `down` and `across` (categories; `all`
            if there is one column only), `n`, `value`
        down: name of the column whose categories are the rows; empty if there is one column only
        across: name of the column whose categories are the columns
    """

    cells: pd.DataFrame
    down: str
    across: str


def heat(study: Study) -> Heat:
    """Compute the metric of each model over two categorical columns of a study."""
    names = heat_columns(study)
    frame = study.joined
    table = pd.DataFrame({"across": [], "down": []}, dtype=str)
    down, across = "", ""
    if names:
        # the rows have more categories
        across, *rest = sorted(names, key=lambda name: study.metadata[name].nunique())
        down = rest[0] if rest else ""
        table = pd.DataFrame({"across": as_text(frame[across])})
        table["down"] = as_text(frame[down]) if down else "all"
    parts = []
    for position, model in enumerate(study.models):
        groups = table.assign(loss=frame[f"_loss_{position}"].to_numpy()[: len(table)]).groupby(
            ["down", "across"], sort=True
        )["loss"]
        cells = groups.agg(["size", "mean"]).reset_index()
        cells["value"] = study.measured.metric_of(cells["mean"])
        parts.append(cells.rename(columns={"size": "n"}).assign(model=model.name))
    table = pd.concat(parts, ignore_index=True)[["model", "down", "across", "n", "value"]]
    return Heat(table, down, across)


def heat_maps(study: Study, heat: Heat) -> list[Matrix]:
    """One matrix per model; a darker cell is a worse one.

    Args:
        study: the study
        heat: the metric of each model over two columns
    """
    cells = heat.cells
    if not len(cells):
        return []
    loss = study.measured.loss_of(cells["value"])
    cells = cells.assign(shade=loss if study.classification else loss / (loss.max() or 1.0))
    columns = _levels(study, heat.across, cells["across"])
    lines = _levels(study, heat.down, cells["down"])
    matrices = []
    for model in study.models:
        of_model = cells[cells["model"] == model.name].set_index(["down", "across"])
        rows = [
            (
                line,
                [
                    _heat_cell(study, of_model.loc[line, column])
                    if (line, column) in of_model.index
                    else Cell(NONE)
                    for column in columns
                ],
            )
            for line in lines
        ]
        matrices.append(Matrix(model.name, heat.down, heat.across, columns, rows))
    return matrices


def _heat_cell(study: Study, row: pd.Series) -> Cell:
    text = study.measure.number(row["value"])
    return Cell(text, float(row["value"]), f"n {int(row['n'])}", float(row["shade"]))


def _levels(study: Study, column: str, names: pd.Series) -> list[str]:
    """Categories of the cells in the order of the column; without a column there is one name."""
    order = category_order(study.metadata[column]) if column else list(names.unique())
    return [name for name in order if name in set(names)]
