"""Measure how often intervals of metrics cover the truth if all speakers read the same sentences.

A model has a rate of errors of about 20 %, or errors of a value, that differ between speakers and
between 24 sentences. The truth is the metric over all speakers and sentences.
`python bench/metric_intervals.py > bench/metric_intervals.md` writes the table; `--studies` sets
the number of studies per cell.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.scores.metrics import measure

PER_SPEAKER = 40
EFFECT = 0.8
"""Standard deviation of the effects of sentences, on the logit of the error rate or in the unit of
the value, where the spread of the errors is 1."""
LABELS = ["a", "b"]
CLASSES, VALUES = ["accuracy", "uar", "f1"], ["mae", "ccc"]


def draw(
    rng: np.random.Generator, speakers: int, sentences: int, effect: float, metrics: list[str]
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Draw a study.

    Args:
        rng: source of the draws
        speakers: number of speakers
        sentences: number of sentences
        effect: standard deviation of the effects of sentences
        metrics: `CLASSES` or `VALUES`

    Returns:
        the scores, and the speaker and the sentence of each row
    """
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    sentence = rng.integers(0, sentences, len(speaker))
    of_sentence = effect * rng.normal(size=sentences)[sentence]
    of_speaker = rng.normal(size=speakers)[speaker]
    if metrics is CLASSES:
        label = rng.integers(0, 2, len(speaker))
        rate = 1 / (1 + np.exp(1.5 - 0.6 * of_speaker - of_sentence))
        prediction = label ^ (rng.random(len(speaker)) < rate)
        columns = {"label": label, "prediction": prediction}
        names = np.array(LABELS)
        table = pd.DataFrame({k: pd.Categorical(names[v], LABELS) for k, v in columns.items()})
    else:
        label = 2 * rng.normal(size=speakers)[speaker] + rng.normal(size=len(speaker))
        error = 0.5 * of_speaker + of_sentence + rng.normal(size=len(speaker))
        table = pd.DataFrame({"label": label, "prediction": label + error})
    return table, speaker, sentence


def truth(effect: float) -> pd.Series:
    """The metrics over all speakers and sentences.

    Args:
        effect: standard deviation of the effects of sentences

    Returns:
        the value by metric
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    logit = -1.5 + np.hypot(0.6, effect) * nodes
    right = 1 - float((weights / (1 + np.exp(-logit))).sum() / weights.sum())
    variance = 1 + 0.5**2 + effect**2  # of errors; that of labels is 5
    return pd.Series(
        dict.fromkeys(CLASSES, right)
        | {"mae": np.sqrt(2 * variance / np.pi), "ccc": 2 * 5 / (2 * 5 + variance)}
    )


def coverage(
    speakers: int, sentences: int, effect: float, metrics: list[str], studies: int
) -> np.ndarray:
    """Share of the studies whose intervals cover the truth.

    Args:
        speakers: number of speakers
        sentences: number of sentences
        effect: standard deviation of the effects of sentences
        metrics: `CLASSES` or `VALUES`
        studies: number of studies

    Returns:
        shape (2, metrics): without and with the sentences as units
    """
    kinds = {"labels": LABELS if metrics is CLASSES else None, "resamples": 500}
    value = truth(effect)[metrics]
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers, sentences, round(10 * effect)])
        table, speaker, sentence = draw(rng, speakers, sentences, effect, metrics)
        cells = []
        for units in ([], [sentence]):
            rows = measure(table, speaker.astype(str), units=units, seed=seed, **kinds)
            rows = rows.set_index("metric").loc[metrics]
            cells.append(((rows["low"] <= value) & (value <= rows["high"])).to_numpy())
        found.append(cells)
    return np.mean(found, axis=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    options = parser.parse_args()
    print(
        "# Benchmark of the intervals of metrics with sentences as units",
        "",
        "`python bench/metric_intervals.py > bench/metric_intervals.md` writes this page. The",
        f"generator of the studies and the seeds are in the script. There are {options.studies}",
        f"studies per row, with {PER_SPEAKER} utterances per speaker. Effects of sentences have a",
        f"standard deviation of 0 or {EFFECT}. Each cell is the share of 95 % intervals that cover",
        "the truth, without and with the sentences as units.",
        "",
        f"| effect | sentences | speakers | {' | '.join(CLASSES + VALUES)} |",
        f"|---|--:|--:|{'--:|' * 5}",
        sep="\n",
    )
    for effect in (0.0, EFFECT):
        for sentences in (10, 24):
            for speakers in (10, 20, 80):
                cells = []
                for metrics in (CLASSES, VALUES):
                    both = coverage(speakers, sentences, effect, metrics, options.studies)
                    cells += [f"{100 * plain:.0f}, {100 * named:.1f} %" for plain, named in both.T]
                print(f"| {effect} | {sentences} | {speakers} | {' | '.join(cells)} |", flush=True)
