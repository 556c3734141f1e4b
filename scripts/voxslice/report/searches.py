"""What the report and the index tell about the number of searches of the study."""

from math import ceil

import pandas as pd

from voxslice.report.numbers import probability, share
from voxslice.report.study import Model, Study
from voxslice.slices.certificates import SIZES
from voxslice.slices.table import LIMIT_COLUMNS


def searches_sentence(searches: pd.DataFrame) -> str:
    """State the chance of a false finding somewhere in the study.

    Args:
        searches: the searches of the study, see `voxslice.slices.study_level`

    Returns:
        the sentence; empty if no search tested anything
    """
    tested = searches[searches["q_study"].notna()]
    if not len(tested):
        return ""
    number = "one search" if len(tested) == 1 else f"{len(tested)} searches"
    return (
        f"With {number} in the study, the chance of a finding in any search without a true slice is"
        f" at most {share(float(tested['level'].iloc[0]))}."
    )


def only_in_search(searches: pd.DataFrame, dataset: str, task: str, row: pd.Series) -> str:
    """Explain why a mode that a search confirms does not count in the study.

    Args:
        searches: the searches of the study
        dataset: id of the dataset
        task: id of the task
        row: row of the mode and a model, with `confirmed_by`

    Returns:
        the sentence
    """
    own = searches["search"].isin(str(row["confirmed_by"]).split(", "))
    for name, value in (("dataset", dataset), ("task", task), ("model", row["model"])):
        own &= searches[name] == value
    return (
        "Its own search confirms it. It is not confirmed here, since all"
        f" {int(searches['q_study'].notna().sum())} searches of the study count"
        f" (q = {probability(float(searches.loc[own, 'q_study'].min()))})."
    )


def ruled_out(study: Study, model: Model) -> str:
    """State how much worse a group can be that the largest search of a model has not confirmed.

    Args:
        study: the study
        model: the model

    Returns:
        the sentence; empty if no search has such a limit
    """
    table = model.searches
    table = table[table[LIMIT_COLUMNS].notna().any(axis=1)]
    if not len(table):
        return ""
    row = table.loc[table["searched"].astype(float).idxmax()]
    sizes = [
        (ceil(size * len(model.scores)), study.measure.change(float(row[name])))
        for size, name in zip(SIZES, LIMIT_COLUMNS, strict=True)
        if pd.notna(row[name])
    ]
    (number, limit), *others = sizes
    more = "; ".join(f"{n:,} utterances: {change}" for n, change in others)
    return (
        f"With 95 % confidence, no group of at least {number:,} utterances that the search"
        f" {row['search']} judged is worse than the rest by more than {limit}"
        f"{f' ({more})' if more else ''}."
    )
