"""Measure how often the comparison of two models gives a verdict, overall and on groups.

The models are equally good ("false verdicts"), or the second one makes half as many errors, or
errors half as large ("right" and "wrong verdicts"). For each speaker and model, a rate of errors or
a mean error is drawn. One of the two labels is rarer: three in ten speakers mostly have it.
On groups, the models are equally good everywhere, or differ equally everywhere. In the studies
with sentences, all speakers read the same sentences, and each model has its own effects of them.
`python bench/verdicts.py > bench/verdicts.md` writes the tables; `--studies` and `--many` set the
numbers of studies per cell.
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # studies run side by side

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.comparison.compare import ALL, compare
from voxslice.comparison.groups import Group
from voxslice.comparison.paired_tests import ALPHA
from voxslice.task import Task

PER_SPEAKER = 40
"""Utterances of each speaker."""
METRICS = ("accuracy", "uar", "f1", "mae", "ccc")


def classes(rng: np.random.Generator, speaker: np.ndarray, rates: list[float]) -> list:
    """Scores of two models on two labels, of which a speaker has one with a probability of 0.8."""
    count = speaker.max() + 1
    own = rng.random(count) < 0.3  # 30 % of the speakers mostly have the rarer label
    label = np.where(own[speaker] ^ (rng.random(len(speaker)) < 0.2), "b", "a")
    tables = []
    for rate in rates:
        wrong = rng.random(len(speaker)) < rng.beta(7 * rate, 7 * (1 - rate), count)[speaker]
        prediction = np.where(wrong, np.where(label == "a", "b", "a"), label)
        tables.append(
            pd.DataFrame({"label": label, "prediction": prediction, "loss": wrong.astype(float)})
        )
    return tables


def values(rng: np.random.Generator, speaker: np.ndarray, rates: list[float]) -> list:
    """Scores of two models of a value that is the same for a speaker, such as the age."""
    count = speaker.max() + 1
    label = rng.normal(0, 1, count)[speaker]
    tables = []
    for rate in rates:
        bias = rng.normal(0, 3 * rate, count)[speaker]
        prediction = label + bias + rng.normal(0, 3 * rate, len(speaker))
        loss = np.abs(prediction - label)
        tables.append(pd.DataFrame({"label": label, "prediction": prediction, "loss": loss}))
    return tables


def verdicts(
    metric: str, speakers: int, studies: int, rates: list[float], resamples: int = 1000
) -> dict[str, float]:
    """Share of the studies with each verdict on the second model.

    Args:
        metric: metric of the task
        speakers: number of speakers of each study
        studies: number of studies
        rates: rate of errors of both models, or a third of the standard deviation of their errors
        resamples: number of resamples and exchanges

    Returns:
        the share by verdict
    """
    kind = "regression" if metric in ("mae", "ccc") else "classification"
    draw = classes if kind == "classification" else values
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers])
        speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
        scores = dict(zip("ab", draw(rng, speaker, rates), strict=True))
        table = compare(
            scores,
            {},
            speaker.astype(str),
            task=Task(kind, overall=metric),
            resamples=resamples,
            seed=seed,
        )
        found.append(table.iloc[0]["verdict"])
    return {str(k): float(v) for k, v in pd.Series(found).value_counts(normalize=True).items()}


def group_verdicts(speakers: int, studies: int, rates: list[float]) -> dict[str, float]:
    """Verdicts on 13 groups: categories of four columns, one of which belongs to the speakers.

    Args:
        speakers: number of speakers of each study
        studies: number of studies
        rates: rate of errors of both models

    Returns:
        `any`, the share of the studies with a verdict on a group; `groups`, the share of the groups
        with one; `mcnemar`, the share of studies with one if McNemar's test decided, adjusted over
        the groups (Benjamini and Hochberg)
    """
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers, 1])
        speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
        scores = dict(zip("ab", classes(rng, speaker, rates), strict=True))
        columns = [rng.integers(0, count, len(speaker)) for count in (2, 3, 4)]
        columns.append(rng.integers(0, 4, speakers)[speaker])
        groups = {
            f"{number}.{value}": Group("category", "", column == value)
            for number, column in enumerate(columns)
            for value in np.unique(column)
        }
        table = compare(
            scores,
            groups,
            speaker.astype(str),
            task=Task("classification", overall="accuracy"),
            resamples=1000,
            seed=seed,
        )
        rows = table[table["slice"] != ALL]
        decided = rows["verdict"].isin(["better", "worse"])
        excluded = ((rows["low"] > 0) | (rows["high"] < 0)) & rows["reliable"].astype(bool)
        by_mcnemar = (false_discovery_control(rows["mcnemar_p"].astype(float)) <= ALPHA) & excluded
        found.append({"any": decided.any(), "groups": decided.mean(), "mcnemar": by_mcnemar.any()})
    return pd.DataFrame(found).astype(float).mean().to_dict()


MANY_SPEAKERS, FEWER = 80, 1000
"""A study with sentences and so many speakers takes long, so there are fewer of them."""
SENTENCES = 24
EFFECT = 0.8
"""Standard deviation of the effects of sentences on the logit of the error rate of a model."""
RIGHT = -0.95
"""Change of the logit of the second model, which then makes about half as many errors."""


def with_sentences(
    rng: np.random.Generator, speakers: int, effect: float, change: float
) -> tuple[np.ndarray, np.ndarray, dict[str, pd.DataFrame]]:
    """Draw a study in which all speakers read the same sentences.

    Args:
        rng: source of the draws
        speakers: number of speakers
        effect: standard deviation of the effects of sentences
        change: change of the logit of the second model

    Returns:
        the speaker and the sentence of each utterance, and the scores of both models
    """
    speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
    sentence = rng.integers(0, SENTENCES, len(speaker))
    scores = {}
    for name, shift in (("a", 0.0), ("b", change)):
        logit = shift - 1.5 + 0.6 * rng.normal(size=speakers)[speaker]
        logit = logit + effect * rng.normal(size=SENTENCES)[sentence]
        wrong = rng.random(len(speaker)) < 1 / (1 + np.exp(-logit))
        scores[name] = pd.DataFrame({"loss": wrong.astype(float)})
    return speaker, sentence, scores


def sentence_verdicts(speakers: int, studies: int, better: int, effect: float) -> dict[str, float]:
    """Verdicts with and without the sentences as units.

    The 13 groups are categories of four columns, one of which belongs to the speakers and one to
    the sentences.

    Args:
        speakers: number of speakers of each study
        studies: number of studies
        better: number of these studies that also have a better model
        effect: standard deviation of the effects of sentences

    Returns:
        shares of the studies with a verdict on all utterances (`all`) and on any group (`any`) of
        two equally good models, without units (`plain`) and with units (`units`); the share of
        studies (`right`) and groups (`groups`) with a right verdict on a better model, with units
    """
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers, 3, round(10 * effect)])
        row = {}
        for change in (0.0, RIGHT) if seed < better else (0.0,):
            speaker, sentence, scores = with_sentences(rng, speakers, effect, change)
            columns = [rng.integers(0, count, len(speaker)) for count in (2, 3)]
            columns.append(rng.integers(0, 4, speakers)[speaker])
            columns.append((rng.permutation(SENTENCES) % 4)[sentence])
            groups = {
                f"{number}.{value}": Group("category", "", column == value)
                for number, column in enumerate(columns)
                for value in np.unique(column)
            }
            for name, units in (("plain", []), ("units", [sentence])):
                if change and not units:
                    continue
                verdict = compare(
                    scores,
                    groups,
                    speaker.astype(str),
                    task=Task("classification", overall="accuracy"),
                    resamples=1000,
                    seed=seed,
                    units=units,
                )["verdict"]
                if change:
                    row |= {"right": verdict[0] == "better"}
                    row["groups"] = (verdict[1:] == "better").mean()
                else:
                    decided = verdict.isin(["better", "worse"])
                    row |= {f"all {name}": decided[0], f"any {name}": decided[1:].any()}
        found.append(row)
    return pd.DataFrame(found).astype(float).mean().to_dict()  # means leave out missing values


MARGIN = 0.02
FLIPS = 0.02
"""Probability that the second model differs on an utterance by chance, in either direction."""
LOSSES = {
    "equal": lambda rng, speakers: np.zeros(speakers),
    "each speaker loses 2 points": lambda rng, speakers: np.full(speakers, MARGIN),
    "speakers lose 2 points, with a spread of 3": lambda rng, speakers: rng.normal(
        MARGIN, 0.03, speakers
    ),
    "one speaker in ten loses 20 points": lambda rng, speakers: np.where(
        rng.random(speakers) < 0.1, 10 * MARGIN, 0.0
    ),
}
"""Loss of accuracy of each speaker. The mean loss is 0, or exactly the margin."""


def variant(rng: np.random.Generator, loss: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Losses of a second model, which agrees with the first one on most utterances.

    Args:
        rng: source of the draws
        loss: losses of the first model, which makes an error in a fifth of the utterances
        lost: loss of accuracy of each utterance's speaker

    Returns:
        losses of the second model
    """
    to_wrong = FLIPS + np.maximum(lost, 0)
    to_right = FLIPS + np.maximum(-lost, 0)
    flipped = rng.random(len(loss)) < np.where(loss == 0, to_wrong / 0.8, to_right / 0.2)
    return np.where(flipped, 1 - loss, loss)


