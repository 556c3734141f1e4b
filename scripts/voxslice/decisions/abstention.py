"""Abstention: how many errors remain if a model does not answer where it is unsure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.decisions.confidence import confidence
from voxslice.decisions.estimate import estimate, interval
from voxslice.files import as_booleans
from voxslice.modes.rules import in_words, read_rule, utterances_of
from voxslice.modes.table import REST
from voxslice.scores.bootstrap import LEVEL
from voxslice.scores.clusters import cluster_interval, make_clusters
from voxslice.speakers import number_speakers, speakers_of
from voxslice.units import Index, units_of
from voxslice.utterance_keys import KEY

ALL = "all"
"""Mode of the rows of all utterances."""
COVERAGES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Shares of all utterances that are answered."""
CONFIDENCE, RULE = "confidence", "rule"
"""What decides which utterances are answered."""
RANKS = 200
"""Largest number of bins of the confidence in the area under the curve."""
BLOCKS = 1000
"""Largest number of blocks in which utterances without speakers are resampled."""
ABSTENTION_COLUMNS = [
    "model", "mode", "name", "by", "rule", "coverage", "threshold", "support", "answered",
    "coverage_of_mode", "risk", "low", "high", "change", "change_low", "change_high", "area",
    "area_low", "area_high",
]  # fmt: skip
THRESHOLD_COLUMNS = [
    "model", "wanted", "half", "threshold", "coverage", "risk", "speakers", "coverage_elsewhere",
    "risk_elsewhere", "low", "high", "kept",
]  # fmt: skip
IN_CONDITION_COLUMNS = [
    "model", "condition", "coverage_clean", "threshold", "coverage", "support", "answered", "risk",
    "low", "high", "change", "change_low", "change_high",
]  # fmt: skip
STARTS, STEP = (0.2, 0.5), 0.025
"""Coverages from which thresholds are tried, and the step between them."""
TAIL = 0.03
"""Probability with which the risk at a chosen threshold may be above the wanted one.

The risk that as many other speakers then show is at most the wanted one with 90 %.
"""


@dataclass(frozen=True)
class Answers:
    """The utterances of a model, with what abstention needs.

    Attributes:
        keys: keys of the utterances
        loss: 1 for an error, otherwise 0, shape (utterances,)
        sure: probability of the predicted class, shape (utterances,)
        speakers: speaker of each utterance; None if speakers are not known
        units: for each kind of further units the number of each utterance's unit
    """

    keys: pd.DataFrame
    loss: np.ndarray
    sure: np.ndarray
    speakers: np.ndarray | None
    units: Sequence[Index] = ()

    def part(self, chosen: np.ndarray) -> "Answers":
        """Some of the utterances, by a mask of shape (utterances,)."""
        return Answers(
            self.keys[chosen],
            self.loss[chosen],
            self.sure[chosen],
            None if self.speakers is None else self.speakers[chosen],
            [unit[chosen] for unit in self.units],
        )


def answers_of(
    scores: pd.DataFrame, metadata: pd.DataFrame, units: Sequence[str] = ()
) -> Answers | None:
    """Collect the utterances of a model; None if it has no probabilities.

    Args:
        scores: scores of a classification
        metadata: the metadata of all utterances
        units: columns of the metadata that name units beside the speaker

    Returns:
        the utterances in the order of the scores
    """
    sure = confidence(scores)
    if sure is None or not len(scores):
        return None
    return Answers(
        scores[KEY],
        scores["loss"].to_numpy(float),
        sure,
        speakers_of(scores, metadata),
        units_of(scores, metadata, units),
    )


def threshold_of(sure: np.ndarray, coverage: float) -> float:
    """Confidence that a share of the utterances reaches.

    Args:
        sure: confidence of each utterance
        coverage: share of the utterances that are answered

    Returns:
        the threshold; utterances with this confidence are answered as well
    """
    count = max(int(np.floor(coverage * len(sure) + 1e-9)), 1)
    return float(np.sort(sure)[::-1][count - 1])


def risk(own: Answers, level: float = LEVEL) -> tuple[float, float, float]:
    """Share of errors with its interval by speaker.

    Args:
        own: the answered utterances
        level: coverage of the interval

    Returns:
        the share, and the lower and the upper end; NaN without utterances
    """
    found = estimate([pd.DataFrame({"loss": own.loss})], own.speakers, "accuracy", own.units)
    low, high = interval(found, level)
    return 1 - found.value, 1 - high, 1 - low


