"""The sections of the report, compared with numbers that can be counted."""

import base64
import dataclasses
import io
import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from report_study import (
    UTTERANCES,
    class_scores,
    make_embedding,
    make_slice,
    make_study,
    write_noise,
)
from voxslice.comparison.gates import GATE_COLUMNS
from voxslice.decisions.confidence import confidence
from voxslice.report import (
    against,
    calibration,
    cascades,
    caveats,
    clips,
    compared,
    limits,
    modes,
    overall,
    projection,
    slice_tables,
    tradeoff,
)
from voxslice.report.principal_components import principal_components
from voxslice.report.study import distinct, stored_embedding
from voxslice.task import Task
from voxslice.utterance_keys import KEY


@pytest.fixture
def study():
    return make_study()


@pytest.fixture
def confirmed():
    return make_study(confirmed=True, costs=True, mapped=True)


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


# what was compared


@pytest.mark.parametrize(
    "source, shown",
    [
        ({"audb": {"name": "voices", "version": "1.2.0"}}, "voices 1.2.0"),
        ({"audformat": {"path": "data/voices"}}, "voices"),
        ({"csv": {"path": "voices.csv", "audio": "wav"}}, "voices.csv"),
    ],
)
def test_any_source_of_data_is_named(study, source, shown):
    settings = {k: v for k, v in study.dataset_settings.items() if k != "audb"} | source
    facts = dict(compared.dataset_facts(dataclasses.replace(study, dataset_settings=settings)).rows)
    assert facts["Name"] == shown
    assert facts["Labels (gender)"] == "female 12, male 12"


def test_settings_name_commit_seed_and_margin():
    facts = dict(compared.setting_facts(make_study(margin=0.02)).rows)
    assert facts["Workflow"] == "git commit abc1234"
    assert facts["Seed"] == "0"
    assert facts["Margin of equivalence"] == "2.0 points"


def test_a_model_given_as_a_table_has_no_size_and_may_lack_probabilities(study):
    model = study.models[0]
    bare = dataclasses.replace(
        model,
        card={**model.card, "parameters": None, "size_mb": None},
        scores=model.scores[[name for name in model.scores if not name.startswith("p_")]],
    )
    study = dataclasses.replace(study, models=[bare, *study.models[1:]])
    assert texts(compared.model_table(study))[0][1:3] == ["–", "–"]
    assert sum(len(group.clips) for group in chosen(study)) > 0
    assert set(calibration.calibration(study)["model"]) == {"b"}
    costs = tradeoff.tradeoff(study).set_index(["model", "cost", "goal"])
    assert np.isnan(costs.loc[("a", "size_mb", "overall"), "x"])


def test_the_model_card_says_that_an_output_holds_probabilities(study):
    first, second = study.models
    summary = {"scale": "probabilities", "notes": []}
    models = [first, dataclasses.replace(second, summary=summary)]
    rows = compared.model_table(dataclasses.replace(study, models=models)).rows
    notes = [row[-1].note for row in rows]
    assert notes[0] == "A model."
    assert notes[1] == "A model. Its output contains probabilities, which are used without change."


def test_the_model_card_names_the_code_of_a_trusted_model(study):
    first, second = study.models
    code = {"classes": ["opensmile.core.smile.Smile"], "sampling_rate": 16000}
    models = [first, dataclasses.replace(second, card={**second.card, "transform": code})]
    rows = compared.model_table(dataclasses.replace(study, models=models)).rows
    notes = [row[-1].note for row in rows]
    assert notes[0] == "A model."
    assert notes[1] == (
        "A model. Its features are computed by code of its own (opensmile.core.smile.Smile), which"
        " the config trusts."
    )


# overall


def test_references_are_listed_below_the_models(study):
    rows = study.metrics[study.metrics["model"] == "a"]
    references = [rows.assign(model=name, value=0.5) for name in ("majority", "chance")]
    study = dataclasses.replace(study, metrics=pd.concat([study.metrics, *references]))
    shown = texts(overall.metric_table(study))
    assert [row[0] for row in shown] == ["a", "b", "chance", "majority"]
    assert shown[2][1] == "50.0"
    assert study.ranked()[0][0] == 1
    assert "majority" in overall.metric_chart(study, "accuracy").svg


def test_confusion_shades_errors_only(study):
    rows = dict(overall.confusion_matrices(study)[0].rows)
    assert [cell.text for cell in rows["male"]] == ["4", "8", "0"]
    assert rows["male"][1].mark == "right"
    assert rows["male"][1].shade is None
    assert rows["male"][0].shade == pytest.approx(4 / 12)


def test_calibration_error_is_the_weighted_distance_from_the_line():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([1, 1, 1, 0, 1, 0])
    table = calibration.calibrate(confidence, right, None, resamples=200, seed=0)
    everything, lower, upper = table.to_dict("records")
    assert (lower["from"], lower["to"], lower["n"]) == (0.5, 0.6, 2)
    assert (upper["confidence"], upper["accuracy"]) == pytest.approx((0.95, 0.75))
    assert everything["ece"] == pytest.approx((4 * 0.2 + 2 * 0.05) / 6)
    assert everything["ece_low"] <= everything["ece"] <= everything["ece_high"]
    assert upper["low"] <= 0.75 <= upper["high"]