def equivalence(speakers: int, studies: int, losses: str) -> tuple[float, float]:
    """Share of the studies in which two models are called equivalent, with and without the guard.

    Args:
        speakers: number of speakers of each study
        studies: number of studies
        losses: a name in `LOSSES`

    Returns:
        the share with the guard, and the share of studies whose shown interval, of at least five
        speakers, lies within the margin
    """
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers, 2])
        speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
        first = (rng.random(len(speaker)) < 0.2).astype(float)
        second = variant(rng, first, LOSSES[losses](rng, speakers)[speaker])
        row = compare(
            {"a": pd.DataFrame({"loss": first}), "b": pd.DataFrame({"loss": second})},
            {},
            speaker.astype(str),
            task=Task("classification", margin=MARGIN, overall="accuracy"),
            resamples=1000,
            seed=seed,
        ).iloc[0]
        found.append((row["equivalent"], row["low"] >= -MARGIN and row["high"] <= MARGIN))
    return tuple(np.mean(found, axis=0))


def sentence_equivalence(speakers: int, studies: int, lost: float) -> tuple[float, float]:
    """Share of the studies in which two models are called equivalent if sentences differ.

    Args:
        speakers: number of speakers of each study
        studies: number of studies
        lost: mean loss of accuracy; that of a sentence is drawn with a standard deviation of 3
            points

    Returns:
        the share without and with the sentences as units
    """
    found = []
    for seed in range(studies):
        rng = np.random.default_rng([seed, speakers, 4, round(100 * lost)])
        speaker = np.repeat(np.arange(speakers), PER_SPEAKER)
        sentence = rng.integers(0, SENTENCES, len(speaker))
        first = (rng.random(len(speaker)) < 0.2).astype(float)
        second = variant(rng, first, rng.normal(lost, 0.03, SENTENCES)[sentence])
        found.append(
            [
                compare(
                    {"a": pd.DataFrame({"loss": first}), "b": pd.DataFrame({"loss": second})},
                    {},
                    speaker.astype(str),
                    task=Task("classification", margin=MARGIN, overall="accuracy"),
                    resamples=1000,
                    seed=seed,
                    units=units,
                ).iloc[0]["equivalent"]
                for units in ([], [sentence])
            ]
        )
    return tuple(np.mean(found, axis=0))


