"""The checks of models in a config: to which datasets and tasks they belong, and their mistakes.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

from collections.abc import Mapping
from typing import Any

from voxslice.config.lookups import condition_models_of, conditions_of, models_of, studies
from voxslice.errors import InputError

LIMITS = ("at_least", "above", "at_most", "below")
"""Keys of a check of which it has exactly one: its limit."""
METRICS = {
    "classification": ("accuracy", "uar", "f1"),
    "regression": ("mae", "ccc", "pcc"),
}
"""Metrics that a check can be on, by kind of the task."""
GROUP_METRICS = {"classification": "accuracy", "regression": "mae"}
FALLING = ("mae",)
"""Metrics that are better when they are lower."""
MODES = "modes"
MODE = "mode"
"""Key of `on` that names a failure mode instead of a column."""
CONDITION = "condition"
"""Key of `on` that names a condition in which the models are run, instead of a column."""
EACH = "each"
"""Value of a key of `on` that stands for each category, failure mode or condition."""


def restore_on(config: Any) -> Any:
    """Restore the key `on` of checks, which YAML 1.1 reads as the boolean true.

    Args:
        config: content of the config files; it may be of any type

    Returns:
        the config with the key `on`; the argument is not changed
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("checks"), list):
        return config
    checks = [
        {"on" if key is True else key: value for key, value in check.items()}
        if isinstance(check, Mapping)
        else check
        for check in config["checks"]
    ]
    return {**config, "checks": checks}


def checks_of(config: Mapping[str, Any], dataset: str, task: str) -> list[dict[str, Any]]:
    """The checks that belong to a dataset and task.

    A check belongs to all datasets and tasks that its models have and whose columns it names. The
    keys `dataset` and `task` restrict it. A limit that a value has to reach from above belongs to
    metrics that are better when they are higher, and the other limits to the mean absolute error.
    A check in each condition becomes one check per condition, with the same number.

    Args:
        config: completed config
        dataset: id of the dataset
        task: id of the task

    Returns:
        the checks in the order of the config, each with all keys of
        `voxslice.decisions.table.check_models`
    """
    return [
        _resolved(config, number, check, condition, task)
        for number, check in enumerate(config["checks"], start=1)
        if _belongs(config, check, dataset, task)
        for condition in _conditions(config, check, dataset)
    ]


