"""Tests of conditions: how often they find something where nothing is, and what is planted.

    python bench/conditions_tables.py [--draws 400] [--searches 200]
                                      [--null-draws 4000] [--null-searches 1000] [--jobs 2]

It writes bench/conditions_tables.md.

Each draw simulates the losses of models in six conditions. Clean error rates differ between
speakers, emotions and genders. A condition costs all groups the same number of points on average,
but more for some speakers than for others. One group can lose 20 points more in one condition.
"""

import argparse
import functools
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.conditions.interactions import interaction_tests  # noqa: E402
from voxslice.conditions.outcomes import CLEAN  # noqa: E402
from voxslice.conditions.pooled import pooled_slices  # noqa: E402
from voxslice.task import Task  # noqa: E402

UTTERANCES = 50
"""Utterances of each speaker on average. Speakers have half to one and a half times as many."""
MODELS, CONDITIONS, EMOTIONS = 2, 6, 6
REPAIRED = 0.15
"""Share of the clean errors that a condition repairs."""
COSTS = 0.1, 0.25
"""Smallest and largest cost of a condition if nothing is planted, as a share of the utterances."""
PLANTED = 0.2
NULL_SEED = 1_000_000
"""Seed of the first draw of a row in which nothing is planted. Other rows begin with seed 0."""

PAGE = """\
# Tests of conditions

`python bench/conditions_tables.py` writes this page. Each draw has two models in six conditions,
{utterances} utterances per speaker on average, a gender and six emotions. Clean error rates differ
between speakers, genders and emotions. The spread is the standard deviation of what a condition
costs single speakers, in points. A planted group loses 20 points more than others in one condition.

Earlier runs had 400 tables and 200 searches in which nothing was planted, and found something in
5.2 % and in 5.5 % of them. That was too few to tell whether this is more than 5 %. So a run with
new seeds was named beforehand, with 4,000 tables and 2,000 searches in which nothing is planted.
It was made once. Time ended after {null_searches:,} of the searches, in the order of their seeds.
The rows in which a group is planted are those of the earlier run.

## Interactions: does a condition hurt a group more than others?

A condition costs 10 to 25 points, and repairs 15 % of the clean errors.
A table has 12 comparisons with clean audio and 8 groups. All p-values are adjusted for the table.
False alarms are the share of the tables with at least one p-value of 0.05 or less in a place
where nothing was planted, with an exact 95 % interval. The last column is the share in which the
planted group was found in its condition.

{interactions}

A test across 20 speakers knows little about how much speakers differ. Therefore comparisons share
a part of this variance, as far as they are alike.

## The pooled search

The search for slices over clean audio and six conditions, for one model. No condition costs
anything on average. Utterances differ in how difficult they are, in all conditions alike. The table
shows the share of the searches that confirm a slice if nothing is planted. With a spread, a
condition costs or helps single speakers, so that the utterances of a speaker in a condition are
alike. The search adds the variance of such units to that of its permutations. What all speakers of
a gender lose in a condition is not part of it.

{pooled}
"""


@dataclass(frozen=True)
class Draw:
    """Simulated losses.

    Attributes:
        metadata: `speaker`, `gender` and `emotion` of each utterance
        losses: shape (utterances, models, 1 + conditions), clean audio first
    """

    metadata: pd.DataFrame
    losses: np.ndarray

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """Mask of each group by its name."""
        return {
            f"{name} = {value}": (self.metadata[name] == value).to_numpy()
            for name in ("gender", "emotion")
            for value in sorted(self.metadata[name].unique())
        }


