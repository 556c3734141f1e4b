"""The report shows long recordings: metrics, short segments, and a timeline of a failing one."""

import dataclasses

import pandas as pd
import pytest
from report_study import make_study, page_of
from small_inputs import noise, write_audio
from voxslice.comparison.recordings import compare_recordings
from voxslice.report import recordings
from voxslice.report.study import Recordings
from voxslice.task import Task
from voxslice.utterance_keys import KEY


def recorded(regression=False, **settings):
    """The small study as if its utterances were segments of six recordings."""
    study = make_study(classification=not regression)
    files = [f"call-{number % 6}.wav" for number in range(len(study.metadata))]
    starts = [float(number // 6 * 5) for number in range(len(study.metadata))]

    def moved(table):
        return table.assign(file=files, start=starts, end=[start + 4 for start in starts])

    models = [dataclasses.replace(model, scores=moved(model.scores)) for model in study.models]
    metadata = moved(study.metadata)
    segments = metadata[KEY].assign(short=[False, True] * 12)
    overview = pd.DataFrame(
        {
            "file": sorted(set(files)),
            "start": 0.0,
            "end": 20.0,
            "speech_seconds": 12.0,
            "note": [None, "channel 1 is silent", *[None] * 4],
        }
    )
    found = compare_recordings(
        {model.name: model.scores for model in models},
        metadata,
        labels=None if regression else study.task_settings["labels"],
        task=Task("regression" if regression else "classification", overall=study.overall_metric),
        sources={},
        resamples=200,
        seed=0,
    )
    return dataclasses.replace(
        study,
        models=models,
        metadata=metadata,
        task_settings={**study.task_settings, **settings},
        recordings=Recordings(overview, segments, found.metrics, found.comparison),
    )


@pytest.mark.slow
def test_the_share_of_speech_and_of_short_segments_is_said():
    assert recordings.sentences(recorded()) == [
        "24 segments of 6 recordings; 60 % of the time is speech.",
        "50 % of the segments, with 50 % of their duration, are shorter than wanted.",
        "call-1.wav: channel 1 is silent.",
    ]


def test_metrics_on_recordings_are_beside_those_on_segments():
    study = recorded()
    table = recordings.metric_table(study)
    assert [row[1].text for row in table.rows] == ["recordings", "segments"] * len(study.models)
    assert [row[-1].text for row in table.rows[:2]] == ["6", "24"]


@pytest.mark.parametrize("regression", [False, True])
def test_the_timeline_shows_the_recording_with_the_most_errors(regression):
    study = recorded(regression)
    found = recordings.timeline(study)
    scores = pd.concat([
        model.scores[model.scores["loss"] > (model.scores["loss"].mean() if regression else 0)]
        for model in study.models
    ])  # fmt: skip
    worst = scores.groupby("file")["loss"].size()
    assert worst[found.clip.file] == worst.max()
    for (_, _, told, bars), model in zip(found.rows, study.models, strict=True):
        own = model.scores[model.scores["file"] == found.clip.file]
        limit = model.scores["loss"].mean() if regression else 0
        assert [bar.wrong for bar in bars] == list(own["loss"] > limit)
        wrong = 4 * sum(own["loss"] > limit)  # each segment has four seconds
        assert told == f"{wrong} of {4 * len(own)} s are errors"
        label = f"{own['label'].iloc[0]:g} years" if regression else own["label"].iloc[0]
        assert f"4.0 s: true {label}, predicted " in bars[0].text
        assert bars[0].x == pytest.approx(50 * own["start"].iloc[0])
        assert bars[0].width == pytest.approx(200)
    assert found.ticks == ["0:00", "0:05", "0:10", "0:15", "0:20"]
    assert found.part == (0, 1000)


def test_the_answer_is_about_recordings_if_the_task_asks_for_it():
    assert recordings.answer_sentences(recorded()) == []
    first, rest = recordings.answer_sentences(recorded(answer_about="recordings"))
    assert first.startswith("On recordings, ") and "over 6 speakers" in first
    assert rest == "The rest of the answer is about their segments."


@pytest.mark.slow
def test_the_page_has_the_section_and_a_player(tmp_path):
    study = recorded()
    for file in set(study.metadata["file"]):
        write_audio(tmp_path / file, noise(20))
    page = page_of(study, tmp_path)
    assert 'id="recordings"' in page and 'data-jump="' in page
    silent = page_of(dataclasses.replace(study, recordings=None), tmp_path)
    assert 'id="recordings"' not in silent