def test_a_model_whose_confidence_equals_its_accuracy_has_no_calibration_error():
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.5, 1, 20000)
    table = calibration.calibrate(
        confidence, generator.uniform(size=20000) < confidence, None, resamples=100, seed=0
    )
    assert table["ece"].iloc[0] < 0.015


def test_confidence_is_the_probability_of_the_chosen_class(study):
    scores = study.models[0].scores
    known = confidence(scores)
    assert known == pytest.approx(scores[["p_female", "p_male", "p_child"]].max(axis=1))
    assert confidence(scores.drop(columns="p_female")) is None
    # a class that is never chosen may lack its probabilities
    assert confidence(scores.drop(columns="p_child")) == pytest.approx(known)


def test_bias_has_the_sign_of_the_error():
    label = np.repeat([20.0, 40.0], 10)
    prediction = label + np.repeat([5.0, -3.0], 10)
    table = calibration.bias(label, prediction, None, resamples=100, seed=0)
    assert table["bias"].tolist() == pytest.approx([1, 5, -3])
    assert table["mae"].tolist() == pytest.approx([4, 5, 3])
    assert table["n"].tolist() == [20, 10, 10]
    assert table[["from", "to"]].to_numpy().tolist() == [[20, 40], [20, 20], [40, 40]]


def test_a_large_scatter_chart_shows_a_sample():
    study = make_study(classification=False)
    model = study.models[0]
    assert calibration.sampled(study) is None
    many = pd.concat([model.scores] * 100, ignore_index=True)
    study = dataclasses.replace(study, models=[dataclasses.replace(model, scores=many)])
    assert calibration.sampled(study) == 2000
    spec = calibration.scatter_chart(study, study.models[0]).spec
    assert max(len(rows) for rows in spec["datasets"].values()) == 2000


# trade-off


def test_models_on_the_pareto_front_are_marked():
    x = np.array([1, 2, 3, 2, np.nan])
    y = np.array([0.5, 0.7, 0.6, 0.7, 0.9])
    assert tradeoff.pareto(x, y, rises=True).tolist() == [True, True, False, True, False]
    assert tradeoff.pareto(x, y, rises=False).tolist() == [True, False, False, False, False]


@pytest.mark.slow
def test_costs_are_those_of_one_thread_and_the_nearest_duration(confirmed):
    rows = tradeoff.measured(confirmed)
    assert rows[["threads", "seconds"]].to_numpy().tolist() == [[1, 1], [1, 1]]
    table = tradeoff.tradeoff(confirmed).set_index(["model", "cost", "goal"])
    assert table.loc[("b", "p50_ms", "overall"), "x"] == 20
    assert table.loc[("b", "p50_ms", "overall"), "y"] == pytest.approx(21 / 24)
    # each model is measured on the confirmed slices of both
    assert table.loc[("a", "rtf", "worst slice"), "y"] == 0
    assert table.loc[("b", "rtf", "worst slice"), "rule"] == "<b>x</b>"
    assert table.loc[("b", "rtf", "worst slice"), "y"] == pytest.approx(1 / 3)
    assert table["front"].sum() == 10  # both models, but not a at the size that b has as well
    drawn = tradeoff.charts(confirmed, table.reset_index(), cascades.cascade_points(confirmed))
    assert {goal: len(charts) for goal, charts in drawn.items()} == {
        "overall": 3, "worst slice": 3,
    }  # fmt: skip


@pytest.mark.slow
def test_times_of_two_machines_are_not_compared(confirmed):
    moved = confirmed.costs["machine"].where(confirmed.costs["model"] == "a", "there")
    study = dataclasses.replace(confirmed, costs=confirmed.costs.assign(machine=moved))
    table = tradeoff.tradeoff(study)
    sentences = tradeoff.remarks(study, table)
    assert sentences[0].startswith("Costs were measured on here and there with")
    assert sentences[1].startswith("Figures of different machines cannot be compared")
    assert set(table.loc[table["front"], "cost"]) == {"size_mb"}
    # sizes are the same everywhere, and every chart is drawn
    drawn = tradeoff.charts(study, table, cascades.cascade_points(study))
    assert [len(charts) for charts in drawn.values()] == [3, 3]


def test_models_without_costs_are_named(confirmed):
    part = dataclasses.replace(confirmed, costs=confirmed.costs[confirmed.costs["model"] == "a"])
    sentences = tradeoff.remarks(part, tradeoff.tradeoff(part))
    assert sentences[0].startswith(
        "Costs were measured on here with 1 thread, for an utterance of 1 s"
    )
    assert sentences[1].endswith("cannot be compared with figures of other machines.")
    assert sentences[2] == "No time was measured for b."
    none = make_study()
    sentences = tradeoff.remarks(none, tradeoff.tradeoff(none))
    assert sentences[0] == "No time was measured for a, b."
    assert sentences[1].startswith("No slice is confirmed for any model")
    assert tradeoff.tradeoff_table(none, tradeoff.tradeoff(none)).rows[0][5].text == "–"


