"""The answer and the warnings of the report, compared with numbers that can be counted."""

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
    assert answer(study)[0].endswith("] may depend on the choice of speakers.")


def with_model(study, position, **values):
    models = list(study.models)
    models[position] = dataclasses.replace(models[position], **values)
    return dataclasses.replace(study, models=models)


def test_the_answer_counts_errors_of_undecided_models():
    sentences = answer(make_study())
    # a is wrong on 4 of 24, b on 3 of 24; 1, 3, 5 are fixed, 16 and 18 are new, 7 stays
    assert sentences[0].startswith(
        "The data do not show which model is better: b is correct on 87.5 %"
    )
    assert "of 24 utterances of 6 speakers, a is correct on 83.3 % [" in sentences[0]
    assert "The difference of 4.2 points [" in sentences[0]
    assert "] may be chance (q = " in sentences[0]
    assert sentences[1] == (
        "b fixes 3 of the 4 errors of a and makes 2 new errors, 2 of them on the 3 utterances with"
        " <b>x</b>."
    )
    assert sentences[2] == "b is not significantly worse than a on any of the 2 compared groups."
    assert sentences[3].startswith(
        "No slice of b is confirmed. The worst suggested slice is <b>x</b>: accuracy 33.3 % on"
    )
    assert [figure.value for figure in figures(make_study())] == ["87.5 %", "83.3 %", "3", "2"]


def test_the_answer_recommends_the_better_model():
    study = with_verdict(make_study(models=3), verdict="better", q=0.0004, equivalent=False)
    sentences = answer(study)
    assert sentences[0].startswith("b is the best of 3 models: it is correct on 87.5 % [")
    assert sentences[0].endswith("] above the second best, a (q < 0.001).")


def test_the_answer_names_the_third_model_if_two_are_equivalent():
    study = make_study(models=3, margin=0.2)
    table = study.comparison.copy()
    overall = table["slice"] == "all"
    pair = overall & (table["model_a"] == "b") & (table["model_b"] == "c")
    table.loc[overall, "verdict"] = "equivalent"
    table.loc[pair, "verdict"] = "worse"
    sentences = answer(dataclasses.replace(study, comparison=table))
    # c is wrong on 12 of 24, b on 3
    assert sentences[2].startswith("b is better than c (37.5 points [")


def test_of_equivalent_models_the_smaller_one_is_recommended():
    study = with_verdict(make_study(margin=0.2), verdict="equivalent", equivalent=True)
    card = study.models[0].card
    study = with_model(study, 1, card={**card, "size_mb": 9.0})
    sentences = answer(study)
    assert sentences[0].startswith(
        "b and a are equivalent within 20.0 points: b is correct on 87.5 %"
    )
    assert sentences[1] == (
        "Choose between them by cost and by slices: a is smaller (1.5 MB compared with 9.0 MB)."
    )


def test_the_answer_names_a_better_model_within_the_margin():
    study = with_verdict(make_study(margin=0.2), verdict="better", equivalent=True)
    # both are of the same size
    assert answer(study)[1] == "However, the two are equivalent within 20.0 points."


def test_groups_where_the_best_model_is_worse_are_named():
    study = make_study()
    table = study.comparison.copy()
    table.loc[table["rule"] == "<b>x</b>", "verdict"] = "worse"
    sentences = answer(dataclasses.replace(study, comparison=table))
    assert sentences[2] == (
        "b is significantly worse than a on 1 of the 2 compared groups. The largest difference is"
        " for <b>x</b> (33.3 % instead of 100.0 %, 3 utterances)."
    )


def test_a_comparison_can_be_reversed():
    study = make_study()
    normal, reversed_pair = study.against("b", "a").iloc[0], study.against("a", "b").iloc[0]
    assert normal["difference"] == pytest.approx(1 / 24)
    assert reversed_pair["difference"] == pytest.approx(-1 / 24)
    assert (reversed_pair["low"], reversed_pair["high"]) == (-normal["high"], -normal["low"])
    assert (normal["fixed"], normal["new"]) == (3, 2)
    assert (reversed_pair["fixed"], reversed_pair["new"]) == (2, 3)
    assert len(study.against("a", "unknown")) == 0


