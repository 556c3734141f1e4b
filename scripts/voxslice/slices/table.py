"""The table of slices of a model: rule, size, the metric inside and outside, and the evidence."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from voxslice.sampling import sampled
from voxslice.slices.certificates import SIZES
from voxslice.slices.corrected_drops import NOT_CORRECTED, corrected_slice
from voxslice.slices.describe import describe
from voxslice.slices.drop_intervals import drop_interval
from voxslice.slices.search import find_slices
from voxslice.slices.units import equal_copies
from voxslice.speakers import count_speakers
from voxslice.task import Task
from voxslice.units import COPIES, number_overlaps, with_copies
from voxslice.utterance_keys import KEY

SLICE_COLUMNS = [
    "slice", "finder", "search", "rule", "precision", "recall", "support", "speakers", "value",
    "rest", "drop", "low", "high", "corrected", "corrected_low", "corrected_high", "detectable",
    "p", "q", "evidence", "confirmed", "searched", "stability", "note",
]  # fmt: skip

LIMIT_COLUMNS = [f"limit_{round(100 * share)}" for share in SIZES]
SEARCH_COLUMNS = [
    "search", "finder", "searched", "depth", "found", "confirmed", "p", *LIMIT_COLUMNS,
    "utterances",
]  # fmt: skip

# no column of a dataset can have these names
SPEAKER, OVERLAP, EQUAL_COPIES = "_speaker", "_overlap", "_equal_copies"


@dataclass(frozen=True)
class SliceTables:
    """The slices of a model.

    Attributes:
        slices: one row per slice, in the columns `SLICE_COLUMNS`, best first within a search
        members: `slice` and the keys of the utterances of each slice
        searches: one row per search, in the columns `SEARCH_COLUMNS`: how many rules of up to how
            many conditions (`depth`) were searched, also if no slice was found, the p-value of the
            search, and how much worse a group of some size may be (see
            `voxslice.slices.search.Found`), and how many utterances were searched
    """

    slices: pd.DataFrame
    members: pd.DataFrame
    searches: pd.DataFrame


@dataclass(frozen=True)
class _Slice:
    """A slice before it is measured: the mask of its utterances, and columns of `SLICE_COLUMNS`."""

    members: np.ndarray
    columns: dict[str, Any]


def slice_id(keys: pd.DataFrame) -> str:
    """Name a slice after its utterances, so that the same slice always has the same id.

    Args:
        keys: keys of the utterances in any order

    Returns:
        8 hexadecimal digits
    """
    rows = sorted(keys[KEY].itertuples(index=False, name=None))
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:8]


def summarise(
    members: np.ndarray, loss: np.ndarray, speakers: np.ndarray | None, task: Task
) -> dict[str, Any]:
    """Measure a slice.

    Args:
        members: mask of shape (utterances,)
        loss: loss of each utterance (0 right and 1 wrong, or absolute error)
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them
        task: what is measured

    Returns:
        `support`, `speakers` (number of known ones), `value` and `rest` (the metric inside and
        outside), `drop` (how much worse it is inside) and its 95 % interval `low`, `high` (see
        `voxslice.slices.drop_intervals`); missing if one side is empty
    """
    count = None if speakers is None else count_speakers(speakers[members])
    inside = float(loss[members].mean()) if members.any() else np.nan
    outside = float(loss[~members].mean()) if not members.all() else np.nan
    low, high = np.nan, np.nan
    if members.any() and not members.all():
        clusters = None if speakers is None else np.unique(speakers, return_inverse=True)[1]
        low, high = drop_interval(loss, members, clusters)
    return {
        "support": int(members.sum()),
        "speakers": count,
        "value": task.metric_of(inside),
        "rest": task.metric_of(outside),
        "drop": inside - outside,
        "low": low,
        "high": high,
    }


def tabulate_slices(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    speakers: np.ndarray | None,
    suggestions: pd.DataFrame,
    suggested: pd.DataFrame,
    searches: Mapping[str, Mapping[str, Any]],
    *,
    task: Task,
    columns: Sequence[str],
    alpha: float,
    seed: int,
    units: Sequence[str] = (),
) -> SliceTables:
    """Search the metadata for slices of a model, and combine them with those sliceguard suggested.

    Args:
        scores: scores of the model, as `voxslice.scores.scores` computes them
        table: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them
        suggestions: `search`, `number` and the test result of each suggested slice
        suggested: `search`, `number` and the keys of each suggested slice's utterances
        searches: settings of each search (`finder`, `features`, ...). If sliceguard clustered a
            `sample`, its slices are measured on that sample
        task: what is measured
        columns: columns of the metadata; rules of searches in an embedding may use any of them
            except the speaker
        alpha: level at which a slice is confirmed
        seed: seed of the search
        units: columns of the metadata that name units beside the speaker, see
            `voxslice.slices.units`. Exact copies, and segments of a file that overlap, are units
            without a name

    Returns:
        the slices, their members and the searches
    """
    units = with_copies(units, table)
    overlaps = number_overlaps(scores)
    if overlaps is not None:
        table, units = table.assign(**{OVERLAP: overlaps}), [*units, OVERLAP]
    loss = scores["loss"].to_numpy()
    everyone = np.arange(len(scores))
    positions = pd.Series(everyone, pd.MultiIndex.from_frame(scores[KEY]))
    rows: list[dict[str, Any]] = []
    summaries: list[dict[str, Any]] = []
    members = [scores[KEY].iloc[:0].assign(slice=pd.Series(dtype=str))]
    for name, search in searches.items():
        searched: dict[str, Any] = {"searched": None, "depth": None}
        sample = everyone
        if search["finder"] == "subgroups":
            slices, searched = _search(table, loss, speakers, search, alpha, seed, units)
        else:
            named = [column for column in columns if column != "speaker"]
            sample = sampled(len(scores), search["sample"], seed)
            slices = _describe(
                table,
                suggestions[suggestions["search"] == name],
                suggested[suggested["search"] == name],
                positions,
                sample,
                named if "embedding_of" in search else search["features"],
            )
        # members outside the sample are not known, so that they must not count as the rest
        of_sample = None if speakers is None else speakers[sample]
        for part in slices:
            row = {"slice": slice_id(scores[part.members]), "finder": search["finder"]}
            row |= {"search": name} | part.columns
            row |= summarise(part.members[sample], loss[sample], of_sample, task)
            rows.append(row | _corrected(part, loss, speakers))
            members.append(scores.loc[part.members, KEY].assign(slice=row["slice"]))
        confirmed = sum(bool(part.columns["confirmed"]) for part in slices)
        counts = {"found": len(slices), "confirmed": confirmed, "utterances": len(sample)}
        # sliceguard's q is adjusted for all of its suggestions, so that the smallest one counts
        smallest = pd.Series([part.columns["q"] for part in slices], dtype=float).min()
        p = {"p": 1.0 if np.isnan(smallest) else smallest}
        summaries.append({"search": name, "finder": search["finder"]} | p | searched | counts)
    # a slice that two searches found is listed once among the members
    keys = pd.concat(members, ignore_index=True).drop_duplicates(ignore_index=True)
    whole = dict.fromkeys(("speakers", "searched"), "Int64")
    return SliceTables(
        pd.DataFrame(rows, columns=SLICE_COLUMNS).astype(whole),
        keys[["slice", *KEY]],
        pd.DataFrame(summaries, columns=SEARCH_COLUMNS).astype(
            {"searched": "Int64", "depth": "Int64"}
        ),
    )


def _search(
    table: pd.DataFrame,
    loss: np.ndarray,
    speakers: np.ndarray | None,
    search: Mapping[str, Any],
    alpha: float,
    seed: int,
    units: Sequence[str],
) -> tuple[list[_Slice], dict[str, Any]]:
    """Search the metadata; return the slices, and the size and the p-value of the search.

    Of exact copies with equal features and losses, the search uses one.
    """
    known = list(search["features"])
    if speakers is not None:
        table, known = table.assign(**{SPEAKER: speakers}), [*known, SPEAKER]
    if COPIES in table:
        table = table.assign(**{EQUAL_COPIES: equal_copies(table, loss, known)})
        units = [EQUAL_COPIES, *units]
    found = find_slices(
        table,
        loss,
        search["features"],
        None if speakers is None else SPEAKER,
        depth=search["depth"],
        min_support=search["min_support"],
        alpha=alpha,
        seed=seed,
        units=units,
    )
    slices = []
    for columns in found.slices.to_dict(orient="records"):
        members = np.zeros(len(table), dtype=bool)
        members[columns.pop("rows")] = True
        columns |= {"precision": 1.0, "recall": 1.0, "searched": found.searched}
        slices.append(_Slice(members, columns))
    limits = dict(zip(LIMIT_COLUMNS, found.limits, strict=True))
    return slices, {"searched": found.searched, "depth": found.depth, "p": found.p} | limits


def _corrected(part: _Slice, loss: np.ndarray, speakers: np.ndarray | None) -> dict[str, float]:
    """The corrected drop of a confirmed slice whose smallest confirmed drop is known."""
    columns = part.columns
    found = NOT_CORRECTED
    if columns["confirmed"]:
        least = columns.get("detectable", np.nan)
        found = corrected_slice(loss, part.members, speakers, columns["evidence"], least)
    return {
        "corrected": found.value, "corrected_low": found.low, "corrected_high": found.high
    }  # fmt: skip


def _describe(
    table: pd.DataFrame,
    suggestions: pd.DataFrame,
    suggested: pd.DataFrame,
    positions: pd.Series,
    sample: np.ndarray,
    features: Sequence[str],
) -> list[_Slice]:
    """Describe suggested slices by rules, and add their test results."""
    tested = ["p", "q", "evidence", "confirmed", "stability", "note"]
    part = table.iloc[sample].reset_index(drop=True)
    slices = []
    for row in suggestions.to_dict(orient="records"):
        keys = suggested.loc[suggested["number"] == row["number"], KEY]
        members = np.zeros(len(table), dtype=bool)
        members[positions[pd.MultiIndex.from_frame(keys)]] = True
        rule = describe(members[sample], part, features)
        columns = {"rule": rule.text, "precision": rule.precision, "recall": rule.recall}
        columns |= {name: row[name] for name in tested}
        if len(part) < len(table):
            notes = [row["note"]] if isinstance(row["note"], str) and row["note"] else []
            notes.append(f"in a sample of {len(part):,} of {len(table):,} utterances")
            columns["note"] = "; ".join(notes)
        slices.append(_Slice(members, columns))
    return slices
