"""Benchmark of failure modes: as many as were planted, and none where nothing was planted?

A case has 800 utterances of 40 speakers, whose error rates are drawn from Beta(1, 19). Two
disjoint groups are planted, each a pair of categories, with an error rate that is 40 to 60 points
higher. Three searches look at the case: `metadata` at the columns of the groups, `proxies` at
coarse and noisy versions of these columns, and `embedding` lets sliceguard cluster an embedding
that sees the first group. In the other cases nothing is planted.

    python bench/modes.py              # everything; writes bench/modes.csv and bench/modes.md
    python bench/modes.py --cases 4    # run a few cases and print the table
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

CASES = 200
SEED = 90_000
ROWS, SPEAKERS, WIDTH = 800, 40, 8
EMOTIONS = ["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"]
ACTIVE = ["anger", "disgust", "fear", "happiness"]
DEVICES = ["phone", "headset", "laptop", "studio"]
SEARCHES: dict[str, dict[str, Any]] = {
    "metadata": {"finder": "subgroups", "features": ["emotion", "device", "gender", "age"]},
    "proxies": {"finder": "subgroups", "features": ["activity", "quality", "pitch"]},
    "embedding": {"finder": "sliceguard", "features": [], "embedding_of": "other"},
}
DEFAULTS = {"depth": 3, "min_support": 10, "sample": 20_000}


@dataclass(frozen=True)
class Case:
    """A drawn case.

    Attributes:
        table: the metadata
        embedding: shape (utterances, 8)
        loss: 0 or 1 for each utterance
        planted: masks of the planted groups
    """

    table: pd.DataFrame
    embedding: np.ndarray
    loss: np.ndarray
    planted: list[np.ndarray]


def draw(number: int, groups: int) -> Case:
    """Draw a case.

    Args:
        number: number of the case, from 0
        groups: number of planted groups, 0 or 2

    Returns:
        the case
    """
    rng = np.random.default_rng([SEED, number, groups])
    who = np.sort(rng.integers(SPEAKERS, size=ROWS))
    gender = rng.permutation(np.repeat(["female", "male"], SPEAKERS // 2))[who]
    table = pd.DataFrame(
        {
            "file": [f"{i:05}.wav" for i in range(ROWS)],
            "start": 0.0,
            "end": 2.0,
            "speaker": [f"s{i:02}" for i in who],
            "gender": gender,
            "age": rng.integers(20, 70, SPEAKERS)[who],
            "emotion": rng.choice(EMOTIONS, ROWS),
            "device": rng.choice(DEVICES, ROWS),
        }
    )
    # coarse and noisy versions
    table["activity"] = np.where(table["emotion"].isin(ACTIVE), "active", "passive")
    cheap = table["device"].isin(["phone", "laptop"]) ^ (rng.random(ROWS) < 0.1)
    table["quality"] = np.where(cheap, "cheap", "good")
    table["pitch"] = (np.where(gender == "female", 200, 120) + rng.normal(0, 30, ROWS)).round()
    first, second = rng.choice(EMOTIONS, 2, replace=False)
    planted = [
        (table["emotion"] == first) & (table["device"] == rng.choice(DEVICES)),
        (table["emotion"] == second) & (table["gender"] == rng.choice(["female", "male"])),
    ]
    masks = [mask.to_numpy() for mask in planted[:groups]]
    rate = rng.beta(1, 19, SPEAKERS)[who]
    embedding = rng.normal(0, 1, (SPEAKERS, WIDTH))[who] * 0.5 + rng.normal(0, 1, (ROWS, WIDTH))
    for position, mask in enumerate(masks):
        rate = rate + rng.uniform(0.4, 0.6) * mask
        if position == 0:
            embedding += 4 * mask[:, None] * rng.normal(0, 1, WIDTH)
    return Case(table, embedding, (rng.random(ROWS) < rate).astype(float), masks)


def measure(number: int, groups: int) -> dict[str, Any]:
    """Search a case, and compare its confirmed modes with the planted groups.

    Args:
        number: number of the case, from 0
        groups: number of planted groups

    Returns:
        a record of the case
    """
    # imported here, since the import takes seconds
    from voxslice.modes.table import REST, find_modes
    from voxslice.slices.suggest import suggest_and_verify
    from voxslice.slices.table import tabulate_slices
    from voxslice.task import Task

    case = draw(number, groups)
    keys = ["file", "start", "end"]
    task = Task("classification", min_drop=0.1)
    wrong = np.where(case.loss > 0, "no", "yes")
    scores = case.table[keys].assign(label="yes", prediction=wrong, loss=case.loss)
    speakers = case.table["speaker"].to_numpy(dtype=str)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found, tested = suggest_and_verify(
            scores, case.table, speakers, [], case.embedding, task=task, min_support=10,
            stability_seeds=0, alpha=0.05, seed=number,
        )  # fmt: skip
    members = [
        case.table.loc[rows, keys].assign(search="embedding", number=i)
        for i, rows in enumerate(found)
    ]
    tables = tabulate_slices(
        scores,
        case.table,
        speakers,
        tested.assign(search="embedding", number=range(len(tested))),
        pd.concat([case.table[keys].iloc[:0].assign(search="", number=0), *members]),
        {name: DEFAULTS | search for name, search in SEARCHES.items()},
        task=task,
        columns=["speaker", "gender", "age", "emotion", "device", "activity", "quality", "pitch"],
        alpha=0.05,
        seed=number,
    )
    start = time.process_time()
    modes = find_modes(
        {"m": scores},
        {"m": tables.slices},
        {"m": tables.members},
        case.table,
        case.table[keys].iloc[:0],
        task=task,
        seed=number,
    )
    seconds = time.process_time() - start
    rows = modes.modes[(modes.modes["mode"] != REST) & modes.modes["confirmed"]]
    index = pd.MultiIndex.from_frame(case.table[keys])
    masks = [
        index.isin(pd.MultiIndex.from_frame(modes.members.loc[modes.members["mode"] == m, keys]))
        for m in rows["mode"]
    ]
    overlaps = np.array(
        [[(m & p).sum() / (m | p).sum() for p in case.planted] for m in masks]
    ).reshape(len(masks), groups)
    held = np.array([[(m & p).sum() / p.sum() for p in case.planted] for m in masks])
    joined = bool(
        groups and len(masks) and (held.reshape(len(masks), groups) >= 0.5).sum(1).max() > 1
    )
    return {
        "case": number,
        "planted": groups,
        "slices": int(tables.slices["confirmed"].sum()),
        "modes": len(masks),
        "found": int((overlaps >= 0.5).any(axis=0).sum()) if len(masks) else 0,
        "joined": joined,
        "above_zero": int((rows["low"] > 0).sum()),
        "excess": float(rows["excess"].mean()) if len(rows) else np.nan,
        "names": "; ".join(rows["name"]),
        "seconds": seconds,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    records = []
    for groups in (2, 0):
        with ProcessPoolExecutor(options.jobs) as pool:
            records += pool.map(partial(measure, groups=groups), range(options.cases or CASES))
    table = pd.DataFrame(records)
    text = summary(table)
    print(text)
    if not options.cases:
        table.to_csv(HERE / "modes.csv", index=False)
        explained = (__doc__ or "").split("    python")[0].strip()
        (HERE / "modes.md").write_text(f"# Failure modes\n\n{explained}\n\n{text}\n")


def summary(table: pd.DataFrame) -> str:
    """Summarise the records as Markdown."""
    lines = [
        "| planted | cases | confirmed slices per case | confirmed modes per case |"
        " as many modes as planted | and each with an overlap of 0.5 or more | a mode joins both |"
        " confirmed modes with an interval above zero | seconds per case |",
        "|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for groups, rows in table.groupby("planted", sort=False):
        right = rows["modes"] == groups
        above = rows["above_zero"].sum() / max(rows["modes"].sum(), 1)
        lines.append(
            f"| {groups} | {len(rows)} | {rows['slices'].mean():.2f} | {rows['modes'].mean():.2f} |"
            f" {right.mean():.1%} | {(right & (rows['found'] == groups)).mean():.1%} |"
            f" {rows['joined'].mean():.1%} | {above:.1%} | {rows['seconds'].mean():.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
