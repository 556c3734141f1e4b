"""What is known of each slice: rule, size, the metric inside and outside, and how sure it is."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from voxslice.sampling import sampled
from voxslice.slices.describe import describe
from voxslice.slices.drop_intervals import drop_interval
from voxslice.slices.search import find_slices
from voxslice.speakers import count_speakers
from voxslice.task import Task
from voxslice.utterance_keys import KEY

SLICE_COLUMNS = [
    "slice", "finder", "search", "rule", "precision", "recall", "support", "speakers", "value",
    "rest", "drop", "low", "high", "p", "q", "evidence", "confirmed", "searched", "stability",
    "note",
]  # fmt: skip

SEARCH_COLUMNS = ["search", "finder", "searched", "depth", "found", "confirmed"]

SPEAKER = "_speaker"  # no column of a dataset can be called that


def slice_id(keys: pd.DataFrame) -> str:
    """Name a slice after its utterances: the same slice has the same id wherever it is found."""
    rows = sorted(keys[KEY].itertuples(index=False, name=None))
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:8]


def summarise(
    members: np.ndarray, loss: np.ndarray, speakers: np.ndarray | None, task: Task
) -> dict[str, Any]:
    """Measure a slice.

    Args:
        members: mask of shape (utterances,)
        loss: of each utterance (0 right and 1 wrong, or absolute error)
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` gives them
        task: what is measured

    Returns:
        `support`, `speakers` (how many are named), `value` and `rest` (the metric inside and
        outside), `drop` (how much worse inside is than outside, positive where it is worse) and its
        95 % interval `low`, `high` (`voxslice.slice_intervals.drop_interval`); missing where one
        side is empty
    """
    count = None if speakers is None else count_speakers(speakers[members])
    summary = {"support": int(members.sum()), "speakers": count}
    inside = float(loss[members].mean()) if members.any() else np.nan
    outside = float(loss[~members].mean()) if not members.all() else np.nan
    low, high = np.nan, np.nan
    if members.any() and not members.all():
        codes = None if speakers is None else np.unique(speakers, return_inverse=True)[1]
        low, high = drop_interval(loss, members, codes)
    return summary | {
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
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Search the metadata for slices of one model and put them beside those that were suggested.

    Args:
        scores: as `voxslice.scores` gives them
        table: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` gives them
        suggestions: `search`, `number` and what verification said of each suggested slice
        suggested: `search`, `number` and the keys of each suggested slice's utterances
        searches: settings of each search (`finder`, `features`, ...); where sliceguard looked at a
            `sample`, the figures of its slices are of that sample
        task: what is measured
        columns: of the metadata; rules of embedding searches may name any but the speaker
        alpha: level at which a slice is confirmed
        seed: of the search

    Returns:
        the slices in the columns of `SLICE_COLUMNS`, best first within a search; the keys of their
        utterances (`slice`, `file`, `start`, `end`); and one row per search in the columns of
        `SEARCH_COLUMNS`: how many rules of up to how many conditions (`depth`) were searched, also
        where nothing was found
    """
    loss = scores["loss"].to_numpy()
    everyone = np.arange(len(scores))
    positions = pd.Series(everyone, pd.MultiIndex.from_frame(scores[KEY]))
    rows: list[dict[str, Any]] = []
    summaries: list[dict[str, Any]] = []
    members = [scores[KEY].iloc[:0].assign(slice=pd.Series(dtype=str))]
    for name, search in searches.items():
        looked: dict[str, int | None] = {"searched": None, "depth": None}
        if search["finder"] == "subgroups":
            looked_at = everyone
            found, looked = _search(table, loss, speakers, search, alpha, seed)
        else:
            named = [column for column in columns if column != "speaker"]
            looked_at = sampled(len(scores), search["sample"], seed)
            found = _describe(
                table,
                suggestions[suggestions["search"] == name],
                suggested[suggested["search"] == name],
                positions,
                looked_at,
                named if "embedding_of" in search else search["features"],
            )
        for mask, known in found:
            row = {"slice": slice_id(scores[mask]), "finder": search["finder"], "search": name}
            # the members that a sample left out are not known: they must not count as the rest
            rows.append(
                row
                | known
                | summarise(
                    mask[looked_at],
                    loss[looked_at],
                    None if speakers is None else speakers[looked_at],
                    task,
                )
            )
            members.append(scores.loc[mask, KEY].assign(slice=row["slice"]))
        confirmed = sum(bool(known["confirmed"]) for _, known in found)
        counts = {"found": len(found), "confirmed": confirmed}
        summaries.append({"search": name, "finder": search["finder"]} | looked | counts)
    slices = pd.DataFrame(rows, columns=SLICE_COLUMNS)
    for name in ("speakers", "searched"):
        slices[name] = slices[name].astype("Int64")
    # a slice that two searches found stands once among the members
    keys = pd.concat(members, ignore_index=True).drop_duplicates(ignore_index=True)
    counted = pd.DataFrame(summaries, columns=SEARCH_COLUMNS)
    counted = counted.astype({"searched": "Int64", "depth": "Int64"})
    return slices, keys[["slice", *KEY]], counted


def _search(
    table: pd.DataFrame,
    loss: np.ndarray,
    speakers: np.ndarray | None,
    search: Mapping[str, Any],
    alpha: float,
    seed: int,
) -> tuple[list[tuple[np.ndarray, dict[str, Any]]], dict[str, int | None]]:
    """Slices that a search of the metadata finds, what it says of them, and of the search."""
    columns = ["rule", "p", "q", "evidence", "confirmed", "note"]
    if speakers is not None:
        table = table.assign(**{SPEAKER: speakers})
    found = find_slices(
        table,
        loss,
        search["features"],
        None if speakers is None else SPEAKER,
        depth=search["depth"],
        min_support=search["min_support"],
        alpha=alpha,
        seed=seed,
    )
    slices = []
    for row in found.slices.to_dict(orient="records"):
        mask = np.zeros(len(table), dtype=bool)
        mask[row["rows"]] = True
        exact = {"precision": 1.0, "recall": 1.0, "searched": found.searched}
        slices.append((mask, {name: row[name] for name in columns} | exact))
    return slices, {"searched": found.searched, "depth": found.depth}


def _describe(
    table: pd.DataFrame,
    suggestions: pd.DataFrame,
    suggested: pd.DataFrame,
    positions: pd.Series,
    looked_at: np.ndarray,
    features: Sequence[str],
) -> list[tuple[np.ndarray, dict[str, Any]]]:
    """Masks of suggested slices, a rule that describes each, and what verification says of it."""
    known = ["p", "q", "evidence", "confirmed", "stability", "note"]
    part = table.iloc[looked_at].reset_index(drop=True)
    slices = []
    for row in suggestions.to_dict(orient="records"):
        keys = suggested.loc[suggested["number"] == row["number"], KEY]
        mask = np.zeros(len(table), dtype=bool)
        mask[positions[pd.MultiIndex.from_frame(keys)]] = True
        rule = describe(mask[looked_at], part, features)
        said = {"rule": rule.text, "precision": rule.precision, "recall": rule.recall}
        said |= {name: row[name] for name in known}
        if len(part) < len(table):
            notes = [said["note"]] if isinstance(said["note"], str) and said["note"] else []
            notes.append(f"in a sample of {len(part):,} of {len(table):,} utterances")
            said["note"] = "; ".join(notes)
        slices.append((mask, said))
    return slices
