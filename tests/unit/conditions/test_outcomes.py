"""What conditions cost is measured on the same utterances, for everyone and for groups."""

import numpy as np
import pandas as pd
import pytest
from condition_scores import CONDITIONS, classification, metadata, regression
from voxslice.comparison.groups import category_groups
from voxslice.conditions.outcomes import (
    MODEL_COLUMNS,
    OUTCOME_COLUMNS,
    WORST_COLUMNS,
    condition_outcomes,
    models_in_conditions,
    worst_conditions,
)
from voxslice.task import Task

TABLE = metadata()
SPEAKERS = TABLE["speaker"].to_numpy(str)
GROUPS = category_groups(TABLE[["gender", "emotion"]], {})
TASK = Task("classification", margin=0.02, overall="uar")
DRAWN = {"resamples": 200, "seed": 0}


@pytest.fixture(scope="module")
def outcomes():
    return condition_outcomes(classification(TABLE), GROUPS, SPEAKERS, task=TASK, **DRAWN)


def row(table, model, condition, group):
    where = (table["model"] == model) & (table["condition"] == condition)
    (found,) = table[where & (table["group"] == group)].to_dict("records")
    return found


def test_each_model_condition_and_group_has_one_row_in_the_order_of_the_study(outcomes):
    assert list(outcomes) == OUTCOME_COLUMNS
    wanted = [
        (model, condition, group)
        for model in ("small", "big")
        for condition in CONDITIONS
        for group in ("all", *GROUPS)
    ]
    names = [outcomes[name] for name in ("model", "condition", "group")]
    assert list(zip(*names, strict=True)) == wanted


def test_figures_of_a_group_by_hand(outcomes):
    scores = classification(TABLE)["small"]
    women = (TABLE["gender"] == "female").to_numpy()
    clean = 1 - scores["clean"]["loss"][women].mean()
    found = row(outcomes, "small", "phone", "gender=female")
    assert found["metric"] == "accuracy"
    assert (found["clean"], found["value"]) == (pytest.approx(clean), 0)
    assert found["difference"] == pytest.approx(-clean)
    assert found["low"] < -clean < found["high"] < 0
    assert found["unchanged"] == pytest.approx(1 - clean)
    assert (found["changed_to"], found["changed_to_share"]) == ("male", 1)
    assert found["support"] == women.sum()
    assert found["speakers"] == 5
    assert found["excess"] == pytest.approx(clean)  # men lose nothing
    assert found["excess_low"] < clean < found["excess_high"]
    assert found["p_excess"] <= 0.05
    assert found["evidence"] == "across speakers"
    assert found["verdict"] == "undecided"  # five speakers are too few for sign flips


def test_all_utterances_are_compared_by_the_metric_of_the_task(outcomes):
    found = row(outcomes, "big", "phone", "all")
    assert found["metric"] == "uar"
    scores = classification(TABLE)["big"]
    men = (TABLE["gender"] == "male").to_numpy()
    assert found["value"] == pytest.approx((1 - scores["phone"]["loss"][men].mean()) / 2)
    assert np.isnan(found["excess"])
    assert np.isnan(found["p_excess"])


def test_a_condition_without_an_effect_changes_nothing(outcomes):
    quiet = outcomes[outcomes["condition"] == "quiet"]
    assert (quiet["unchanged"] == 1).all()
    assert (quiet["difference"] == 0).all()
    assert (quiet["p"] == 1).all()
    assert quiet["changed_to"].isna().all()
    assert (quiet["p_excess"].dropna() == 1).all()


def test_only_women_on_the_phone_lose_more_than_others(outcomes):
    found = outcomes[outcomes["p_excess"] <= 0.05]
    assert set(zip(found["condition"], found["group"], strict=True)) == {("phone", "gender=female")}


