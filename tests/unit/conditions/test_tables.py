"""All tables of conditions rest on the same utterances, and on the groups of the study."""

import pandas as pd
import pytest
from condition_scores import KEY, classification, metadata
from voxslice.conditions.tables import BROKEN_COLUMNS, compare_conditions, condition_groups
from voxslice.task import Task

TABLE = metadata()
ANGRY_MEN = TABLE[(TABLE["gender"] == "male") & (TABLE["emotion"] == "anger")]


def modes(**members):
    """Modes and their members; those that begin with `no` are not confirmed."""
    table = pd.DataFrame(
        {
            "mode": list(members),
            "name": [f"mode of {name}" for name in members],
            "confirmed": [not name.startswith("no") for name in members],
        }
    )
    rows = [part[KEY].assign(mode=name) for name, part in members.items()]
    return table, pd.concat(rows, ignore_index=True)


def compared(scores, found, rows):
    return compare_conditions(
        {model: tables["clean"] for model, tables in scores.items()},
        {
            model: {name: table for name, table in tables.items() if name != "clean"}
            for model, tables in scores.items()
        },
        TABLE,
        found,
        rows,
        columns=["gender", "emotion"],
        task=Task("classification", margin=0.02),
        sources={},
        alpha=0.05,
        resamples=100,
        seed=0,
    )


def test_groups_are_categories_and_confirmed_modes():
    women = TABLE[TABLE["gender"] == "female"]
    found = modes(**{"1": ANGRY_MEN, "2": women, "no": ANGRY_MEN.iloc[:20], "4": women.iloc[:9]})
    groups = condition_groups(TABLE[KEY], TABLE[["gender", "emotion"]], *found)
    assert list(groups) == [
        "gender=female", "gender=male", "emotion=anger", "emotion=calm", "emotion=joy", "mode 1",
    ]  # fmt: skip
    assert groups["mode 1"].kind == "mode"
    assert groups["mode 1"].rule == "mode of 1"
    assert groups["mode 1"].mask.sum() == len(ANGRY_MEN)


@pytest.mark.slow
def test_tables_rest_on_the_utterances_that_all_models_have_in_all_conditions(capsys):
    scores = classification(TABLE)
    scores["big"]["noise"] = scores["big"]["noise"].iloc[30:].sample(frac=1, random_state=0)
    tables = compared(scores, *modes(**{"1": ANGRY_MEN}))
    whole = tables.outcomes[tables.outcomes["group"] == "all"]
    assert (whole["support"] == len(TABLE) - 30).all()
    assert (tables.models["support"] == len(TABLE) - 30).all()
    assert (tables.slices["utterances"] == len(TABLE) - 30).all()
    assert "30 are not scored in every condition" in capsys.readouterr().out
    assert tables.worst["condition"].to_list() == ["phone", "phone"]
    clean = scores["big"]["clean"].iloc[30:]["loss"]
    big = whole[whole["model"] == "big"]
    assert big["clean"].to_numpy() == pytest.approx(1 - clean.mean())


@pytest.mark.slow
def test_one_model_is_compared_with_no_other():
    scores = classification(TABLE, accuracies={"small": 0.9})
    tables = compared(scores, *modes(**{"1": ANGRY_MEN}))
    assert not len(tables.models)
    assert "mode 1" in set(tables.outcomes["group"])


@pytest.mark.slow
def test_utterances_that_a_condition_breaks_are_listed_to_listen_to():
    scores = classification(TABLE)
    broken = compared(scores, *modes(**{"1": ANGRY_MEN})).broken
    assert list(broken) == BROKEN_COLUMNS
    assert "quiet" not in set(broken["condition"])  # it changes nothing
    assert set(broken["group"]) == {"all", "gender=female"}
    women = broken[(broken["group"] == "gender=female") & (broken["model"] == "small")]
    assert len(women) == 3
    assert women["file"].map(TABLE.set_index("file")["speaker"]).nunique() == 3
    for row in broken.to_dict("records"):
        tables = scores[row["model"]]
        before, after = (
            tables[name].set_index("file").loc[row["file"]] for name in ("clean", row["condition"])
        )
        assert (before["prediction"], before["loss"]) == (row["before"], 0)
        assert (after["prediction"], after["loss"]) == (row["after"], 1)
        assert row["label"] == row["before"]
