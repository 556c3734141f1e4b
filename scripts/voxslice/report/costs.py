"""Costs of the models of a study, and whether a model may replace another one."""

from dataclasses import dataclass

import pandas as pd

from voxslice.report.study import Study

MIN_GAIN = 0.1
"""Smallest relative gain in size or latency for which a model may replace another one. No other
cost may be larger by more than this share."""


@dataclass(frozen=True)
class Cost:
    """A cost of a model.

    Args:
        title: name of the cost
        unit: unit of the cost
    """

    title: str
    unit: str


COSTS = {
    "size_mb": Cost("Size", "MB"),
    "rtf": Cost("Real-time factor", "s per s of audio"),
    "p50_ms": Cost("Latency", "ms"),
}
"""Costs that the report draws."""
GAINS = {"size_mb": "smaller", "p50_ms": "faster"}
"""Costs for which a model may replace another one, with the word for a gain."""
LIMITED = ("size_mb", "rtf", "p50_ms", "p95_ms", "peak_mb")
"""Costs that may not be much larger for a model that replaces another one."""


def measured(study: Study) -> pd.DataFrame:
    """Select one measurement of the costs of each model.

    It is the measurement with the fewest threads, on the utterance whose duration is nearest to the
    median of the dataset.

    Args:
        study: the study

    Returns:
        rows of `study.costs`, at most one per model
    """
    if not len(study.costs):
        return study.costs
    median = study.durations.median()
    order = study.costs.assign(_off=(study.costs["seconds"] - median).abs())
    order = order.sort_values(["threads", "_off", "seconds"], kind="stable")
    return order.drop_duplicates("model").drop(columns="_off")


def gain(study: Study, model: str, other: str) -> str:
    """Say how much smaller or faster a model is than another one, if it costs less.

    A model costs less if its size or its latency is smaller by at least 10 % and no other cost is
    larger by more than 10 %. Times that were measured on different machines are not compared.

    Args:
        study: the study
        model: id of the model
        other: id of the model that it could replace

    Returns:
        the gains, such as `60 % smaller (1.2 MB instead of 3.0 MB)`; empty if it does not cost less
    """
    first, second = _costs(study, model), _costs(study, other)
    ratios = {
        name: first[name] / second[name]
        for name in LIMITED
        if name in first and second.get(name, 0) > 0
    }
    gains = [name for name in GAINS if ratios.get(name, 1.0) <= 1 - MIN_GAIN]
    if not gains or max(ratios.values()) > 1 + MIN_GAIN:
        return ""
    return " and ".join(
        f"{100 * (1 - ratios[name]):.0f} % {GAINS[name]} ({first[name]:.3g} {COSTS[name].unit}"
        f" instead of {second[name]:.3g} {COSTS[name].unit})"
        for name in gains
    )


def _costs(study: Study, model: str) -> dict[str, float]:
    """The known costs of a model by name; times only if all models have them from one machine."""
    card = next(one.card for one in study.models if one.name == model)
    costs = {} if card["size_mb"] is None else {"size_mb": float(card["size_mb"])}
    times = measured(study)
    if len(times) and len(set(times["machine"])) == 1 and model in set(times["model"]):
        row = times.set_index("model").loc[model]
        costs |= {name: float(row[name]) for name in LIMITED if name != "size_mb"}
    return {name: value for name, value in costs.items() if pd.notna(value)}