def test_numbers_of_any_size_have_three_digits():
    assert [tradeoff.significant(x) for x in (0, 0.000198, 0.191, 1.5, 156.34, 12345)] == [
        "0", "0.000198", "0.191", "1.50", "156", "12,345",
    ]  # fmt: skip


# slices


def test_a_slice_of_two_searches_is_listed_once(study):
    model = study.models[0]
    twice = pd.concat([model.slices, model.slices.assign(search="embedding", confirmed=True)])
    rows = distinct(twice)
    assert (len(rows), rows.loc[0, "also"], bool(rows.loc[0, "confirmed"])) == (1, "metadata", True)
    assert rows["rank"].tolist() == [1]


def test_slice_table_shows_the_columns_with_values(confirmed):
    model = confirmed.models[0]
    table = slice_tables.slice_table(confirmed, model, distinct(model.slices))
    shown = dict(zip([column.title for column in table.columns], table.rows[0], strict=True))
    assert shown["Slice"].text == "gender = male & emotion = anger"
    assert shown["Utter\u00adances"].text == "4"
    assert (shown["Inside"].text, shown["Else\u00adwhere"].text) == ("0.0", "100.0")
    assert shown["Drop"].text == "+100.0"
    assert shown["q"].text == "0.004"
    assert (shown["Evidence"].text, shown["Evidence"].note) == ("confirmed", "within speakers")
    assert (shown["Found by"].text, shown["Found by"].note) == ("sliceguard", "metadata")
    assert table.caption == "Confirmed slices of a"


@pytest.mark.slow
def test_charts_report_the_rows_that_they_leave_out(study, monkeypatch):
    a, b = study.models
    groups = study.comparison["slice"] != "all"
    table = study.comparison
    assert set(table.loc[groups, "verdict"]) == {"undecided"}
    assert against.difference_chart(study, a, b).note == (
        "None of the 2 groups shows a significant difference. The table shows all groups."
    )
    decided = dataclasses.replace(study, comparison=table.assign(verdict="better"))
    assert against.difference_chart(decided, a, b).note == ""
    monkeypatch.setattr(against, "MAX_CHART_ROWS", 2)
    assert against.difference_chart(decided, a, b).note == (
        "The chart shows all utterances and 1 of 2 groups: those with the largest significant"
        " differences. The table shows all groups."
    )
    assert slice_tables.drop_chart(study, a, distinct(a.slices)).note == ""
    monkeypatch.setattr(slice_tables, "MAX_CHART_SLICES", 1)
    twice = pd.concat([distinct(a.slices), distinct(b.slices)], ignore_index=True)
    note = slice_tables.drop_chart(study, a, twice).note
    assert note == "The chart shows the first 1 of 2 slices. The table shows all of them."


def test_heat_map_counts_every_utterance_once(study):
    first = slice_tables.heat_maps(study, slice_tables.heat(study))[0]
    assert (first.across, first.down) == ("gender", "emotion")
    cells = [cell for _, row in first.rows for cell in row]
    assert sum(int(cell.note.removeprefix("n ")) for cell in cells) == UTTERANCES
    assert dict(first.rows)["anger"][1].text == "0.0"  # male anger: rows 1, 3, 5 and 7
    assert dict(first.rows)["anger"][1].shade == 1.0


