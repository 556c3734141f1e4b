"""The page and the view of the utterances to collect."""

import pandas as pd
import pytest
from report_study import HOSTILE, write_noise
from voxslice.decisions.collect import LIST_COLUMNS, SUMMARY_COLUMNS
from voxslice.report.collected import LISTENED, listen
from voxslice.report.page.collected import render_collected
from voxslice.report.spotlight.tables import make_collected_table


@pytest.fixture
def summary():
    rows = [
        ("1", "male, anger", 30, 200, 0.15, 0.79, 0.95, 20, False, "male", 0.9, 7),
        ("2", "fear", 12, 200, 0.06, None, None, 0, False, None, None, 0),
    ]
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)


@pytest.fixture
def lists():
    files = [HOSTILE, *(f"{number:02}.wav" for number in range(1, 7))]
    rows = [[place + 1, "pool", file, 0.0, 1.0, 0.9] for place, file in enumerate(files)]
    table = pd.DataFrame(rows, columns=LIST_COLUMNS)
    return {"1": table, "2": table.head(0)}


def test_the_first_utterances_of_each_list_can_be_played(summary, lists, tmp_path):
    folder = write_noise(tmp_path)
    first, second = listen(summary, lists, {"pool": str(folder)}, 1_000_000)
    assert [clip.key[0] for clip in first.clips] == list(lists["1"]["file"])[:LISTENED]
    assert all(clip.audio for clip in first.clips)
    assert first.clips[0].metadata == "1. pool, probability 90 %"
    assert first.test == (
        "Expected: 79 % of the first 20 utterances belong to this mode (a random choice finds"
        " 15 %). This was measured on speakers that the classifier had not seen; at most"
        " 95 % were possible, because they have few members."
    )
    assert first.warning == ""
    assert first.listed == "7 utterances in the list."
    assert second.clips == []
    assert second.test == (
        "The classifier could not be tested on other speakers (a random choice finds 6 %)."
    )
    assert second.warning.startswith("It is not known how many of these utterances")


def test_a_list_with_few_members_has_a_warning(summary, lists, tmp_path):
    changed = {"precision": 0.24, "best_possible": 1, "hardest": "age < 31", "hardest_known": 0.64}
    summary.loc[0, list(changed)] = list(changed.values())
    modes = listen(summary, lists, {"pool": str(write_noise(tmp_path))}, 1_000_000)
    assert "possible" not in modes[0].test
    assert modes[0].warning == (
        "Most of these utterances are expected not to belong to this mode. The condition “age < 31”"
        " is the hardest one to find. If it was known, 64 % would belong to this mode."
    )
    # a mode without conditions has no hardest one
    summary.loc[0, "hardest"] = "male, anger"
    [alone, _] = listen(summary, lists, {"pool": str(tmp_path)}, 0)
    assert alone.warning == "Most of these utterances are expected not to belong to this mode."
    page = render_collected("made", "gender", modes)
    assert "Expected: 24 % of the first 20 utterances" in page
    assert page.count('class="warnings"') == 2
    assert "The condition “age &lt; 31” is" in page


def test_the_players_stay_within_the_budget(summary, lists, tmp_path):
    folder = write_noise(tmp_path)
    [whole, _] = listen(summary, lists, {"pool": str(folder)}, 1_000_000)
    budget = 3 * len(whole.clips[1].audio)  # each player has some markup as well
    [part, _] = listen(summary, lists, {"pool": str(folder)}, budget)
    assert 0 < sum(bool(clip.audio) for clip in part.clips) < 4


def test_text_of_data_is_escaped_and_the_page_has_no_script(summary, lists, tmp_path):
    modes = listen(summary, lists, {"pool": str(write_noise(tmp_path))}, 1_000_000)
    page = render_collected("made", "gender", modes)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<audio") == LISTENED
    assert "No failure mode is confirmed" in render_collected("made", "gender", [])


def test_the_view_lists_all_utterances(summary, lists):
    names = {file: file for file in lists["1"]["file"]}
    table = make_collected_table(summary, lists, {"pool": "../audio"}, {"pool": names})
    columns = ["audio", "file", "window", "mode", "rank", "probability", "dataset", "expected"]
    assert list(table) == columns
    assert set(table["expected"]) == {0.79}
    assert table["audio"].iloc[1] == "../audio/01.wav"
    assert table["rank"].tolist() == list(range(1, 8))
    assert set(table["mode"]) == {"male, anger"}


def test_the_view_may_be_empty(summary, lists):
    table = make_collected_table(summary.head(0), {}, {}, {})
    assert len(table) == 0
    assert list(table)[:3] == ["audio", "file", "window"]
