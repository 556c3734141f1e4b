"""The results of one dataset and task, from which the report is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from voxslice.audit.finding import Finding
from voxslice.audit.hints import HINT_COLUMNS
from voxslice.comparison.overall_metric import metric_sums, metric_value
from voxslice.conditions.outcomes import MODEL_COLUMNS, OUTCOME_COLUMNS, WORST_COLUMNS
from voxslice.conditions.pooled import POOLED_COLUMNS
from voxslice.conditions.probes import PROBE_COLUMNS
from voxslice.conditions.tables import BROKEN_COLUMNS
from voxslice.decisions.abstention import (
    ABSTENTION_COLUMNS,
    IN_CONDITION_COLUMNS,
    THRESHOLD_COLUMNS,
)
from voxslice.decisions.cascade import CASCADE_COLUMNS
from voxslice.decisions.table import CHECK_COLUMNS
from voxslice.files import as_booleans, read_embeddings, read_predictions
from voxslice.modes.channels import CHANNEL_COLUMNS
from voxslice.modes.differences import DIFFERENCE_COLUMNS
from voxslice.modes.rules import in_words, read_rule
from voxslice.modes.table import LINK_COLUMNS, MODE_COLUMNS
from voxslice.names import CHANCE, MAJORITY, MEDIAN, NO_RULE, cluster_name
from voxslice.report.numbers import Measure, measures
from voxslice.rule_conditions import is_numeric
from voxslice.slices.shared_losses import UNIT_COLUMNS
from voxslice.slices.study_level import STUDY_COLUMNS, holding_searches
from voxslice.speakers import UNKNOWN_SPEAKER, count_speakers, speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY, match_rows

REFERENCES = {
    CHANCE: "labels drawn at random",
    MAJORITY: "always the most frequent label",
    MEDIAN: "always the median of the labels",
}
"""Reference models in the table of metrics, by their id, with their meaning."""


@dataclass(frozen=True)
class Model:
    """A compared model.

    Args:
        name: id of the model
        settings: `license` and `note` of the config
        card: content of the file model.json of the model
        summary: how the model was scored: `scale` of its output (None for a regression and for
            given predictions) and `notes` (warnings)
        scores: one row per utterance
        slices: one row per slice of the model
        members: `slice` and the keys of the utterances of each slice
        searches: one row per search for slices
        failures: the utterances that the model could not score
    """

    name: str
    settings: Mapping[str, str]
    card: Mapping[str, Any]
    summary: Mapping[str, Any]
    scores: pd.DataFrame
    slices: pd.DataFrame
    members: pd.DataFrame
    searches: pd.DataFrame
    failures: pd.DataFrame


@dataclass(frozen=True)
class Embedding:
    """The hidden states of a model, which are only read for the utterances that are shown.

    Args:
        model: id of the model
        keys: keys of the utterances that have hidden states
        read: function that reads the hidden states of a table of utterances, in the order of the
            table: float32 of shape (utterances, dimensions)
    """

    model: str
    keys: pd.DataFrame
    read: Callable[[pd.DataFrame], np.ndarray]


def stored_embedding(model: str, paths: list[str]) -> Embedding:
    """Find the hidden states in the predictions of a model.

    Args:
        model: id of the model
        paths: predictions of the model as Parquet files, one per shard

    Returns:
        the hidden states, which are not read yet
    """
    return Embedding(
        model,
        read_predictions(paths, KEY),
        lambda wanted: match_rows(wanted, *read_embeddings(paths, wanted)),
    )


@dataclass(frozen=True)
class Recordings:
    """Results of a dataset of long recordings.

    Args:
        overview: one row per recording: segments, speech and notes
        segments: one row per segment
        metrics: metrics of each model on recordings
        comparison: comparison of pairs of models on recordings
    """

    overview: pd.DataFrame
    segments: pd.DataFrame
    metrics: pd.DataFrame
    comparison: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """The results of one dataset and task.

    Args:
        dataset: id of the dataset
        task: id of the task
        dataset_settings: settings of the dataset in the config
        task_settings: settings of the task in the config
        searches: settings of each search for slices
        seed: seed of every random step
        resamples: number of bootstrap resamples
        shortest: the report counts utterances that are shorter than this many seconds
        gate: share of the performance of its source that a derived model has to keep
        command: command that makes the report again
        commit: git commit of the workflow, empty if it is not known
        versions: versions of the libraries, by name
        metadata: the metadata of all utterances
        models: the compared models, in the order of the config
        sources: source of each variant in 8 or 16 bits among the models
        pair: baseline and candidate of the answer; fewer than two ids if there is no pair
        embedders: settings and card of each model that is only used for its embedding, by its id
        metrics: metrics of all models and references
        confusion: confusion counts of all models; empty for a regression
        comparison: each pair of models, overall and on every slice
        regressions: the rows of the comparison in which the later model is worse, the largest
            difference first
        speaker_table: results of each speaker and model, see `voxslice.comparison.by_speaker`
        speaker_pairs: what each speaker contributes to the difference of each pair of models
        gates: gates of derived models, see `voxslice.comparison.gates`
        costs: costs of the models that are run, see `voxslice.models.costs`
        embedding: hidden states for the map; None for no map
        silence: utterances that a model scored although they are silent, with the `reason`
        measure_tables: by measure, a table of the utterances with the `reason` why it is missing
        audit: faults of the dataset that rules find, one row per finding
        hints: labels that models contradict, see `voxslice.audit.hints`
        modes: the failure modes, one row per mode and model, the worst mode first; the mode `rest`
            is of the utterances that no mode holds
        study_searches: the searches of the whole study, see `voxslice.slices.study_level`
        units: tests of units that the config does not name, see `voxslice.slices.shared_losses`
        mode_members: `mode` and the keys of the utterances of each mode
        mode_slices: links between modes and slices: `mode`, `model`, `search`, `slice`, `share`
            (share of the errors of the slice that are in the mode), `representative`
        mode_differences: means of each measured column inside and outside each mode
        channels: how the recordings of groups of people differ from those of other people
        abstention: error rate of each model at several coverages; empty for a regression
        thresholds: thresholds for a wanted risk, and what they do on other speakers
        abstention_in_conditions: what the thresholds do in conditions; empty without conditions
        cascades: metrics of cascades of two models; empty for a regression
        checks: answers of the checks; empty if the config has none
        recordings: results per recording; None if the dataset has no long recordings
        condition_outcomes: what conditions cost each model and group, see
            `voxslice.conditions.outcomes`; empty if no model is run in conditions
        condition_slices: slices of the search over all conditions
        condition_models: the models against each other in each condition
        condition_worst: the worst condition of each model
        condition_broken: utterances to listen to before and after
        condition_settings: settings of each condition, as in the config
        probes: verdicts of the probes of failure modes; empty without probes
    """

    dataset: str
    task: str
    dataset_settings: Mapping[str, Any]
    task_settings: Mapping[str, Any]
    searches: Mapping[str, Mapping[str, Any]]
    seed: int
    resamples: int
    shortest: float
    gate: float
    command: str
    commit: str
    versions: Mapping[str, str]
    metadata: pd.DataFrame
    models: Sequence[Model]
    sources: Mapping[str, str]
    pair: Sequence[str]
    embedders: Mapping[str, tuple[Mapping[str, str], Mapping[str, Any]]]
    metrics: pd.DataFrame
    confusion: pd.DataFrame
    comparison: pd.DataFrame
    regressions: pd.DataFrame
    speaker_table: pd.DataFrame
    speaker_pairs: pd.DataFrame
    gates: pd.DataFrame
    costs: pd.DataFrame
    embedding: Embedding | None
    silence: pd.DataFrame
    measure_tables: Mapping[str, pd.DataFrame]
    audit: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=Finding._fields))
    hints: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=HINT_COLUMNS))
    modes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=MODE_COLUMNS))
    study_searches: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=STUDY_COLUMNS)
    )
    units: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=UNIT_COLUMNS))
    mode_members: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["mode", *KEY]))
    mode_slices: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=LINK_COLUMNS))
    mode_differences: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=DIFFERENCE_COLUMNS)
    )
    channels: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CHANNEL_COLUMNS))
    abstention: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=ABSTENTION_COLUMNS)
    )
    thresholds: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=THRESHOLD_COLUMNS)
    )
    abstention_in_conditions: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=IN_CONDITION_COLUMNS)
    )
    cascades: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CASCADE_COLUMNS))
    checks: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CHECK_COLUMNS))
    recordings: Recordings | None = None
    condition_outcomes: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=OUTCOME_COLUMNS)
    )
    condition_slices: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=POOLED_COLUMNS)
    )
    condition_models: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=MODEL_COLUMNS)
    )
    condition_worst: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=WORST_COLUMNS)
    )
    condition_broken: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=BROKEN_COLUMNS)
    )
    condition_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    probes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PROBE_COLUMNS))

    @property
    def measured(self) -> Task:
        """The task, with its unit, its metric and its margin of equivalence."""
        settings = self.task_settings
        return Task(
            settings["type"],
            settings.get("unit", ""),
            settings.get("margin"),
            overall=settings["metric"],
        )

    @property
    def classification(self) -> bool:
        """Whether the labels are classes."""
        return self.measured.is_classification

    @property
    def durations(self) -> pd.Series:
        """Duration of each utterance that has audio, in seconds."""
        seconds = self.metadata["duration"]
        return seconds[seconds > 0]

    @property
    def target(self) -> str:
        """Column of the true labels."""
        return self.task_settings["target"]

    @property
    def unit(self) -> str:
        """Unit of the true values; empty if they have none."""
        return self.measured.unit

    @property
    def measures(self) -> dict[str, Measure]:
        """The metrics by name."""
        return measures(self.unit)

    @property
    def metric(self) -> str:
        """Name of the metric of groups and slices."""
        return self.measured.metric

    @property
    def measure(self) -> Measure:
        """The metric of groups and slices."""
        return self.measures[self.metric]

    @property
    def overall_metric(self) -> str:
        """Name of the metric by which models are compared on all utterances."""
        return self.measured.overall_metric

    @property
    def overall_measure(self) -> Measure:
        """The metric by which models are compared on all utterances."""
        return self.measures[self.overall_metric]

    @property
    def speakers(self) -> int | None:
        """Number of known speakers of the scored utterances; None without speakers."""
        return count_speakers(self.speakers_of(self.joined))

    @cached_property
    def label_counts(self) -> pd.Series:
        """Number of scored utterances of each label of a classification, in the task's order.

        It is empty for a regression.
        """
        labels = self.task_settings["labels"] if self.classification else []
        counts = self.joined[self.target].astype("string").value_counts()
        return counts.reindex(labels, fill_value=0).astype(int)

    @property
    def unnamed(self) -> int:
        """Number of scored utterances without a speaker; 0 if the metadata has no speakers."""
        names = self.speakers_of(self.joined)
        return 0 if names is None else int((names == UNKNOWN_SPEAKER).sum())

    @cached_property
    def joined(self) -> pd.DataFrame:
        """Metadata of the utterances that all models have scored, with their losses.

        The loss of the model at a position in `models` is in the column `_loss_<position>`.
        """
        table = self.metadata
        for position, model in enumerate(self.models):
            losses = model.scores[[*KEY, "loss"]].rename(columns={"loss": f"_loss_{position}"})
            table = table.merge(losses, on=KEY, how="inner")
        return table

    @cached_property
    def keys(self) -> pd.MultiIndex:
        """Keys of the rows of `joined`."""
        return pd.MultiIndex.from_frame(self.joined[KEY])

    @cached_property
    def described(self) -> pd.DataFrame:
        """The metadata by the keys of the utterances."""
        return self.metadata.set_index(KEY)

    @cached_property
    def categories(self) -> list[str]:
        """Metadata columns with two to twelve categories, in the order of the config."""
        return [
            name
            for name in self.dataset_settings["columns"]
            if name != "speaker"
            and name in self.metadata
            and not is_numeric(self.metadata[name])
            and 2 <= self.metadata[name].nunique() <= 12
        ]

    @cached_property
    def confirmed(self) -> pd.DataFrame:
        """Confirmed slices of all models, each once, the largest drop first.

        A slice counts only if its search holds in the whole study. The column `position` contains
        the position of a model for which the slice was found.
        """
        holding = holding_searches(self.study_searches, self.dataset, self.task)
        tables = []
        for position, model in enumerate(self.models):
            counts = model.slices["search"].isin(holding.get(model.name, set()))
            rows = model.slices[as_booleans(model.slices["confirmed"]) & counts]
            tables.append(rows.assign(position=position))
        some = [table for table in tables if len(table)] or tables[:1]
        return distinct(pd.concat(some, ignore_index=True))

    def group_name(self, row: pd.Series) -> str:
        """Name a group of the comparison in words.

        Args:
            row: row of the comparison

        Returns:
            the group in words, such as `male, anger`; its rule if that cannot be read
        """
        if row["rule"] == NO_RULE:
            return rule_text(row)
        return in_words(read_rule(row["rule"], self.metadata)) or rule_text(row)

    def inside(self, row: pd.Series) -> np.ndarray:
        """Find the rows of `joined` that are in a slice.

        Args:
            row: row of `confirmed`

        Returns:
            mask of shape (rows of `joined`,)
        """
        members = self.models[row["position"]].members
        rows = members.loc[members["slice"] == row["slice"], KEY]
        # the last entry is for utterances that not all models have scored
        mask = np.zeros(len(self.keys) + 1, dtype=bool)
        mask[self.keys.get_indexer(pd.MultiIndex.from_frame(rows))] = True
        return mask[:-1]

    def value(self, position: int, mask: np.ndarray) -> float:
        """Compute the metric of a model on some rows of `joined`.

        Args:
            position: position of the model in `models`
            mask: mask of shape (rows of `joined`,)

        Returns:
            the metric; NaN if the mask selects no row
        """
        loss = self.joined[f"_loss_{position}"].to_numpy()[mask]
        if not len(loss):
            return float("nan")
        return self.measured.metric_of(float(loss.mean()))

    def overall_value(self, position: int) -> float:
        """Compute the metric of the task for a model on all rows of `joined`.

        Args:
            position: position of the model in `models`

        Returns:
            the metric; NaN if there are no rows
        """
        scores = self.joined[KEY].merge(self.models[position].scores, on=KEY, how="left")
        sums = metric_sums(scores, None, self.overall_metric)
        return float(metric_value(sums.sum(0), self.overall_metric))

    def speakers_of(self, table: pd.DataFrame) -> np.ndarray | None:
        """Return the speaker of each row of a table; None if the metadata has no speakers."""
        return speakers_of(table, self.metadata)

    def ranked(self) -> list[tuple[int, pd.Series]]:
        """Sort the models by the metric of the task on all utterances.

        Returns:
            position and row of the table of metrics of each model, best first; models with the same
            metric in the order of the config
        """
        rows = self.metrics[self.metrics["metric"] == self.overall_metric].set_index("model")
        order = [(position, rows.loc[model.name]) for position, model in enumerate(self.models)]
        sign = -1 if self.overall_measure.rises else 1
        return sorted(
            order, key=lambda item: sign * np.nan_to_num(item[1]["value"], nan=-sign * 1e9)
        )

    def against(self, first: str, second: str) -> pd.DataFrame:
        """Select the comparison of two models, with the signs that apply to the first one.

        Args:
            first: id of a model or reference
            second: id of the model or reference with which it is compared

        Returns:
            `slice`, `kind`, `rule`, `support`, `speakers`, `reliable`, `metric`, `value` and
            `other` (of both), `difference` (first minus second) with `low` and `high`, `new` and
            `fixed` (utterances that only the first, and only the second, gets wrong), `both_wrong`,
            `q`, `verdict` on the first, `strictly`, `equivalent`; empty if they were not compared
        """
        table = self.comparison
        direct = table[(table["model_a"] == second) & (table["model_b"] == first)]
        names = {"value_b": "value", "value_a": "other", "only_b_wrong": "new",
                 "only_a_wrong": "fixed"}  # fmt: skip
        if len(direct):
            return direct.rename(columns=names).reset_index(drop=True)
        table = table[(table["model_a"] == first) & (table["model_b"] == second)]
        names = {"value_a": "value", "value_b": "other", "only_a_wrong": "new",
                 "only_b_wrong": "fixed", "low": "high", "high": "low"}  # fmt: skip
        table = table.rename(columns=names).reset_index(drop=True)
        negated = {name: -table[name] for name in ("difference", "low", "high")}
        verdict = table["verdict"].replace({"better": "worse", "worse": "better"})
        return table.assign(**negated, verdict=verdict)


def by_severity(slices: pd.DataFrame) -> pd.DataFrame:
    """Sort slices as the report shows them: confirmed slices first, then by drop."""
    order = slices.assign(confirmed=as_booleans(slices["confirmed"]))
    return order.sort_values(["confirmed", "drop", "slice"], ascending=[False, False, True])


def distinct(slices: pd.DataFrame) -> pd.DataFrame:
    """Merge the rows of slices that several searches found.

    Args:
        slices: table of slices, with one row per slice and search

    Returns:
        one row per slice, in the order of `by_severity`, with `rank` (from 1) and `also` (other
        searches that found the slice); the other columns are those of its first row
    """
    rows = by_severity(slices)
    searches = rows.groupby("slice", sort=False)["search"].agg(list)
    rows = rows.drop_duplicates("slice").reset_index(drop=True)
    also = [", ".join(dict.fromkeys(searches[name][1:])) for name in rows["slice"]]
    return rows.assign(rank=np.arange(1, len(rows) + 1), also=also)


def rule_text(row: pd.Series) -> str:
    """Name a slice or a group in words.

    Args:
        row: row of a table of slices or comparisons: `slice`, `rule`, and `search` if it is known

    Returns:
        the rule, or the name of a cluster if no rule describes the slice well enough
    """
    if row["rule"] != NO_RULE:
        return str(row["rule"])
    return cluster_name(row["slice"], row.get("search", ""))
