"""The comparison of all models of a task, as the workflow writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

from voxslice.comparison.compare import compare, compare_with_references, regressions
from voxslice.comparison.gates import compare_with_sources, summaries
from voxslice.comparison.groups import align, category_groups, slice_groups
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.units import units_of
from voxslice.utterance_keys import KEY


@dataclass(frozen=True)
class ComparisonTables:
    """The comparison of the models of a task.

    Attributes:
        comparison: one row per group of utterances and pair of models, then those of each
            reference model and model, see `voxslice.comparison.compare.compare`
        regressions: the groups in which the later model of a pair is worse
        gates: whether derived models keep the quality of their source
    """

    comparison: pd.DataFrame
    regressions: pd.DataFrame
    gates: pd.DataFrame


def compare_models(
    scores: Mapping[str, pd.DataFrame],
    references: pd.DataFrame,
    slices: Sequence[pd.DataFrame],
    members: Sequence[pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    columns: Sequence[str],
    task: Task,
    sources: Mapping[str, str],
    gate: float,
    resamples: int,
    seed: int,
    units: Sequence[str] = (),
) -> ComparisonTables:
    """Compare models overall, on each category of the metadata and on each slice.

    Only utterances that all models have scored are compared.

    Args:
        scores: scores by model, in the order of the config
        references: `model` and the scores of all reference models
        slices: the slices of each model
        members: the utterances of the slices of each model
        metadata: the metadata of all utterances
        columns: columns of the metadata whose categories are compared
        task: what is measured, with the margin of equivalence
        sources: source of each derived model
        gate: share of the source's quality that a derived model has to keep
        resamples: number of resamples
        seed: seed of the resamples
        units: columns of the metadata that name units beside the speaker, see
            `voxslice.scores.clusters`

    Returns:
        the comparison, the regressions and the gates
    """
    by_reference = dict(iter(references.groupby("model", sort=False)))
    keys, aligned = align({**scores, **by_reference})
    reference_scores = {name: aligned.pop(name) for name in by_reference}
    found = slice_groups(keys, slices, members)
    categories = category_groups(keys.merge(metadata, on=KEY, how="left")[list(columns)], found)
    groups, speakers = {**categories, **found}, speakers_of(keys, metadata)
    others = units_of(keys, metadata, units)
    table = compare(
        aligned,
        groups,
        speakers,
        task=task,
        resamples=resamples,
        seed=seed,
        pairs=compared_pairs(list(scores), sources),
        units=others,
    )
    with_references = compare_with_references(
        aligned,
        reference_scores,
        groups,
        speakers,
        task=task,
        resamples=resamples,
        seed=seed,
        units=others,
    )
    gates = compare_with_sources(
        aligned,
        groups,
        speakers,
        sources,
        task=task,
        gate=gate,
        resamples=resamples,
        seed=seed,
        units=others,
    )
    print(*summaries(gates, gate), sep="\n")
    return ComparisonTables(
        pd.concat([part for part in (table, with_references) if len(part)]),
        regressions(table),
        gates,
    )


def compared_pairs(models: Sequence[str], sources: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of models that are compared.

    A variant in 8 or 16 bits is only compared with its source.

    Args:
        models: ids of the models, in the order of the config
        sources: source of each derived model

    Returns:
        the pairs, each in the order of the config
    """
    return [
        (a, b)
        for a, b in combinations(models, 2)
        if (a not in sources and b not in sources) or sources.get(b) == a or sources.get(a) == b
    ]
