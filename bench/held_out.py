"""Measure how often clusters that are confirmed on held-out speakers are false.

All speakers read 24 sentences, and an embedding knows the sentence and the emotion. A finder makes
clusters of the embedding (k-means) and suggests those with 1.5 times as many errors as the mean.
The errors have a rate of about 20 % that varies between speakers and sentences. In other cases, one
of four emotions has 30 points more errors.
`python bench/held_out.py > bench/held_out.md` writes the table; `--cases` sets the number of cases,
and `--plain` in how many of them the test without units runs, too.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # cases run side by side
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from sklearn.cluster import KMeans

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.slices.held_out import feature_space, overlap, verify

PER_SPEAKER, SENTENCES, EMOTIONS, WIDTH = 40, 24, 4, 16
CLUSTERS, MIN_SUPPORT = 12, 10
EFFECT, EXCESS = 0.8, 0.3


def measure(work: tuple[int, int, float, bool, bool]) -> tuple[float, float]:
    """Whether a cluster is confirmed without and with the sentences as units.

    Args:
        work: the seed, the number of speakers, the standard deviation of the effects of sentences
            on the logit of the error rate, whether an emotion has more errors, and whether the
            test without units runs, too

    Returns:
        whether any cluster is confirmed, NaN for a test that does not run; if an emotion has more
        errors, whether a cluster is confirmed that overlaps it by half or more
    """
    seed, speakers, effect, planted, plain = work
    rng = np.random.default_rng([seed, speakers, round(10 * effect), planted])
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    sentence = rng.integers(0, SENTENCES, len(speaker))
    emotion = rng.integers(0, EMOTIONS, len(speaker))
    strength = (1.0, 3.0) if planted else (3.0, 1.0)
    embedding = strength[0] * rng.normal(size=(SENTENCES, WIDTH))[sentence]
    embedding += strength[1] * rng.normal(size=(EMOTIONS, WIDTH))[emotion]
    embedding += rng.normal(size=(len(speaker), WIDTH))
    logit = -1.5 + 0.6 * rng.normal(size=speakers)[speaker]
    logit += effect * rng.normal(size=SENTENCES)[sentence]
    inside = emotion == 0
    rate = 1 / (1 + np.exp(-logit)) + EXCESS * (planted & inside)
    loss = (rng.random(len(speaker)) < rate).astype(float)
    space = feature_space(None, [], embedding)
    count = EMOTIONS if planted else CLUSTERS

    def suggest(rows: np.ndarray) -> list[np.ndarray]:
        found = KMeans(count, n_init=1, random_state=seed).fit_predict(space[rows])
        parts = [rows[found == number] for number in range(count)]
        bar = 1.5 * loss[rows].mean()
        return [part for part in parts if len(part) >= MIN_SUPPORT and loss[part].mean() >= bar]

    everyone = np.arange(len(loss))
    masks = [np.isin(everyone, rows) for rows in suggest(everyone)]
    results = []
    for units in ([], [sentence]):
        if not units and not plain:
            results.append(np.nan)
            continue
        table = verify(
            masks, suggest, space, loss, speaker.astype(str), alpha=0.05, seed=seed, units=units
        )
        confirmed = [mask for mask, yes in zip(masks, table["confirmed"], strict=True) if yes]
        if planted:
            confirmed = [mask for mask in confirmed if overlap(mask, inside) >= 0.5]
        results.append(len(confirmed) > 0)
    return tuple(results)


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--plain", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(
        "# Benchmark of clusters that are confirmed on held-out speakers",
        "",
        "`python bench/held_out.py > bench/held_out.md` writes this page. The generator of the",
        f"cases and the seeds are in the script. There are {options.cases} cases per cell",
        f"({options.plain} without units), with",
        f"{PER_SPEAKER} utterances per speaker and {SENTENCES} sentences. Effects of sentences",
        f"have a standard deviation of 0 or {EFFECT} on the logit of the error rate. *False* is",
        "the share of the cases with a confirmed cluster where nothing is planted, and clusters",
        "know the sentence. *Found* is the share in which an emotion with 30 points more errors is",
        "found. *Without units*, only speakers are held out. Otherwise, the sentences are named",
        "as units, and half of them is held out, too.",
        "",
        "| effect | speakers | false, without units | false | found, without units | found |",
        "|---|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        for effect in (0.0, EFFECT):
            for speakers in (10, 20, 80):
                cells = []
                for planted in (False, True):
                    work = [
                        (seed, speakers, effect, planted, seed < options.plain)
                        for seed in range(options.cases)
                    ]
                    found = np.nanmean(list(pool.map(measure, work, chunksize=4)), axis=0)
                    cells += [f"{100 * share:.1f} %" for share in found]
                print(f"| {effect} | {speakers} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
