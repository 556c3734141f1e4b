"""Limits of the data: failures, labels, durations, speakers of the slices."""

import numpy as np
import pandas as pd

from voxslice.conditions import as_text, category_order, is_numeric
from voxslice.report.drawing import Drawing, histogram
from voxslice.report.numbers import counted, share
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, count, model_cell, number, plain
from voxslice.scores.bootstrap import FEW_SPEAKERS

FAILURES_SHOWN = 20
LABEL_BINS = 24
LABEL, DURATION = "label", "duration"


def distributions(study: Study) -> pd.DataFrame:
    """Distribution of the labels and durations.

    Returns:
        `of` (`label`, `duration`), `name` (of a label), `from` and `to` (of a bin of numbers),
        `utterances`, `speakers` (missing where they are not known)
    """
    metadata = study.metadata
    column = metadata[study.target]
    parts = [_bins(metadata, column) if is_numeric(column) else _names(metadata, column)]
    parts[0]["of"] = LABEL
    if len(study.durations):
        heard = metadata.loc[study.durations.index]
        parts.append(_bins(heard, study.durations).assign(of=DURATION))
    table = pd.concat(parts, ignore_index=True)
    columns = ["of", "name", "from", "to", "utterances", "speakers"]
    return table.reindex(columns=columns).astype({"speakers": "Int64"})


def _names(metadata: pd.DataFrame, column: pd.Series) -> pd.DataFrame:
    text = as_text(column)
    names = category_order(column)
    rows = [{"name": name, **_counted(metadata, np.asarray(text == name))} for name in names]
    return pd.DataFrame(rows)


def _bins(metadata: pd.DataFrame, column: pd.Series) -> pd.DataFrame:
    values = column.astype(float).to_numpy()
    known = values[np.isfinite(values)]
    whole = bool(np.all(known == np.round(known))) and np.ptp(known) < 2 * LABEL_BINS
    if whole:  # numbers such as years: each bar holds as many of them
        wide = max(int(np.ceil((np.ptp(known) + 1) / LABEL_BINS)), 1)
        ends = np.arange(known.min(), known.max() + wide + 1, wide)
    else:
        ends = np.histogram_bin_edges(known, bins=LABEL_BINS)
    place = np.clip(np.searchsorted(ends, values, side="right") - 1, 0, len(ends) - 2)
    place[~np.isfinite(values)] = -1
    rows = [
        {"from": ends[i], "to": ends[i + 1], **_counted(metadata, place == i)}
        for i in range(len(ends) - 1)
    ]
    return pd.DataFrame(rows)


def _counted(metadata: pd.DataFrame, mask: np.ndarray) -> dict[str, object]:
    known = metadata.loc[mask, "speaker"].nunique() if "speaker" in metadata else None
    return {"utterances": int(mask.sum()), "speakers": known}


def label_table(study: Study, table: pd.DataFrame) -> Table | None:
    """Utterances and speakers of each true label; None if labels are numbers."""
    rows = table[(table["of"] == LABEL) & table["name"].notna()]
    if not len(rows):
        return None
    columns = [Column(study.target, number=False), Column("Utterances"), Column("Share", "%")]
    columns += [Column("Speakers")] if study.speakers is not None else []
    total = rows["utterances"].sum()
    shown = []
    for _, row in rows.iterrows():
        part = row["utterances"] / total
        cells = [plain(row["name"]), count(row["utterances"]), number(f"{100 * part:.1f}", part)]
        shown.append(cells + ([count(row["speakers"])] if study.speakers is not None else []))
    return Table("True labels", columns, shown)


def distribution_chart(study: Study, table: pd.DataFrame, of: str) -> Drawing | None:
    """Histogram of the labels or durations; None for names and for a single value.

    Args:
        study: the study
        table: as `distributions` gives it
        of: `label` or `duration`
    """
    rows = table[(table["of"] == of) & table["from"].notna()]
    if (rows["utterances"] > 0).sum() < 2:
        return None
    bins = rows.rename(columns={"from": "low", "to": "high", "utterances": "count"})
    if of == LABEL:
        unit = f" ({study.unit})" if study.unit else ""
        return histogram(bins, f"True {study.target}{unit}")
    return histogram(bins, "Duration (s)", line=study.shortest)


def duration_sentence(study: Study) -> str:
    """Durations of the utterances, and how many are shorter than the config's limit."""
    values = study.durations
    if not len(values):
        return "not known, as there is no audio."
    low, middle, high = (f"{value:,.3g}" for value in values.quantile([0, 0.5, 1]))
    text = f"{low} to {high} s, half of them up to {middle} s" if low != high else f"all {low} s"
    short = int((values < study.shortest).sum())
    if not short:
        return f"{text}; none is shorter than {study.shortest:g} s."
    return (
        f"{text}; {short:,} of {len(values):,} ({share(short / len(values))}) are shorter than"
        f" {study.shortest:g} s."
    )


def speaker_sentence(study: Study) -> str:
    """How many slices have few speakers."""
    slices = pd.concat(
        [model.slices[["slice", "speakers"]] for model in study.models]
    ).drop_duplicates("slice")
    if study.speakers is None or not len(slices):
        return ""
    few = int((slices["speakers"].astype(float) < FEW_SPEAKERS).sum())
    told = f"The data hold {counted(study.speakers, 'speaker')}. "
    if not few:
        return (
            told + f"Every slice holds at least {FEW_SPEAKERS}; the tables above give the number."
        )
    return told + (
        f"{few} of the {counted(len(slices), 'slice')} {'holds' if few == 1 else 'hold'} fewer than"
        f" {FEW_SPEAKERS}; the tables above give the number of each."
    )


def failure_table(study: Study) -> tuple[Table | None, int]:
    """The first utterances that could not be scored, and the number of further ones."""
    total = sum(len(model.failures) for model in study.models)
    if not total:
        return None, 0
    columns = [Column(name, number=False) for name in ("Model", "File", "Reason")]
    rows: list[list[Cell]] = []
    for model in study.models:
        for _, row in model.failures.head(FAILURES_SHOWN - len(rows)).iterrows():
            file = Cell(str(row["file"]), mark="long")
            rows.append([model_cell(study, model.name), file, plain(row["reason"])])
    return Table("Utterances that could not be scored", columns, rows), total - len(rows)