def test_answer_of_a_regression_takes_the_smaller_error_as_better():
    study = make_study(classification=False)
    sentences = answer(study)
    a, b = (model.scores["loss"] for model in study.models)
    assert f"has a mean absolute error of {b.mean():.2f} years" in sentences[0]
    assert f"{(a - b).mean():.2f} years [" in sentences[0]
    low, high = map(
        float,
        re.findall(r"years \[([\d.]+), ([\d.]+)\]", sentences[0])[
            1 if "is the better model" in sentences[0] else 2
        ],
    )
    assert 0 < low <= (a - b).mean() <= high


def test_answer_of_one_model():
    sentences = answer(make_study(models=1))
    assert sentences[0].startswith("a is correct on 83.3 % [")
    assert (
        "gender = male & emotion = anger: accuracy 0.0 % on 4 utterances of 3 speakers"
        in sentences[1]
    )


def test_answer_without_slices():
    assert answer(make_study(slices=False))[-1] == (
        "No slice was found on which b is worse than elsewhere."
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
    sentences = untested(study)
    assert sentences[0] == (
        "The search subgroups tested no rule for b. It cannot find a slice, because no category and"
        " no interval of age and emotion contains at least 30 utterances, but not all of them."
    )
    assert len(sentences) == 2


def test_other_searches_without_a_slice_are_still_named():
    study = with_searched(make_study(slices=False), 0, None)
    assert answer(study)[-1].startswith("No slice was found on which b is worse")
    assert len(untested(study)) == 1
    assert untested(make_study(slices=False)) == []


# warnings


def test_warns_of_few_speakers_short_utterances_and_untested_slices():
    sentences = warnings(make_study())
    assert sentences[0].startswith("The dataset has only 6 speakers. The results may not hold")
    assert sentences[1].startswith("100 % of the utterances are shorter than 3 s")
    assert sentences[2].startswith("None of the 2 slices is confirmed.")
    assert len(sentences) == 3


def test_warns_of_very_few_speakers():
    study = make_study()
    metadata = study.metadata.assign(speaker="one")
    assert warnings(dataclasses.replace(study, metadata=metadata))[0].startswith(
        "The dataset has only 1 speaker. The intervals are not reliable"
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
        ({"a": 1.0}, True, "a makes no errors, so resampling speakers does not change"),
        ({"b": 0.0}, True, "b makes only errors, so resampling speakers does not change"),
        ({"a": 1.0, "b": 1.0}, False, "a and b make no errors, so resampling utterances does not"),
        (
            {"a": 1.0, "b": 0.0},
            True,
            "a and b make no errors or only errors, so resampling speakers",
        ),
    ],
)
def test_says_why_an_interval_is_exact(values, speakers, sentence):
    study = make_study(speakers=speakers)
    assert not [text for text in warnings(study) if "exact" in text]
    (sentences,) = [text for text in warnings(without_intervals(study, values)) if "exact" in text]
    assert sentences.startswith(sentence)
    table = metric_table(without_intervals(study, values))
    for row in table.rows:
        notes = [cell.note for cell in row[1:4]]
        if row[0].text in values:
            assert notes[0].endswith("(exact)")
            assert notes[1:] == ["no interval"] * 2
        else:
            assert not any("exact" in note or "equal" in note for note in notes)


def test_warns_of_utterances_without_a_speaker():
    study = make_study()

    def sentences(speakers):
        return warnings(
            dataclasses.replace(study, metadata=study.metadata.assign(speaker=speakers))
        )

    known = study.metadata["speaker"]
    text = sentences(known.mask(known == "s2"))
    assert text[0].startswith("The dataset has only 5 speakers")
    assert text[1].startswith("4 of the 24 utterances have no speaker. Intervals treat them")
    assert sentences(known.mask(known.index == 3))[1].startswith(
        "1 of the 24 utterances has no speaker"
    )
    assert sentences(None)[0].startswith("No utterance has a speaker")
    # a name like any other
    assert not [w for w in sentences(known.replace("s2", "unknown")) if "have no speaker" in w]


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
    sentences = warnings(study)
    assert sentences[0].startswith("The speakers are not known")
    assert sentences[1].startswith("The speech is synthetic")
    assert sentences[2] == "a could not score 1 utterance. The metrics exclude it."
    assert sentences[3] == (
        "The model a and the model e are under CC BY-NC-SA 4.0, which excludes commercial use."
    )
    assert len(sentences) == 4


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
    sentences = warnings(study)
    assert [w for w in sentences if "column" in w] == [
        "The column height is read as text, since 1 of its 24 cells ('tall') is not a number:"
        " correct it or leave it empty, or give the column type: category in the config.",
        "1 of the 24 utterances has no value in the column snr.",
    ]