def test_q_adjusts_p_over_all_models_and_conditions(outcomes):
    table = {"small": classification(TABLE)["small"]}
    alone = condition_outcomes(table, GROUPS, SPEAKERS, task=Task("classification"), **DRAWN)
    both, small = (table[table["kind"] != "all"] for table in (outcomes, alone))
    assert (both["q"] >= both["p"]).all()
    same = both[both["model"] == "small"]
    assert same["group"].tolist() == small["group"].tolist()
    assert (same["q"].to_numpy() >= small["q"].to_numpy() - 0.02).all()
    assert same["q"].sum() > small["q"].sum()


def test_a_regression_tells_by_how_much_predictions_move():
    task = Task("regression", unit="years", margin=1.0)
    table = condition_outcomes(regression(TABLE), GROUPS, SPEAKERS, task=task, **DRAWN)
    women, men = (row(table, "small", "phone", f"gender={name}") for name in ("female", "male"))
    assert women["shift"] == pytest.approx(10)
    assert women["unchanged"] == 0
    assert women["difference"] > 5
    assert women["excess"] > 5
    assert women["p_excess"] <= 0.05
    assert (men["shift"], men["unchanged"]) == (0, 1)
    noise = row(table, "small", "noise", "all")
    assert noise["metric"] == "mae"
    assert 0.55 < noise["unchanged"] < 0.8  # 68 % of a normal distribution
    without = condition_outcomes(regression(TABLE), {}, SPEAKERS, task=Task("regression"), **DRAWN)
    assert without["unchanged"].isna().all()


def test_the_worst_condition_stands_beside_the_mean_of_all(outcomes):
    worst = worst_conditions(outcomes)
    assert list(worst) == WORST_COLUMNS
    assert worst["model"].to_list() == ["small", "big"]
    assert (worst["condition"] == "phone").all()
    assert (worst["conditions"] == 3).all()
    small = outcomes[(outcomes["model"] == "small") & (outcomes["group"] == "all")]
    assert worst["mean"][0] == pytest.approx(small["value"].mean())
    task = Task("regression", unit="years")
    table = condition_outcomes(regression(TABLE), {}, SPEAKERS, task=task, **DRAWN)
    assert worst_conditions(table)["condition"].to_list() == ["phone"]


def test_conditions_that_are_as_bad_as_the_worst_one_are_named(outcomes):
    assert (worst_conditions(outcomes)["tied"] == "").all()
    phone = outcomes[outcomes["condition"] == "phone"]
    copies = [phone.assign(condition=name) for name in ("mobile", "voip")]
    worst = worst_conditions(pd.concat([outcomes, *copies], ignore_index=True))
    assert worst["condition"].to_list() == ["phone", "phone"]
    assert worst["tied"].to_list() == ["mobile, voip"] * 2


def test_models_are_compared_in_each_condition():
    scores = classification(TABLE)
    table = models_in_conditions(scores, [("small", "big")], SPEAKERS, task=TASK, **DRAWN)
    assert list(table) == MODEL_COLUMNS
    assert table["condition"].to_list() == ["clean", *CONDITIONS]
    assert (table["model_a"] == "small").all()
    assert (table["model_b"] == "big").all()
    clean = table.iloc[0]
    assert clean["verdict"] == "better"
    assert clean["difference"] == pytest.approx(clean["value_b"] - clean["value_a"])
    one = models_in_conditions(scores, [], SPEAKERS, task=TASK, **DRAWN)
    assert list(one) == MODEL_COLUMNS
    assert not len(one)


def test_without_conditions_the_tables_are_empty():
    clean = {"small": {"clean": classification(TABLE)["small"]["clean"]}}
    table = condition_outcomes(clean, GROUPS, SPEAKERS, task=TASK, **DRAWN)
    assert list(table) == OUTCOME_COLUMNS
    assert not len(table)
    assert not len(worst_conditions(table))


@pytest.mark.slow
def test_without_speakers_utterances_are_independent():
    table = condition_outcomes(classification(TABLE), GROUPS, None, task=TASK, **DRAWN)
    found = row(table, "small", "phone", "gender=female")
    assert pd.isna(found["speakers"])
    assert found["evidence"] == "rows"
    assert found["p_excess"] <= 0.05
