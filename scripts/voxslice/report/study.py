"""What the workflow has written of one dataset and task, as the report needs it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from voxslice.files import KEY
from voxslice.report.numbers import Measure, measures
from voxslice.rules import is_numeric


@dataclass(frozen=True)
class Model:
    """One model of the study.

    Args:
        name: id
        settings: `license` and `note` of the config
        card: the content of its model.json
        scores: one row an utterance; None for a model that only gives an embedding
        slices: what was found for it
        members: the utterances of those slices
        searches: what was searched for them, one row a view
        failures: the utterances that it could not score
    """

    name: str
    settings: Mapping[str, str]
    card: Mapping[str, Any]
    scores: pd.DataFrame
    slices: pd.DataFrame
    members: pd.DataFrame
    searches: pd.DataFrame
    failures: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """One dataset and task.

    Args:
        dataset: id of the dataset
        task: id of the task
        dataset_settings: of the config
        task_settings: of the config
        views: settings of each view that slices were looked for in
        seed: of every random step
        resamples: bootstrap resamples
        command: what makes the report again
        versions: of the libraries, by name
        files: the metadata of all utterances
        models: the compared models, in the order of the config
        embedders: models that only give an embedding: id to settings and card
        metrics: of all models
        confusion: of all models; empty for a regression
        comparison: of each pair of models, overall and on every slice
    """

    dataset: str
    task: str
    dataset_settings: Mapping[str, Any]
    task_settings: Mapping[str, Any]
    views: Mapping[str, Mapping[str, Any]]
    seed: int
    resamples: int
    command: str
    versions: Mapping[str, str]
    files: pd.DataFrame
    models: Sequence[Model]
    embedders: Mapping[str, tuple[Mapping[str, str], Mapping[str, Any]]]
    metrics: pd.DataFrame
    confusion: pd.DataFrame
    comparison: pd.DataFrame

    @property
    def classification(self) -> bool:
        """Whether the models choose a class."""
        return self.task_settings["type"] == "classification"

    @property
    def target(self) -> str:
        """Column of the true labels."""
        return self.task_settings["target"]

    @property
    def measures(self) -> dict[str, Measure]:
        """The metrics by name."""
        return measures(self.task_settings.get("unit", ""))

    @property
    def measure(self) -> Measure:
        """The metric of slices and comparisons."""
        return self.measures["accuracy" if self.classification else "mae"]

    @property
    def speakers(self) -> int | None:
        """Number of speakers among the scored utterances, None where they are not known."""
        return None if "speaker" not in self.joined else self.joined["speaker"].nunique()

    @cached_property
    def joined(self) -> pd.DataFrame:
        """Metadata of the utterances that every model has scored, with `_loss_<position>` each."""
        table = self.files
        for position, model in enumerate(self.models):
            losses = model.scores[[*KEY, "loss"]].rename(columns={"loss": f"_loss_{position}"})
            table = table.merge(losses, on=KEY, how="inner")
        return table

    @cached_property
    def categories(self) -> list[str]:
        """Metadata columns with two to twelve categories, in the order of the config."""
        return [
            name
            for name in self.dataset_settings["columns"]
            if name != "speaker"
            and name in self.files
            and not is_numeric(self.files[name])
            and 2 <= self.files[name].nunique() <= 12
        ]

    def ranked(self) -> list[tuple[int, pd.Series]]:
        """Positions of the models and their first metric, best first, ties in config order."""
        name = "accuracy" if self.classification else "mae"
        rows = self.metrics[self.metrics["metric"] == name].set_index("model")
        order = [(position, rows.loc[model.name]) for position, model in enumerate(self.models)]
        sign = -1 if self.measure.rises else 1
        return sorted(
            order, key=lambda item: sign * np.nan_to_num(item[1]["value"], nan=-sign * 1e9)
        )

    def pair(self, better: int, other: int, row: str = "all") -> dict[str, Any] | None:
        """A row of the comparison, seen from the first of two models.

        Args:
            better: position of the model that is looked at
            other: position of the one it is compared with
            row: id of the slice

        Returns:
            `difference` (first minus second), `low`, `high`, `new` and `fixed` (utterances that
            only the first, and only the second, gets wrong), None where it was not compared
        """
        names = self.models[better].name, self.models[other].name
        table = self.comparison[self.comparison["slice"] == row]
        for a, b, sign in ((*names, -1), (*names[::-1], 1)):
            found = table[(table["model_a"] == a) & (table["model_b"] == b)]
            if len(found):
                line = found.iloc[0]
                edges = sorted([sign * line["low"], sign * line["high"]])
                only = line["only_a_wrong"], line["only_b_wrong"]
                return {
                    "difference": sign * line["difference"],
                    "low": edges[0],
                    "high": edges[1],
                    "new": only[0] if sign < 0 else only[1],
                    "fixed": only[1] if sign < 0 else only[0],
                }
        return None


def by_severity(slices: pd.DataFrame) -> pd.DataFrame:
    """Slices in the order of the report: confirmed ones first, then by drop."""
    order = slices.assign(confirmed=is_confirmed(slices["confirmed"]))
    return order.sort_values(["confirmed", "drop", "slice"], ascending=[False, False, True])


def is_confirmed(column: pd.Series) -> pd.Series:
    """The column `confirmed` as booleans; what is missing is not confirmed."""
    return column.astype("string").str.lower().eq("true").fillna(False).astype(bool)