@pytest.mark.parametrize(
    ("reasons", "sentences"),
    [
        ({1: "it is silent"}, "1 of the 24 utterances has no value in the column tone (1: it is"
         " silent)."),
        ({3: "c", 2: "b", 5: "a", 1: "z", 4: "d"}, "15 of the 24 utterances have no value in the"
         " column tone (5: a; 4: d; 3: c; 3: other reasons)."),
    ],
)  # fmt: skip
def test_says_why_a_measure_is_missing(reasons, sentences):
    missing = [reason for count, reason in reasons.items() for _ in range(count)]
    values = [None] * len(missing) + [1.0] * (24 - len(missing))
    study = with_columns(make_study(), tone=(values, {"measure": "pitch"}))
    table = study.metadata[KEY].assign(
        pitch=values, reason=pd.array(missing + [None] * (24 - len(missing)), dtype="string")
    )
    study = dataclasses.replace(study, measure_tables={"pitch": table})
    assert [w for w in warnings(study) if "column" in w] == [sentences]


@pytest.mark.parametrize("count", [1, 5])
def test_warns_of_silent_utterances(count):
    study = make_study()
    silence = study.metadata[KEY].head(count).assign(reason="channels out of phase")
    silence.iloc[0, -1] = "no signal"
    sentences = [w for w in warnings(dataclasses.replace(study, silence=silence)) if "silen" in w]
    assert sentences == silence_remarks(silence, 24) and len(sentences) == min(count, 2)
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
    sentences = [w for w in warnings(both) if "slice" in w]
    assert sentences[0].startswith("None of the 2 slices is confirmed")
    confirmed = pd.concat([a.assign(confirmed=True), b], ignore_index=True)
    sentences = [w for w in warnings(with_model(study, 1, slices=confirmed)) if "slice" in w]
    assert sentences[0].startswith("1 of the 2 slices is not confirmed")


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
    sentences = [w for w in warnings(study) if "chance" in w or "majority" in w]
    assert sentences == ["a is not significantly better than chance (labels drawn at random)."]


def test_warns_of_groups_in_which_a_model_is_worse_than_chance():
    study = make_study()
    rows = study.comparison.assign(model_a="chance", model_b="a", verdict="better")
    slice_ = rows["rule"] == "gender = male & emotion = anger"
    rows.loc[slice_, ["verdict", "difference", "value_b"]] = ["worse", -0.5, 0.0]
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison, rows]))
    sentences = [w for w in warnings(study) if "chance" in w]
    assert sentences == [
        "a is significantly worse than chance (labels drawn at random) on 1 group. The largest"
        " difference is for gender = male & emotion = anger (0.0 %)."
    ]


def test_warns_of_a_derived_model_that_fails_gates():
    study = make_study()
    gates = pd.DataFrame(
        [["b", "a", "all", "all utterances", 24, "accuracy", 0.8, 0.9, 0.89, False],
         ["b", "a", "x", "x", 3, "accuracy", np.nan, 0.0, np.nan, True]], columns=GATE_COLUMNS,
    )  # fmt: skip
    sentences = warnings(dataclasses.replace(study, gates=gates))
    assert "b fails 1 gate. Check it before it replaces a." in sentences


def test_notes_of_the_scoring_are_shown():
    study = make_study()
    noted = dataclasses.replace(
        study.models[1], summary={"scale": "probabilities", "notes": ["Probabilities of b."]}
    )
    sentences = warnings(dataclasses.replace(study, models=[study.models[0], noted]))
    assert sentences.count("Probabilities of b.") == 1
    assert len(sentences) == len(warnings(study)) + 1
