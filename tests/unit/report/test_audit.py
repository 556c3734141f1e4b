"""The findings of an audit are summarised in rows and sentences."""

import pandas as pd
from voxslice.audit.finding import Finding
from voxslice.report.audit import audit_rows, audit_sentences


def findings(*rows):
    return pd.DataFrame(rows, columns=list(Finding._fields))


FOUND = findings(
    *(Finding("clipped", f"{number}.wav", 0.0, 1.0, "2.0% of the samples") for number in range(4)),
    Finding("near copy", "0.wav", 0.0, 1.0, "1% differ; in the splits a and b", "9.wav", 0.0, 1.0),
    Finding("splits", "7.wav", 0.0, 1.0, "speaker x is in several splits: a (1), b (2)"),
)


def test_rows_count_each_kind_and_name_the_first_utterances():
    first, second, third = audit_rows(FOUND)
    assert (first.issue, first.number, len(first.examples)) == ("clipped", 4, 3)
    assert first.meaning == "The audio is clipped."
    assert first.examples[0] == "0.wav: 2.0% of the samples"
    assert [second.issue, third.issue] == ["near copy", "splits"]


def test_sentences_count_utterances_and_leaks():
    assert audit_sentences(FOUND, 1200) == [
        "The audit found faults in 4 of the 1,200 utterances. Rules found them, so look at them"
        " before you trust a slice.",
        "1 copy is in different splits: results on these utterances are too good.",
        "1 speaker is in more than one split.",
    ]


def test_a_dataset_without_faults():
    assert audit_rows(findings()) == []
    assert audit_sentences(findings(), 1) == ["The audit of the 1 utterance found no fault."]


def test_a_dataset_that_was_cut_at_one_length_has_no_faulty_utterance():
    found = findings(
        Finding("same length", None, None, None, "7 of 9 utterances end within speech")
    )
    assert audit_sentences(found, 9) == [
        "The audit found no fault of a single one of the 9 utterances.",
        "7 of 9 utterances end within speech.",
    ]
    assert audit_rows(found)[0].examples == ["7 of 9 utterances end within speech"]