def test_bins_are_listed_in_their_order(study):
    kind = pd.CategoricalDtype(["low 1..2", "middle 3..4", "high 5..6", "unused"], ordered=True)
    bins = ["high 5..6", "low 1..2", "middle 3..4", None] * (UTTERANCES // 4)
    metadata = study.metadata.assign(emotion=pd.Categorical(bins, dtype=kind))
    study = dataclasses.replace(study, metadata=metadata)
    shown = ["low 1..2", "middle 3..4", "high 5..6", "missing"]
    matrix = slice_tables.heat_maps(study, slice_tables.heat(study))[0]
    assert [name for name, _ in matrix.rows] == shown
    labels = dataclasses.replace(study, task_settings={**study.task_settings, "target": "emotion"})
    table = limits.distributions(labels)
    assert table.loc[table["of"] == "label", "name"].to_list() == shown


def test_heat_map_of_one_column_and_of_none():
    study = make_study(emotion=False)
    assert [len(m.rows) for m in slice_tables.heat_maps(study, slice_tables.heat(study))] == [1, 1]
    settings = {**study.dataset_settings, "columns": {"speaker": {"column": "speaker"}}}
    study = dataclasses.replace(study, dataset_settings=settings)
    assert slice_tables.heat_maps(study, slice_tables.heat(study)) == []


def test_the_report_describes_what_was_searched(study):
    sentences = [
        "Subgroups: 1,234 rules of up to 3 conditions tested together, 2 slices shown, 1 of them"
        " confirmed.",
        "Metadata: 3 slices suggested by sliceguard, 0 of them confirmed on held-out speakers.",
    ]
    assert slice_tables.searched(study, study.models[0]) == [
        *sentences,
        "The two halves of the speakers are drawn with the seed 0 and listed in"
        f" results/suggestions/{study.dataset}/{study.task}.halves.csv.",
    ]
    study = make_study(speakers=False)
    assert slice_tables.searched(study, study.models[0]) == sentences


def test_the_report_says_that_a_search_got_a_sample(study):
    (model, *_) = study.models
    table = model.searches.assign(utterances=[24, 10])
    suggested, _ = slice_tables.searched(study, dataclasses.replace(model, searches=table))[1:]
    assert suggested.endswith("held-out speakers, in a random sample of 10 of 24 utterances.")
    table = table.assign(found=0)
    nothing = slice_tables.searched(study, dataclasses.replace(model, searches=table))[1]
    assert nothing == (
        "Metadata: no slice suggested by sliceguard, in a random sample of 10 of 24 utterances."
    )


def test_charts_are_escaped_and_reproducible(study):
    model = study.models[1]
    drawings = [slice_tables.drop_chart(study, model, distinct(model.slices)) for _ in range(2)]
    assert "&lt;b&gt;x" in drawings[0].svg
    assert "<b>" not in drawings[0].svg
    assert drawings[0] == drawings[1]


# model against model


def test_comparison_table_counts_who_is_wrong(study):
    table = against.comparison_table(study, *study.models)
    assert texts(table)[0][:8] == ["all utterances", "24", "83.3", "87.5", "+4.2", "3", "2", "1"]
    assert table.rows[0][1].note == "6 speakers"
    assert {row[-1].text for row in table.rows} <= {"better", "worse", "equivalent", "undecided"}


def test_an_interval_of_one_speaker_is_not_shown(study):
    study = dataclasses.replace(study, comparison=study.comparison.assign(speakers=1))
    table = against.comparison_table(study, *study.models)
    assert {row[4].note for row in table.rows} == {"one speaker"}
    study = dataclasses.replace(study, comparison=study.comparison.assign(speakers=0))
    table = against.comparison_table(study, *study.models)
    assert {row[4].note for row in table.rows} == {"no known speaker"}


def test_pairs_with_references_are_left_out(study):
    rows = study.comparison.assign(model_a="majority")
    study = dataclasses.replace(study, comparison=pd.concat([rows, study.comparison]))
    assert [(a.name, b.name) for a, b in against.pairs(study)] == [("a", "b")]


def test_regressions_are_those_of_the_table_with_confirmed_ones_first(study):
    a, b = study.models
    table = against.regression_table(study, a, b)
    assert [row[0] for row in texts(table)] == ["<b>x</b>"]
    assert texts(table)[0][2:5] == ["100.0", "33.3", "66.7"]
    row = study.regressions.iloc[0]
    more = pd.DataFrame([row, row.copy()])
    more["regression"], more["rule"] = ["not excluded", "shown"], ["first", "second"]
    study = dataclasses.replace(study, regressions=more)
    table = against.regression_table(study, a, b)
    assert [row[0] for row in texts(table)] == ["second", "first"]
    assert [row[-1].text for row in table.rows] == ["shown", "not excluded"]
    assert table.rows[1][-1].note == "too few speakers for an interval"  # three speakers
    more[["speakers", "low", "high"]] = [6, -0.9, 0.1]
    table = against.regression_table(dataclasses.replace(study, regressions=more), a, b)
    assert table.rows[1][-1].note == "up to 90.0 points"
    study = dataclasses.replace(study, regressions=more.iloc[:0])
    assert against.regression_table(study, a, b) is None


def test_regressions_of_a_regression_are_larger_errors():
    study = make_study(classification=False)
    a, b = study.models
    swapped = study.regressions
    lost = study.comparison[(study.comparison["difference"] > 0)]
    assert len(swapped) == len(lost)
    table = against.regression_table(study, a, b)
    assert (table is None) == (len(lost[lost["slice"] != "all"]) == 0)


@pytest.mark.parametrize(
    "equivalent, margin, sentence",
    [
        (True, 0.02, "They are equivalent within 2.0 points."),
        (False, 0.02, "The test does not show that they are equivalent within 2.0 points."),
        (pd.NA, None, "Equivalence is not tested, because no margin is set (tasks.gender.margin in"
         " the config)."),
    ],
)  # fmt: skip
def test_equivalence_is_stated(equivalent, margin, sentence):
    study = make_study(margin=margin)
    table = study.comparison.assign(equivalent=equivalent)
    study = dataclasses.replace(study, comparison=table)
    sentences = against.statements(study, *study.models)
    assert sentences[1] == sentence
    assert sentences[0].startswith(
        "On all utterances, b is not significantly better or worse than a (accuracy +4.2"
    )
    assert sentences[2] == "b compared with a on 2 groups: 2 undecided."
    assert sentences[3].startswith("b is shown to be worse than a on none of the 2 groups. This is")


def test_groups_are_counted_by_whether_a_regression_is_excluded():
    study = make_study(margin=0.02)
    a, b = study.models
    rows = study.comparison.iloc[[1] * 6].assign(
        regression=["shown"] + ["excluded"] * 2 + ["not excluded"] * 3,
        speakers=[6, 6, 6, 6, 6, 3], low=[-0.5, 0, 0, -0.04, -0.13, -0.9], high=0.1, support=100,
        kind=["category"] * 4 + ["slice", "category"],
        rule=["one", "two", "three", "four", "five", "six"],
    )  # fmt: skip
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison[:1], rows]))
    assert against.regression_sentence(study, a, b) == (
        "b is shown to be worse than a on 1 of the 6 groups. This is excluded on 2 of them and not"
        " excluded on 3 (1 of which has too few speakers for an interval). The category with"
        " the largest possible loss is four: up to 4.0 points."
    )
    # a group of ten utterances can hide a loss that no resample shows
    few = study.comparison.assign(support=10)
    few = dataclasses.replace(study, comparison=few)
    assert against.regression_sentence(few, a, b).endswith(" is four: up to 25.9 points.")
    none = dataclasses.replace(study, comparison=study.comparison[:1])
    assert against.regression_sentence(none, a, b) == ""