def abstention_table(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    modes: pd.DataFrame,
    members: pd.DataFrame,
    *,
    visible: Sequence[str],
    resamples: int,
    seed: int,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Risk against coverage of each model, for all utterances and within each failure mode.

    The model answers the utterances in which it is surest. The thresholds are those of all
    utterances, so that a row of a mode says what one threshold does there. A failure mode whose
    rule a machine can see, on measured or predicted columns only, is also left out as a whole.

    Args:
        scores: scores by model, of a classification
        metadata: the metadata of all utterances
        modes: failure modes of all models
        members: `mode` and the keys of the utterances of each mode
        visible: columns that are measured or predicted
        resamples: number of bootstrap resamples
        seed: seed of the bootstrap
        units: columns of the metadata that name units beside the speaker

    Returns:
        one row per model, mode (first `all`) and coverage, in the columns `ABSTENTION_COLUMNS`:
        `coverage` of all utterances and the `threshold`; `support` of the mode, how many of it are
        `answered`, and their share `coverage_of_mode`; the `risk` (share of errors) of those with
        its 95 % interval by speaker; `change` against the risk without abstention, with its
        interval from resampling speakers; and at full coverage the `area` under the curve of risk
        against coverage within the mode, with its interval. Models without probabilities are left
        out
    """
    tables = [pd.DataFrame(columns=ABSTENTION_COLUMNS)]
    for model, table in scores.items():
        own = answers_of(table, metadata, units)
        if own is None:
            continue
        groups = {ALL: ("all utterances", np.ones(len(own.loss), dtype=bool))}
        groups |= mode_masks(own.keys, modes, members)
        limits = [threshold_of(own.sure, coverage) for coverage in COVERAGES]
        answered = np.stack([own.sure >= limit for limit in limits], axis=1)
        by = {"by": CONFIDENCE, "rule": None}
        settings = {"resamples": resamples, "seed": seed}
        for mode, (name, inside) in groups.items():
            rows = _curve(own, inside, answered, **settings)
            rows["area"], rows["area_low"], rows["area_high"] = np.nan, np.nan, np.nan
            rows.loc[0, ["area", "area_low", "area_high"]] = _area(own, inside, **settings)
            known = {"model": model, "mode": mode, "name": name, "threshold": limits, **by}
            tables.append(rows.assign(**known))
        for rule, left_out in visible_rules(modes, model, metadata, own.keys, visible).items():
            rows = _curve(own, groups[ALL][1], ~left_out[:, None], **settings)
            known = {"model": model, "mode": ALL, "name": "all utterances"}
            tables.append(rows.assign(**known, by=RULE, rule=rule))
    table = pd.concat([part for part in tables if len(part)] or tables, ignore_index=True)
    return table.reindex(columns=ABSTENTION_COLUMNS)


def abstention_in_conditions(
    clean: Mapping[str, pd.DataFrame],
    in_conditions: Mapping[str, Mapping[str, pd.DataFrame]],
    metadata: pd.DataFrame,
    *,
    resamples: int,
    seed: int,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """What the thresholds of the original audio do in conditions.

    A threshold is chosen before a model meets a telephone or noise. So the thresholds are those of
    the original audio, and the risk is that of the utterances that the model answers in the
    condition.

    Args:
        clean: scores of the original audio by model, of a classification
        in_conditions: scores by model and condition
        metadata: the metadata of all utterances
        resamples: number of bootstrap resamples
        seed: seed of the bootstrap
        units: columns of the metadata that name units beside the speaker

    Returns:
        one row per model, condition and coverage, in the columns `IN_CONDITION_COLUMNS`:
        `coverage_clean`, the share of the original audio that the `threshold` answers; `coverage`,
        the share that it answers in the condition, which are `answered` of `support` utterances;
        their `risk` (share of errors) and its `change` against the risk without abstention in the
        condition, with intervals as in `abstention_table`. Models without probabilities are left
        out
    """
    tables = [pd.DataFrame(columns=IN_CONDITION_COLUMNS)]
    for model, conditions in in_conditions.items():
        own = answers_of(clean[model], metadata, units)
        if own is None:
            continue
        limits = np.array([threshold_of(own.sure, coverage) for coverage in COVERAGES])
        shares = (own.sure[:, None] >= limits).mean(axis=0)
        for condition, table in conditions.items():
            changed = answers_of(table, metadata, units)
            if changed is None:
                continue
            answered = changed.sure[:, None] >= limits
            everything = np.ones(len(changed.loss), dtype=bool)
            rows = _curve(changed, everything, answered, resamples=resamples, seed=seed)
            known = {"model": model, "condition": condition, "threshold": limits}
            tables.append(rows.assign(**known, coverage_clean=shares)[IN_CONDITION_COLUMNS])
    return pd.concat([part for part in tables if len(part)] or tables, ignore_index=True)


def mode_masks(
    keys: pd.DataFrame, modes: pd.DataFrame, members: pd.DataFrame
) -> dict[str, tuple[str, np.ndarray]]:
    """Name and utterances of each failure mode that is confirmed for a model.

    Args:
        keys: keys of the utterances of a model
        modes: failure modes of all models
        members: `mode` and the keys of the utterances of each mode

    Returns:
        the name and a mask of shape (utterances,), by id of the mode
    """
    index = pd.MultiIndex.from_frame(keys[KEY])
    rows = modes[(modes["mode"].astype(str) != REST) & as_booleans(modes["confirmed"])]
    found = {}
    for row in rows.drop_duplicates("mode").to_dict("records"):
        of_mode = members[members["mode"].astype(str) == str(row["mode"])]
        inside = index.isin(pd.MultiIndex.from_frame(of_mode[KEY]))
        if inside.any():
            found[str(row["mode"])] = (str(row["name"]), inside)
    return found


def visible_rules(
    modes: pd.DataFrame,
    model: str,
    metadata: pd.DataFrame,
    keys: pd.DataFrame,
    visible: Sequence[str],
) -> dict[str, np.ndarray]:
    """The utterances of each confirmed mode of a model whose rule a machine can see.

    Args:
        modes: failure modes of all models
        model: id of the model
        metadata: the metadata of all utterances
        keys: keys of the utterances of the model
        visible: columns that are measured or predicted

    Returns:
        a mask of shape (utterances,), by the rule in words
    """
    rows = modes[
        (modes["model"] == model) & as_booleans(modes["confirmed"]) & modes["rule"].notna()
    ]
    described = keys[KEY].merge(metadata, on=KEY, how="left")
    found = {}
    for rule in rows["rule"]:
        conditions = read_rule(rule, described)
        if conditions and all(condition.column in visible for condition in conditions):
            found[in_words(conditions)] = utterances_of(conditions)
    return found


def _curve(
    own: Answers, inside: np.ndarray, answered: np.ndarray, *, resamples: int, seed: int
) -> pd.DataFrame:
    """One row per column of `answered`: the risk on the answered utterances inside a mode."""
    of_mode, chosen = own.part(inside), answered[inside]
    loss = of_mode.loss
    values = [risk(of_mode.part(part)) for part in chosen.T]
    parts = np.stack([chosen, chosen * loss[:, None]], axis=-1).astype(float)
    whole = np.broadcast_to(np.stack([np.ones(len(loss)), loss], -1)[:, None], parts.shape)
    numbers = None if of_mode.speakers is None else number_speakers(of_mode.speakers)[0]
    clusters = make_clusters(len(loss), numbers, of_mode.units)
    low, high = cluster_interval(
        clusters.cell_sums(np.stack([parts, whole], axis=1)),
        _change,
        clusters,
        resamples=resamples,
        seed=seed,
    )
    full = float(loss.mean())
    table = pd.DataFrame(values, columns=["risk", "low", "high"])
    table.insert(0, "coverage", answered.mean(axis=0))
    table["support"] = int(inside.sum())
    table["answered"] = chosen.sum(axis=0)
    table["coverage_of_mode"] = chosen.mean(axis=0)
    same = chosen.all(axis=0)
    table["change"] = np.where(same, 0.0, table["risk"] - full)
    table["change_low"], table["change_high"] = np.where(same, 0.0, low), np.where(same, 0.0, high)
    return table


def _change(sums: np.ndarray) -> np.ndarray:
    """Risk with abstention minus risk without, from sums of shape (..., 2, thresholds, 2)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = sums[..., 1] / sums[..., 0]
    return rates[..., 0, :] - rates[..., 1, :]


def _area(
    own: Answers, inside: np.ndarray, *, resamples: int, seed: int
) -> tuple[float, float, float]:
    """Area under the curve of risk against coverage within a mode, with its 95 % interval.

    It is the mean risk over all coverages, with utterances of the same confidence together (the
    AURC of Geifman, Uziel and El-Yaniv, "Bias-reduced uncertainty estimation for deep neural
    classifiers", ICLR 2019). Utterances are put into at most 200 bins of confidence.
    """
    of_mode = own.part(inside)
    sure, loss, speakers = of_mode.sure, of_mode.loss, of_mode.speakers
    edges = np.unique(np.quantile(sure, np.linspace(0, 1, RANKS + 1), method="lower"))
    bins = len(edges) - 1 - (np.searchsorted(edges, sure, side="right") - 1)  # the surest first
    # without speakers, utterances are independent, so they can be resampled in blocks
    numbers = np.arange(len(sure)) % BLOCKS if speakers is None else number_speakers(speakers)[0]
    clusters = make_clusters(len(sure), numbers, of_mode.units)
    sums = np.zeros((clusters.cell.max() + 1, len(edges), 2))
    np.add.at(sums, (clusters.cell, bins), np.stack([np.ones(len(sure)), loss], -1))
    low, high = cluster_interval(sums, _mean_risk, clusters, resamples=resamples, seed=seed)
    ends = np.clip([low[0], high[0]], 0.0, 1.0)  # what units add may reach beyond
    return float(_mean_risk(sums.sum(0))[0]), float(ends[0]), float(ends[1])


def _mean_risk(sums: np.ndarray) -> np.ndarray:
    """Mean of the risk over the coverages, from sums of shape (..., bins, 2)."""
    count, errors = sums[..., 0], sums[..., 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        curve = np.nan_to_num(errors.cumsum(-1) / count.cumsum(-1))
        return ((curve * count).sum(-1) / count.sum(-1))[..., None]


def choose_threshold(own: Answers, wanted: float) -> float | None:
    """Choose the lowest threshold of the confidence that keeps a wanted risk.

    Thresholds are tried with a growing coverage, once from a fifth of the utterances on and once
    from half of them on. The first one whose risk may be above the wanted one ends the search, so
    that the chosen threshold keeps its promise (fixed-sequence testing with several starts, as in
    Angelopoulos et al., "Learn then test", arXiv 2110.01052, 2021). Whether the risk may be above
    the wanted one is told by the upper end of its interval by speaker.

    Args:
        own: utterances of a model
        wanted: largest share of errors among the answered utterances

    Returns:
        the threshold; None if no threshold is shown to keep the risk
    """
    found = [_lowest(own, wanted, start) for start in STARTS]
    return min((limit for limit in found if limit is not None), default=None)


def _lowest(own: Answers, wanted: float, start: float) -> float | None:
    """The lowest threshold that keeps a risk, tried from a coverage on."""
    chosen = None
    for coverage in np.arange(start, 1.001, STEP):
        limit = threshold_of(own.sure, float(coverage))
        if not risk(own.part(own.sure >= limit), 1 - 2 * TAIL / len(STARTS))[2] <= wanted:
            break
        chosen = limit
    return chosen


def threshold_table(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    wanted: float,
    seed: int,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Choose a threshold on each half of the speakers, and tell what it does on the other half.

    Args:
        scores: scores by model, of a classification
        metadata: the metadata of all utterances
        wanted: largest share of errors among the answered utterances
        seed: seed of the halves
        units: columns of the metadata that name units beside the speaker

    Returns:
        one row per model and half, in the columns `THRESHOLD_COLUMNS`: the `threshold` that the
        half chooses (missing if it finds none that keeps the risk), with its coverage and risk
        there, and the number of `speakers`; coverage and risk on the other half, with the 95 %
        interval of the risk; and `kept`, whether that risk is at most the wanted one
    """
    rows = []
    for model, table in scores.items():
        own = answers_of(table, metadata, units)
        if own is None:
            continue
        numbers = (
            np.arange(len(own.loss)) if own.speakers is None else number_speakers(own.speakers)[0]
        )
        order = np.random.default_rng(seed).permutation(np.unique(numbers))
        first = np.isin(numbers, order[: len(order) // 2])
        for half, inside in (("first", first), ("second", ~first)):
            if not inside.any() or inside.all():
                continue
            rows.append(
                {"model": model, "wanted": wanted, "half": half} | _tried(own, inside, wanted)
            )
    return pd.DataFrame(rows, columns=THRESHOLD_COLUMNS).astype({"kept": "boolean"})


def _tried(own: Answers, inside: np.ndarray, wanted: float) -> dict[str, object]:
    """The threshold that some speakers choose, and what it does on the others."""
    limit = choose_threshold(own.part(inside), wanted)
    count = None if own.speakers is None else len(np.unique(own.speakers[inside]))
    if limit is None:
        return {"threshold": np.nan, "speakers": count, "kept": None}
    answered = own.sure >= limit
    here, there = answered & inside, answered & ~inside
    value, low, high = risk(own.part(there))
    return {
        "threshold": limit,
        "coverage": float(answered[inside].mean()),
        "risk": float(own.loss[here].mean()),
        "speakers": count,
        "coverage_elsewhere": float(answered[~inside].mean()),
        "risk_elsewhere": value,
        "low": low,
        "high": high,
        "kept": bool(value <= wanted) if there.any() else None,
    }