def corpus(rng: np.random.Generator, speakers: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw speakers, half of them women, with their utterances.

    Returns:
        the metadata, and the number of the speaker of each utterance
    """
    sizes = rng.integers(UTTERANCES // 2, 3 * UTTERANCES // 2 + 1, speakers)
    speaker = np.repeat(np.arange(speakers), sizes)
    women = rng.permutation(speakers) < speakers // 2
    columns = {
        "speaker": speaker.astype(str),
        "gender": np.where(women[speaker], "female", "male"),
        "emotion": np.array(list("ABCDEF"))[rng.integers(0, EMOTIONS, len(speaker))],
    }
    return pd.DataFrame(columns), speaker


def clean_logits(rng: np.random.Generator, metadata: pd.DataFrame) -> np.ndarray:
    """Draw how likely a model is right, by speaker, gender and emotion."""
    speaker = np.unique(metadata["speaker"], return_inverse=True)[1]
    emotion = np.unique(metadata["emotion"], return_inverse=True)[1]
    logit = rng.normal(2, 0.7, speaker.max() + 1)[speaker]
    return logit + rng.normal(0, 0.5, EMOTIONS)[emotion] - 0.5 * (metadata["gender"] == "female")


Spread = tuple[float, float]
"""Smallest and largest standard deviation of what a condition costs single speakers."""


def draw(seed: int, speakers: int, spread: Spread, planted: str | None) -> Draw:
    """Simulate the losses of two models on clean audio and in conditions that cost points.

    Args:
        seed: seed of the draw
        speakers: number of speakers
        spread: range of the standard deviation of what a condition costs single speakers
        planted: group that loses 20 points more in the first condition of the first model; None to
            plant nothing

    Returns:
        the losses
    """
    rng = np.random.default_rng(seed)
    metadata, speaker = corpus(rng, speakers)
    result = Draw(metadata, np.zeros((len(speaker), MODELS, 1 + CONDITIONS)))
    group = result.groups[planted] if planted else np.zeros(len(speaker), dtype=bool)
    for model in range(MODELS):
        right = 1 / (1 + np.exp(-clean_logits(rng, metadata).to_numpy()))
        wrong = rng.random(len(speaker)) > right
        result.losses[:, model, 0] = wrong
        for condition in range(1, 1 + CONDITIONS):
            lost = rng.uniform(*COSTS) + rng.normal(0, rng.uniform(*spread), speakers)[speaker]
            lost += REPAIRED * (1 - right)  # so that all groups lose the same number of points
            lost += PLANTED * group * (model == 0 and condition == 1)
            breaks = rng.random(len(speaker)) < lost / right
            stays = rng.random(len(speaker)) > REPAIRED
            result.losses[:, model, condition] = np.where(wrong, stays, breaks)
    return result


def draw_repeated(seed: int, speakers: int, spread: Spread, planted: str | None) -> Draw:
    """Simulate the losses of a model in conditions that cost nothing on average.

    Args:
        seed: seed of the draw
        speakers: number of speakers
        spread: range of the standard deviation of what a condition costs single speakers
        planted: group that loses 20 points in the first condition; None to plant nothing

    Returns:
        the losses
    """
    rng = np.random.default_rng(seed)
    metadata, speaker = corpus(rng, speakers)
    result = Draw(metadata, np.zeros((len(speaker), 1, 1 + CONDITIONS)))
    group = result.groups[planted] if planted else np.zeros(len(speaker), dtype=bool)
    logit = clean_logits(rng, metadata).to_numpy() + rng.normal(0, 1, len(speaker))
    for condition in range(1 + CONDITIONS):
        lost = rng.normal(0, rng.uniform(*spread), speakers)[speaker] + PLANTED * group * (
            condition == 1
        )
        result.losses[:, 0, condition] = rng.random(len(speaker)) > 1 / (1 + np.exp(-logit)) - lost
    return result


def interactions(
    speakers: int, spread: Spread, planted: str | None, seed: int
) -> tuple[bool, bool]:
    """Test the interactions of one draw.

    Returns:
        whether a p-value is at most 0.05 where nothing is planted, and whether that of the planted
        group is
    """
    one = draw(seed, speakers, spread, planted)
    changes = (one.losses[:, :, 1:] - one.losses[:, :, :1]).reshape(len(one.losses), -1)
    groups = one.groups
    p = interaction_tests(
        list(groups.values()), changes, one.metadata["speaker"].to_numpy(str), seed=seed
    ).p
    hits = p <= 0.05
    found = False
    if planted:
        found = bool(hits[list(groups).index(planted), 0])
        hits[:, 0] = False  # a planted excess of one group is a lack of all others
    return bool(hits.any()), found


def pooled(speakers: int, spread: Spread, planted: str | None, seed: int) -> tuple[bool, bool]:
    """Search the conditions of one draw.

    Returns:
        whether a slice is confirmed, and whether the planted group in its condition is
    """
    one = draw_repeated(seed, speakers, spread, planted)
    names = [CLEAN, *(f"c{number}" for number in range(1, 1 + CONDITIONS))]
    scores = {
        "model": {
            name: pd.DataFrame({"loss": one.losses[:, 0, number]})
            for number, name in enumerate(names)
        }
    }
    slices = pooled_slices(
        scores,
        one.metadata,
        one.metadata["speaker"].to_numpy(str),
        features=["gender", "emotion"],
        task=Task("classification"),
        depth=3,
        min_support=10,
        alpha=0.05,
        seed=seed,
    )
    confirmed = set(slices["rule"][slices["confirmed"]])
    return bool(confirmed), f"condition = c1 & {planted}" in confirmed


def table(rows: list[list[str]], measured: str) -> str:
    """Write a table in Markdown."""
    head = ["speakers", "spread", "draws", measured, "planted", "planted group found"]
    lines = [head, ["--:", "--:", "--:", "--:", "---", "--:"], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def interval(hits: int, draws: int) -> str:
    """Write the exact 95 % interval of a share (Clopper and Pearson)."""
    found = stats.binomtest(hits, draws).proportion_ci(0.95)
    return f"({100 * found.low:.1f} to {100 * found.high:.1f})"


def cells(
    speakers: int, spread: Spread, planted: str | None, false: bool, results: np.ndarray
) -> list[str]:
    """Row of a table.

    Args:
        speakers: number of speakers
        spread: range of the spread
        planted: group that loses more, None if nothing is planted
        false: whether the share of false alarms is shown
        results: what each draw has shown, shape (draws, 2)

    Returns:
        the cells
    """
    low, high = (f"{100 * value:.0f}" for value in spread)
    alarms, found = results.mean(axis=0)
    return [
        str(speakers),
        low if low == high else f"{low} to {high}",
        f"{len(results):,}",
        f"{alarms:.1%} {interval(int(results[:, 0].sum()), len(results))}" if false else "",
        planted or "nothing",
        f"{found:.1%}" if planted else "",
    ]


def main() -> None:
    """Simulate and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--searches", type=int, default=200)
    parser.add_argument("--null-draws", type=int, default=4000)
    parser.add_argument("--null-searches", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    spread = (0.05, 0.05)
    rows = [(20, spread, None), (20, spread, "gender = female"), (20, spread, "emotion = A")]
    tests: dict[str, tuple[Callable, int, int, list]] = {
        "interactions": (interactions, arguments.draws, arguments.null_draws, rows),
        "pooled": (pooled, arguments.searches, arguments.null_searches, rows[:2]),
    }
    tables: dict[str, list[list[str]]] = {name: [] for name in tests}
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for name, (test, draws, null_draws, settings) in tests.items():
            for row in settings:
                start = time.monotonic()
                one = functools.partial(test, *row)
                seeds = range(draws) if row[2] else range(NULL_SEED, NULL_SEED + null_draws)
                results = np.array(list(pool.map(one, seeds, chunksize=5)))
                # a planted slice of the search is confirmed with its neighbours
                false = name == "interactions" or row[2] is None
                tables[name].append(cells(*row, false, results))
                print(name, *tables[name][-1], f"{time.monotonic() - start:.0f} s", flush=True)
    page = PAGE.format(
        null_searches=arguments.null_searches,
        utterances=UTTERANCES,
        interactions=table(tables["interactions"], "false alarms"),
        pooled=table(tables["pooled"], "slices confirmed"),
    )
    (HERE / "conditions_tables.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
