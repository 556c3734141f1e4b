"""The tables and charts of slices, and the metric by two metadata columns."""

from dataclasses import dataclass, replace

import pandas as pd

from voxslice.names import NO_RULE, WITHIN, cluster_name
from voxslice.report.drawing import SOFT, Drawing, intervals, scaled, style
from voxslice.report.numbers import NONE, Measure, counted, decimal, probability
from voxslice.report.study import Model, Study, rule_text
from voxslice.report.tables import Cell, Column, Matrix, Table, capital, count, number, text_of
from voxslice.rule_conditions import as_text, category_order

MAX_CHART_SLICES = 30
"""Largest number of slices in a chart. The table contains all slices."""


def slice_table(study: Study, model: Model, rows: pd.DataFrame) -> Table:
    """Make the table of some slices of a model.

    Args:
        study: the study
        model: the model
        rows: slices of the model, as `voxslice.report.study.distinct` returns them

    Returns:
        one row per slice
    """
    measure = study.measure
    columns = [
        Column("#", meaning="rank: confirmed slices first, then by drop"),
        Column("Slice", number=False, meaning="rule on the metadata, and id of the slice"),
        Column("Utter\u00adances"),
        Column("Speakers"),
        Column("Inside", measure.unit, meaning=f"{measure.title} inside the slice"),
        Column("Else\u00adwhere", measure.unit, meaning=f"{measure.title} outside the slice"),
        Column(
            "Drop",
            measure.step,
            meaning="how much worse it is inside, corrected for the search if it is confirmed; with"
            " evidence within speakers, compared with the same speakers, and below it with all"
            " others",
        ),
        Column("q", meaning="p-value, adjusted for all tests of the search"),
        Column(
            "Evidence",
            number=False,
            meaning="test that confirms the slice, or why it is not confirmed",
        ),
        Column("Found by", number=False, meaning="finder and searches"),
        Column("Stable", "%", meaning="share of other seeds with which the slice is found again"),
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
                _drop(measure, row),
                number(probability(float(row["q"])), float(row["q"])),
                Cell(
                    "confirmed" if row["confirmed"] else "suggested",
                    note=text_of(row["evidence"]) or text_of(row["note"]),
                    mark="confirmed" if row["confirmed"] else "suggested",
                ),
                Cell(str(row["finder"]), note=_searches(row)),
                number(decimal(stable, 0), stable),
            ]
        )
    state = "Confirmed slices" if rows["confirmed"].all() else "Suggested slices"
    return Table(f"{state} of {model.name}", columns, shown)


def _drop(measure: Measure, row: pd.Series) -> Cell:
    """The drop of a slice with its interval; if it was corrected, also the measured drop.

    The corrected drop of a slice that was tested within speakers compares it with the same
    speakers' other utterances. The measured one always compares it with all other utterances.
    """
    if pd.isna(row.get("corrected")):
        return number(measure.signed(row["drop"]), row["drop"], note=edges(measure, row))
    limits = measure.interval(row["corrected_low"], row["corrected_high"])
    label = "all others" if row["evidence"] == WITHIN else "measured"
    parts = [limits, f"{label} {measure.signed(row['drop'])}", edges(measure, row)]
    note = " ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)
    return number(measure.signed(row["corrected"]), row["corrected"], note=note, mark="wraps")


def _searches(row: pd.Series) -> str:
    """The names of the searches that found a slice, without one that is named as its finder."""
    own = row["search"] if row["search"] != row["finder"] else ""
    also = f"also: {row['also']}" if row["also"] else ""
    return "; ".join(filter(None, [own, also]))


def slice_name(row: pd.Series) -> str:
    """The id of a slice as it is shown.

    Args:
        row: row of a table of slices or comparisons

    Returns:
        the id, a remark if no rule describes the slice, or an empty text for all utterances
    """
    if row["slice"] == "all":
        return ""
    unnamed = rule_text(row).startswith(cluster_name(row["slice"]))
    return "no rule describes it" if unnamed else str(row["slice"])


def fit(row: pd.Series) -> str:
    """The id of a slice, with precision and recall of its rule if the rule is not exact.

    Args:
        row: row of a table of slices

    Returns:
        the text below the rule
    """
    name = slice_name(row)
    if row["rule"] == NO_RULE or min(row["precision"], row["recall"]) == 1:
        return name
    precision, recall = decimal(100 * row["precision"], 0), decimal(100 * row["recall"], 0)
    return f"{name} · rule: precision {precision} %, recall {recall} %"


