"""Models against each other, overall and on each slice: who is better, who fixes whose errors."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, false_discovery_control

from voxslice.files import KEY
from voxslice.metrics import count_speakers
from voxslice.resampling import bootstrap_interval, speaker_sums

EXACT_SPEAKERS = 14
"""Up to this many speakers all 2^n sign flips are looked at."""

COLUMNS = [
    "slice", "rule", "support", "speakers", "model_a", "model_b", "value_a", "value_b",
    "difference", "low", "high", "both_right", "only_a_wrong", "only_b_wrong", "both_wrong",
    "p", "q",
]  # fmt: skip


def compare(
    losses: Mapping[str, np.ndarray],
    slices: Mapping[str, np.ndarray],
    rules: Mapping[str, str],
    speakers: np.ndarray | None,
    *,
    classification: bool,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compare each pair of models on each slice.

    Args:
        losses: of each model, shape (utterances,); the same utterances in the same order
        slices: id to mask of shape (utterances,); `all` is added first
        rules: readable rule of each id
        speakers: speaker of each utterance, None where every one stands alone
        classification: whether the metric is accuracy (1 - mean loss), else mean absolute error
        resamples: bootstrap resamples and, where there are too many speakers for all of them, sign
            flips
        seed: of both

    Returns:
        one row a slice and pair: the metric of both models, `difference` (b minus a) and its 95 %
        interval by drawing speakers; for classification the counts of who is wrong and the exact
        McNemar p, else p of a sign-flip test of the speakers' loss differences; `q` adjusts p over
        all rows (Benjamini and Hochberg)
    """
    count = len(next(iter(losses.values())))
    masks = {"all": np.ones(count, dtype=bool), **slices}
    stacked = np.stack(list(masks.values()), axis=1).astype(float)
    rows: list[dict] = []
    for a, b in combinations(losses, 2):
        # the metric falls as the loss rises in a classification, and is the loss in a regression
        change = (losses[a] - losses[b]) if classification else (losses[b] - losses[a])
        parts = np.stack([stacked, stacked * change[:, None]], axis=-1)
        sums = speaker_sums(parts, speakers)
        low, high = bootstrap_interval(sums, _mean, resamples=resamples, seed=seed)
        for position, (name, mask) in enumerate(masks.items()):
            row = {
                "slice": name,
                "rule": rules.get(name, "all utterances"),
                "support": int(mask.sum()),
                "speakers": None if speakers is None else count_speakers(speakers[mask]),
                "model_a": a,
                "model_b": b,
                "value_a": _metric(losses[a][mask], classification),
                "value_b": _metric(losses[b][mask], classification),
                "difference": float(change[mask].mean()) if mask.any() else np.nan,
                "low": low[position],
                "high": high[position],
            }
            if classification:
                row |= _errors(losses[a][mask] > 0, losses[b][mask] > 0)
                row["p"] = mcnemar(row["only_a_wrong"], row["only_b_wrong"])
            else:
                row["p"] = sign_flip(sums[:, position, 1], resamples=resamples, seed=seed)
            rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    if len(table):
        table["q"] = false_discovery_control(table["p"].astype(float))
    for name in ["speakers", "both_right", "only_a_wrong", "only_b_wrong", "both_wrong"]:
        table[name] = table[name].astype("Int64")
    overall = table["slice"] == "all"
    return pd.concat([table[overall], table[~overall]], ignore_index=True)


def _mean(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 1] / sums[..., 0]


def _metric(loss: np.ndarray, classification: bool) -> float:
    if len(loss) == 0:
        return float("nan")
    return float(1 - loss.mean()) if classification else float(loss.mean())


def _errors(a: np.ndarray, b: np.ndarray) -> dict[str, int]:
    return {
        "both_right": int((~a & ~b).sum()),
        "only_a_wrong": int((a & ~b).sum()),
        "only_b_wrong": int((~a & b).sum()),
        "both_wrong": int((a & b).sum()),
    }


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided McNemar test: a binomial test on the utterances that one model gets wrong.

    McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947), 153-157. It takes utterances as independent.

    Args:
        only_a: utterances that only the first model gets wrong
        only_b: utterances that only the second model gets wrong

    Returns:
        p, 1 where the models differ nowhere
    """
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def sign_flip(contributions: Sequence[float] | np.ndarray, *, resamples: int, seed: int) -> float:
    """Two-sided sign-flip test of a sum of independent contributions, one a speaker.

    All flips up to `EXACT_SPEAKERS` speakers, else random ones, the observed one among them.

    Args:
        contributions: what each speaker adds
        resamples: random flips where not all are looked at
        seed: of the random flips

    Returns:
        p, 1 where nothing differs
    """
    values = np.asarray(contributions, float)
    values = values[values != 0]
    if len(values) == 0:
        return 1.0
    if len(values) <= EXACT_SPEAKERS:
        bits = np.arange(2 ** len(values))[:, None] >> np.arange(len(values))
        signs = 1 - 2 * (bits & 1)
    else:
        signs = np.random.default_rng(seed).choice([-1, 1], size=(resamples, len(values)))
        signs = np.vstack([np.ones(len(values)), signs])
    flipped = np.abs(signs @ values)
    # flips that only rounding tells from the observed sum count as equal to it
    return float((flipped >= np.abs(values.sum()) * (1 - 1e-12)).mean())


def align(
    scores: Mapping[str, pd.DataFrame],
    tables: Sequence[pd.DataFrame],
    members: Sequence[pd.DataFrame],
) -> tuple[pd.DataFrame, dict[str, np.ndarray], dict[str, np.ndarray], dict[str, str]]:
    """Bring models and slices onto the utterances that every model has scored.

    Args:
        scores: of each model
        tables: the slices found for each model
        members: the utterances of those slices

    Returns:
        the keys of the common utterances, the loss of each model on them, the mask of each slice,
        and the rule of each slice; a slice found for two models stands once
    """
    by_key = {model: table.set_index(KEY)["loss"] for model, table in scores.items()}
    joined = pd.concat(by_key, axis=1, join="inner")
    losses = {model: joined[model].to_numpy() for model in scores}
    rules = {
        row["slice"]: row["rule"] for table in tables for row in table.to_dict(orient="records")
    }
    everyone = pd.concat(list(members), ignore_index=True)
    masks = {
        name: joined.index.isin(
            pd.MultiIndex.from_frame(everyone.loc[everyone["slice"] == name, KEY])
        )
        for name in rules
    }
    return joined.index.to_frame(index=False), losses, masks, rules
