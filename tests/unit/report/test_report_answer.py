"""The answer and its warnings, against numbers that a reader can count."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from report_study import make_study
from voxslice.comparison.gates import GATE_COLUMNS
from voxslice.data.silence import silence_remarks
from voxslice.report.answer import answer, figures, untested
from voxslice.report.caveats import warnings
from voxslice.report.overall import metric_table
from voxslice.utterance_keys import KEY


def with_verdict(study, **values):
    """The study with another verdict on all utterances."""
    table = study.comparison.copy()
    for name, value in values.items():
        table.loc[table["slice"] == "all", name] = value
    return dataclasses.replace(study, comparison=table)


def test_the_answer_warns_that_other_speakers_may_show_no_difference():
    study = make_study()
    study = dataclasses.replace(study, comparison=study.comparison.assign(q=0.001))
    assert answer(study)[0].endswith("] may lie in which speakers were heard.")


def with_model(study, position, **values):
    models = list(study.models)
    models[position] = dataclasses.replace(models[position], **values)
    return dataclasses.replace(study, models=models)


def test_the_answer_counts_errors_of_undecided_models():
    said = answer(make_study())
    # a is wrong on 4 of 24, b on 3 of 24; 1, 3, 5 are fixed, 16 and 18 are new, 7 stays
    assert said[0].startswith("The data do not settle which model is better: b is right on 87.5 %")
    assert "of 24 utterances of 6 speakers, a is right on 83.3 % [" in said[0]
    assert "the difference of 4.2 points [" in said[0]
    assert "] may be chance (q = " in said[0]
    assert said[1] == (
        "b fixes 3 of the 4 errors of a and makes 2 new ones, 2 of them among the 3 utterances with"
        " <b>x</b>."
    )
    assert said[2] == "b is shown to be worse than a in none of the 2 groups compared."
    assert said[3].startswith("No slice of b is confirmed; the worst suggestion is <b>x</b>:")
    assert [figure.value for figure in figures(make_study())] == ["87.5 %", "83.3 %", "3", "2"]


def test_the_answer_recommends_the_better_model():
    study = with_verdict(make_study(models=3), verdict="better", q=0.0004, equivalent=False)
    said = answer(study)
    assert said[0].startswith("Take b: it is right on 87.5 % [")
    assert said[0].endswith("] above a, the next best of 3 models (q < 0.001).")


def test_the_answer_names_the_third_model_if_two_are_equivalent():
    study = make_study(models=3, margin=0.2)
    table = study.comparison.copy()
    overall = table["slice"] == "all"
    pair = overall & (table["model_a"] == "b") & (table["model_b"] == "c")
    table.loc[overall, "verdict"] = "equivalent"
    table.loc[pair, "verdict"] = "worse"
    said = answer(dataclasses.replace(study, comparison=table))
    # c is wrong on 12 of 24, b on 3
    assert said[2].startswith("b is better than c (37.5 points [")


def test_of_equivalent_models_the_smaller_one_is_recommended():
    study = with_verdict(make_study(margin=0.2), verdict="equivalent", equivalent=True)
    card = study.models[0].card
    study = with_model(study, 1, card={**card, "size_mb": 9.0})
    said = answer(study)
    assert said[0].startswith("b and a are equivalent within 20.0 points: b is right on 87.5 %")
    assert said[1] == (
        "Choose by cost and by the slices below; a is the smaller (1.5 MB against 9.0 MB)."
    )


def test_the_answer_names_a_better_model_within_the_margin():
    study = with_verdict(make_study(margin=0.2), verdict="better", equivalent=True)
    # both are of the same size
    assert answer(study)[1] == "Yet the two are equivalent within 20.0 points."


def test_groups_where_the_best_model_is_worse_are_named():
    study = make_study()
    table = study.comparison.copy()
    table.loc[table["rule"] == "<b>x</b>", "verdict"] = "worse"
    said = answer(dataclasses.replace(study, comparison=table))
    assert said[2] == (
        "b is worse than a in 1 of the 2 groups compared, most of all where <b>x</b>"
        " (33.3 % against 100.0 % on 3 utterances)."
    )


def test_a_comparison_can_be_reversed():
    study = make_study()
    straight, turned = study.against("b", "a").iloc[0], study.against("a", "b").iloc[0]
    assert straight["difference"] == pytest.approx(1 / 24)
    assert turned["difference"] == pytest.approx(-1 / 24)
    assert (turned["low"], turned["high"]) == (-straight["high"], -straight["low"])
    assert (straight["fixed"], straight["new"]) == (3, 2)
    assert (turned["fixed"], turned["new"]) == (2, 3)
    assert len(study.against("a", "nobody")) == 0


def test_answer_of_a_regression_takes_the_smaller_error_as_better():
    study = make_study(classification=False)
    said = answer(study)
    a, b = (model.scores["loss"] for model in study.models)
    assert f"b is off by {b.mean():.2f} years" in said[0]
    assert f"{(a - b).mean():.2f} years [" in said[0]
    low, high = map(
        float, re.findall(r"years \[([\d.]+), ([\d.]+)\]", said[0])[1 if "Take" in said[0] else 2]
    )
    assert 0 < low <= (a - b).mean() <= high


def test_answer_of_one_model():
    said = answer(make_study(models=1))
    assert said[0].startswith("a is right on 83.3 % [")
    assert (
        "gender = male & emotion = anger: accuracy 0.0 % on 4 utterances of 3 speakers" in said[1]
    )


def test_answer_without_slices():
    assert answer(make_study(slices=False))[-1] == (
        "No slice was found in which b fails more than elsewhere."
    )


def with_searched(study, *counts):
    """The study with other counts of searched rules: of `subgroups` and `metadata`."""
    searches = study.models[-1].searches.assign(searched=pd.array(counts, dtype="Int64"))
    study = with_model(study, len(study.models) - 1, searches=searches)
    settings = {"finder": "subgroups", "features": ["age", "emotion"], "min_support": 30}
    return dataclasses.replace(study, searches={"subgroups": settings, **study.searches})


def test_a_search_without_any_rule_is_reported_as_such():
    study = with_searched(make_study(slices=False), 0, 0)
    assert "No slice was found" not in " ".join(answer(study))
    told = untested(study)
    assert told[0] == (
        "The search subgroups tested no rule for b, so it cannot find a slice: no category and no"
        " interval of age and emotion holds at least 30 utterances, but not all of them."
    )
    assert len(told) == 2


def test_other_searches_are_still_answered():
    study = with_searched(make_study(slices=False), 0, None)
    assert answer(study)[-1].startswith("No slice was found in which b fails")
    assert len(untested(study)) == 1
    assert untested(make_study(slices=False)) == []


# warnings


def test_warns_of_few_speakers_short_utterances_and_untested_slices():
    said = warnings(make_study())
    assert said[0].startswith("6 speakers are few for any claim about new speakers")
    assert said[1].startswith("100 % of the utterances are shorter than 3 s")
    assert said[2].startswith("All 2 slices are suggestions that no test confirms")
    assert len(said) == 3


def test_warns_of_very_few_speakers():
    study = make_study()
    metadata = study.metadata.assign(speaker="one")
    assert warnings(dataclasses.replace(study, metadata=metadata))[0].startswith(
        "There is only 1 speaker"
    )


def without_intervals(study, values, note="exact"):
    """A study in which the accuracy of some models is 0 or 1, with an exact interval."""
    metrics = study.metrics.set_index(["model", "metric"])
    for model, value in values.items():
        metrics.loc[(model, "accuracy"), ["value", "low", "high"]] = value, 0.5 * value, 1.0
        metrics.loc[(model, "accuracy"), "note"] = note
        metrics.loc[[(model, "uar"), (model, "f1")], ["low", "high"]] = np.nan
        metrics.loc[[(model, "uar"), (model, "f1")], "note"] = "all resamples agree"
    return dataclasses.replace(study, metrics=metrics.reset_index())


@pytest.mark.parametrize(
    ("values", "speakers", "sentence"),
    [
        ({"a": 1.0}, True, "a makes no error, so that resamples of the speakers all agree"),
        ({"b": 0.0}, True, "b makes only errors, so that resamples of the speakers all agree"),
        ({"a": 1.0, "b": 1.0}, False, "a and b make no error, so that resamples of the utterances"),
        ({"a": 1.0, "b": 0.0}, True, "a and b make no error or only errors, so that resamples"),
    ],
)
def test_says_why_an_interval_is_exact(values, speakers, sentence):
    study = make_study(speakers=speakers)
    assert not [text for text in warnings(study) if "exact" in text]
    (told,) = [text for text in warnings(without_intervals(study, values)) if "exact" in text]
    assert told.startswith(sentence)
    table = metric_table(without_intervals(study, values))
    for row in table.rows:
        notes = [cell.note for cell in row[1:4]]
        if row[0].text in values:
            assert notes[0].endswith("(exact)")
            assert notes[1:] == ["no interval: all resamples agree"] * 2
        else:
            assert not any("exact" in note or "agree" in note for note in notes)


def test_warns_of_utterances_that_name_no_speaker():
    study = make_study()

    def said(speakers):
        return warnings(
            dataclasses.replace(study, metadata=study.metadata.assign(speaker=speakers))
        )

    known = study.metadata["speaker"]
    text = said(known.mask(known == "s2"))
    assert text[0].startswith("5 speakers are few")
    assert text[1].startswith("4 of the 24 utterances name no speaker, and nobody knows how many")
    assert said(known.mask(known.index == 3))[1].startswith("1 of the 24 utterances names no")
    assert said(None)[0].startswith("No utterance names its speaker")
    # a name like any other
    assert not [w for w in said(known.replace("s2", "unknown")) if "name no speaker" in w]


def test_warns_of_unknown_speakers_synthetic_speech_failures_and_licences():
    study = make_study(speakers=False, slices=False)
    failures = pd.DataFrame({"file": ["x"], "start": 0.0, "end": 1.0, "reason": "no audio"})
    terms = {"license": "CC BY-NC-SA 4.0", "note": ""}
    study = dataclasses.replace(
        with_model(study, 0, failures=failures, settings=terms),
        shortest=0.5,
        dataset_settings={**study.dataset_settings, "synthetic": True},
        embedders={"e": (terms, study.models[0].card)},
    )
    said = warnings(study)
    assert said[0].startswith("The speakers are not known")
    assert said[1].startswith("The speech is synthetic")
    assert said[2] == "a could not score 1 utterance; the metrics leave it out."
    assert said[3] == (
        "The model a and the model e are under CC BY-NC-SA 4.0, which excludes commercial use."
    )
    assert len(said) == 4


def with_columns(study, **columns):
    """The study with further columns of metadata: their values and settings."""
    settings = {name: more for name, (_, more) in columns.items()}
    known = study.dataset_settings
    return dataclasses.replace(
        study,
        metadata=study.metadata.assign(**{name: values for name, (values, _) in columns.items()}),
        dataset_settings={**known, "columns": {**known["columns"], **settings}},
    )


def test_warns_of_numbers_that_are_text_and_of_missing_numbers():
    heights = pd.Series([f"1.{number}" for number in range(10, 33)] + ["tall"], dtype="string")
    study = with_columns(
        make_study(),
        height=(heights, {"column": "height"}),
        room=(heights, {"column": "room", "type": "category"}),
        snr=([None, *range(23)], {"measure": "snr"}),
    )
    told = warnings(study)
    assert [w for w in told if "column" in w] == [
        "The column height is read as text, since 1 of its 24 cells ('tall') is not a number:"
        " correct it or leave it empty, or give the column type: category in the config.",
        "1 of the 24 utterances has no value in the column snr.",
    ]


@pytest.mark.parametrize(
    ("reasons", "told"),
    [
        ({1: "it is silent"}, "1 of the 24 utterances has no value in the column tone (1: it is"
         " silent)."),
        ({3: "c", 2: "b", 5: "a", 1: "z", 4: "d"}, "15 of the 24 utterances have no value in the"
         " column tone (5: a; 4: d; 3: c; 3: other reasons)."),
    ],
)  # fmt: skip
def test_says_why_a_measure_is_missing(reasons, told):
    missing = [reason for count, reason in reasons.items() for _ in range(count)]
    values = [None] * len(missing) + [1.0] * (24 - len(missing))
    study = with_columns(make_study(), tone=(values, {"measure": "pitch"}))
    table = study.metadata[KEY].assign(
        pitch=values, reason=pd.array(missing + [None] * (24 - len(missing)), dtype="string")
    )
    study = dataclasses.replace(study, measure_tables={"pitch": table})
    assert [w for w in warnings(study) if "column" in w] == [told]


@pytest.mark.parametrize("count", [1, 5])
def test_warns_of_silent_utterances(count):
    study = make_study()
    silence = study.metadata[KEY].head(count).assign(reason="channels out of phase")
    silence.iloc[0, -1] = "no signal"
    told = [w for w in warnings(dataclasses.replace(study, silence=silence)) if "silen" in w]
    assert told == silence_remarks(silence, 24) and len(told) == min(count, 2)
    assert not [w for w in warnings(study) if "silen" in w]


@pytest.mark.parametrize(
    ("rows", "label", "sentence"),
    [
        ([0, 2, 4], "Female", "3 of the 24 utterances have a label that the task does not name and"
         " are left out: 'Female' (3, looks like 'female')."),
        ([7], "M", "1 of the 24 utterances has a label that the task does not name and is left out:"
         " 'M' (1)."),
        ([1, 3], None, "2 of the 24 utterances have no label and are left out."),
    ],
)  # fmt: skip
def test_warns_of_labels_that_the_task_does_not_name(rows, label, sentence):
    study = make_study()
    labels = study.metadata["gender"].astype(object)
    labels[rows] = label
    study = dataclasses.replace(study, metadata=study.metadata.assign(gender=labels))
    assert [w for w in warnings(study) if "label" in w] == [sentence]


def test_digits_that_are_labels_need_no_numbers():
    digits = pd.Series(["1", "2", "3", "x"] * 6, dtype="string")
    study = with_columns(make_study(), gender=(digits, {"column": "gender"}))
    assert not [w for w in warnings(study) if "read as text" in w]


def test_confirmed_slices_are_not_called_suggestions():
    assert not [w for w in warnings(make_study(confirmed=True)) if "slice" in w]


def test_a_slice_of_two_models_counts_once():
    study = make_study()
    a, b = (model.slices for model in study.models)
    both = with_model(study, 1, slices=pd.concat([a, b], ignore_index=True))
    said = [w for w in warnings(both) if "slice" in w]
    assert said[0].startswith("All 2 slices are suggestions")
    confirmed = pd.concat([a.assign(confirmed=True), b], ignore_index=True)
    said = [w for w in warnings(with_model(study, 1, slices=confirmed)) if "slice" in w]
    assert said[0].startswith("1 of the 2 slices is a suggestion")


def test_warns_of_a_model_that_is_not_shown_to_beat_chance():
    study = make_study()
    rows = study.comparison[study.comparison["slice"] == "all"]
    references = [
        rows.assign(model_a="chance", verdict="better"),  # b beats it
        rows.assign(model_a="chance", model_b="a", verdict="undecided"),
        rows.assign(model_a="majority", verdict="better"),
        rows.assign(model_a="majority", model_b="a", verdict="better"),
    ]
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison, *references]))
    said = [w for w in warnings(study) if "chance" in w or "majority" in w]
    assert said == ["a is not shown to be better than chance (labels drawn at random)."]


def test_warns_of_groups_in_which_a_model_is_worse_than_chance():
    study = make_study()
    rows = study.comparison.assign(model_a="chance", model_b="a", verdict="better")
    slice_ = rows["rule"] == "gender = male & emotion = anger"
    rows.loc[slice_, ["verdict", "difference", "value_b"]] = ["worse", -0.5, 0.0]
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison, rows]))
    said = [w for w in warnings(study) if "chance" in w]
    assert said == [
        "a is worse than chance (labels drawn at random) in 1 group, most of all where"
        " gender = male & emotion = anger (0.0 %)."
    ]


def test_warns_of_a_derived_model_that_fails_gates():
    study = make_study()
    gates = pd.DataFrame(
        [["b", "a", "all", "all utterances", 24, 0.8, 0.9, 0.89, False],
         ["b", "a", "x", "x", 3, np.nan, 0.0, np.nan, True]], columns=GATE_COLUMNS,
    )  # fmt: skip
    said = warnings(dataclasses.replace(study, gates=gates))
    assert "b fails 1 gate: it must not replace a unseen." in said


def test_notes_of_the_scoring_are_shown():
    study = make_study()
    noted = dataclasses.replace(
        study.models[1], summary={"scale": "probabilities", "notes": ["Probabilities of b."]}
    )
    said = warnings(dataclasses.replace(study, models=[study.models[0], noted]))
    assert said.count("Probabilities of b.") == 1
    assert len(said) == len(warnings(study)) + 1