def searched(study: Study, model: Model) -> list[str]:
    """Summarise the searches for slices of a model.

    Args:
        study: the study
        model: the model

    Returns:
        one sentence per search, and one about the halves of the speakers if they were used
    """
    sentences = []
    for row in model.searches.to_dict(orient="records"):
        slices, confirmed = counted(int(row["found"]), "slice"), int(row["confirmed"])
        if not pd.isna(row["searched"]):
            rules, depth = counted(int(row["searched"]), "rule"), int(row["depth"])
            rules += f" of up to {counted(depth, 'condition')}" * (depth > 0)
            text = f"{rules} tested together"
            text += f", {slices} shown, {confirmed} of them confirmed" * (row["found"] > 0)
        elif row["found"]:
            text = f"{slices} suggested by {row['finder']}"
            text += f", {confirmed} of them confirmed on held-out speakers"
        else:
            text = f"no slice suggested by {row['finder']}"
        if row["utterances"] < len(model.scores):
            text += (
                f", in a random sample of {int(row['utterances']):,} of {len(model.scores):,}"
                " utterances"
            )
        sentences.append(f"{capital(row['search'])}: {text}.")
    suggested = model.searches["searched"].isna() & (model.searches["found"] > 0)
    if study.speakers and suggested.any():
        path = f"results/suggestions/{study.dataset}/{study.task}.halves.csv"
        sentences.append(
            f"The two halves of the speakers are drawn with the seed {study.seed} and listed in"
            f" {path}."
        )
    return sentences


def edges(measure: Measure, row: pd.Series) -> str:
    """The interval of a difference, or why it has none.

    Args:
        measure: the metric
        row: `speakers` (missing if they are not known), `low` and `high`

    Returns:
        the interval; a remark if there is only one speaker or no known speaker
    """
    if pd.notna(row["speakers"]) and row["speakers"] <= 1:
        return "one speaker" if row["speakers"] == 1 else "no known speaker"
    return measure.interval(row["low"], row["high"])


def drop_chart(study: Study, model: Model, rows: pd.DataFrame) -> Drawing:
    """Draw the drops of some slices of a model with their intervals.

    Args:
        study: the study
        model: the model
        rows: slices of the model, as `voxslice.report.study.distinct` returns them

    Returns:
        the chart; its note says if slices are left out
    """
    count_of_all = len(rows)
    rows = scaled(rows.head(MAX_CHART_SLICES), study.measure, ["drop", "low", "high"]).assign(
        label=[rule_text(row) for _, row in rows.head(MAX_CHART_SLICES).iterrows()],
        series=rows["confirmed"].map({True: "confirmed", False: "suggested"}),
    )
    colour, _ = style(study.models.index(model))
    drawing = intervals(
        rows.assign(value=rows["drop"]),
        f"Drop ({study.measure.step})" if study.measure.step else "Drop",
        f"Drop of the slices of {model.name}",
        styles={"confirmed": (colour, "circle"), "suggested": (SOFT, "diamond")},
        digits=study.measure.digits,
        zero=True,
        series="slice",
    )
    if len(rows) == count_of_all:
        return drawing
    note = f"The chart shows the first {len(rows)} of {count_of_all:,} slices."
    return replace(drawing, note=f"{note} The table shows all of them.")


# the metric by two columns


def heat_columns(study: Study) -> list[str]:
    """Choose up to two categorical columns; the target comes first if it is categorical."""
    names = [name for name in study.categories if name == study.target]
    names += [name for name in study.categories if name != study.target]
    return names[:2]


@dataclass(frozen=True)
class Heat:
    """The metric of each model by two categorical columns.

    Attributes:
        cells: one row per model and pair of categories that has utterances: `model`, `down` and
            `across` (the categories; `down` is `all` if there is only one column), `n` (number of
            utterances), `value` (the metric)
        down: column whose categories are the rows of the matrix; empty if there is only one column
        across: column whose categories are the columns of the matrix; empty if there is none
    """

    cells: pd.DataFrame
    down: str
    across: str


def heat(study: Study) -> Heat:
    """Compute the metric of each model by up to two categorical columns of a study."""
    names = heat_columns(study)
    frame = study.joined
    table = pd.DataFrame({"across": [], "down": []}, dtype=str)
    down, across = "", ""
    if names:
        # the column with more categories becomes the rows
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
    """Make one matrix per model; worse cells are darker.

    Args:
        study: the study
        heat: the metric of each model by two columns

    Returns:
        the matrices; none if there is no categorical column
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
    """Categories that occur in the cells, in the order of the column."""
    order = category_order(study.metadata[column]) if column else list(names.unique())
    return [name for name in order if name in set(names)]