@pytest.mark.parametrize("metric", ["uar", "ccc"])
def test_the_metric_of_all_utterances_is_named(metric):
    study = make_study(metric=metric, classification=metric == "uar", confirmed=True, costs=True)
    a, b = study.models
    title = {"uar": "unweighted average recall", "ccc": "concordance correlation"}[metric]
    table = against.comparison_table(study, a, b)
    assert table.rows[0][0].note == title and title not in table.rows[1][0].note
    overall_row = study.metrics[
        (study.metrics["model"] == "b") & (study.metrics["metric"] == metric)
    ]
    value = overall_row["value"].iloc[0]
    assert study.overall_value(1) == pytest.approx(value)
    shown = study.measures[metric].number(value)
    assert texts(table)[0][3] == shown
    first, second = (row["value"] for _, row in study.ranked())
    assert first >= second
    assert texts(tradeoff.tradeoff_table(study, tradeoff.tradeoff(study)))[1][1] == shown
    chart = against.difference_chart(study, a, b)
    assert "all utterances" in chart.svg
    groups = study.comparison["slice"] != "all"
    study.comparison.loc[groups, "verdict"] = "better"
    chart = against.difference_chart(study, a, b)  # years and a concordance share no axis
    assert ("all utterances" in chart.svg) == (metric == "uar")
    assert ("all utterances" in chart.note) == (metric == "uar" and bool(chart.note))
    assert title in against.statements(study, a, b)[0]


def test_the_smaller_of_equivalent_models_may_replace_the_other():
    study = make_study(margin=0.02)
    a, b = study.models
    b = dataclasses.replace(b, card={**b.card, "size_mb": 30.0})
    table = study.comparison.assign(equivalent=True, verdict="equivalent")
    study = dataclasses.replace(study, comparison=table, models=[a, b])
    sentences = against.statements(study, a, b)
    assert sentences[1] == "They are equivalent within 2.0 points."
    assert sentences[2] == (
        "a may replace b: it is equivalent within 2.0 points, is not shown to be worse on any"
        " group, and is 95 % smaller (1.5 MB instead of 30 MB)."
    )
    strictly = table.assign(verdict="better", strictly=True)
    first = against.statements(dataclasses.replace(study, comparison=strictly), a, b)[0]
    assert first.endswith(" b makes no error that a does not make.")


def test_failed_gates_are_listed_first(study):
    assert against.gate_table(study) is None
    gates = pd.DataFrame(
        [["b", "a", "all", "all utterances", 24, 6, "uar", 0.9, 0.9, 1.0, 0.995, 1.01, np.nan,
          "passed"],
         ["b", "a", "s", "a rule", 30, 6, "accuracy", 0.5, 1.0, 0.5, 0.25, 0.75, 0.01, "failed"],
         ["b", "a", "t", "a rule", 30, 6, "accuracy", 0.0, 0.0, 1.0, np.nan, np.nan, 1.0,
          "undecided"]], columns=GATE_COLUMNS,
    )  # fmt: skip
    study = dataclasses.replace(study, gates=gates)
    assert against.gate_counts(study) == "1 failed, 1 undecided"
    table = against.gate_table(study)
    assert [row[-1] for row in texts(table)] == ["failed", "undecided", "passed"]
    assert [row[2].note for row in table.rows] == ["", "", "unweighted average recall"]
    assert [row[6].note for row in table.rows] == ["25.0 to 75.0", "", "99.5 to 101.0"]
    assert texts(table)[0][:7] == ["b", "a", "a rule", "30", "50.0", "100.0", "50.0"]


# audio


def chosen(study):
    """The errors that the page of a study lets one listen to, without their audio."""
    return clips.choose(study, modes.shown_first(modes.modes_of(study)))


@pytest.fixture
def audio(tmp_path):
    """A folder with a second of noise for each utterance."""
    return write_noise(tmp_path)