def _studies(speakers: int, many: int, studies: int) -> tuple[int, int]:
    """Numbers of studies of equal models, and of a better one, in a row with sentences."""
    return (FEWER, FEWER) if speakers >= MANY_SPEAKERS else (many, studies)


def _error(studies: int) -> float:
    """Standard error of a share of 5 %, in points."""
    return float(100 * np.sqrt(0.05 * 0.95 / studies))


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--many", type=int, default=5000, help="studies of equal models")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    studies, many = options.studies, options.many
    print(
        "# Benchmark of the verdicts on two models",
        "",
        "`python bench/verdicts.py > bench/verdicts.md` writes this page. The generator of the",
        f"studies and the seeds are in the script. A study has {PER_SPEAKER} utterances per",
        "speaker. The false verdicts of the first, the second and the fourth table are of",
        f"{many} studies per row, and all other shares of {studies}; a row of the fourth table",
        f"with {MANY_SPEAKERS} speakers is of {FEWER} studies. The standard error of a share of",
        f"5 % is {_error(many):.1f} points with {many} studies, {_error(FEWER):.1f} with {FEWER},",
        f"and {_error(studies):.1f} with {studies}.",
        "",
        "A false verdict is one on two equally good models. A right one finds a model better that",
        "makes half as many errors, or errors half as large; a wrong one finds it worse. With five",
        "speakers, the test can show nothing. The shares of the metrics are alike because their",
        "studies have the same seeds.",
        "",
        "| metric | speakers | false verdicts | right verdicts | wrong verdicts |",
        "|---|---|---|---|---|",
        sep="\n",
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        first = [(metric, speakers) for metric in METRICS for speakers in (5, 10, 20)]
        equal = [pool.submit(verdicts, *row, many, [0.2, 0.2]) for row in first]
        other = [pool.submit(verdicts, *row, studies, [0.2, 0.1]) for row in first]
        sizes = (5, 10, 20, 80)
        equal_groups = [pool.submit(group_verdicts, n, many, [0.2, 0.2]) for n in sizes]
        other_groups = [pool.submit(group_verdicts, n, studies, [0.2, 0.1]) for n in sizes]
        third = [(losses, speakers) for losses in LOSSES for speakers in (5, 10, 20, 30, 80)]
        guarded = [
            pool.submit(equivalence, speakers, studies, losses) for losses, speakers in third
        ]
        fourth = [(effect, speakers) for effect in (0.0, EFFECT) for speakers in (10, 20, 80)]
        sentences = [
            pool.submit(sentence_verdicts, n, *_studies(n, many, studies), effect)
            for effect, n in fourth
        ]
        fifth = [(lost, speakers) for lost in (0.0, MARGIN) for speakers in (10, 20, 80)]
        crossed = [pool.submit(sentence_equivalence, n, studies, lost) for lost, n in fifth]
        for (metric, speakers), same, better in zip(first, equal, other, strict=True):
            false = same.result().get("better", 0) + same.result().get("worse", 0)
            found = better.result()
            print(
                f"| {metric} | {speakers} | {100 * false:.1f} % |"
                f" {100 * found.get('better', 0):.0f} % | {100 * found.get('worse', 0):.1f} % |",
                flush=True,
            )
        print(
            "",
            "On 13 groups of utterances that differ in nothing (categories of four columns, one of",
            "which belongs to the speakers), a false verdict is one on any group. The last column",
            "would be the false verdicts if McNemar's test decided, as in earlier versions.",
            "",
            "| speakers | any false verdict | groups with a right verdict"
            " | any, by McNemar's test |",
            "|---|---|---|---|",
            sep="\n",
        )
        for speakers, same, better in zip(sizes, equal_groups, other_groups, strict=True):
            print(
                f"| {speakers} | {100 * same.result()['any']:.1f} % |"
                f" {100 * better.result()['groups']:.0f} % |"
                f" {100 * same.result()['mcnemar']:.1f} % |",
                flush=True,
            )
        print(
            "",
            "Two models are called equivalent within a margin of 2 points. The call is wrong in",
            "all rows but those of equal models, since the mean loss is exactly the margin. The",
            "last column is the share in which the shown interval lies within the margin. This",
            "interval does not allow for a speaker that the study has missed.",
            "",
            "| second model | speakers | equivalent | interval within the margin |",
            "|---|---|---|---|",
            sep="\n",
        )
        for (losses, speakers), pair in zip(third, guarded, strict=True):
            cells = " | ".join(f"{100 * share:.1f} %" for share in pair.result())
            print(f"| {losses} | {speakers} | {cells} |", flush=True)
        print(
            "",
            f"In the next studies, all speakers read the same {SENTENCES} sentences. Effects of",
            f"sentences have a standard deviation of 0 or {EFFECT} on the logit of the error rate,",
            "and each model has its own. *False* is a verdict on two equally good models, for all",
            "utterances or any of 13 groups, four of which belong to the sentences. *Right* is a",
            "verdict on a model that makes half as many errors. *Units* means that the sentences",
            "are named as units.",
            "",
            "| effect | speakers | false, without units | false | false on a group, without units |"
            " false on a group | right | groups with a right verdict |",
            "|---|---|---|---|---|---|---|---|",
            sep="\n",
        )
        names = ("all plain", "all units", "any plain", "any units", "right", "groups")
        for (effect, speakers), row in zip(fourth, sentences, strict=True):
            cells = " | ".join(f"{100 * row.result()[name]:.1f} %" for name in names)
            print(f"| {effect} | {speakers} | {cells} |", flush=True)
        print(
            "",
            "The loss of each sentence is drawn with a standard deviation of 3 points. If the mean",
            "is the margin of 2 points, equivalence is wrong.",
            "",
            "| mean loss | speakers | equivalent, without units | equivalent |",
            "|---|---|---|---|",
            sep="\n",
        )
        for (lost, speakers), pair in zip(fifth, crossed, strict=True):
            cells = " | ".join(f"{100 * share:.1f} %" for share in pair.result())
            print(f"| {100 * lost:.0f} points | {speakers} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
