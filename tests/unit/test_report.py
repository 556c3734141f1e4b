"""The report is checked against numbers that a reader can count in the small tables made here."""

import dataclasses
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from voxslice import comparison, metrics, settings
from voxslice.errors import InputError
from voxslice.files import KEY
from voxslice.report import charts, clips, content
from voxslice.report.answer import answer, figures, warnings
from voxslice.report.numbers import Measure, decimal, measures, probability
from voxslice.report.page import breakable, render
from voxslice.report.study import Model, Study, by_severity, is_confirmed
from voxslice.scores import score_classes, score_values
from voxslice.slice_table import COLUMNS, slice_id, summarise

TEMPLATES = Path(__file__).parents[2] / "scripts" / "voxslice" / "report"
HOSTILE = "<script>alert(1)</script>.wav"
UTTERANCES = 24


def make_files(*, speakers=True, emotion=True):
    """24 utterances of six speakers; the first has a hostile name."""
    files = pd.DataFrame(
        {
            "file": [HOSTILE, *(f"{i:02}.wav" for i in range(1, UTTERANCES))],
            "start": 0.0,
            "end": 1.0,
            "duration": 1.0,
        }
    )
    if speakers:
        files["speaker"] = [f"s{i % 6}" for i in range(UTTERANCES)]
    files["gender"] = ["female", "male"] * (UTTERANCES // 2)
    if emotion:
        files["emotion"] = ["anger"] * 8 + ["neutral"] * 8 + ["sadness"] * 8
    files["age"] = 20.0 + np.arange(UTTERANCES)
    return files


def class_scores(files, wrong):
    """Scores of a model that is wrong on the given rows."""
    right = files["gender"].eq("female")
    said_female = right ^ files.index.isin(wrong)
    predictions = files[KEY].assign(
        female=np.where(said_female, 2.0, 0.0),
        male=np.where(said_female, 0.0, 1.5),
        child=-3.0,
    )
    return score_classes(
        predictions,
        files["gender"],
        classes=["female", "male", "child"],
        known=["female", "male"],
    )


def value_scores(files, errors):
    """Scores of a model that is off by the given errors."""
    predictions = files[KEY].assign(age=(files["age"] + errors) / 100)
    return score_values(predictions, files["age"], column="age", scale=100)


SEARCHED = pd.DataFrame(
    {
        "view": ["subgroups", "metadata"],
        "finder": ["subgroups", "sliceguard"],
        "searched": pd.array([1234, None], dtype="Int64"),
        "found": [2, 3],
        "confirmed": [1, 0],
    }
)


def make_slice(scores, rows, rule, speakers, *, classification, confirmed=False):
    """A slice of the given rows."""
    mask = np.isin(np.arange(len(scores)), rows)
    name = slice_id(scores[mask])
    row = {
        "slice": name, "finder": "sliceguard", "view": "metadata", "rule": rule,
        "precision": 1.0, "recall": 1.0, "p": 0.001 if confirmed else np.nan,
        "q": 0.004 if confirmed else np.nan, "confirmed": confirmed,
        "evidence": "within speakers" if confirmed else np.nan,
    }  # fmt: skip
    row |= summarise(mask, scores["loss"].to_numpy(), speakers, classification=classification)
    row = pd.DataFrame([row], columns=COLUMNS)
    return row, scores.loc[mask, KEY].assign(slice=name)


def make_study(
    *, classification=True, speakers=True, emotion=True, models=2, slices=True, confirmed=False
):
    """A study of made-up scores: model b fixes rows 1, 3, 5 of a and breaks 16, 18."""
    files = make_files(speakers=speakers, emotion=emotion)
    known = files["speaker"].to_numpy(dtype=str) if speakers else None
    noise = np.random.default_rng(0).normal(size=UTTERANCES)
    tables = {
        "a": class_scores(files, [1, 3, 5, 7])
        if classification
        else value_scores(files, 5 + noise),
        "b": class_scores(files, [7, 16, 18]) if classification else value_scores(files, noise),
        "c": class_scores(files, range(12)) if classification else value_scores(files, 9 + noise),
    }
    tables = dict(list(tables.items())[:models])
    labels = ["female", "male"] if classification else None
    found = {}
    for name, scores in tables.items():
        parts = []
        if slices:
            rows = {"a": [1, 3, 5, 7], "b": [16, 18, 20], "c": [0, 1, 2]}[name]
            rule = {"a": "gender = male & emotion = anger", "b": "<b>x</b>", "c": "no rule"}[name]
            parts = [
                make_slice(
                    scores, rows, rule, known, classification=classification, confirmed=confirmed
                )
            ]
        found[name] = (
            pd.concat([part[0] for part in parts]) if parts else pd.DataFrame(columns=COLUMNS),
            pd.concat([part[1] for part in parts])
            if parts
            else pd.DataFrame(columns=["slice", *KEY]),
        )
    keys, losses = comparison.align(tables)
    slices = comparison.found_slices(
        keys, [found[n][0] for n in tables], [found[n][1] for n in tables]
    )
    measured = [
        metrics.measure(scores, known, labels=labels, resamples=200, seed=0).assign(model=name)
        for name, scores in tables.items()
    ]
    confusions = [
        metrics.confusion_table(scores, labels).assign(model=name)
        for name, scores in tables.items()
        if labels
    ]
    task = {"type": "classification", "target": "gender", "labels": labels, "min_drop": 0.15}
    if not classification:
        task = {"type": "regression", "target": "age", "unit": "years", "min_drop": 3.0}
    return Study(
        dataset="made",
        task="gender" if classification else "age",
        dataset_settings={
            "audb": {"name": "made", "version": "1.0.0"},
            "columns": [c for c in files.columns if c not in (*KEY, "duration")],
            "license": "CC0-1.0",
            "note": "",
            "synthetic": False,
        },
        task_settings=task,
        views={"metadata": {"finder": "sliceguard", "features": ["gender"], "min_support": 3}},
        seed=0,
        resamples=200,
        command="snakemake results/report/made/gender.html --cores all",
        versions={"Python": "3"},
        files=files,
        models=[
            Model(
                name,
                {"license": "MIT", "note": "A model."},
                {"origin": "https://example.org", "sha256": "0" * 64, "size_mb": 1.5,
                 "parameters": 2_000_000, "outputs": {}},
                scores,
                *found[name],
                SEARCHED,
                pd.DataFrame(columns=[*KEY, "reason"]),
            )
            for name, scores in tables.items()
        ],
        embedders={},
        metrics=pd.concat(measured, ignore_index=True),
        confusion=pd.concat(confusions, ignore_index=True) if confusions else pd.DataFrame(),
        comparison=comparison.compare(
            losses,
            slices,
            None if known is None else known,
            classification=classification,
            margin=None,
            resamples=200,
            seed=0,
        ),
    )  # fmt: skip


@pytest.fixture
def audio(tmp_path):
    """A folder with a second of noise for each utterance."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=8000)
    for name in make_files()["file"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise, 8000, format="WAV")
    return tmp_path


def page_of(study, audio, max_megabytes=10):
    return render(
        study,
        audio=audio,
        template=(TEMPLATES / "report.html.j2").read_text(),
        style=(TEMPLATES / "report.css").read_text(),
        script=(TEMPLATES / "report.js").read_text(),
        max_megabytes=max_megabytes,
    )


class Tags(HTMLParser):
    """Count tags, keep text, and see that what is opened is closed."""

    VOID = frozenset({"meta", "link", "br", "wbr"})

    def __init__(self):
        super().__init__()
        self.counts, self.open, self.text = {}, [], []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def parsed(html):
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    return tags


# numbers


def test_numbers_are_written_with_unit_sign_and_few_digits():
    accuracy = measures("")["accuracy"]
    assert accuracy.text(0.97009) == "97.0 %"
    assert accuracy.interval(0.951, 0.984) == "[95.1, 98.4]"
    assert accuracy.interval(float("nan"), 1) == ""
    assert accuracy.signed(0.114) == "+11.4"
    assert accuracy.signed(-0.114) == "−11.4"
    assert measures("years")["mae"].text(3.8602) == "3.86 years"
    assert decimal(-0.001, 1) == "0.0"
    assert decimal(float("nan"), 1) == "–"
    assert [probability(p) for p in (0.0004, 0.05, float("nan"))] == ["< 0.001", "0.050", "–"]


@pytest.mark.parametrize("name, better", [("accuracy", True), ("mae", False)])
def test_direction_of_metrics(name, better):
    measure: Measure = measures("years")[name]
    assert measure.rises is better


def test_text_breaks_after_underscores_and_is_escaped():
    assert breakable("a_b/<c>") == "a_<wbr>b/<wbr>&lt;c&gt;"


def test_confirmed_is_read_from_booleans_and_text():
    assert is_confirmed(pd.Series([True, "True", "false", None])).tolist() == [
        True,
        True,
        False,
        False,
    ]


def test_confirmed_slices_stand_first():
    table = pd.DataFrame(
        {"slice": ["x", "y", "z"], "drop": [0.5, 0.1, 0.3], "confirmed": [False, True, False]}
    )
    assert by_severity(table)["slice"].tolist() == ["y", "x", "z"]


# the answer


def test_answer_of_a_classification_counts_errors():
    said = answer(make_study())
    # a is wrong on 4 of 24, b on 3 of 24; 1, 3, 5 are fixed, 16 and 18 are new, 7 stays
    assert said[0].startswith("b has the best accuracy of the 2 models: 87.5 % [")
    assert "against 83.3 % [" in said[0]
    assert said[0].endswith("of a, on 24 utterances of 6 speakers.")
    assert said[1].startswith("The difference is 4.2 percentage points [")
    assert "b fixes 3 errors of a and makes 2 that a does not make." in said[1]
    assert said[2] == (
        "Of the new errors, 2 of 2 lie where emotion = sadness, which holds 8 of 24 utterances."
    )
    assert said[3].startswith(
        "Its worst slice (suggested, not confirmed) is <b>x</b>: accuracy 33.3 %"
    )
    assert [figure.value for figure in figures(make_study())] == ["87.5 %", "83.3 %", "3", "2"]


def test_answer_says_where_an_interval_holds_zero():
    assert "an interval that holds zero" in answer(make_study())[1]


def test_answer_of_a_regression_takes_the_smaller_error_as_better():
    study = make_study(classification=False)
    said = answer(study)
    assert said[0].startswith("b has the smallest mean absolute error of the 2 models: 0.")
    a, b = (model.scores["loss"] for model in study.models)
    assert f"The difference is {(a - b).mean():.2f} years [" in said[1]
    assert f"b is nearer to the true value in {(b < a).sum()} of 24 utterances" in said[1]
    low, high = map(float, re.search(r"\[(.*?), (.*?)\]", said[1]).groups())
    assert 0 < low <= (a - b).mean() <= high


def test_answer_of_one_model():
    said = answer(make_study(models=1))
    assert said[0].startswith("a has an accuracy of 83.3 % [")
    assert (
        "gender = male & emotion = anger: accuracy 0.0 % on 4 utterances of 3 speakers" in said[1]
    )


def test_answer_without_slices():
    assert answer(make_study(slices=False))[-1] == (
        "No slice was found in which b fails more than elsewhere."
    )


# warnings


def test_warns_of_few_speakers_and_untested_slices():
    said = warnings(make_study())
    assert said[0].startswith("6 speakers are few for any claim about new speakers")
    assert said[1].startswith("All 2 slices are suggestions that no test confirms")
    assert len(said) == 2


def test_warns_of_very_few_speakers():
    study = make_study()
    files = study.files.assign(speaker="one")
    assert warnings(dataclasses.replace(study, files=files))[0].startswith(
        "There is only 1 speaker"
    )


def test_warns_of_unknown_speakers_synthetic_speech_failures_and_licences():
    study = make_study(speakers=False, slices=False)
    failures = pd.DataFrame({"file": ["x"], "start": 0.0, "end": 1.0, "reason": "no audio"})
    study = dataclasses.replace(
        study,
        dataset_settings={**study.dataset_settings, "synthetic": True},
        models=[
            dataclasses.replace(
                study.models[0],
                failures=failures,
                settings={"license": "CC BY-NC-SA 4.0", "note": ""},
            ),
            study.models[1],
        ],
        embedders={"e": ({"license": "CC BY-NC-SA 4.0", "note": ""}, study.models[0].card)},
    )
    said = warnings(study)
    assert said[0].startswith("The speakers are not known")
    assert said[1].startswith("The speech is synthetic")
    assert said[2] == "a could not score 1 utterance; the metrics leave it out."
    assert said[3] == (
        "The model a and the model e are under CC BY-NC-SA 4.0, which excludes commercial use."
    )
    assert len(said) == 4


def test_does_not_call_confirmed_slices_suggestions():
    assert not [w for w in warnings(make_study(confirmed=True)) if "slice" in w]


# tables


def test_comparison_table_counts_who_is_wrong():
    study = make_study()
    table = content.comparison_table(study, *study.models)
    overall = [cell.text for cell in table.rows[0]]
    assert overall[:5] == ["all utterances", "24", "83.3", "87.5", "+4.2"]
    assert table.rows[0][1].note == "6 speakers"
    assert overall[5:7] == ["3", "2"]


def test_regressions_name_the_slices_where_the_better_model_is_worse():
    study = make_study()
    better, lost = content.regressions(study, *study.models)
    assert better == "b"
    assert [item.rule for item in lost] == ["<b>x</b>"]
    assert lost[0].text.startswith("33.3 % against 100.0 % of a, in 3 utterances of")


def test_regressions_of_a_regression_go_by_the_smaller_error():
    study = make_study(classification=False)
    better, lost = content.regressions(study, *study.models)
    assert better == "b"
    worse = [
        row["rule"]
        for _, row in study.comparison.iterrows()
        if row["slice"] != "all" and row["difference"] > 0
    ]
    assert [item.rule for item in lost] == worse


def test_heat_map_counts_every_utterance_once():
    study = make_study()
    first = content.heat_maps(study)[0]
    assert (first.across, first.down) == ("gender", "emotion")
    cells = [cell for _, row in first.rows for cell in row]
    assert sum(int(cell.note.removeprefix("n ")) for cell in cells) == UTTERANCES
    assert dict(first.rows)["anger"][1].text == "0.0"  # male anger: rows 1, 3, 5 and 7
    assert dict(first.rows)["anger"][1].shade == 1.0


def test_confusion_shades_errors_only():
    study = make_study()
    rows = dict(content.confusion_matrices(study)[0].rows)
    assert [cell.text for cell in rows["male"]] == ["4", "8", "0"]
    assert rows["male"][1].mark == "right"
    assert rows["male"][1].shade is None
    assert rows["male"][0].shade == pytest.approx(4 / 12)


def test_an_interval_of_one_speaker_is_not_shown():
    study = make_study()
    comparison_table = study.comparison.assign(speakers=1)
    study = dataclasses.replace(study, comparison=comparison_table)
    table = content.comparison_table(study, *study.models)
    assert {row[4].note for row in table.rows} == {"one speaker"}


# charts


def test_charts_escape_and_do_not_change():
    study = make_study()
    svg = charts.drop_chart(study, study.models[1])
    assert "&lt;b&gt;x" in svg
    assert "<b>" not in svg
    assert svg == charts.drop_chart(study, study.models[1])


# audio


def test_errors_to_listen_to_are_wrong_and_stand_once(audio):
    study = make_study()
    groups, left_out = clips.with_audio(clips.choose(study), audio, 10**7)
    files = [clip.file for group in groups for clip in group.clips]
    assert left_out == 0
    assert sorted(files) == ["01.wav", "03.wav", "05.wav", "07.wav", "16.wav", "18.wav"]
    first = groups[0].clips[0]
    assert first.audio
    assert [(name, right) for _, name, _, _, right in first.said] == [("a", False), ("b", True)]


def test_audio_stays_within_its_budget(audio):
    study = make_study()
    everything, _ = clips.with_audio(clips.choose(study), audio, 10**7)
    budget = 2 * len(everything[0].clips[0].audio) + 1000
    groups, left_out = clips.with_audio(clips.choose(study), audio, budget)
    assert sum(len(clip.audio) for group in groups for clip in group.clips) <= budget
    assert left_out == 4


def test_long_utterances_are_cut(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros(8000 * 21), 8000)
    text, cut = clips.encode(tmp_path / "long.wav", 0.0, 21.0)
    assert cut
    assert text
    assert not clips.encode(tmp_path / "long.wav", 1.0, 2.0)[1]


# the page

CASES = {
    "classification": {},
    "regression": {"classification": False},
    "no speakers": {"speakers": False},
    "regression without speakers": {"classification": False, "speakers": False},
    "one model": {"models": 1},
    "three models": {"models": 3},
    "no slices": {"slices": False},
    "no emotion": {"emotion": False},
    "regression without slices": {"classification": False, "slices": False, "models": 1},
    "confirmed": {"confirmed": True},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_page_is_whole_and_asks_nothing_of_the_network(case, audio):
    study = make_study(**case)
    html = page_of(study, audio)
    tags = parsed(html)
    sections = ["answer", "compared", "overall", "slices", "against", "listen", "limits"]
    assert re.findall(r'<section id="(\w+)">', html) == sections
    assert "default-src 'none'" in html
    outside = re.findall(r'(?:src|href)="(?!data:|#)([^"]*)"', html)
    assert outside == []
    assert "nan" not in "".join(tags.text).lower().split()
    metrics_shown = 3
    slices_shown = sum(len(model.slices) > 0 for model in study.models)
    pairs = len(study.models) * (len(study.models) - 1) // 2
    scatters = 0 if study.classification else len(study.models) + 1  # and the labels
    assert tags.counts["svg"] == metrics_shown + slices_shown + pairs + scatters


def test_what_comes_from_data_is_text(audio):
    study = make_study()
    # the hostile file is made an error, so that it is listened to
    wrong = class_scores(study.files, [0, 2])
    found, members = make_slice(
        wrong, [0, 2], "gender = <img src=x>", study.files["speaker"].to_numpy(str),
        classification=True,
    )  # fmt: skip
    failures = pd.DataFrame({"file": [HOSTILE], "start": 0.0, "end": 1.0, "reason": "<i>bad</i>"})
    model = dataclasses.replace(
        study.models[0], scores=wrong, slices=found, members=members, failures=failures
    )
    html = page_of(dataclasses.replace(study, models=[model, study.models[1]]), audio)
    tags = parsed(html)
    assert tags.counts["script"] == 1
    assert not {"img", "i"} & tags.counts.keys()
    text = "".join(tags.text)
    assert HOSTILE in text
    assert "<i>bad</i>" in text
    assert "gender = <img src=x>" in text


def test_page_has_the_same_bytes_twice(audio):
    assert page_of(make_study(), audio) == page_of(make_study(), audio)


def test_page_keeps_to_its_size(audio):
    study = make_study()
    whole = page_of(study, audio)
    limit = len(whole.encode()) / 1e6 - 0.004
    smaller = page_of(study, audio, max_megabytes=limit)
    assert len(smaller.encode()) <= limit * 1e6
    assert "left out because the page would grow" in smaller
    assert "left out because the page would grow" not in whole


def test_page_too_small_for_its_limit_is_an_error(audio):
    with pytest.raises(InputError, match=r"more than the 0\.01 MB of report\.max_megabytes"):
        page_of(make_study(), audio, max_megabytes=0.01)


def test_config_bounds_the_page_without_being_asked():
    root = TEMPLATES.parents[2]
    schema = yaml.safe_load((root / "config" / "schema.yaml").read_text())
    config = yaml.safe_load((root / "config" / "config.yaml").read_text())
    assert settings.complete(config, schema)["report"] == {"max_megabytes": 10}
    with pytest.raises(InputError, match=r"report: .*max_megabyte"):
        settings.complete({**config, "report": {"max_megabyte": 1}}, schema)


def test_what_was_searched_is_said(tmp_path):
    assert content.searched(make_study().models[0]) == [
        "Subgroups: 1,234 rules searched and tested together, 1 of 2 slices shown are confirmed.",
        "Metadata: sliceguard suggested 3 slices, 0 of them confirmed on speakers that were held"
        " out.",
    ]


def test_a_model_given_as_a_table_has_no_size_and_may_lack_probabilities():
    study = make_study()
    model = study.models[0]
    bare = dataclasses.replace(
        model,
        card={**model.card, "parameters": None, "size_mb": None},
        scores=model.scores[[name for name in model.scores if not name.startswith("p_")]],
    )
    study = dataclasses.replace(study, models=[bare, *study.models[1:]])
    row = content.model_table(study).rows[0]
    assert [cell.text for cell in row[1:3]] == [decimal(float("nan"), 1)] * 2
    assert sum(len(group.clips) for group in clips.choose(study)) > 0


def test_verdicts_are_shown():
    study = make_study()
    a, b = content.pairs(study)[0]
    shown = {row[-1].text for row in content.comparison_table(study, a, b).rows}
    assert shown and shown <= {"better", "worse", "equivalent", "undecided"}
