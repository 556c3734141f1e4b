"""The checks of models in a config: where they belong, and mistakes in them."""

import pytest
import yaml
from project import SCHEMA
from voxslice.config.complete import complete
from voxslice.config.model_checks import checked_studies, checks_of, needs_modes
from voxslice.errors import InputError


@pytest.fixture
def with_checks(config):
    """Complete the config with some checks."""

    def completed(*checks):
        return complete(config | {"checks": list(checks)}, SCHEMA)

    return completed


def test_without_checks_there_is_nothing(config):
    full = complete(config, SCHEMA)
    assert full["checks"] == []
    assert full["undecided_fails"] is False
    assert checked_studies(full) == []


def test_a_check_gets_the_metric_of_the_task_or_of_groups(with_checks):
    full = with_checks(
        {"model": "small", "at_least": 0.8},
        {"model": "small", "on": {"gender": "each"}, "above": 0.7},
        {"model": "small", "against": "given", "on": "modes", "at_least": -0.05},
    )
    found = checks_of(full, "calls", "gender")
    assert [check["metric"] for check in found] == ["uar", "accuracy", "accuracy"]
    assert [check["check"] for check in found] == [1, 2, 3]
    assert [needs_modes(check) for check in found] == [False, False, True]
    assert found[0] == {
        "check": 1, "model": "small", "against": None, "cost": None, "threads": None,
        "seconds": None, "on": "overall", "condition": None, "metric": "uar",
        "relation": "at_least", "limit": 0.8,
    }  # fmt: skip


def test_the_limit_decides_between_metrics_that_rise_and_fall(with_checks):
    full = with_checks({"model": "small", "at_least": 0.8}, {"model": "small", "at_most": 8})
    assert checked_studies(full) == [("calls", "gender"), ("ages", "age"), ("table", "age")]
    assert [check["check"] for check in checks_of(full, "ages", "age")] == [2]
    assert checks_of(full, "ages", "age")[0]["metric"] == "mae"


@pytest.fixture
def in_conditions(config):
    """Complete the config, whose dataset calls has two conditions, with some checks."""

    def completed(*checks):
        conditions = {"phone": {"codec": "g711"}, "quiet": {"gain": -30}, "hot": {"clip": 0.1}}
        calls = config["datasets"]["calls"] | {"conditions": ["phone", "quiet"]}
        datasets = config["datasets"] | {"calls": calls}
        changed = {"conditions": conditions, "datasets": datasets, "checks": list(checks)}
        return complete(config | changed, SCHEMA)

    return completed


def test_a_check_may_be_on_conditions(in_conditions):
    full = in_conditions(
        {"model": "small", "on": {"condition": "phone"}, "above": 0.7},
        {"model": "small", "on": {"condition": "each", "gender": "male"}, "above": 0.7},
    )
    assert checked_studies(full) == [("calls", "gender")]
    found = checks_of(full, "calls", "gender")
    named = [(check["check"], check["condition"], check["on"], check["metric"]) for check in found]
    assert named == [
        (1, "phone", "overall", "uar"),
        (2, "phone", {"gender": "male"}, "accuracy"),
        (2, "quiet", {"gender": "male"}, "accuracy"),
    ]


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ({"on": {"condition": "x"}}, "checks.0.on.condition: there is no condition 'x'; the"),
        (
            {"on": {"condition": "hot"}},
            "checks.0: no dataset and task has this check: calls has no condition hot.",
        ),
        (
            {"on": {"condition": "phone"}, "against": "given"},
            "checks.0: no dataset and task has this check: given is not run in the conditions of",
        ),
    ],
)
def test_a_mistake_in_a_condition_is_one_sentence(in_conditions, check, sentence):
    with pytest.raises(InputError) as error:
        in_conditions({"model": "small", "above": 0, **check})
    assert str(error.value).startswith(sentence)


def test_dataset_and_task_restrict_a_check(with_checks):
    full = with_checks({"model": "small", "at_most": 8, "dataset": "ages", "task": "age"})
    assert checked_studies(full) == [("ages", "age")]


def test_costs_belong_to_every_task_of_the_model(with_checks):
    full = with_checks({"model": "small", "cost": "p95_ms", "below": 50, "seconds": 3})
    assert checked_studies(full) == [("calls", "gender"), ("ages", "age"), ("table", "age")]
    (check,) = checks_of(full, "ages", "age")
    assert (check["metric"], check["cost"], check["seconds"]) == (None, "p95_ms", 3)


def test_yaml_reads_the_key_on_as_true(config):
    text = "[{model: small, on: {gender: female}, above: 0.5}]"
    checks = yaml.safe_load(text)
    assert True in checks[0]
    full = complete(config | {"checks": checks}, SCHEMA)
    assert full["checks"][0]["on"] == {"gender": "female"}
    assert True in checks[0]  # the argument is not changed


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ({"model": "nobody", "above": 0}, "checks.0.model: there is no model 'nobody'"),
        (
            {"model": "small", "against": "nobody", "above": 0},
            "checks.0.against: there is no model 'nobody'; the models are small, big",
        ),
        ({"model": "small", "against": "small", "above": 0}, "checks.0.against: a model cannot"),
        ({"model": "small", "above": 0, "dataset": "x"}, "checks.0.dataset: there is no dataset"),
        ({"model": "small", "above": 0, "task": "x"}, "checks.0.task: there is no task 'x'"),
        (
            {"model": "small", "above": 0, "on": {"condition": "phone"}},
            "checks.0.on.condition: there is no condition 'phone'; the conditions are none.",
        ),
        ({"model": "small", "above": 0, "on": "mods"}, "checks.0.on: 'mods' is not one of"),
        ({"model": "small", "above": 0, "on": {}}, "checks.0.on: {} should be non-empty"),
        ({"model": "small"}, "checks.0: give either at_least, above, at_most or below"),
        (
            {"model": "small", "above": 0, "below": 1},
            "checks.0: above and below exclude each other",
        ),
        ({"model": "small", "over": 0}, "checks.0:"),
        (
            {"model": "small", "metric": "mae", "at_least": 3},
            "checks.0: no dataset and task has this check: mae is better when it is lower: give"
            " at_most or below as the limit.",
        ),
        (
            {"model": "big", "metric": "mae", "at_most": 3},
            "checks.0: no dataset and task has this check: mae is no metric of the classification",
        ),
        (
            {"model": "big", "at_least": 0.5, "task": "gender", "dataset": "ages"},
            "checks.0: no dataset and task has this check",
        ),
        ({"model": "small", "above": 0, "threads": 1}, "checks.0.threads: only a check of costs"),
        ({"model": "small", "cost": "rtf", "above": 0}, "checks.0: costs are better when they are"),
        (
            {"model": "small", "cost": "rtf", "below": 1, "on": "modes"},
            "checks.0.on: a check of costs has no groups",
        ),
        (
            {"model": "small", "cost": "rtf", "below": 1, "metric": "uar"},
            "checks.0.metric: a check of costs does not have it",
        ),
        (
            {"model": "given", "cost": "rtf", "below": 1},
            "checks.0.model: given is given as predictions and has no costs",
        ),
        (
            {"model": "small", "cost": "rtf", "below": 1, "seconds": 7},
            "checks.0.seconds: the costs are measured with 1, 3, 10 s",
        ),
    ],
)
def test_a_mistake_is_one_sentence(with_checks, check, sentence):
    with pytest.raises(InputError) as error:
        with_checks(check)
    text = str(error.value)
    assert text.startswith(sentence)
    assert text.endswith(".") and "\n" not in text
