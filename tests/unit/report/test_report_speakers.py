"""The section on speakers, and its sentences on who carries a difference."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from report_study import class_scores, make_metadata, make_study, page_of, write_noise
from voxslice.comparison.by_speaker import PAIR_COLUMNS, UNKNOWN, pair_table, speaker_table
from voxslice.comparison.compare import compare
from voxslice.comparison.groups import align
from voxslice.report import speakers
from voxslice.report.overall import metric_table
from voxslice.scores.metrics import measure
from voxslice.speakers import speakers_of
from voxslice.task import Task

LABELS = ["female", "male"]


def study_of(wrong, *, count=12, each=20, unknown=0):
    """A study of models that are wrong on the given utterances.

    Args:
        wrong: for each model, how many utterances of each speaker it gets wrong, from the first
        count: number of speakers, named 01, 02, ...
        each: utterances per speaker
        unknown: number of utterances of the last speakers that have no speaker
    """
    parts = [make_metadata(speakers=False)] * (count * each // 24 + 1)
    metadata = pd.concat(parts, ignore_index=True).iloc[: count * each]
    metadata["file"] = [f"{place:05}.wav" for place in range(count * each)]
    number = np.repeat(np.arange(count), each)
    names = pd.Series([f"{speaker + 1:02}" for speaker in number], dtype=object)
    metadata["speaker"] = names.where(np.arange(len(names)) < len(names) - unknown, None)
    scores = {
        name: class_scores(
            metadata,
            [one * each + row for one, rows in enumerate(errors) for row in rows],
        )
        for name, errors in wrong.items()
    }
    known = speakers_of(metadata, metadata)
    task = Task("classification")
    _, losses = align(scores)
    base = make_study(slices=False)
    return replace(
        base,
        metadata=metadata,
        models=[replace(base.models[0], name=name, scores=table) for name, table in scores.items()],
        metrics=pd.concat(
            measure(table, known, labels=LABELS).assign(model=name)
            for name, table in scores.items()
        ),
        comparison=compare(losses, {}, known, task=task, resamples=500, seed=0),
        speaker_table=speaker_table(scores, metadata, task=task, resamples=500, seed=0),
        speaker_pairs=pair_table(
            scores, metadata, metrics=["accuracy"], margin=None, resamples=500,
            seed=0,
        ),
    )  # fmt: skip


def first(counts, total=12):
    """The first utterances of each speaker, by speaker; speakers that are not named have none."""
    return [range(counts.get(speaker, 0)) for speaker in range(1, total + 1)]


def spread(count, total=12):
    """Some of the first utterances of every speaker."""
    return [range(count)] * total


@pytest.mark.slow
def test_two_speakers_carry_a_difference():
    # b fixes 24 errors of 03 and 11, and makes one more error on each other speaker
    others = {speaker: 3 for speaker in range(1, 13) if speaker not in (3, 11)}
    before = first({3: 14, 11: 14, **dict.fromkeys(others, 2)})
    study = study_of({"a": before, "b": first({3: 2, 11: 2, **others})})
    expected = (
        "The advantage of b comes from two speakers, 03 and 11: without them, b is behind by"
        " 5.0 points."
    )
    assert speakers.carriers(study, "a", "b") == [expected]
    assert speakers.carriers(study, "b", "a") == [expected]
    assert expected in speakers.sentences(study)


def test_one_speaker_makes_more_than_half_of_a_difference():
    before = first({5: 16, **dict.fromkeys((1, 2, 3, 4), 1)})
    study = study_of({"a": before, "b": first({})})
    (sentence, *_) = speakers.carriers(study, "a", "b")
    # 20 of 240 and, without the speaker, 4 of 220
    assert sentence == (
        "More than half of the advantage of b comes from speaker 05: without this speaker, it is"
        " 1.8 points instead of 8.3 points."
    )


def test_speakers_are_counted_if_nobody_carries_the_difference():
    study = study_of({"a": spread(3), "b": first({4: 4, 9: 5})})
    assert speakers.carriers(study, "a", "b")[0] == (
        "b makes fewer errors than a for 10 of the 12 speakers, and more for 2 (04 and 09); no"
        " speaker makes more than half of the difference."
    )
    study = study_of({"a": spread(3), "b": spread(1)})
    assert speakers.carriers(study, "a", "b") == [
        "b makes fewer errors than a for all 12 speakers; no speaker makes more than half of the"
        " difference."
    ]


def test_a_difference_of_few_errors_names_nobody():
    # one error of one speaker is the whole difference
    study = study_of({"a": first({3: 1, 5: 1}), "b": first({5: 1})})
    assert speakers.carriers(study, "a", "b") == [
        "b makes fewer errors than a for 1 of the 12 speakers."
    ]


def test_a_verdict_that_depends_on_one_speaker_is_told():
    before = first({1: 12, 2: 3, 3: 3, 4: 3, 5: 3, 6: 3, 7: 3})
    study = study_of({"a": before, "b": first({8: 1, 9: 1})}, count=12)
    study = replace(study, comparison=study.comparison.assign(verdict="better"))
    pairs = study.speaker_pairs
    verdicts = np.where(pairs["speaker"].isin(["02", "05"]), "undecided", "better")
    study = replace(study, speaker_pairs=pairs.assign(verdict=verdicts))
    assert speakers.carriers(study, "a", "b")[-1] == (
        "If any one of the speakers 02 and 05 is left out, the data do not show that b is better"
        " than a."
    )
    every = replace(study, speaker_pairs=pairs.assign(verdict="undecided"))
    assert "any one of 12 speakers" in speakers.carriers(every, "a", "b")[-1]
    equal = replace(study, comparison=study.comparison.assign(verdict="equivalent"))
    assert speakers.carriers(equal, "a", "b")[-1].endswith(
        "the data do not show that b and a are equivalent."
    )


def test_a_speaker_who_keeps_a_difference_undecided_is_told():
    study = study_of({"a": spread(3), "b": first({7: 18})})
    assert study.comparison["verdict"].iloc[0] == "undecided"
    assert speakers.carriers(study, "a", "b")[-1] == (
        "If speaker 07 is left out, the data show that b is better than a."
    )


def test_a_speaker_with_most_of_the_errors_is_named():
    study = study_of({"a": first({2: 15, 3: 2, 4: 3}), "b": spread(2)})
    found = [sentence for sentence in speakers.sentences(study) if " of the errors of " in sentence]
    assert found == ["Speaker 02 makes 75 % of the errors of a in 8 % of the utterances."]


def test_two_of_three_errors_may_be_chance():
    study = study_of({"a": first({2: 2, 3: 1}), "b": spread(2)})
    assert not [text for text in speakers.sentences(study) if " of the errors of " in text]


def test_the_worst_speakers_come_first():
    study = study_of({"a": first({9: 10, 2: 5}), "b": first({2: 1})})
    assert speakers.known_speakers(study)[:2] == ["09", "02"]
    table = speakers.result_table(study)
    assert [row[0].text for row in table.rows[:2]] == ["09", "02"]
    assert [cell.text for cell in table.rows[0]] == ["09", "20", "50.0", "10", "100.0", "0"]
    assert table.rows[0][3].note == "67 %"
    assert table.rows[0][2].note == "[27.2, 72.8]"  # Clopper and Pearson
    spec = speakers.speaker_chart(study).spec
    assert len(spec["layer"][1]["encoding"]["y"]["sort"]) == 12


@pytest.mark.slow
def test_many_speakers_are_shown_by_the_worst_and_histograms():
    wrong = {"a": first({number: 1 + number % 3 for number in range(1, 401)}, 500)}
    study = study_of({**wrong, "b": spread(1, 500)}, count=500, each=6)
    chart = speakers.speaker_chart(study)
    assert chart.note == "The 15 of 500 speakers with the most errors beyond their share."
    assert len(chart.spec["layer"][1]["encoding"]["y"]["sort"]) == 15
    drawn = speakers.histograms(study)
    assert len(drawn) == 2
    for histogram in drawn:
        (data,) = (rows for rows in histogram.spec["datasets"].values() if "count" in rows[0])
        assert sum(row["count"] for row in data) == 500
    table = speakers.result_table(study)
    assert len(table.rows) == speakers.MAX_ROWS and "the first 100 of 500" in table.caption
    assert len(speakers.difference_table(study).rows) == speakers.MAX_ROWS


def test_unknown_speakers_are_one_row_and_never_named():
    study = study_of({"a": first({12: 20}), "b": first({})}, unknown=20)
    assert UNKNOWN not in speakers.known_speakers(study)
    table = speakers.result_table(study)
    assert table.rows[-1][0].text == UNKNOWN and table.rows[-1][3].note == "100 %"
    assert not any(UNKNOWN in text for text in speakers.sentences(study))


def test_the_metrics_say_how_speakers_differ():
    study = study_of({"a": first({1: 10, 2: 6, 3: 2}, 8), "b": first({}, 8)}, count=8)
    chance = study.metrics[study.metrics["model"] == "a"].assign(model="chance")
    study = replace(study, metrics=pd.concat([study.metrics, chance]))
    table = metric_table(study)
    assert table.columns[-1].title == "Of single speakers" and table.columns[-1].unit == "%"
    last = [(row[0].text, row[-1].text, row[-1].note) for row in table.rows]
    # of 50, 70, 90 and five times 100 %, the first quartile lies at 3/4 of the way from 70 to 90
    assert last == [
        ("a", "85.0 to 100.0", "all: 50.0 to 100.0"),
        ("b", "100.0 to 100.0", "all: 100.0 to 100.0"),
        ("chance", "–", ""),
    ]
    few = study_of({"a": first({1: 10}, 3)}, count=3)
    assert metric_table(few).rows[0][-1].text == "–"
    nobody = make_study(speakers=False)
    assert metric_table(nobody).columns[-1].title == "Speakers"


def test_a_speaker_may_be_called_as_the_row_of_the_unknown_ones():
    study = study_of({"a": first({3: 14, 12: 20}), "b": first({})}, unknown=20)
    study = replace(
        study,
        speaker_table=study.speaker_table.assign(
            speaker=lambda table: table["speaker"].replace("03", UNKNOWN)
        ),
        speaker_pairs=study.speaker_pairs.assign(
            speaker=lambda table: table["speaker"].replace("03", UNKNOWN)
        ),
    )
    rows = speakers.result_table(study).rows
    errors = [row[3].text for row in rows if row[0].text == UNKNOWN]
    assert errors == ["14", "20"]
    assert speakers.section(study).sentences


def test_contributions_are_listed_by_size():
    study = study_of({"a": first({9: 10, 2: 5}), "b": first({2: 8})})
    rows = speakers.difference_table(study).rows
    assert [cell.text for cell in rows[0]][:5] == ["b minus a", "accuracy", "09", "+4.2", "143 %"]
    assert rows[1][2].text == "02" and rows[1][4].text == "−43 %"


def test_a_regression_compares_absolute_errors():
    study = make_study(classification=False)
    assert speakers.carriers(study, "a", "b") == [
        "The errors of b are smaller than those of a for all 6 speakers; no speaker makes more than"
        " half of the difference."
    ]
    section = speakers.section(study)
    assert section.results.columns[3].title == "Share of errors"


@pytest.mark.parametrize("case", [{"speakers": False}, {"models": 1}])
def test_without_speakers_or_pairs_there_is_nothing_to_say(case):
    study = make_study(**case)
    assert speakers.carriers(study, "a", "b") == []
    section = speakers.section(study)
    assert section is None if "speakers" in case else section.differences is None


def test_one_known_speaker_has_no_section():
    study = study_of({"a": spread(2, 1), "b": spread(1, 1)}, count=1)
    assert speakers.section(study) is None and speakers.carriers(study, "a", "b") == []


@pytest.mark.slow
def test_names_of_speakers_are_escaped(tmp_path):
    study = make_study()
    name = "<script>alert(1)</script>"
    tables = {
        field: getattr(study, field).assign(speaker=lambda t: t["speaker"].replace("s3", name))
        for field in ("speaker_table", "speaker_pairs")
    }
    html = page_of(replace(study, **tables), write_noise(tmp_path))
    assert "&lt;script&gt;alert(1)" in html and "<script>alert(1)" not in html


def test_pairs_that_were_not_compared_have_no_sentence():
    study = replace(make_study(), speaker_pairs=pd.DataFrame(columns=PAIR_COLUMNS))
    assert speakers.carriers(study, "a", "b") == []
    assert speakers.section(study).differences is None
