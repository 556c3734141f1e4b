"""The answer and the warnings of the report, compared with numbers that can be counted."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from report_study import make_costs, make_study
from voxslice.comparison.gates import GATE_COLUMNS
from voxslice.data.silence import silence_remarks
from voxslice.report.answer import answer, figures, may_replace, untested
from voxslice.report.caveats import warnings
from voxslice.report.overall import interval_sentences, metric_table
from voxslice.report.weak_groups import largest_weak_group
from voxslice.utterance_keys import KEY


def with_verdict(study, **values):
    """The study with another verdict on all utterances."""
    table = study.comparison.copy()
    for name, value in values.items():
        table.loc[table["slice"] == "all", name] = value
    return dataclasses.replace(study, comparison=table)


def with_model(study, position, **values):
    models = list(study.models)
    models[position] = dataclasses.replace(models[position], **values)
    return dataclasses.replace(study, models=models)


def test_the_answer_counts_errors_of_undecided_models():
    sentences = answer(make_study())
    # a is wrong on 4 of 24, b on 3 of 24; 1, 3, 5 are fixed, 16 and 18 are new, 7 stays
    assert sentences[0].startswith(
        "b is not shown to be better than a: accuracy 87.5 % compared with 83.3 %, +4.2 points ["
    )
    assert sentences[0].endswith("] over 6 speakers.")
    assert "b fixes 3 of the 4 errors of a and makes 2 new errors." in sentences
    assert [figure.value for figure in figures(make_study())] == ["87.5 %", "83.3 %", "3", "2"]


@pytest.mark.parametrize(
    ("values", "start", "end"),
    [
        (
            {"verdict": "better", "q": 0.0004},
            "b is better than a: ",
            "over 6 speakers (q < 0.001).",
        ),
        ({"verdict": "worse", "q": 0.03}, "b is worse than a: ", "over 6 speakers (q = 0.030)."),
        ({"verdict": "equivalent"}, "b and a are equivalent within 20.0 points: ", "6 speakers."),
        (
            {"verdict": "better", "q": 0.01, "equivalent": True},
            "b is better than a: ",
            "(q = 0.010). However, the two are equivalent within 20.0 points.",
        ),
        (
            {"verdict": "undecided", "low": 0.01, "high": 0.1, "q": 0.0625},
            "b is not shown to be better than a: ",
            "6 speakers, but the test over speakers does not show it (q = 0.062).",
        ),
        (
            {"verdict": "undecided", "difference": -0.1, "low": -0.3, "high": 0.1},
            "b is not shown to be worse than a: ",
            "−10.0 points [−30.0, 10.0] over 6 speakers.",
        ),
    ],
)
def test_the_answer_begins_with_the_verdict(values, start, end):
    study = with_verdict(make_study(margin=0.2), **{"equivalent": False} | values)
    first = answer(study)[0]
    assert first.startswith(start) and first.endswith(end)


def test_the_answer_uses_the_metric_of_the_task():
    study = make_study(metric="uar")
    # b is wrong on 1 of 12 men and 2 of 12 women, a on 4 of 12 men
    assert answer(study)[0].startswith(
        "b is not shown to be better than a: UAR 87.5 % compared with 83.3 %, +4.2 points"
    )
    assert figures(study)[0].meaning == "unweighted average recall of b"


def test_the_answer_compares_the_named_pair_and_then_the_other_models():
    study = make_study(models=3)
    sentences = answer(study)
    assert sentences[0].startswith("c is not shown to be worse than a: accuracy 50.0 % compared")
    others = [text for text in sentences if text.startswith("b is ")]
    assert others[0].startswith("b is better than c: ") or "not shown" in others[0]
    named = dataclasses.replace(study, pair=["c", "b"])
    assert "compared with 50.0 %" in answer(named)[0] and answer(named)[0].startswith("b is ")
    assert [figure.meaning for figure in figures(named)][:2] == ["accuracy of b", "accuracy of c"]


def variant_study(**values):
    """A study of a and its variant b, of which all utterances have some other values."""
    return dataclasses.replace(
        with_verdict(make_study(margin=0.2), **values), sources={"b": "a"}, pair=["a"]
    )


def test_a_variant_is_compared_with_its_source():
    sentences = answer(variant_study(verdict="equivalent", equivalent=True))
    assert sentences[0].startswith("a: accuracy 83.3 % [")
    assert sentences[0].endswith("] on 24 utterances of 6 speakers.")
    assert any(text.startswith("b and a are equivalent within 20.0 points") for text in sentences)
    gates = pd.DataFrame(
        [
            [
                "b",
                "a",
                "all",
                "all utterances",
                24,
                6,
                "accuracy",
                0.8,
                0.9,
                0.89,
                0.8,
                0.95,
                np.nan,
                "failed",
            ]
        ],
        columns=GATE_COLUMNS,
    )
    study = dataclasses.replace(variant_study(verdict="undecided"), gates=gates)
    assert "b fails 1 of its 1 gate." in answer(study)


def with_costs(study, *, size=(10.0, 5.0), latency=(10.0, 10.0), memory=(100.0, 100.0)):
    """The study with costs of a and b."""
    for position, megabytes in enumerate(size):
        card = {**study.models[position].card, "size_mb": megabytes}
        study = with_model(study, position, card=card)
    table = make_costs(["a", "b"])
    for model, p50, peak in zip("ab", latency, memory, strict=True):
        rows = table["model"] == model
        table.loc[rows, ["rtf", "p50_ms", "p95_ms", "peak_mb"]] = [p50 / 1000, p50, p50, peak]
    return dataclasses.replace(study, costs=table)


@pytest.mark.parametrize(
    ("costs", "gain"),
    [
        ({}, "50 % smaller (10 MB instead of 5 MB)"),
        ({"size": (10, 9.1)}, ""),
        ({"size": (10, 9)}, "10 % smaller (9 MB instead of 10 MB)"),
        ({"latency": (10, 11)}, "50 % smaller (5 MB instead of 10 MB)"),
        ({"latency": (10, 11.1)}, ""),
        ({"memory": (100, 120)}, ""),
        ({"size": (10, 10), "latency": (10, 6)}, "40 % faster (6 ms instead of 10 ms)"),
        (
            {"latency": (10, 8)},
            "50 % smaller (5 MB instead of 10 MB) and 20 % faster (8 ms instead of 10 ms)",
        ),
    ],
)
def test_a_model_may_replace_another_one_only_if_it_costs_less(costs, gain):
    gain = gain.replace("10 MB instead of 5 MB", "5 MB instead of 10 MB")
    study = with_verdict(make_study(margin=0.2), verdict="equivalent", equivalent=True)
    study = with_costs(study, **costs)
    expected = (
        "b may replace a: it is equivalent within 20.0 points, is not shown to be worse on any"
        f" group, and is {gain}."
    )
    assert may_replace(study, "b", "a") == (expected if gain else "")
    assert (expected in answer(study)) == bool(gain)


def test_a_model_that_is_shown_to_be_worse_may_replace_none():
    study = with_costs(with_verdict(make_study(margin=0.2), verdict="better", equivalent=False))
    assert may_replace(study, "b", "a").startswith("b may replace a: it is better, is not shown")
    assert may_replace(study, "a", "b") == ""
    study.comparison.loc[study.comparison["rule"] == "<b>x</b>", "verdict"] = "worse"
    assert may_replace(study, "b", "a") == ""
    undecided = with_costs(with_verdict(make_study(margin=0.2), verdict="undecided"))
    assert may_replace(undecided, "b", "a") == ""


def test_times_of_two_machines_are_not_compared():
    study = with_verdict(make_study(margin=0.2), verdict="equivalent", equivalent=True)
    study = with_costs(study, latency=(10, 30))
    assert may_replace(study, "b", "a") == ""
    costs = study.costs.assign(machine=study.costs["model"])
    assert "50 % smaller" in may_replace(dataclasses.replace(study, costs=costs), "b", "a")


def test_groups_where_the_candidate_is_worse_are_named():
    study = make_study()
    study.comparison.loc[study.comparison["rule"] == "<b>x</b>", "verdict"] = "worse"
    assert (
        "b is worse than a on 1 group, most for <b>x</b>: accuracy 33.3 % compared with 100.0 % on"
        " 3 utterances." in answer(study)
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
    a, b = (model.scores["loss"] for model in study.models)
    assert answer(study)[0].startswith(
        f"b is better than a: mean absolute error {b.mean():.2f} years compared with {a.mean():.2f}"
        f" years, −{(a - b).mean():.2f} years [−"
    )


def with_modes(study, **values):
    """The study with other figures of its modes."""
    return dataclasses.replace(study, modes=study.modes.assign(**values))


def test_the_answer_names_the_worst_confirmed_mode_of_each_model():
    study = make_study(confirmed=True)
    (text,) = [text for text in answer(study) if text.startswith("a is weakest for")]
    # a is wrong on all four, and makes no other error
    assert text.startswith(
        "a is weakest for gender = male, emotion = anger (4 utterances of 3 speakers): accuracy"
        " 0.0 %, 90.0 points [50.0, 130.0] worse than on the same speakers' other utterances. This"
        " holds 100 % of its errors in 17 % of the utterances."
    )
    led = with_modes(study, leading_speaker="s1")
    assert any(text.endswith("are of the speaker s1.") for text in answer(led))
    # the test is about these speakers, the interval about others
    wide = [text for text in answer(with_modes(study, low=-0.1)) if text.startswith("a is weakest")]
    assert "worse than on the same speakers' other utterances (for other speakers [−10.0" in wide[0]
    across = with_modes(study, compared_with="all other utterances")
    assert any("worse than on all other utterances" in text for text in answer(across))


def test_a_mode_of_both_models_is_named_once():
    study = make_study(confirmed=True)
    rows = study.modes
    first = rows[rows["mode"] == "1"].assign(confirmed=True)
    shared = dataclasses.replace(study, modes=first)
    (text,) = [text for text in answer(shared) if "weakest" in text]
    assert text.startswith(f"Both are weakest for {first['name'].iloc[0]} (")
    assert "b: accuracy" in text and "a: accuracy" in text


def test_other_confirmed_modes_are_counted():
    study = make_study(confirmed=True)
    rows = study.modes[(study.modes["model"] == "a") & (study.modes["mode"] == "1")]
    rows = pd.concat(
        [rows.assign(mode=str(n), name=f"group {n}", confirmed=True) for n in (1, 2, 3)]
    )
    sentences = answer(dataclasses.replace(study, modes=rows))
    assert any(text.startswith("a is weakest for group 1 (") for text in sentences)
    (text,) = [text for text in sentences if "next confirmed" in text]
    assert text.startswith("The next confirmed failure mode of a is group 2 (")
    assert text.endswith(" 1 more is confirmed.")


def test_without_a_confirmed_mode_the_largest_weak_group_is_named_with_its_uncertainty():
    study = make_study()
    (text,) = [text for text in answer(study) if text.startswith("No failure mode of a")]
    # the mode holds 4 of 4 errors in 4 of 24 utterances, the men only 4 of 4 in 12 of 24
    assert text.startswith(
        "No failure mode of a is confirmed. Its largest weak group is gender = male, emotion ="
        " anger (4 utterances of 3 speakers): accuracy 0.0 %"
    )
    group = largest_weak_group(with_modes(study, stability=0.0), "a")
    # a suggestion that no other seed finds is not named
    assert (group.name, group.support) == ("male", 12)
    assert (group.share_of_errors, group.share_of_utterances) == (1, 0.5)
    assert group.excess == pytest.approx(4 / 12)
    assert group.low < group.excess < group.high
    assert largest_weak_group(with_modes(study, stability=0.2), "a").support == 4
    assert largest_weak_group(with_modes(study, slices=0), "a").name == "male"
    sure = with_modes(study, low=0.2)
    assert any(text.endswith("it was chosen because it is bad.") for text in answer(sure))


def test_a_model_without_errors_has_no_weak_group():
    study = make_study(slices=False)
    scores = study.models[1].scores.assign(loss=0.0)
    study = with_model(study, 1, scores=scores)
    assert "b makes no error in these data." in answer(study)
    assert largest_weak_group(study, "b") is None


def test_rare_labels_are_named():
    study = make_study()
    assert not [text for text in answer(study) if text.startswith("Only")]
    labels = ["female"] * 4 + ["male"] * 20
    rare = dataclasses.replace(study, metadata=study.metadata.assign(gender=labels))
    assert "Only 4 of the 24 utterances have the label female." in answer(rare)


def test_answer_of_one_model():
    sentences = answer(make_study(models=1))
    assert sentences[0].startswith("a: accuracy 83.3 % [")
    assert sentences[0].endswith("] on 24 utterances of 6 speakers.")
    assert sentences[1].startswith("No failure mode of a is confirmed.")


def with_searched(study, *counts):
    """The study with other counts of searched rules: of `subgroups` and `metadata`."""
    searches = study.models[-1].searches.assign(searched=pd.array(counts, dtype="Int64"))
    study = with_model(study, len(study.models) - 1, searches=searches)
    settings = {"finder": "subgroups", "features": ["age", "emotion"], "min_support": 30}
    return dataclasses.replace(study, searches={"subgroups": settings, **study.searches})


def test_a_search_without_any_rule_is_reported_as_such():
    study = with_searched(make_study(slices=False), 0, 0)
    assert "No failure mode of b" not in " ".join(answer(study))
    sentences = untested(study)
    assert sentences[0] == (
        "The search subgroups tested no rule for b. It cannot find a slice, because no category and"
        " no interval of age and emotion contains at least 30 utterances, but not all of them."
    )
    assert len(sentences) == 2


def test_other_searches_without_a_slice_are_still_named():
    study = with_searched(make_study(slices=False), 0, None)
    assert any(text.startswith("No failure mode of b is confirmed") for text in answer(study))
    assert len(untested(study)) == 1
    assert untested(make_study(slices=False)) == []


# warnings


def test_warns_of_few_speakers_short_utterances_and_untested_slices():
    sentences = warnings(make_study())
    assert sentences[0].startswith("The dataset has only 6 speakers. The results may not hold")
    assert sentences[1].startswith("Few speakers have the label female (3 speakers) and male")
    assert sentences[2].startswith("100 % of the utterances are shorter than 3 s")
    assert sentences[3].startswith("None of the 2 slices is confirmed.")
    assert len(sentences) == 4


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
        metrics.loc[[(model, "uar"), (model, "f1")], "note"] = "no variation"
    return dataclasses.replace(study, metrics=metrics.reset_index())


@pytest.mark.slow
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


def test_says_why_heavy_tails_make_intervals_unreliable():
    study = make_study(classification=False)
    metrics = study.metrics.assign(note=None, reliable=True)
    assert len(interval_sentences(dataclasses.replace(study, metrics=metrics))) == 1
    heavy = metrics["model"] == "a"
    marked = metrics.assign(note=np.where(heavy, "heavy tails", None), reliable=~heavy)
    study = dataclasses.replace(study, metrics=marked)
    assert interval_sentences(study)[1].startswith("Intervals are marked as unreliable where a few")
    for row in metric_table(study).rows:
        marks = [cell.note.endswith("(unreliable)") for cell in row[1:4] if cell.note]
        assert marks == [row[0].text == "a"] * len(marks)


@pytest.mark.slow
def test_warns_of_utterances_without_a_speaker():
    study = make_study()

    def sentences(speakers):
        return warnings(
            dataclasses.replace(study, metadata=study.metadata.assign(speaker=speakers))
        )

    known = study.metadata["speaker"]
    text = sentences(known.mask(known == "s2"))
    assert text[0].startswith("The dataset has only 5 speakers")
    assert text[2].startswith("4 of the 24 utterances have no speaker. Intervals treat them")
    assert sentences(known.mask(known.index == 3))[2].startswith(
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
    few = "Few speakers have the label"
    found = [w for w in warnings(study) if "label" in w and not w.startswith(few)]
    assert found == [sentence]


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


@pytest.mark.parametrize(
    ("value", "other", "low", "high", "sentence"),
    [
        (0.605, 0.25, 0.1, 0.6, None),
        (0.605, 0.25, -0.1, 0.6, "For other speakers, a may be no better than the reference chance"
         " (labels drawn at random): accuracy 60.5 % compared with 25.0 %, +35.5 points [−10.0,"
         " 60.0] over 6 speakers."),
        (0.6, 0.5, 0.01, 0.2, "a is little better than the reference chance (labels drawn at"
         " random): accuracy 60.0 % compared with 50.0 %."),
        (0.5, 0.5, -0.1, 0.1, "a is no better than the reference chance (labels drawn at random) in"
         " these data: accuracy 50.0 % compared with 50.0 %."),
        (0.4, 0.5, -0.2, 0.1, "a is worse than the reference chance (labels drawn at random) in"
         " these data: accuracy 40.0 % compared with 50.0 %."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verdict", ["undecided", "better"])
def test_warns_of_a_reference_that_is_nearly_as_good(value, other, low, high, sentence, verdict):
    study = make_study()
    row = study.comparison[:1].assign(
        model_a="chance", model_b="a", value_a=other, value_b=value, difference=value - other,
        low=low, high=high, verdict=verdict, reliable=True,
    )  # fmt: skip
    weaker = row.assign(model_a="majority", value_a=other - 0.1)  # the best reference counts
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison, row, weaker]))
    sentences = [text for text in warnings(study) if "reference" in text]
    assert sentences == ([sentence] if sentence else [])


def test_warns_of_labels_that_are_missing_rare_or_spoken_by_few():
    study = make_study()

    def sentences(labels, **changes):
        table = study.metadata.assign(gender=labels, **changes)
        return warnings(dataclasses.replace(study, metadata=table))

    assert sentences(["male"] * 24)[0] == (
        "All 24 utterances have the label male. The data do not show how good a model is on female."
        " A model that always predicts male makes no error here."
    )
    assert sentences(["female"] * 4 + ["male"] * 20)[1:3] == [
        "83 % of the utterances have the label male. A model that always predicts male has an"
        " accuracy of 83 %, so a high accuracy alone shows little.",
        "Few speakers have the label female (4 speakers). Results on it are uncertain.",
    ]
    settings = {**study.task_settings, "labels": ["female", "male", "child"]}
    three = dataclasses.replace(study, task_settings=settings)
    assert warnings(three)[0] == (
        "No utterance has the label child. The data do not show how good a model is on it."
    )


def test_few_speakers_cannot_show_a_difference():
    study = make_study()
    starts = {5: " With fewer than 6 speakers, no test", 4: " The intervals are not reliable"}
    for count, start in starts.items():
        speakers = [f"s{i % count}" for i in range(24)]
        sentences = warnings(
            dataclasses.replace(study, metadata=study.metadata.assign(speaker=speakers))
        )
        (text,) = [text for text in sentences if text.startswith("The dataset has only")]
        assert text.startswith(f"The dataset has only {count} speakers.{start}")
        assert text.endswith("that a model is better than another one.")


def test_warns_of_groups_in_which_a_model_is_worse_than_chance():
    study = make_study()
    rows = study.comparison.assign(model_a="chance", model_b="a", verdict="better")
    slice_ = rows["rule"] == "gender = male & emotion = anger"
    rows.loc[slice_, ["verdict", "difference", "value_b"]] = ["worse", -0.5, 0.0]
    study = dataclasses.replace(study, comparison=pd.concat([study.comparison, rows]))
    sentences = [w for w in warnings(study) if "significantly worse" in w]
    assert sentences == [
        "a is significantly worse than chance (labels drawn at random) on 1 group. The largest"
        " difference is for male, anger (0.0 % compared with 0.0 %)."
    ]


def test_warns_of_a_derived_model_that_fails_gates():
    study = make_study()
    gates = pd.DataFrame(
        [["b", "a", "all", "all utterances", 24, 6, "accuracy", 0.8, 0.9, 0.89, 0.8, 0.95, np.nan,
          "failed"],
         ["b", "a", "x", "x", 30, 6, "accuracy", 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, "undecided"]],
        columns=GATE_COLUMNS,
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
