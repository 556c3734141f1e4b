"""Measure how often conditions seem to hurt a group that is only hard by its sentences.

All speakers read the same sentences. A condition costs some sentences more than others, and a group
(the topic) belongs to the sentence. Nothing is planted in a group, or one emotion loses 20 points
more in one condition. `python bench/conditions_units.py > bench/conditions_units.md` writes the
page; `--draws` sets the number of tables.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # draws run side by side

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.conditions.interactions import interaction_tests
from voxslice.conditions.outcomes import CLEAN
from voxslice.conditions.pooled import pooled_slices
from voxslice.task import Task

PER_SPEAKER = 48
CONDITIONS, TOPICS, EMOTIONS = 4, 4, 4
SPREAD, PLANTED = 0.1, 0.2
"""Standard deviation of what a condition costs single speakers and sentences, and what the planted
emotion loses more, as shares of the utterances."""
LEVEL = 0.05


def draw(
    seed: int, speakers: int, sentences: int, planted: bool, harmless: bool
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Draw utterances and the losses of a model on clean audio and in conditions.

    Args:
        seed: seed of the draw
        speakers: number of speakers
        sentences: number of sentences, which all speakers read
        planted: whether the first emotion loses more in the first condition
        harmless: whether clean audio costs as much as the conditions do, and so none is worse

    Returns:
        the columns that name groups, the speaker and the sentence of each utterance, and the
        losses, of shape (utterances, 1 + conditions)
    """
    rng = np.random.default_rng([seed, speakers, sentences, planted])
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    sentence = rng.permuted(np.tile(np.arange(PER_SPEAKER) % sentences, (speakers, 1)), axis=1)
    sentence = sentence.ravel()
    table = pd.DataFrame(
        {
            "gender": np.array(["female", "male"])[rng.permutation(speakers) % 2][speaker],
            "emotion": rng.choice(list("ABCD"), len(speaker)),
            "topic": np.array(list("klmn"))[rng.permutation(sentences) % TOPICS][sentence],
        }
    )
    clean = rng.random(len(speaker)) < 0.1
    losses = [] if harmless else [clean]
    for condition in range(CONDITIONS + harmless):
        cost = 0.2 + SPREAD * rng.normal(size=speakers)[speaker]
        cost = cost + SPREAD * rng.normal(size=sentences)[sentence]
        if planted and condition == 0:
            cost = cost + PLANTED * (table["emotion"] == "A").to_numpy()
        losses.append(clean | (rng.random(len(speaker)) < np.clip(cost, 0, 1)))
    return table, speaker.astype(str), sentence, np.stack(losses, axis=1).astype(float)


def alarms(
    seed: int, speakers: int, sentences: int, planted: bool, harmless: bool, search: bool
) -> list[bool]:
    """Whether a table or a search finds something, without and with the sentences as units.

    Args:
        seed: seed of the draw
        speakers: number of speakers
        sentences: number of sentences
        planted: whether an emotion is planted. Then only this emotion in its condition counts
        harmless: whether no condition is worse than clean audio. Then any slice counts, otherwise
            only one that names a topic
        search: whether the search over all conditions is made instead of the tests of interactions

    Returns:
        the answers without and with units
    """
    table, speaker, sentence, losses = draw(seed, speakers, sentences, planted, harmless)
    masks = {
        (name, value): (table[name] == value).to_numpy()
        for name in table
        for value in sorted(table[name].unique())
    }
    found = []
    for units in ([], [sentence]):
        if search:
            names = [CLEAN, *(f"c{number}" for number in range(CONDITIONS))]
            scores = {name: pd.DataFrame({"loss": losses[:, k]}) for k, name in enumerate(names)}
            slices = pooled_slices(
                {"model": scores}, table, speaker, features=list(table),
                task=Task("classification"), alpha=LEVEL, seed=seed, units=units,
            )  # fmt: skip
            rules = slices["rule"][slices["confirmed"]]
            named = "condition" if harmless else "topic"
            wanted = "condition = c0 & emotion = A" if planted else named
            found.append(bool(rules.str.contains(wanted).any()))
            continue
        changes = losses[:, 1:] - losses[:, :1]
        tests = interaction_tests(list(masks.values()), changes, speaker, seed=seed, units=units)
        places = list(masks).index(("emotion", "A")), 0
        found.append(bool(tests.p[places] <= LEVEL if planted else (tests.p <= LEVEL).any()))
    return found


def shares(pool: ProcessPoolExecutor, draws: int, **settings: object) -> str:
    """Shares of the draws in which something is found, as two cells of a table."""
    found = np.array(list(pool.map(partial(alarms, **settings), range(draws), chunksize=5)))
    return " | ".join(f"{share:.1%}" for share in found.mean(axis=0))


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(
        "# Benchmark of conditions with sentences as units",
        "",
        "`python bench/conditions_units.py > bench/conditions_units.md` writes this page. The",
        f"generator and the seeds are in the script. A row has {options.draws} tables or searches",
        f"of a model in {CONDITIONS} conditions, with {PER_SPEAKER} utterances per speaker. All",
        "speakers read the same sentences. A condition costs single speakers and single sentences",
        f"more or less than others (standard deviation of {100 * SPREAD:.0f} points). Groups are",
        "the gender, four emotions, and four topics, which belong to the sentences.",
        "A false alarm is a group that a condition seems to hurt more than others; in the search",
        "over all conditions it is a slice that names a topic, or any slice where no condition is",
        f"worse than clean audio. The planted emotion loses {100 * PLANTED:.0f} points more than",
        "others in one condition.",
        "",
        "| what | speakers | sentences | without units | with units |",
        "|---|--:|--:|--:|--:|",
        sep="\n",
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        for name, planted, harmless, search in (
            ("false alarms, interactions", False, False, False),
            ("planted emotion found, interactions", True, False, False),
            ("a topic named, search", False, False, True),
            ("any slice where no condition is worse, search", False, True, True),
            ("planted emotion found, search", True, False, True),
        ):
            for speakers in (10, 20):
                for sentences in (12, 24):
                    cells = shares(
                        pool, options.draws, speakers=speakers, sentences=sentences,
                        planted=planted, harmless=harmless, search=search,
                    )  # fmt: skip
                    print(f"| {name} | {speakers} | {sentences} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