@pytest.mark.parametrize(
    ("chosen", "probabilities", "shown"),
    [
        ("b", {"a": 0.5, "b": 0.5}, ["b", "a"]),  # equally probable
        ("d", {"a": 0.25, "b": 0.25, "c": 0.25, "d": 0.25}, ["d", "a", "b"]),
        ("a", {"c": 0.3, "b": 0.1, "a": 0.6}, ["a", "c", "b"]),
        ("d", {"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}, ["a", "b", "d"]),  # a table may choose any
        ("z", {"a": 0.4, "b": np.nan}, ["a"]),
        ("z", {}, []),
    ],
)
def test_the_chosen_class_is_among_the_probabilities(study, chosen, probabilities, shown):
    row = pd.Series({f"p_{name}": value for name, value in probabilities.items()}, dtype=object)
    predicted = clips.prediction_text(
        study, 0, pd.concat([row, pd.Series({"prediction": chosen, "loss": 1.0})])
    )
    names = [part.split("\u00a0")[0] for part in predicted.details.split(", ") if part]
    assert (predicted.prediction, names) == (chosen, shown)


def test_only_errors_have_clips_and_each_has_one(study, audio):
    groups, left_out = clips.with_audio(chosen(study), audio, 10**7)
    files = [clip.file for group in groups for clip in group.clips]
    assert left_out == 0
    # three of the four errors of model a in its mode, and both errors of b in the other mode
    assert len({*files} & {"01.wav", "03.wav", "05.wav", "07.wav"}) == 3
    assert sorted(files)[3:] == ["16.wav", "18.wav"]
    assert [group.text for group in groups] == ["3 of 4 errors of a", "2 of 2 errors of b"]
    first = groups[0].clips[0]
    assert first.metadata == "speaker s1, emotion anger, age 21"
    assert first.audio
    assert first.wave.startswith("M0.5 ")
    assert [(made.model, made.correct) for made in first.predictions] == [("a", False), ("b", True)]
    numbers = [clip.number for group in groups for clip in group.clips]
    assert numbers == list(range(5))


def test_audio_is_of_confirmed_modes_if_there_are_any(study):
    one = study.modes["mode"] == "2"
    study = dataclasses.replace(study, modes=study.modes.assign(confirmed=one))
    assert [group.mode for group in chosen(study)] == ["2"]


def test_audio_stays_within_its_budget(study, audio):
    everything, _ = clips.with_audio(chosen(study), audio, 10**7)
    first = everything[0].clips[0]
    budget = 2 * (len(first.audio) + len(first.wave) + clips.PLAYER + 100)
    groups, left_out = clips.with_audio(chosen(study), audio, budget)
    assert sum(len(clip.audio) for group in groups for clip in group.clips) <= budget
    assert left_out == 3


def test_a_file_that_cannot_be_read_leaves_the_others_alone(study, audio):
    (audio / "01.wav").write_bytes(b"no audio")
    groups, left_out = clips.with_audio(chosen(study), audio, 10**7)
    assert left_out == 1
    assert {clip.file for group in groups for clip in group.clips if not clip.audio} == {"01.wav"}


def test_long_utterances_are_cut(study, tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(8000 * 21), 8000)
    whole = clips.encode(clips.Clip(0, ("long.wav", 0.0, 21.0), "", "", []), tmp_path)
    assert whole.cut
    assert whole.audio
    assert not clips.encode(clips.Clip(0, ("long.wav", 1.0, 2.0), "", "", []), tmp_path).cut


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("phone.wav", {"subtype": "GSM610"}),
        ("g721.wav", {"subtype": "G721_32"}),
        ("stream.flac", {}),
        ("crashed.wav", {}),
    ],
)
def test_all_audio_that_is_scored_has_a_player(tmp_path, name, settings):
    times = np.arange(24000) / 8000
    soundfile.write(tmp_path / name, 0.3 * np.sin(2000 * np.pi * times), 8000, **settings)
    content = bytearray((tmp_path / name).read_bytes())
    if name == "stream.flac":
        content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])
    elif name == "crashed.wav":
        content[40:44] = bytes(4)
    (tmp_path / name).write_bytes(content)
    for start, end in ((0.0, 3.0), (1.0, 2.5)):
        clip = clips.encode(clips.Clip(0, (name, start, end), "", "", []), tmp_path)
        samples, rate = soundfile.read(io.BytesIO(base64.b64decode(clip.audio)))
        assert rate == 8000 and len(samples) / rate == pytest.approx(end - start, abs=0.1)
        assert samples[4000:8000].std() == pytest.approx(0.3 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("rate", [6000, 11025, 96000])
def test_clips_of_any_sampling_rate(tmp_path, rate):
    soundfile.write(tmp_path / "a.wav", np.zeros((rate, 2)), rate)
    clip = clips.encode(clips.Clip(0, ("a.wav", 0.0, 0.5), "", "", []), tmp_path)
    audio = io.BytesIO(base64.b64decode(clip.audio))
    assert soundfile.info(audio).duration == pytest.approx(0.5, abs=0.1)


def test_the_lines_of_a_waveform_follow_the_level():
    lines = clips.waveform(np.repeat([0.0, 0.5, -1.0], [100, 100, 100])).split("M")[1:]
    assert len(lines) == 100
    assert lines[0] == "0.5 19.5V20.5"  # silence
    assert lines[50] == "50.5 10V30"
    assert lines[99] == "99.5 1V39"


# the map


def test_map_shows_every_utterance_that_is_scored(confirmed):
    made = projection.make_map(confirmed)
    assert made.points[KEY].to_numpy().tolist() == confirmed.joined[KEY].to_numpy().tolist()
    assert list(made.points.columns[:7]) == [*KEY, "x", "y", "true", "prediction"]
    assert (made.model, made.total) == ("ears", UTTERANCES)
    assert 0 < made.share < 1
    wrong = made.table.set_index("file")["Who is wrong"]
    assert wrong[["01.wav", "16.wav", "07.wav", "02.wav"]].tolist() == [
        "only a", "only b", "all", "none",
    ]  # fmt: skip
    slices = [title for title in made.colourings if title.startswith("Mode ")]
    inside = [made.table.loc[made.table[title] == "inside", "file"].tolist() for title in slices]
    assert sorted(map(sorted, inside)) == sorted(
        sorted(model.members["file"]) for model in confirmed.models
    )
    assert projection.make_map(make_study()) is None


def test_a_large_map_shows_a_sample(confirmed, monkeypatch):
    monkeypatch.setattr(projection, "MAP_POINTS", 10)
    first, second = (projection.make_map(confirmed) for _ in range(2))
    assert (len(first.points), first.total) == (10, UTTERANCES)
    pd.testing.assert_frame_equal(first.points, second.points)
    titles = [title for title in first.colourings if title.startswith("Mode ")]
    members = set(confirmed.models[0].members["file"])
    shown = first.table.set_index("file")[titles] == "inside"
    assert any(set(shown.index[shown[title]]) == members & set(shown.index) for title in titles)


def test_map_leaves_out_utterances_without_an_embedding(confirmed):
    part = confirmed.embedding.keys.iloc[5:]
    study = dataclasses.replace(confirmed, embedding=make_embedding(part))
    assert projection.make_map(study).points["file"].tolist() == part["file"].tolist()


def test_map_reads_the_embedding_of_its_sample_alone(confirmed, tmp_path, monkeypatch):
    keys = confirmed.embedding.keys
    matrix = confirmed.embedding.read(keys)
    paths = [str(tmp_path / f"{shard}.parquet") for shard in range(2)]
    for path, rows in zip(paths, np.array_split(np.arange(UTTERANCES)[::-1], 2), strict=True):
        states = pa.FixedSizeListArray.from_arrays(pa.array(matrix[rows].ravel()), matrix.shape[1])
        columns = {name: keys[name].to_numpy()[rows] for name in KEY}
        pq.write_table(pa.table(columns | {"embedding": states}), path)
    stored = stored_embedding("ears", paths)
    read = []

    def recorded(wanted):
        read.append(wanted["file"].tolist())
        return stored.read(wanted)

    monkeypatch.setattr(projection, "MAP_POINTS", 10)
    study = dataclasses.replace(confirmed, embedding=dataclasses.replace(stored, read=recorded))
    made = projection.make_map(study)
    assert read == [made.points["file"].tolist()]
    assert len(read[0]) == 10
    pd.testing.assert_frame_equal(made.points, projection.make_map(confirmed).points)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ([1, 2, 3, 4, 5, 6], ["up to 2 s", "2 to 4 s", "above 4 s"]),
        ([0, 0, 0, 0, 5, 6], ["up to 0 s", "above 0 s"]),
        ([1, 2, 3, 3, 3, 3], ["up to 2 s", "above 2 s"]),
        ([7, 7, 7], ["up to 7 s"]),
    ],
)
def test_numbers_colour_the_map_in_groups_of_about_the_same_size(values, names):
    values = np.array(values, dtype=float)
    groups = projection._groups(values, values, "s")
    assert groups.dropna().unique().tolist() == names
    for value, group in zip(values, groups, strict=True):
        limits = [float(x) for x in re.findall(r"[0-9.]+", group)]
        assert value > limits[0] if group.startswith("above") else value <= limits[-1]