def checked_studies(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of dataset and task that have a check.

    Args:
        config: completed config

    Returns:
        pairs of the ids of a dataset and a task, in the order of the config
    """
    return [pair for pair in studies(config) if checks_of(config, *pair)]


def needs_modes(check: Mapping[str, Any]) -> bool:
    """Whether a check is on failure modes."""
    return check["on"] == MODES or MODE in check["on"]


def limit_of(check: Mapping[str, Any]) -> str:
    """The key of the limit of a check."""
    return next(key for key in LIMITS if key in check)


def _conditions(
    config: Mapping[str, Any], check: Mapping[str, Any], dataset: str
) -> list[str | None]:
    """The conditions of a check on a dataset; None stands for the original audio."""
    named = _condition(check)
    return [*conditions_of(config, dataset)] if named == EACH else [named]


def _condition(check: Mapping[str, Any]) -> str | None:
    """The condition that a check names; None if it is on the original audio."""
    return (
        str(check["on"][CONDITION])
        if is_mapping(check["on"]) and CONDITION in check["on"]
        else None
    )


def _groups(check: Mapping[str, Any]) -> Any:
    """The groups of utterances that a check is on, without its condition."""
    if not is_mapping(check["on"]):
        return check["on"]
    return {key: value for key, value in check["on"].items() if key != CONDITION} or "overall"


def _resolved(
    config: Mapping[str, Any],
    number: int,
    check: Mapping[str, Any],
    condition: str | None,
    task: str,
) -> dict[str, Any]:
    """A check with all keys, for a task and a condition."""
    keys = ("against", "cost", "threads", "seconds")
    limit = limit_of(check)
    return {
        "check": number,
        "model": check["model"],
        **{key: check.get(key) for key in keys},
        "on": _groups(check),
        "condition": condition,
        "metric": None if "cost" in check else _metric(config, check, task),
        "relation": limit,
        "limit": float(check[limit]),
    }


def _metric(config: Mapping[str, Any], check: Mapping[str, Any], task: str) -> str:
    """The metric of a check: that of the task on all utterances, else that of groups."""
    settings = config["tasks"][task]
    whole = settings["metric"] if _groups(check) == "overall" else GROUP_METRICS[settings["type"]]
    return str(check.get("metric", whole))


def _reasons(
    config: Mapping[str, Any], check: Mapping[str, Any], dataset: str, task: str
) -> list[str]:
    """What a check is tested for on a dataset and task, up to the first test that it fails.

    Each test is empty text if the check fits, and the reason if it does not.
    """
    kind = config["tasks"][task]["type"]
    models = models_of(config, dataset, task)
    columns = config["datasets"][dataset]["columns"]
    metric = _metric(config, check, task)
    falls = metric in FALLING
    words = ("lower", "at_most or below") if falls else ("higher", "at_least or above")
    is_cost, on = "cost" in check, check["on"]
    missing = [
        check[key] for key in ("model", "against") if check.get(key, models[0]) not in models
    ]
    unknown = (
        [name for name in on if name not in (*columns, MODE, CONDITION)] if is_mapping(on) else []
    )
    condition, run = _condition(check), condition_models_of(config, dataset)
    known = [EACH, *conditions_of(config, dataset)] if conditions_of(config, dataset) else []
    not_run = [check[key] for key in ("model", "against") if check.get(key, run) not in (*run, run)]
    tests = [
        (check.get("dataset", dataset) == dataset, f"its dataset is not {dataset}"),
        (check.get("task", task) == task, f"its task is not {task}"),
        (not missing, f"{''.join(missing[:1])} does not have the task {task} on {dataset}"),
        (is_cost or metric in METRICS[kind], f"{metric} is no metric of the {kind} {task}"),
        (
            is_cost or falls == (limit_of(check) in ("at_most", "below")),
            f"{metric} is better when it is {words[0]}: give {words[1]} as the limit",
        ),
        (not unknown, f"{dataset} has no column {''.join(unknown[:1])}"),
        (condition in (None, *known), f"{dataset} has no condition {condition}"),
        (
            condition is None or not not_run,
            f"{''.join(not_run[:1])} is not run in the conditions of {dataset}",
        ),
    ]
    found = []
    for fits, reason in tests:
        found.append("" if fits else reason)
        if not fits:
            break
    return found


def is_mapping(value: Any) -> bool:
    """Whether a value of the config is a mapping."""
    return isinstance(value, Mapping)


def _belongs(config: Mapping[str, Any], check: Mapping[str, Any], dataset: str, task: str) -> bool:
    """Whether a check belongs to a dataset and task."""
    return not any(_reasons(config, check, dataset, task))


def check_model_checks(config: Mapping[str, Any]) -> None:
    """Check that the models, datasets, tasks and columns of the checks exist and fit each other.

    Args:
        config: config with all defaults

    Raises:
        InputError: a check has a mistake; one sentence names the key and what to change
    """
    columns = sorted({name for one in config["datasets"].values() for name in one["columns"]})
    for number, check in enumerate(config["checks"]):
        place = f"checks.{number}"
        for key, known in (
            ("model", config["models"]),
            ("against", config["models"]),
            ("dataset", config["datasets"]),
            ("task", config["tasks"]),
        ):
            if key in check and check[key] not in known:
                noun = "model" if key == "against" else key
                raise InputError(
                    f"{place}.{key}: there is no {noun} {check[key]!r}; the {noun}s are"
                    f" {', '.join(known)}."
                )
        if check.get("against") == check["model"]:
            raise InputError(f"{place}.against: a model cannot be compared with itself.")
        _check_cost(place, check, config)
        if is_mapping(check["on"]):
            condition = _condition(check)
            if condition not in (None, EACH, *config["conditions"]):
                raise InputError(
                    f"{place}.on.condition: there is no condition {condition!r}; the conditions are"
                    f" {', '.join(config['conditions']) or 'none'}."
                )
            for name in check["on"]:
                if name not in (*columns, MODE, CONDITION):
                    raise InputError(
                        f"{place}.on: no dataset has the column {name!r}; the columns are"
                        f" {', '.join(columns)}."
                    )
        if not any(_belongs(config, check, *pair) for pair in studies(config)):
            # the pair that fits best gives the reason
            reasons = max((_reasons(config, check, *pair) for pair in studies(config)), key=len)
            raise InputError(f"{place}: no dataset and task has this check: {reasons[-1]}.")


def _check_cost(place: str, check: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Check the keys of a check that depend on whether it is on costs."""
    if "cost" not in check:
        for key in ("threads", "seconds"):
            if key in check:
                raise InputError(f"{place}.{key}: only a check of costs has it: remove this key.")
        return
    if limit_of(check) not in ("at_most", "below"):
        raise InputError(f"{place}: costs are better when they are lower: give at_most or below.")
    for key in ("against", "metric"):
        if key in check:
            raise InputError(f"{place}.{key}: a check of costs does not have it: remove this key.")
    if check["on"] != "overall":
        raise InputError(f"{place}.on: a check of costs has no groups: remove this key.")
    if "predictions" in config["models"][check["model"]]:
        raise InputError(
            f"{place}.model: {check['model']} is given as predictions and has no costs: name"
            " a model that is run."
        )
    durations = config["costs"]["durations"]
    if "seconds" in check and check["seconds"] not in durations:
        raise InputError(
            f"{place}.seconds: the costs are measured with {', '.join(map(str, durations))} s: give"
            " one of them, or add it to costs.durations."
        )
