"""The section on speakers: the result for each speaker, and who carries a difference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.comparison.by_speaker import UNKNOWN
from voxslice.comparison.carriers import (
    HALF,
    decisive,
    error_makers,
    majority,
    opposing,
    turning,
)
from voxslice.report.drawing import Drawing, dots, histogram, scaled, style
from voxslice.report.numbers import NONE, Measure, decimal, share
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, count, number

MAX_DOTS = 30
"""Largest number of speakers that the chart shows all of."""
MAX_OPEN = 12
"""Largest number of speakers whose chart is not folded."""
WORST = 15
"""Speakers in the chart if there are more."""
MAX_ROWS = 100
"""Largest number of rows of a table. The tables in `results/speakers/` contain all rows."""
MAX_NAMES = 3
"""Largest number of speakers that a sentence names."""
MIN_QUARTILES = 4
"""Smallest number of speakers of which the middle half is shown."""
MAX_PAIRS = 3
"""Largest number of pairs of models of which the sentences count speakers."""
BINS = 12
"""Intervals of a histogram of speakers."""
WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@dataclass(frozen=True)
class Section:
    """What the section on speakers shows.

    Args:
        sentences: who makes most of a model's errors, and who carries a difference
        chart: one dot for each speaker and model; of many speakers the worst
        folded: whether the chart is folded, because it is high
        histograms: speakers of each model by their metric; empty if the chart shows all speakers
        results: table of the speakers
        differences: table of what speakers contribute to differences of models, None if the study
            has only one model
    """

    sentences: list[str]
    chart: Drawing
    folded: bool
    histograms: list[Drawing]
    results: Table
    differences: Table | None


def section(study: Study) -> Section | None:
    """Make the section on speakers.

    Args:
        study: the study

    Returns:
        the section; None if there are fewer than two known speakers
    """
    if len(known_speakers(study)) < 2:
        return None
    return Section(
        sentences(study),
        speaker_chart(study),
        len(known_speakers(study)) > MAX_OPEN,
        histograms(study),
        result_table(study),
        difference_table(study) if len(study.speaker_pairs) else None,
    )


def known_speakers(study: Study) -> list[str]:
    """List the known speakers, those with the most errors beyond their share first.

    The errors of all models count. A speaker's share is what it would have if each model were as
    good for this speaker as for all.

    Args:
        study: the study

    Returns:
        the names
    """
    table = study.speaker_table
    table = table[table["known"].astype(bool)]
    total = table.groupby("model")["errors"].transform("sum")
    excess = table["errors"] - total * table["share_of_utterances"]
    sums = excess.groupby(table["speaker"]).sum().rename("excess").reset_index()
    order = sums.sort_values(["excess", "speaker"], ascending=[False, True])
    return order["speaker"].to_list()


def sentences(study: Study) -> list[str]:
    """State who makes most of a model's errors, and who carries the differences of models.

    Args:
        study: the study

    Returns:
        the sentences; the speakers for whom either model is better are counted for the first pairs
        of models only
    """
    found = [
        f"Speaker {row['speaker']} makes {share(row['share_of_errors'])} of the errors of {model}"
        f" in {share(row['share_of_utterances'])} of the utterances."
        for model, rows in study.speaker_table.groupby("model", sort=False)
        for _, row in rows[rows["speaker"].isin(error_makers(rows))].iterrows()
    ]
    pairs = study.speaker_pairs[["model_a", "model_b"]].drop_duplicates()
    for place, (a, b) in enumerate(pairs.itertuples(index=False)):
        carried, fragile = _dependence(study, a, b)
        found += carried or _counts(study, a, b) if place < MAX_PAIRS else carried
        found += fragile
    return found


def carriers(study: Study, a: str, b: str) -> list[str]:
    """State what single speakers make of the difference of two models.

    A speaker is named as one who carries the difference only if its contribution is more than
    chance, see `voxslice.comparison.carriers`.

    Args:
        study: the study
        a: id of a model
        b: id of another model

    Returns:
        a sentence on the few speakers who carry the difference, otherwise one that counts the
        speakers for whom either model is better; and one on the speakers without whom the verdict
        on all utterances is another; empty if the models were not compared, or if there are fewer
        than two known speakers
    """
    carried, fragile = _dependence(study, a, b)
    return [*(carried or _counts(study, a, b)), *fragile]


def _dependence(study: Study, a: str, b: str) -> tuple[list[str], list[str]]:
    """Sentences on speakers who carry a difference, and on those without whom a verdict changes."""
    rows = _pair(study, a, b)
    carried: list[str] = []
    fragile: list[str] = []
    for metric in dict.fromkeys(rows["metric"]):
        table = rows[rows["metric"] == metric]
        if table["known"].sum() < 2:
            continue
        overall = _overall(study, table.iloc[0])
        decided_by = overall.get("metric", study.metric)
        if not carried:
            carried = _carried(study, table, "" if metric == decided_by else metric)
        excluded = overall["low"] > 0 or overall["high"] < 0
        known = overall["verdict"] == "undecided" and excluded  # the interval needs no change
        if metric == decided_by and not turning(table) and not known:
            fragile = _fragile(study, table, overall["verdict"])
    return carried, fragile


def _pair(study: Study, a: str, b: str) -> pd.DataFrame:
    """Rows of a pair of models in any order."""
    table = study.speaker_pairs
    forwards = (table["model_a"] == a) & (table["model_b"] == b)
    backwards = (table["model_a"] == b) & (table["model_b"] == a)
    return table[forwards | backwards]


def _overall(study: Study, first: pd.Series) -> pd.Series:
    """The comparison of the pair of a row on all utterances."""
    table = study.comparison
    models = (table["model_a"] == first["model_a"]) & (table["model_b"] == first["model_b"])
    return table[(table["slice"] == "all") & models].iloc[0]


def _ranked(study: Study, first: pd.Series) -> tuple[str, str]:
    """The models of the pair of a row, the one with the better metric first."""
    rises = study.measures[first["metric"]].rises
    models = first["model_b"], first["model_a"]
    return models if (first["difference"] > 0) == rises else models[::-1]


def _carried(study: Study, rows: pd.DataFrame, metric: str) -> list[str]:
    """A sentence on the speakers who carry a difference; it names the metric if there is one."""
    first = rows.iloc[0]
    measure = study.measures[first["metric"]]
    ahead, _ = _ranked(study, first)
    advantage = f"advantage of {ahead}{f' in {measure.title}' if metric else ''}"
    values = rows[rows["known"].astype(bool)].set_index("speaker")
    few, most = turning(rows), majority(rows)
    if few:
        left = values.loc[few[-1], "without_larger"]
        return [
            f"The {advantage} comes from {_numbered(few)}: without"
            f" {'this speaker' if len(few) == 1 else 'them'}, {ahead} is {_behind(measure, left)}."
        ]
    if most:
        left = values.loc[most[0], "without"]
        return [
            f"More than half of the {advantage} comes from speaker {most[0]}: without this speaker,"
            f" it is {measure.change(left)} instead of {measure.change(first['difference'])}."
        ]
    return []


def _fragile(study: Study, rows: pd.DataFrame, verdict: str) -> list[str]:
    """A sentence on the speakers without whom the verdict on two models is another."""
    ahead, behind = _ranked(study, rows.iloc[0])
    if verdict == "undecided":
        names = opposing(rows)
        end = f"the data show that {ahead} is better than {behind}"
    else:
        names = decisive(rows, verdict)
        end = f"the data do not show that {ahead} is better than {behind}"
        if verdict == "equivalent":
            end = f"the data do not show that {ahead} and {behind} are equivalent"
    if not names:
        return []
    who = f"the speakers {_list(names)}" if len(names) <= MAX_NAMES else f"{len(names):,} speakers"
    who = f"speaker {names[0]}" if len(names) == 1 else f"any one of {who}"
    return [f"If {who} is left out, {end}."]


def _counts(study: Study, a: str, b: str) -> list[str]:
    """Count the speakers for whom either model is better, by accuracy or mean absolute error."""
    rows = _pair(study, a, b)
    rows = rows[(rows["metric"] == study.metric) & rows["known"].astype(bool)]
    if len(rows) < 2:
        return []
    first = rows.iloc[0]
    gains = rows["contribution"] * (1 if study.measure.rises else -1)
    ahead, behind = first["model_b"], first["model_a"]
    if gains.sum() < 0:
        gains, ahead, behind = -gains, behind, ahead
    better, worse = int((gains > 0).sum()), rows.loc[gains < 0, "speaker"].to_list()
    of = (
        f"{better} of the {len(rows):,} speakers"
        if better < len(rows)
        else f"all {better:,} speakers"
    )
    if study.classification:
        what, other = f"{ahead} makes fewer errors than {behind} for {of}", "more"
    else:
        what, other = f"The errors of {ahead} are smaller than those of {behind} for {of}", "larger"
    if worse:
        names = f" ({_list(worse)})" if len(worse) <= MAX_NAMES else ""
        what += f", and {other} for {len(worse)}{names}"
    if first["difference"] and better and (rows["share"] <= HALF).all():
        what += "; no speaker makes more than half of the difference"
    return [f"{what}."]


def _behind(measure: Measure, difference: float) -> str:
    """How far a model is behind, given the difference without the speakers who carry it."""
    size = measure.change(difference)
    return f"behind by {size}" if any(digit in size for digit in "123456789") else "not ahead"


def _numbered(names: list[str]) -> str:
    """Number and name speakers: `two speakers, 03 and 16`."""
    many = WORDS[len(names)] if len(names) < len(WORDS) else f"{len(names):,}"
    speakers = "speaker" if len(names) == 1 else "speakers"
    return f"{many} {speakers}, {_list(names)}" if len(names) <= MAX_NAMES else f"{many} {speakers}"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def speaker_chart(study: Study) -> Drawing:
    """Draw the metric of each speaker and model.

    Args:
        study: the study

    Returns:
        the chart of all speakers, the worst first; of many speakers only the worst, which its note
        says
    """
    names = known_speakers(study)
    shown = names if len(names) <= MAX_DOTS else names[:WORST]
    rows = _ordered(study, shown)
    rows = scaled(rows, study.measure, ["value", "low", "high"])
    note = ""
    if len(shown) < len(names):
        note = (
            f"The {len(shown)} of {len(names):,} speakers with the most errors beyond their share."
        )
    return dots(
        rows.rename(columns={"speaker": "label", "model": "series"}),
        study.measure.label,
        f"{study.measure.label} of the speakers",
        styles={model.name: style(position) for position, model in enumerate(study.models)},
        digits=study.measure.digits,
        note=note,
    )


def histograms(study: Study) -> list[Drawing]:
    """Draw how the metric of the speakers is distributed, for each model.

    Args:
        study: the study

    Returns:
        the charts, with the metric of all utterances as a line; empty if `speaker_chart` shows all
        speakers
    """
    names = known_speakers(study)
    if len(names) <= MAX_DOTS:
        return []
    measure = study.measure
    rows = scaled(_ordered(study, names), measure, ["value"])
    edges = np.histogram_bin_edges(rows["value"], BINS)
    drawings = []
    for model in study.models:
        own = rows[rows["model"] == model.name]
        counts, _ = np.histogram(own["value"], edges)
        bins = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "count": counts})
        overall = float((own["value"] * own["support"]).sum() / own["support"].sum())
        title = f"{measure.label} of the speakers, {model.name}"
        drawings.append(histogram(bins, title, counts="Speakers", line=overall))
    return drawings


def _ordered(study: Study, names: list[str]) -> pd.DataFrame:
    """Rows of some known speakers in the given order, models in the order of the config."""
    table = study.speaker_table
    table = table[table["known"].astype(bool) & table["speaker"].isin(names)]
    speakers = {name: place for place, name in enumerate(names)}
    models = {model.name: place for place, model in enumerate(study.models)}
    order = np.lexsort((table["model"].map(models), table["speaker"].map(speakers)))
    return table.iloc[order]


def spread(study: Study, model: str) -> Cell:
    """Make the cell of how the metric of a model differs between speakers.

    Args:
        study: the study
        model: id of a model or reference

    Returns:
        the range of the middle half of the known speakers, with the worst and the best one as a
        note; a dash if there are fewer than four known speakers
    """
    table = study.speaker_table
    own = table.loc[(table["model"] == model) & table["known"].astype(bool), "value"]
    if len(own) < MIN_QUARTILES:
        return Cell(NONE)
    ends = own.quantile([0, 0.25, 0.75, 1]).to_list()
    low, first, third, high = (study.measure.number(value) for value in ends)
    return number(f"{first} to {third}", ends[2] - ends[1], note=f"all: {low} to {high}")


def result_table(study: Study) -> Table:
    """Make the table of speakers, those with the most errors beyond their share first.

    Args:
        study: the study

    Returns:
        one row per speaker, and one for all unknown speakers
    """
    measure, table = study.measure, study.speaker_table
    names = known_speakers(study)
    listed = [(name, True) for name in names[:MAX_ROWS]]
    listed += [(UNKNOWN, False)] if not table["known"].astype(bool).all() else []
    columns = [Column("Speaker", number=False), Column("Utter\u00adances")]
    for position, model in enumerate(study.models):
        columns.append(Column(model.name, measure.unit, model=position))
        columns.append(
            Column(
                "Errors" if study.classification else "Share of errors",
                meaning=f"errors of {model.name}, and their share of all its errors",
                model=position,
            )
        )
    rows = []
    by_speaker = dict(iter(table.groupby(["speaker", "known"], sort=False)))
    for name, known in listed:
        own = by_speaker[name, known].set_index("model")
        cells = [Cell(name), count(own["support"].max())]
        for model in study.models:
            scored = model.name in own.index
            cells += _results(study, own.loc[model.name]) if scored else [Cell(NONE), Cell(NONE)]
        rows.append(cells)
    return Table(_caption("Speakers, with 95 % intervals", len(names)), columns, rows)


def _results(study: Study, row: pd.Series) -> list[Cell]:
    """Cells of the metric and the errors of a speaker and model."""
    edges = study.measure.interval(row["low"], row["high"])
    value = number(study.measure.number(row["value"]), row["value"], note=edges)
    part = share(row["share_of_errors"])
    if not study.classification:
        return [value, number(part, row["share_of_errors"])]
    return [value, count(row["errors"], note=part if row["errors"] else "")]


def _caption(text: str, total: int) -> str:
    """A caption that says how many of the known speakers a table lists."""
    return text if total <= MAX_ROWS else f"{text} (the first {MAX_ROWS} of {total:,})"


def difference_table(study: Study) -> Table:
    """Make the table of what speakers contribute to the differences of models.

    Args:
        study: the study

    Returns:
        one row per pair of models, metric and speaker, the largest contribution first
    """
    columns = [
        Column("Models", number=False, meaning="the second model minus the first"),
        Column("Metric", number=False),
        Column("Speaker", number=False),
        Column("Contri\u00adbution", meaning="what the speaker contributes to the difference"),
        Column("Share", meaning="share of the difference"),
        Column("Without", meaning="difference without this speaker, with 95 % interval"),
        Column("Verdict", number=False, meaning="second model without this speaker"),
    ]
    table = study.speaker_pairs
    order = table.assign(size=table["contribution"].abs())
    pairs = ["metric", "model_a", "model_b"]
    rows = []
    for (metric, a, b), own in order.groupby(pairs, sort=False):
        measure = study.measures[metric]
        largest = own.sort_values(["size", "speaker"], ascending=[False, True])
        for _, row in largest.head(MAX_ROWS).iterrows():
            contribution, without = row["contribution"], row["without"]
            rows.append(
                [
                    Cell(f"{b} minus {a}"),
                    Cell(measure.title),
                    Cell(row["speaker"]),
                    number(measure.signed(contribution), contribution),
                    number(f"{decimal(100 * row['share'], 0)} %", row["share"]),
                    number(
                        measure.signed(without),
                        without,
                        note=measure.interval(row["low"], row["high"]),
                    ),
                    Cell(row["verdict"], mark=f"verdict-{row['verdict']}"),
                ]
            )
    total = len(known_speakers(study))
    return Table(_caption("What speakers contribute to differences", total), columns, rows)
