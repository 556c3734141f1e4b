"""Measure how often 95 % intervals of metrics cover the truth, for few speakers and for sentences.

The error rate of a model, or the errors of a value, differ between speakers. In a second part, all
speakers read the same sentences, between which the errors differ, too. The truth is the metric over
all speakers and sentences. `python bench/metric_intervals.py > bench/metric_intervals.md` writes
the page; `--studies` sets the number of studies per row.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.scores.metrics import HEAVY_TAILS, measure

PER_SPEAKER = 40
EFFECT = 0.8
"""Standard deviation of the effects of sentences, on the logit of the error rate or in the unit of
the value, where the spread of the errors is 1."""
LABELS = ["a", "b"]
CLASSES, VALUES = ["accuracy", "uar", "f1"], ["mae", "ccc"]
EMOTIONS = ["anger", "joy", "neutral", "sadness"]
SHARES = [0.7, 0.15, 0.1, 0.05]
"""Shares of the labels, if they are not equally frequent."""
LARGE = 20_000
"""Speakers from whom the truth of the first part is computed."""
Draws = Callable[[np.random.Generator, int], tuple[pd.DataFrame, np.ndarray]]


def emotions(
    rng: np.random.Generator, speakers: int, beta: tuple[float, float], shares: list[float] | None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw predictions of four labels, with error rates of speakers from a beta distribution."""
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    label = rng.choice(4, len(speaker), p=shares)
    wrong = rng.random(len(speaker)) < rng.beta(*beta, speakers)[speaker]
    prediction = np.where(wrong, (label + rng.integers(1, 4, len(speaker))) % 4, label)
    names = np.array(EMOTIONS)
    columns = {"label": label, "prediction": prediction}
    return pd.DataFrame(
        {k: pd.Categorical(names[v], EMOTIONS) for k, v in columns.items()}
    ), speaker


def numbers(
    rng: np.random.Generator, speakers: int, draw: Callable[[np.random.Generator, int], np.ndarray]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw values of speakers and utterances, and their errors, from the same distribution."""
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    label = 2 * draw(rng, speakers)[speaker] + draw(rng, len(speaker))
    error = 0.5 * draw(rng, speakers)[speaker] + draw(rng, len(speaker))
    return pd.DataFrame({"label": label, "prediction": label + error}), speaker


def ages(rng: np.random.Generator, speakers: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Draw one value per speaker, and errors that differ mostly between speakers."""
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    label = rng.uniform(0, 12**0.5, speakers)[speaker]
    error = rng.normal(size=speakers)[speaker] + rng.normal(0, 0.5, len(speaker))
    return pd.DataFrame({"label": label, "prediction": label + error}), speaker


DESIGNS: list[tuple[str, Draws, Draws]] = [
    (
        "four labels, error rates from Beta(2, 8); normal values and errors",
        lambda rng, n: emotions(rng, n, (2, 8), None),
        lambda rng, n: numbers(rng, n, lambda rng, n: rng.normal(size=n)),
    ),
    (
        "labels of 70, 15, 10 and 5 %; one value per speaker, as for age",
        lambda rng, n: emotions(rng, n, (2, 8), SHARES),
        ages,
    ),
    (
        "few speakers make most errors, Beta(0.5, 9.5); heavy tails, Student's t with 3 degrees",
        lambda rng, n: emotions(rng, n, (0.5, 9.5), None),
        lambda rng, n: numbers(rng, n, lambda rng, n: rng.standard_t(3, n)),
    ),
]
"""Designs of the first part: what they are, and how predictions of classes and values are drawn."""


def speakers_only(
    draw: Draws, labels: list[str] | None, sizes: list[int], studies: int
) -> list[tuple[np.ndarray, float]]:
    """Share of the studies whose intervals cover the truth, if errors differ between speakers.

    Args:
        draw: draws a study of some speakers
        labels: labels of a classification, None for a regression
        sizes: numbers of speakers
        studies: number of studies

    Returns:
        for each number of speakers the share by metric, and the share of the studies in which
        intervals are marked because of heavy tails
    """
    large, _ = draw(np.random.default_rng(0), LARGE)
    value = measure(large, np.zeros(len(large), dtype=str), labels=labels)["value"]
    found = []
    for size in sizes:
        covered, marked = [], []
        for seed in range(studies):
            table, speaker = draw(np.random.default_rng([seed, size, 1]), size)
            rows = measure(table, speaker.astype(str), labels=labels)
            covered.append((rows["low"] <= value) & (value <= rows["high"]))
            marked.append((rows["note"] == HEAVY_TAILS).any())
        found.append((np.mean(covered, axis=0), float(np.mean(marked))))
    return found


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
    labels = LABELS if metrics is CLASSES else None
    value = truth(effect)[metrics]
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers, sentences, round(10 * effect)])
        table, speaker, sentence = draw(rng, speakers, sentences, effect, metrics)
        cells = []
        for units in ([], [sentence]):
            rows = measure(table, speaker.astype(str), units=units, labels=labels)
            rows = rows.set_index("metric").loc[metrics]
            cells.append(((rows["low"] <= value) & (value <= rows["high"])).to_numpy())
        found.append(cells)
    return np.mean(found, axis=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=400)
    options = parser.parse_args()
    print(
        "# Benchmark of the intervals of metrics",
        "",
        "`python bench/metric_intervals.py > bench/metric_intervals.md` writes this page. The",
        f"generator of the studies and the seeds are in the script. There are {options.studies}",
        f"studies per row, with {PER_SPEAKER} utterances per speaker. Each cell is the share of",
        "95 % intervals that cover the truth.",
        "",
        "| errors differ between speakers: classes; values | speakers | accuracy | uar | f1 | mae |"
        " ccc | pcc | marked |",
        f"|---|--:|{'--:|' * 7}",
        sep="\n",
    )
    sizes = [5, 10, 20, 40, 80]
    for name, draw_classes, draw_values in DESIGNS:
        classes = speakers_only(draw_classes, EMOTIONS, sizes, options.studies)
        values = speakers_only(draw_values, None, sizes, options.studies)
        for size, (of_classes, _), (of_values, marked) in zip(sizes, classes, values, strict=True):
            text = " | ".join(f"{share:.0%}" for share in [*of_classes, *of_values, marked])
            print(f"| {name} | {size} | {text} |", flush=True)
    print(
        "",
        "Intervals are marked as not reliable below 5 speakers, of `mae` below 10, and of `ccc`",
        "and `pcc` below 20. With heavy tails, intervals of values cover too little with any",
        "number of speakers. *Marked* is the share of the studies that are marked for that reason.",
        "",
        "## Sentences that all speakers read",
        "",
        f"Effects of sentences have a standard deviation of 0 or {EFFECT}. The first number of",
        "each cell is that without units, the second one with the sentences as units.",
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
                    cells += [f"{100 * plain:.0f}, {100 * named:.0f} %" for plain, named in both.T]
                print(f"| {effect} | {sentences} | {speakers} | {' | '.join(cells)} |", flush=True)
