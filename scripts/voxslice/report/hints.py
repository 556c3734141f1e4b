"""Labels that models contradict, in the section "Is the data right?"."""

import pandas as pd

from voxslice.files import as_booleans
from voxslice.report.numbers import counted, probability, share
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, number
from voxslice.utterance_keys import KEY

MAX_HINTS = 20
"""Largest number of labels in the table of hints."""
TIMES = {"start": float, "end": float}
"""Types of the times in keys. A CSV table may hold whole numbers, and an empty table no type."""


def hint_sentences(study: Study) -> list[str]:
    """Say how many labels each model contradicts, and how many of them lie in its failure modes.

    Args:
        study: the study

    Returns:
        the sentences; none for a regression, whose labels are not checked
    """
    if not study.classification:
        return []
    hints = placed_hints(study.hints, study.modes, study.mode_members)
    sentences = []
    for model in study.models:
        own = hints[hints["model"] == model.name]
        if model.name in study.sources or not len(own):
            continue
        inside = int((own["mode"] != "").sum())
        text = (
            f"{model.name} contradicts {counted(len(own), 'label')}"
            f" ({share(len(own) / max(len(model.scores), 1))})."
        )
        if inside:
            them = f"{inside:,} of them ({share(inside / len(own))})"
            if inside == len(own):
                them = "It" if inside == 1 else "All of them"
            are = "is in a confirmed failure mode" if inside == 1 else (
                "are in confirmed failure modes")  # fmt: skip
            text += (
                f" {them} {are} of this model, where the model is more"
                " likely to be wrong than the label."
            )
        sentences.append(text)
    if not sentences:
        return []
    return [
        "Labels that a model contradicts are hints, not errors: the model was trained on other"
        " data and may be wrong.",
        *sentences,
    ]


def hint_table(study: Study) -> Table | None:
    """Make the table of the labels that models contradict.

    Args:
        study: the study

    Returns:
        one row per label, those that most models contradict first, then those in no failure mode;
        None if no model contradicts a label
    """
    rows = placed_hints(study.hints, study.modes, study.mode_members)
    if not len(rows):
        return None
    labels = rows.groupby(KEY, sort=False, as_index=False).agg(
        label=("label", "first"),
        models=("model", list),
        predictions=("prediction", list),
        modes=("mode", lambda modes: sorted({mode for mode in modes if mode}, key=int)),
        p=("p_label", "min"),
    )
    labels["count"] = labels["models"].str.len()
    labels["inside"] = labels["modes"].str.len() > 0
    labels = labels.sort_values(
        ["count", "inside", "p", *KEY], ascending=[False, True, True, True, True, True]
    )
    columns = [
        Column("File", number=False),
        Column("Label", number=False),
        Column("Contradicted by", number=False, meaning="model, and the class that it predicts"),
        Column("Probability", meaning="smallest probability of the label"),
        Column("Failure mode", number=False, meaning="confirmed mode of one of these models"),
    ]
    return Table(
        "Labels that models contradict"
        + (f", {MAX_HINTS} of {len(labels):,}" if len(labels) > MAX_HINTS else ""),
        columns,
        [
            [
                Cell(row.file, note=f"{row.start:.2f} to {row.end:.2f} s", mark="long"),
                Cell(row.label),
                Cell(
                    "; ".join(
                        f"{model}: {name}"
                        for model, name in zip(row.models, row.predictions, strict=True)
                    )
                ),
                number(probability(row.p), row.p),
                Cell(", ".join(row.modes)),
            ]
            for row in labels.head(MAX_HINTS).itertuples()
        ],
    )


def placed_hints(hints: pd.DataFrame, modes: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Find the failure mode of each hint.

    Args:
        hints: table `results/audit/{dataset}/{task}.hints.csv`
        modes: the failure modes, the worst first
        members: `mode` and the keys of the utterances of each mode

    Returns:
        the hints with the column `mode`: the first mode that is confirmed for the model and holds
        the utterance; empty if there is none
    """
    confirmed = modes.loc[as_booleans(modes["confirmed"]), ["mode", "model"]]
    order = confirmed.assign(rank=range(len(confirmed)))
    held = members.astype(TIMES).merge(order, on="mode").sort_values("rank", kind="stable")
    held = held.drop_duplicates([*KEY, "model"])[[*KEY, "model", "mode"]]
    placed = hints.astype(TIMES).merge(held, on=[*KEY, "model"], how="left")
    return placed.assign(mode=placed["mode"].fillna(""))
