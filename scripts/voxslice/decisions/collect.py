"""What to collect next: utterances of other datasets that most likely belong to a failure mode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from voxslice.decisions.abstention import mode_masks
from voxslice.modes.rules import read_rule, utterances_of
from voxslice.speakers import UNKNOWN_SPEAKER, number_speakers
from voxslice.units import Index, number_units
from voxslice.utterance_keys import KEY

FIRST = 20
"""Number of utterances at the top of a list that the test counts."""
MAX_LISTED = 500
"""Largest number of utterances in a list."""
SPLITS = 10
"""Number of random splits of the speakers into halves in the test."""
MIN_MEMBERS = 10
"""Smallest number of members of a mode from which a classifier is trained."""
PENALTY = 0.1
"""Inverse strength of the penalty of the regression, for hundreds of dimensions."""
SUMMARY_COLUMNS = [
    "mode", "name", "members", "utterances", "share", "precision", "best_possible", "splits",
    "by_speaker", "hardest", "hardest_known", "listed",
]  # fmt: skip
LIST_COLUMNS = ["rank", "dataset", *KEY, "probability"]


@dataclass(frozen=True)
class Features:
    """Utterances with what models compute from their audio.

    Attributes:
        keys: keys of the utterances
        embedding: shape (utterances, dimensions)
        outputs: outputs of the models, one column per model and label, one row per utterance in
            the same order; a cell is missing if a model failed
        speakers: speaker of each utterance; None if speakers are not known
    """

    keys: pd.DataFrame
    embedding: np.ndarray
    outputs: pd.DataFrame
    speakers: np.ndarray | None = None

    def matrix(self, outputs: Sequence[str]) -> np.ndarray:
        """The embedding and some columns of the outputs, shape (utterances, features)."""
        return np.hstack([self.embedding, self.outputs[list(outputs)].to_numpy(np.float32)])


@dataclass(frozen=True)
class UnseenTest:
    """How well a classifier finds the members of a mode among speakers that it has not seen.

    Attributes:
        precision: share of members among the first 20 utterances, as the mean of several splits;
            NaN if no split has members on both sides
        best_possible: largest possible precision, below 1 if the speakers have fewer members
        splits: number of splits
        if_known: for each condition, the precision if it was known which utterances fulfil it
    """

    precision: float = np.nan
    best_possible: float = np.nan
    splits: int = 0
    if_known: list[float] = field(default_factory=list)


def collect_next(
    labelled: Features,
    metadata: pd.DataFrame,
    modes: pd.DataFrame,
    members: pd.DataFrame,
    pools: Mapping[str, Features],
    *,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """List the utterances of unlabelled datasets that most likely belong to each failure mode.

    For each condition of the rule of a mode, a classifier (penalised logistic regression) learns
    from the embedding and the outputs of the models which utterances fulfil it. The probability of
    the mode is the product of their probabilities. A mode without a rule has one classifier. If
    all utterances of a speaker agree in a condition, such as an age, and the pools name the speaker
    of each utterance, the log odds of a speaker's utterances are averaged. The classifiers are
    tested on speakers that they have not seen. Data that were chosen by such a classifier improved
    speech models more than data that were chosen at random (Koudounas et al., ACL 2025, industry
    track).

    Args:
        labelled: utterances of the dataset in which the modes were found
        metadata: the metadata of these utterances
        modes: failure modes of all models
        members: `mode` and the keys of the utterances of each mode
        pools: utterances of datasets without labels, by id of the dataset
        seed: seed of the splits

    Returns:
        a table with one row per confirmed mode, and the list of each mode by its id. The table has
        the columns `SUMMARY_COLUMNS`: the number of `members` and of `utterances`; the `share` of
        members, which a random choice would find; `precision`, `best_possible` and `splits` of
        `UnseenTest`; `by_speaker`, whether the utterances of a speaker are judged together; the
        condition that is the `hardest` to find, because the precision would be the largest if it
        was known, and this precision (`hardest_known`); and the number of `listed` utterances. A
        list has the columns `LIST_COLUMNS`, and the most likely utterances are first. Modes with
        fewer than ten members have no list
    """
    outputs = [name for name in labelled.outputs if all(name in p.outputs for p in pools.values())]
    known = labelled.matrix(outputs)
    full = {name: pool for name, pool in pools.items() if len(pool.keys)}
    named = bool(full) and all(_names_speakers(pool) for pool in full.values())
    rows, lists = [], {}
    for mode, (name, inside) in mode_masks(labelled.keys, modes, members).items():
        listed, test, conditions = pd.DataFrame(columns=LIST_COLUMNS), UnseenTest(), {}
        by_speaker = []
        if MIN_MEMBERS <= inside.sum() < len(inside):
            rule = modes.loc[modes["mode"].astype(str) == mode, "rule"].iloc[0]
            conditions = _conditions(str(rule), name, inside, labelled.keys, metadata)
            masks = list(conditions.values())
            by_speaker = [named and _speakers_agree(mask, labelled.speakers) for mask in masks]
            test = unseen_precision(known, masks, labelled.speakers, seed=seed, pooled=by_speaker)
            classifiers = [_trained(known, mask) for mask in masks]
            listed = _listed(classifiers, by_speaker, full, outputs)
        lists[mode] = listed
        hardest, if_known = _hardest(list(conditions), test)
        rows.append(
            {
                "mode": mode,
                "name": name,
                "members": int(inside.sum()),
                "utterances": len(inside),
                "share": float(inside.mean()),
                "precision": test.precision,
                "best_possible": test.best_possible,
                "splits": test.splits,
                "by_speaker": any(by_speaker),
                "hardest": hardest,
                "hardest_known": if_known,
                "listed": len(listed),
            }
        )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS), lists


def _conditions(
    rule: str, name: str, inside: np.ndarray, keys: pd.DataFrame, metadata: pd.DataFrame
) -> dict[str, np.ndarray]:
    """The conditions of the rule of a mode, in words; the mode itself if no rule describes it."""
    read = read_rule(rule, keys[KEY].merge(metadata, on=KEY, how="left"))
    if read and np.array_equal(utterances_of(read), inside):
        return {condition.words: condition.mask for condition in read}
    return {name: inside}


def _names_speakers(pool: Features) -> bool:
    """Whether each utterance of a pool has a known speaker."""
    return pool.speakers is not None and bool((pool.speakers != UNKNOWN_SPEAKER).all())


def _speakers_agree(mask: np.ndarray, speakers: np.ndarray | None) -> bool:
    """Whether all utterances of each known speaker agree in a condition, and speakers repeat."""
    units = _own_units(speakers, len(mask))
    size = np.bincount(units)
    share = np.bincount(units, mask) / size
    return bool(size.max() > 1 and np.isin(share, (0, 1)).all())


def _own_units(speakers: np.ndarray | None, count: int) -> Index:
    """Number of each utterance's speaker; an utterance without a speaker has its own number."""
    if speakers is None:
        return np.arange(count)
    return number_units(pd.Series(speakers).mask(speakers == UNKNOWN_SPEAKER))


