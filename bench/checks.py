"""Measure how often checks of models are passed, failed and undecided in simulated studies.

Each speaker and model has a rate of errors from a Beta distribution. The second model is as good as
the first one, or makes more errors by a drop of a known size. In some studies all speakers read the
same sentences, and each sentence and model has a rate of further errors. `python bench/checks.py >
bench/checks.md` writes the page; `--studies` sets the number of studies per row.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.decisions.estimate import estimate, interval
from voxslice.decisions.power import detectable_drop
from voxslice.decisions.table import check_models

RATES = (1.0, 9.0)
"""Parameters of the Beta distribution of the error rates: 10 % on average."""
UTTERANCES = 20
"""Utterances of each speaker."""
SENTENCES, SENTENCE_RATES = 10, (0.5, 4.5)
"""Number of sentences that all speakers read, and the Beta distribution of their error rates."""
CHECKS = [
    ("overall", "uar"),
    ("overall", "f1"),
    ({"label": "each"}, "accuracy"),
    ({"emotion": "anger"}, "accuracy"),
]
"""Groups and metrics of the list of checks; each label is one check, so there are five."""


def draw(
    rng: np.random.Generator, speakers: int, drops: list[float], *, sentences: bool = False
) -> tuple[list, pd.DataFrame]:
    """Scores of models on two labels, and the metadata. A speaker has one label, as a gender."""
    speaker = np.repeat(np.arange(speakers), UTTERANCES)
    count = len(speaker)
    sentence = (np.arange(count) + speaker) % SENTENCES
    label = np.where(speaker % 2 == 0, "a", "b")
    keys = pd.DataFrame({"file": [f"{i}.wav" for i in range(count)], "start": 0.0, "end": 1.0})
    metadata = keys.assign(
        speaker=speaker.astype(str),
        label=label,
        sentence=sentence.astype(str),
        emotion=np.where(np.arange(count) % 4 == 0, "anger", "neutral"),
    )
    tables = []
    mean = RATES[0] / sum(RATES)
    for drop in drops:
        wrong = rng.random(count) < rng.beta(*RATES, speakers)[speaker]
        wrong |= rng.random(count) < drop / (1 - mean)
        if sentences:
            wrong |= rng.random(count) < rng.beta(*SENTENCE_RATES, SENTENCES)[sentence]
        other = np.where(label == "a", "b", "a")
        prediction = np.where(wrong, other, label)
        tables.append(keys.assign(label=label, prediction=prediction, loss=wrong.astype(float)))
    return tables, metadata


def answers(
    studies: int,
    speakers: int,
    drop: float,
    limit: float,
    seed: int,
    *,
    sentences: bool = False,
    units: tuple[str, ...] = (),
) -> pd.DataFrame:
    """The answers of a list of five checks in each study, one row per study and check."""
    checks = [
        {"check": number, "model": "new", "against": "old", "on": on, "metric": metric,
         "relation": "at_least", "limit": limit, "condition": None}
        for number, (on, metric) in enumerate(CHECKS, start=1)
    ]  # fmt: skip
    found = []
    for study in range(studies):
        rng = np.random.default_rng([seed, study])
        (old, new), metadata = draw(rng, speakers, [0.0, drop], sentences=sentences)
        table = check_models(checks, {"old": old, "new": new}, metadata, units=units)
        found.append(table.assign(study=study, row=range(len(table))))
    return pd.concat(found, ignore_index=True)


def lists_with(table: pd.DataFrame, answer: str) -> float:
    """Share of the lists in which a check has an answer."""
    return float((table["answer"] == answer).groupby(table["study"]).any().mean())


def failed_share(
    studies: int, speakers: int, drop: float, limit: float, metric: str, level: float, seed: int
) -> float:
    """Share of the studies in which one check on all utterances fails."""
    failed = 0
    for study in range(studies):
        tables, metadata = draw(np.random.default_rng([seed, study]), speakers, [0.0, drop])
        found = estimate(tables, metadata["speaker"].to_numpy(str), metric)
        failed += interval(found, level)[1] < limit
    return failed / studies


def shown_drop(
    studies: int, speakers: int, limit: float, metric: str, level: float, near: float
) -> float:
    """The drop that is shown in 80 % of the studies, searched near a number."""
    low, high = 0.4 * near, 1.6 * near
    for _ in range(5):
        middle = (low + high) / 2
        share = failed_share(studies // 2, speakers, middle - limit, limit, metric, level, seed=3)
        low, high = (middle, high) if share < 0.8 else (low, middle)
    return (low + high) / 2


def predicted_drop(
    studies: int, speakers: int, limit: float, metric: str, level: float
) -> np.ndarray:
    """The detectable drops of studies of equal models."""
    drops = []
    for study in range(studies):
        tables, metadata = draw(np.random.default_rng([4, study]), speakers, [0.0, 0.0])
        found = estimate(tables, metadata["speaker"].to_numpy(str), metric)
        drops.append(detectable_drop(found, limit, level))
    return np.array(drops)


def coverage(studies: int, speakers: int, metric: str, levels: tuple[float, ...]) -> np.ndarray:
    """Shares of the studies in which intervals of one model are too high, and too low, by level."""
    misses = np.zeros((len(levels), 2))
    truth = 1 - RATES[0] / sum(RATES)
    for study in range(studies):
        rng = np.random.default_rng([5, study])
        if metric == "mae":
            truth = 1.0
            speaker = np.repeat(np.arange(speakers), UTTERANCES)
            scale = rng.gamma(4, 1 / 4, speakers)[speaker]
            tables = [pd.DataFrame({"loss": rng.exponential(scale)})]
            names = speaker.astype(str)
        else:
            tables, metadata = draw(rng, speakers, [0.0])
            names = metadata["speaker"].to_numpy(str)
        found = estimate(tables, names, metric)
        ends = [interval(found, level) for level in levels]
        misses += [[truth < low, truth > high] for low, high in ends]
    return misses / studies


def percent(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f} %"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=500)
    options = parser.parse_args()
    many = options.studies
    sentence_studies = round(0.8 * many)
    print(
        "# Benchmark of the checks",
        "",
        "`python bench/checks.py > bench/checks.md` writes this page. The generator of the studies",
        f"and the seeds are in the script. There are {many} studies per row, with {UTTERANCES}",
        "utterances per speaker. Error rates of speakers and models are drawn from",
        f"Beta({RATES[0]:g}, {RATES[1]:g}).",
        "",
        "## Equal models",
        "",
        "Lists of five checks of a model against an equally good one. With the limit 0, the truth",
        "is the limit itself, so that both answers are wrong. The columns are the shares of the",
        "lists with such a check.",
        "",
        "| speakers | limit | a failed check | a passed check | all undecided |",
        "|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    for speakers, limit in ((5, 0.0), (10, 0.0), (20, 0.0), (20, -0.2)):
        table = answers(many, speakers, 0.0, limit, seed=1)
        undecided = (table["answer"] == "undecided").groupby(table["study"]).all().mean()
        print(
            f"| {speakers} | {limit:g} | {percent(lists_with(table, 'failed'))} |"
            f" {percent(lists_with(table, 'passed'))} | {percent(undecided)} |",
            flush=True,
        )
    print(
        "",
        f"There are {sentence_studies} studies per row in the next table. All speakers read the",
        f"same {SENTENCES} sentences. Models make further errors in a sentence, at a rate from",
        f"Beta({SENTENCE_RATES[0]:g}, {SENTENCE_RATES[1]:g}). The models are equally good if all",
        "sentences that could be read count. The last two columns are about a model that is worse",
        "by 20 points.",
        "",
        "| units | speakers | a failed check | a passed check | all undecided"
        " | worse: a failed check | worse: overall failed |",
        "|---|--:|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    for units in ((), ("sentence",)):
        for speakers in (10, 20, 80):
            settings = {"limit": 0.0, "seed": 7, "sentences": True, "units": units}
            table = answers(sentence_studies, speakers, 0.0, **settings)
            undecided = (table["answer"] == "undecided").groupby(table["study"]).all().mean()
            worse = answers(sentence_studies, speakers, 0.2, **settings)
            overall = worse[worse["row"] == 0]
            print(
                f"| {', '.join(units) or 'none'} | {speakers} |"
                f" {percent(lists_with(table, 'failed'))} |"
                f" {percent(lists_with(table, 'passed'))} |"
                f" {percent(undecided)} | {percent(lists_with(worse, 'failed'))} |"
                f" {percent((overall['answer'] == 'failed').mean())} |",
                flush=True,
            )
    level = 1 - 0.05 / 5
    print(
        "",
        "## The detectable drop",
        "",
        "One check on all utterances, as one of a list of five. *Detectable* is the median of what",
        "equal models give, with the 5th and 95th percentile. *Simulated* is the drop that fails",
        "in 80 % of the studies. The last column is the share of the studies that fail if the drop",
        "below the limit is twice the detectable drop.",
        "",
        "| metric | speakers | limit | detectable | 5 to 95 % | simulated | failed at twice |",
        "|---|--:|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    for metric, speakers, limit in (
        ("uar", 10, 0.0),
        ("uar", 20, 0.0),
        ("uar", 20, -0.05),
        ("uar", 40, 0.0),
    ):
        drops = predicted_drop(many, speakers, limit, metric, level)
        drop = float(np.median(drops))
        ends = np.quantile(drops, [0.05, 0.95])
        twice = failed_share(many, speakers, 2 * drop - limit, limit, metric, level, seed=6)
        shown = shown_drop(many, speakers, limit, metric, level, near=drop)
        print(
            f"| {metric} | {speakers} | {limit:g} | {drop:.3f} | {ends[0]:.3f} to {ends[1]:.3f}"
            f" | {shown:.3f} | {percent(twice)} |",
            flush=True,
        )
    print(
        "",
        "## The interval of one model",
        "",
        f"Shares of {2 * many} studies in which the interval of one model misses the truth: the",
        "interval is too high or too low. An interval of 95 % should miss 2.5 % on each side, one",
        "of 99 % 0.5 %. Absolute errors are exponential, with a mean per speaker that varies by",
        "half.",
        "",
        "| metric | speakers | level | too high | too low |",
        "|---|--:|--:|--:|--:|",
        sep="\n",
    )
    for metric in ("accuracy", "uar", "mae"):
        for speakers in (10, 20, 80) if metric == "mae" else (10, 20):
            levels = (0.95, 0.99)
            found = coverage(2 * many, speakers, metric, levels)
            for level, (above, below) in zip(levels, found, strict=True):
                print(
                    f"| {metric} | {speakers} | {100 * level:g} % | {percent(above)} |"
                    f" {percent(below)} |",
                    flush=True,
                )
