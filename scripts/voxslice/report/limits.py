"""The section on data and limits: failures, labels, speakers and durations."""

import numpy as np
import pandas as pd

from voxslice.report.drawing import Drawing, histogram
from voxslice.report.numbers import counted, share
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, count, model_cell, number, plain
from voxslice.rule_conditions import as_text, category_order, is_numeric
from voxslice.scores.bootstrap import FEW_SPEAKERS

FAILURES_SHOWN = 20
LABEL_BINS = 24
LABEL, DURATION = "label", "duration"


def distributions(study: Study) -> pd.DataFrame:
    """Count utterances and speakers by label and by duration.

    Args:
        study: the study

    Returns:
        one row per label or bin of numbers: `of` (`label` or `duration`), `name` (the label;
        missing for a bin), `from` and `to` (limits of a bin; missing for a label), `utterances` and
        `speakers` (missing if speakers are not known)
    """
    metadata = study.metadata
    column = metadata[study.target]
    parts = [_bins(metadata, column) if is_numeric(column) else _names(metadata, column)]
    parts[0]["of"] = LABEL
    if len(study.durations):
        with_audio = metadata.loc[study.durations.index]
        parts.append(_bins(with_audio, study.durations).assign(of=DURATION))
    table = pd.concat(parts, ignore_index=True)
    columns = ["of", "name", "from", "to", "utterances", "speakers"]
    return table.reindex(columns=columns).astype({"speakers": "Int64"})


def _names(metadata: pd.DataFrame, column: pd.Series) -> pd.DataFrame:
    """Count utterances and speakers of each category of a column."""
    text = as_text(column)
    names = category_order(column)
    rows = [{"name": name, **_counted(metadata, np.asarray(text == name))} for name in names]
    return pd.DataFrame(rows)


def _bins(metadata: pd.DataFrame, column: pd.Series) -> pd.DataFrame:
    """Count utterances and speakers in bins of equal width of a numeric column."""
    values = column.astype(float).to_numpy()
    finite = values[np.isfinite(values)]
    whole = bool(np.all(finite == np.round(finite))) and np.ptp(finite) < 2 * LABEL_BINS
    if whole:  # each bin contains the same number of whole numbers, such as years
        width = max(int(np.ceil((np.ptp(finite) + 1) / LABEL_BINS)), 1)
        edges = np.arange(finite.min(), finite.max() + width + 1, width)
    else:
        edges = np.histogram_bin_edges(finite, bins=LABEL_BINS)
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    bins[~np.isfinite(values)] = -1
    rows = [
        {"from": edges[i], "to": edges[i + 1], **_counted(metadata, bins == i)}
        for i in range(len(edges) - 1)
    ]
    return pd.DataFrame(rows)


def _counted(metadata: pd.DataFrame, mask: np.ndarray) -> dict[str, object]:
    speakers = metadata.loc[mask, "speaker"].nunique() if "speaker" in metadata else None
    return {"utterances": int(mask.sum()), "speakers": speakers}


def label_table(study: Study, table: pd.DataFrame) -> Table | None:
    """Make the table of utterances and speakers by true label.

    Args:
        study: the study
        table: distributions, as `distributions` returns them

    Returns:
        one row per label; None if labels are numbers
    """
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
    """Draw a histogram of the labels or durations.

    Args:
        study: the study
        table: distributions, as `distributions` returns them
        of: `label` or `duration`

    Returns:
        the chart; None if labels are not numbers, or if all values are in one bin
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
    """Describe the durations of the utterances.

    Args:
        study: the study

    Returns:
        range and median, and how many utterances are shorter than the limit in the config
    """
    values = study.durations
    if not len(values):
        return "The durations are not known, because there is no audio."
    low, median, high = (f"{value:,.3g}" for value in values.quantile([0, 0.5, 1]))
    if low == high:
        text = f"All durations are {low} s."
    else:
        text = f"The durations range from {low} to {high} s, with a median of {median} s."
    short = int((values < study.shortest).sum())
    if not short:
        return f"{text} No utterance is shorter than {study.shortest:g} s."
    return (
        f"{text} {short:,} of {counted(len(values), 'utterance')} ({share(short / len(values))})"
        f" {'is' if short == 1 else 'are'} shorter than {study.shortest:g} s."
    )


def speaker_sentence(study: Study) -> str:
    """State the number of speakers, and how many slices have few speakers.

    Args:
        study: the study

    Returns:
        the sentences; empty if speakers are not known or there is no slice
    """
    slices = pd.concat(
        [model.slices[["slice", "speakers"]] for model in study.models]
    ).drop_duplicates("slice")
    if study.speakers is None or not len(slices):
        return ""
    few = int((slices["speakers"].astype(float) < FEW_SPEAKERS).sum())
    sentence = f"The dataset has {counted(study.speakers, 'speaker')}. "
    if not few:
        return sentence + f"Every slice has at least {FEW_SPEAKERS} speakers."
    return sentence + (
        f"{few} of {counted(len(slices), 'slice')} {'has' if few == 1 else 'have'} fewer than"
        f" {FEW_SPEAKERS} speakers."
    )


def failure_table(study: Study) -> tuple[Table | None, int]:
    """Make the table of utterances that could not be scored.

    Args:
        study: the study

    Returns:
        the first utterances, or None if all were scored; and the number of utterances that the
        table leaves out
    """
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