def unseen_precision(
    features: np.ndarray,
    conditions: Sequence[np.ndarray],
    speakers: np.ndarray | None,
    *,
    seed: int,
    pooled: Sequence[bool] | None = None,
) -> UnseenTest:
    """Find the members of a mode among speakers that the classifiers have not seen.

    Args:
        features: shape (utterances, features)
        conditions: whether each utterance fulfils each condition of the mode
        speakers: speaker of each utterance; None if speakers are not known
        seed: seed of the splits
        pooled: for each condition whether the utterances of a speaker are judged together; None if
            no condition is judged in this way

    Returns:
        means over halves of the speakers that have members both among the speakers of the training
        and among the others
    """
    inside = np.logical_and.reduce(conditions)
    together = [False] * len(conditions) if pooled is None else pooled
    own = _own_units(speakers, len(inside))
    units = np.arange(len(inside)) if speakers is None else number_speakers(speakers)[0]
    generator = np.random.default_rng(seed)
    found, possible, if_known = [], [], []
    for _ in range(SPLITS):
        order = generator.permutation(np.unique(units))
        first = np.isin(units, order[: len(order) // 2])
        for train, test in ((first, ~first), (~first, first)):
            if not (inside[train].any() and (~inside[train]).any() and inside[test].any()):
                continue
            each = np.stack(
                [
                    _log_probability(
                        _trained(features[train], mask[train]),
                        features[test],
                        own[test] if joint else None,
                    )
                    for mask, joint in zip(conditions, together, strict=True)
                ]
            )
            truth = np.stack([np.where(mask[test], 0.0, -np.inf) for mask in conditions])
            found.append(_first_members(inside[test], each.sum(axis=0)))
            possible.append(_first_members(inside[test], truth.sum(axis=0)))
            others = each.sum(axis=0) - each
            if_known.append([_first_members(inside[test], row) for row in others + truth])
    if not found:
        return UnseenTest()
    known = np.mean(if_known, axis=0).tolist()
    return UnseenTest(float(np.mean(found)), float(np.mean(possible)), len(found), known)


def _first_members(inside: np.ndarray, scores: np.ndarray) -> float:
    """Share of members among the first 20 utterances, those with the highest scores."""
    return float(inside[np.argsort(-scores, kind="stable")[:FIRST]].mean())


def _hardest(names: Sequence[str], test: UnseenTest) -> tuple[str | None, float]:
    """The condition whose knowledge would raise the precision the most, and this precision."""
    if not test.if_known:
        return None, np.nan
    place = int(np.argmax(test.if_known))
    return names[place], test.if_known[place]


def _trained(features: np.ndarray, truth: np.ndarray) -> Pipeline | None:
    """A classifier of the utterances that fulfil a condition; None if all of them do."""
    if truth.all():
        return None
    model = LogisticRegression(C=PENALTY, max_iter=1000)
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(filled, StandardScaler(), model).fit(features, truth)


def _log_probability(
    classifier: Pipeline | None, features: np.ndarray, units: Index | None
) -> np.ndarray:
    """Logarithm of the probability that each utterance fulfils a condition.

    Args:
        classifier: classifier of the condition; None if all utterances fulfil it
        features: shape (utterances, features)
        units: number of each utterance's speaker, to judge the utterances of a speaker together;
            None to judge each utterance by itself

    Returns:
        shape (utterances,)
    """
    if classifier is None:
        return np.zeros(len(features))
    log_odds: np.ndarray = classifier.decision_function(features)
    if units is not None:
        places = np.unique(units, return_inverse=True)[1]
        log_odds = (np.bincount(places, log_odds) / np.bincount(places))[places]
    return -np.logaddexp(0, -log_odds)


def _listed(
    classifiers: Sequence[Pipeline | None],
    by_speaker: Sequence[bool],
    pools: Mapping[str, Features],
    outputs: Sequence[str],
) -> pd.DataFrame:
    """The utterances of the pools that most likely belong to a mode."""
    tables = []
    for dataset, pool in pools.items():
        matrix, units = pool.matrix(outputs), _own_units(pool.speakers, len(pool.keys))
        each = [
            _log_probability(one, matrix, units if joint else None)
            for one, joint in zip(classifiers, by_speaker, strict=True)
        ]
        chance = np.exp(np.sum(each, axis=0))
        tables.append(pool.keys[KEY].assign(dataset=dataset, probability=chance))
    if not tables:
        return pd.DataFrame(columns=LIST_COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    order = ["probability", "dataset", *KEY]
    table = table.sort_values(order, ascending=[False] + [True] * (len(order) - 1), kind="stable")
    table = table.head(MAX_LISTED).reset_index(drop=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[LIST_COLUMNS]
