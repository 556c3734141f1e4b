"""What to collect next: utterances of other datasets that most likely belong to a failure mode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from voxslice.decisions.abstention import mode_masks
from voxslice.modes.rules import read_rule, utterances_of
from voxslice.speakers import number_speakers, speakers_of
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
    "hardest", "hardest_auc", "listed",
]  # fmt: skip
LIST_COLUMNS = ["rank", "dataset", *KEY, "probability"]


@dataclass(frozen=True)
class Features:
    """Utterances with what models compute from their audio.

    Attributes:
        keys: keys of the utterances
        embedding: shape (utterances, dimensions)
        outputs: outputs of the models of the task, one column per model and label, one row per
            utterance in the same order; a cell is missing if a model failed
    """

    keys: pd.DataFrame
    embedding: np.ndarray
    outputs: pd.DataFrame

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
        areas: area under the ROC curve of each condition; NaN where it was not tested
    """

    precision: float = np.nan
    best_possible: float = np.nan
    splits: int = 0
    areas: list[float] = field(default_factory=list)


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
    the mode is the product of their probabilities. A mode without a rule has one classifier. The
    classifiers are tested on speakers that they have not seen. Data that were chosen by such a
    classifier improved speech models more than data that were chosen at random (Koudounas et al.,
    ACL 2025, industry track).

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
        members, which a random choice would find; the attributes of `UnseenTest`; the condition
        that is the `hardest` to find on other speakers, with its area under the curve; and the
        number of `listed` utterances. A list has the columns `LIST_COLUMNS`, and the most likely
        utterances are first. Modes with fewer than ten members have no list
    """
    speakers = speakers_of(labelled.keys, metadata)
    outputs = [name for name in labelled.outputs if all(name in p.outputs for p in pools.values())]
    known = labelled.matrix(outputs)
    unknown = {name: pool.matrix(outputs) for name, pool in pools.items() if len(pool.keys)}
    keys = {name: pools[name].keys for name in unknown}
    rows, lists = [], {}
    for mode, (name, inside) in mode_masks(labelled.keys, modes, members).items():
        listed, test, conditions = pd.DataFrame(columns=LIST_COLUMNS), UnseenTest(), {}
        if MIN_MEMBERS <= inside.sum() < len(inside):
            rule = modes.loc[modes["mode"].astype(str) == mode, "rule"].iloc[0]
            conditions = _conditions(str(rule), name, inside, labelled.keys, metadata)
            test = unseen_precision(known, list(conditions.values()), speakers, seed=seed)
            classifiers = [_trained(known, mask) for mask in conditions.values()]
            listed = _listed(classifiers, keys, unknown)
        lists[mode] = listed
        hardest, area = _hardest(list(conditions), test)
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
                "hardest": hardest,
                "hardest_auc": area,
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


def unseen_precision(
    features: np.ndarray,
    conditions: Sequence[np.ndarray],
    speakers: np.ndarray | None,
    *,
    seed: int,
) -> UnseenTest:
    """Find the members of a mode among speakers that the classifiers have not seen.

    Args:
        features: shape (utterances, features)
        conditions: whether each utterance fulfils each condition of the mode
        speakers: speaker of each utterance; None if speakers are not known
        seed: seed of the splits

    Returns:
        means over halves of the speakers that have members both among the speakers of the training
        and among the others
    """
    inside = np.logical_and.reduce(conditions)
    units = np.arange(len(inside)) if speakers is None else number_speakers(speakers)[0]
    generator = np.random.default_rng(seed)
    found, possible, areas = [], [], []
    for _ in range(SPLITS):
        order = generator.permutation(np.unique(units))
        first = np.isin(units, order[: len(order) // 2])
        for train, test in ((first, ~first), (~first, first)):
            if not (inside[train].any() and (~inside[train]).any() and inside[test].any()):
                continue
            classifiers = [_trained(features[train], mask[train]) for mask in conditions]
            each = [_log_probability(one, features[test]) for one in classifiers]
            top = np.argsort(-np.sum(each, axis=0), kind="stable")[:FIRST]
            found.append(float(inside[test][top].mean()))
            possible.append(min(float(inside[test].sum()) / len(top), 1.0))
            areas.append(
                [_area(mask[test], own) for mask, own in zip(conditions, each, strict=True)]
            )
    if not found:
        return UnseenTest()
    tested = pd.DataFrame(areas).mean()  # without those that are missing
    return UnseenTest(float(np.mean(found)), float(np.mean(possible)), len(found), tested.tolist())


def _area(truth: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; NaN if all utterances or none fulfil the condition."""
    return float(roc_auc_score(truth, scores)) if 0 < truth.sum() < len(truth) else np.nan


def _hardest(names: Sequence[str], test: UnseenTest) -> tuple[str | None, float]:
    """The condition with the smallest area under the curve, and the area."""
    areas = pd.Series(test.areas, index=names[: len(test.areas)], dtype=float).dropna()
    return (str(areas.idxmin()), float(areas.min())) if len(areas) else (None, np.nan)


def _trained(features: np.ndarray, truth: np.ndarray) -> Pipeline | None:
    """A classifier of the utterances that fulfil a condition; None if all of them do."""
    if truth.all():
        return None
    model = LogisticRegression(C=PENALTY, max_iter=1000)
    filled = SimpleImputer(strategy="median", keep_empty_features=True)
    return make_pipeline(filled, StandardScaler(), model).fit(features, truth)


def _log_probability(classifier: Pipeline | None, features: np.ndarray) -> np.ndarray:
    """Logarithm of the probability that each utterance fulfils a condition."""
    if classifier is None:
        return np.zeros(len(features))
    chance: np.ndarray = classifier.predict_log_proba(features)[:, 1]
    return chance


def _listed(
    classifiers: Sequence[Pipeline | None],
    keys: Mapping[str, pd.DataFrame],
    features: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """The utterances of the pools that most likely belong to a mode."""
    tables = []
    for dataset, matrix in features.items():
        chance = np.exp(np.sum([_log_probability(one, matrix) for one in classifiers], axis=0))
        tables.append(keys[dataset][KEY].assign(dataset=dataset, probability=chance))
    if not tables:
        return pd.DataFrame(columns=LIST_COLUMNS)
    table = pd.concat(tables, ignore_index=True)
    order = ["probability", "dataset", *KEY]
    table = table.sort_values(order, ascending=[False] + [True] * (len(order) - 1), kind="stable")
    table = table.head(MAX_LISTED).reset_index(drop=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[LIST_COLUMNS]