def test_projection_finds_the_direction_in_which_points_differ():
    line = np.linspace(-1, 1, 50)
    places, share = principal_components(np.outer(line, [3.0, 4.0, 0.0]), seed=0)
    assert share == pytest.approx(1)
    assert abs(np.corrcoef(places[:, 0], line)[0, 1]) == pytest.approx(1)
    assert principal_components(np.ones((3, 1)), seed=0)[0].tolist() == [[0, 0]] * 3


@pytest.mark.slow
def test_map_has_different_colours_and_shapes_for_the_values(confirmed):
    made = projection.make_map(confirmed)
    spec = projection.map_chart(confirmed, made, chosen(confirmed)).spec
    scales = {name: spec["encoding"][name]["scale"] for name in ("color", "shape")}
    names = scales["color"]["domain"]
    styles = dict(zip(names, zip(*(s["range"] for s in scales.values()), strict=True), strict=True))
    rows = next(iter(spec["datasets"].values()))
    for field in made.colourings.values():
        values = {row[field] for row in rows}
        # colours alone, and shapes alone, distinguish the values
        for part in zip(*(styles[value] for value in values), strict=True):
            assert len(set(part)) == len(values)
    played = {row["file"] for row in rows if row["clip"] >= 0}
    assert played == {clip.file for group in chosen(confirmed) for clip in group.clips}
    assert json.loads(json.dumps(spec)) == spec


def test_map_of_a_regression_groups_numbers():
    study = make_study(classification=False, mapped=True)
    made = projection.make_map(study)
    groups = made.points[made.colourings["True age"]]
    assert groups.value_counts().tolist() == [8, 8, 8]
    assert list(groups.cat.categories) == ["up to 27 years", "27 to 35 years", "above 35 years"]


# data and limits


def test_distributions_count_every_utterance(study):
    table = limits.distributions(study)
    assert table.groupby("of")["utterances"].sum().to_dict() == {"label": 24, "duration": 24}
    labels = table[table["of"] == "label"].set_index("name")
    assert labels.loc["female", ["utterances", "speakers"]].tolist() == [12, 3]
    ages = limits.distributions(make_study(classification=False))
    ages = ages[ages["of"] == "label"]
    assert ages["utterances"].tolist() == [1] * 24
    assert ages[["from", "to"]].iloc[0].tolist() == [20, 21]


def test_durations_are_compared_with_the_recommendation(study):
    metadata = study.metadata.assign(duration=np.where(np.arange(UTTERANCES) < 6, 1.0, 4.0))
    study = dataclasses.replace(study, metadata=metadata)
    assert limits.duration_sentence(study) == (
        "The durations range from 1 to 4 s, with a median of 4 s. 6 of 24 utterances (25 %) are"
        " shorter than 3 s."
    )
    table = limits.distributions(study)
    assert limits.distribution_chart(study, table, limits.DURATION) is not None
    assert limits.duration_sentence(dataclasses.replace(study, shortest=0.5)).endswith(
        "No utterance is shorter than 0.5 s."
    )


def test_models_that_use_the_first_part_of_utterances_are_named(study):
    def warned(durations):
        whisper = dataclasses.replace(
            study.models[1], card={**study.models[1].card, "first_seconds": 30.0}
        )
        changed = dataclasses.replace(
            study,
            models=[study.models[0], whisper],
            metadata=study.metadata.assign(duration=durations),
        )
        return [text for text in caveats.warnings(changed) if "uses only" in text]

    assert warned(30.0) == []
    assert warned(np.where(np.arange(UTTERANCES) < 6, 31.0, 4.0)) == [
        "b uses only the first 30 s of an utterance: 6 utterances are longer. Set window in the"
        " config of the model to use all of them."
    ]


def test_durations_that_are_not_known_are_not_called_short(study):
    none = dataclasses.replace(study, metadata=study.metadata.assign(duration=0.0))
    assert (
        limits.duration_sentence(none) == "The durations are not known, because there is no audio."
    )
    table = limits.distributions(none)
    assert set(table["of"]) == {"label"}
    assert limits.distribution_chart(none, table, limits.DURATION) is None
    assert ("Duration", "not known") in compared.dataset_facts(none).rows
    assert not any("shorter than" in warning for warning in caveats.warnings(none))
    metadata = study.metadata.assign(duration=np.where(np.arange(UTTERANCES) < 6, 0.0, 4.0))
    one = dataclasses.replace(study, metadata=metadata)
    assert limits.duration_sentence(one).startswith(
        "All durations are 4 s. No utterance is shorter"
    )


def test_classes_and_excluded_classes_are_shown(study):
    assert overall.merged_sentence(study) == ""
    settings = study.task_settings | {"classes": {"woman": "female"}, "exclude": ["child"]}
    assert overall.merged_sentence(dataclasses.replace(study, task_settings=settings)) == (
        "Classes of the models: woman counts as female; child excluded, and the other probabilities"
        " rescaled."
    )


def test_speakers_of_slices_are_counted(study):
    assert limits.speaker_sentence(study) == (
        "The dataset has 6 speakers. 2 of 2 slices have fewer than 5 speakers."
    )
    assert limits.speaker_sentence(make_study(speakers=False)) == ""


def test_failures_are_listed_up_to_a_number(study):
    rows = pd.DataFrame(
        {"file": [f"{i}.wav" for i in range(15)], "start": 0.0, "end": 1.0, "reason": "broken"}
    )
    models = [dataclasses.replace(model, failures=rows) for model in study.models]
    table, more = limits.failure_table(dataclasses.replace(study, models=models))
    assert (len(table.rows), more) == (20, 10)
    assert texts(table)[-1] == ["b", "4.wav", "broken"]
    assert limits.failure_table(study) == (None, 0)


def test_a_slice_of_a_regression_is_worse_where_the_error_is_larger():
    study = make_study(classification=False, confirmed=True)
    table = tradeoff.tradeoff(study).set_index(["model", "cost", "goal"])
    losses = [model.scores.set_index("file")["loss"] for model in study.models]
    for name, loss in zip("ab", losses, strict=True):
        worst = max(loss[list(model.members["file"])].mean() for model in study.models)
        assert table.loc[(name, "size_mb", "worst slice"), "y"] == pytest.approx(worst)


def test_scores_of_other_utterances_are_ignored(study):
    """A model that has not scored all utterances is compared on those that all have."""
    a, b = study.models
    part = dataclasses.replace(b, scores=class_scores(study.metadata, [7, 16, 18]).iloc[4:])
    study = dataclasses.replace(study, models=[a, part])
    assert len(study.joined) == UTTERANCES - 4
    mask = study.inside(distinct(a.slices).assign(position=0).iloc[0])
    assert study.joined.loc[mask, "file"].tolist() == ["05.wav", "07.wav"]
    row, members = make_slice(
        a.scores, [0], "r", study.metadata["speaker"].to_numpy(str), task=Task("classification")
    )
    assert len(members) == len(row) == 1
