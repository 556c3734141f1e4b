"""The part of the report on conditions and probes."""

import dataclasses
import re

import pandas as pd
import pytest
from hostile_study import hostile
from report_study import make_study, page_of, write_noise
from study_in_conditions import study_in_conditions
from voxslice.report import conditions
from voxslice.report.condition_clips import MAX_PAIRS, choose_pairs, with_sounds
from voxslice.report.page.render import derive, render

CHANGES = {"phone": lambda audio, row: audio._replace(signal=audio.signal * 0.5)}


@pytest.fixture(scope="module")
def study():
    return study_in_conditions()


def test_the_worst_condition_is_named_beside_the_mean(study):
    sentence = conditions.worst_sentence(study.condition_worst, study.measures)
    assert sentence.startswith("Phone is the worst condition of a (accuracy ")
    assert "instead of 83.3 %; mean over 2 conditions" in sentence
    assert sentence.endswith("%).")
    nothing = study.condition_worst.assign(difference=0.0)
    sentence = conditions.worst_sentence(nothing, study.measures)
    assert sentence == "No condition makes a worse, and no condition makes b worse."
    assert conditions.worst_sentence(nothing.iloc[:0], study.measures) == ""


def test_conditions_that_are_as_bad_are_named_together(study):
    tied = dataclasses.replace(
        study, condition_worst=study.condition_worst.assign(tied="mobile, voip")
    )
    sentence = conditions.worst_sentence(tied.condition_worst, tied.measures)
    assert sentence.startswith("Phone, mobile and voip are the worst conditions of a (accuracy ")
    assert re.match(r"phone and 2 more each cost [ab] \d", conditions.headline(tied))
    assert conditions.worst_table(tied).rows[0][2].text == "phone, mobile, voip"


def test_conditions_are_described(study):
    assert conditions.definitions(study) == (
        "phone: the codec G.711 of the telephone; quiet: the level is changed by −30 dB"
    )


def test_the_headline_names_the_largest_cost(study):
    assert re.fullmatch(r"phone costs [ab] \d+[.]\d points", conditions.headline(study))


def test_effects_tell_who_is_hurt_and_where_predictions_go(study):
    first, *others = conditions.effects(study)
    assert first.startswith(
        "Phone: the accuracy for “female” falls by 100.0 points with a, and hardly changes for all"
        " others (p = 0.010; "
    )
    assert "100 % of the changed predictions become male" in first
    assert len(others) < conditions.MAX_EFFECTS
    rows = pd.concat([study.condition_outcomes.assign(condition=f"c{n}") for n in range(9)])
    first, *_ = told = conditions.effects(dataclasses.replace(study, condition_outcomes=rows))
    assert len(told) <= conditions.MAX_EFFECTS
    assert first.startswith("C0: the accuracy for “female”")
    assert first.endswith(" also hurt more than all others in: c1, c2, c3, c4, c5, c6, c7, c8.")
    assert not any("female" in sentence for sentence in told[1:])


def test_a_group_that_loses_less_than_others_gain_is_the_smaller_effect(study):
    table = study.condition_outcomes
    women = (table["condition"] == "phone") & (table["group"] == "gender=female")
    men = (table["condition"] == "quiet") & (table["group"] == "gender=male")
    table = table.copy()
    table.loc[women, ["difference", "excess", "p_excess"]] = [-0.01, 0.9, 0.01]
    table.loc[men, ["difference", "excess", "p_excess"]] = [-0.2, 0.1, 0.01]
    changed = dataclasses.replace(study, condition_outcomes=table)
    assert conditions.largest_effects(changed) == [
        ("quiet", "gender=male"), ("phone", "gender=female"),
    ]  # fmt: skip
    assert "and rises by 89.0 points for all others" in conditions.effects(changed)[1]
    table.loc[women, "difference"] = 0.0  # others gain, but women lose nothing
    assert conditions.largest_effects(changed) == [("quiet", "gender=male")]


def test_heat_maps_show_the_value_and_the_difference(study):
    matrix = conditions.model_map(study)
    assert matrix.names == ["a", "b"]
    assert [name for name, _ in matrix.rows] == ["phone", "quiet"]
    phone, quiet = (cells for _, cells in matrix.rows)
    assert phone[0].note.startswith("\N{MINUS SIGN}")
    assert quiet[0].note == "+0.0"
    assert max(cell.shade for cell in phone) == 1
    assert quiet[0].shade == 0
    maps = conditions.group_maps(study)
    assert [(name, place) for name, place, _ in maps] == [("a", 0), ("b", 1)]
    assert maps[0][2].names[:2] == ["female", "male"]
    assert maps[0][2].rows[0][1][0].text == "0.0"


@pytest.mark.slow
def test_the_page_has_one_folded_part_with_both_players(study, tmp_path):
    write_noise(tmp_path)
    page = render(
        study, derive(study), audio=tmp_path, library="", max_megabytes=10, changes=CHANGES
    )
    (part,) = re.findall(r'<details id="conditions">.*?class="numbers"', page, re.S)
    assert part.count("<audio ") == 2 * len(choose_pairs(study))
    sounds = re.findall(r'src="data:audio/mpeg;base64,([^"]+)"', part)
    assert len(set(sounds)) >= 2  # the clean audio is the same noise in all files
    assert "Models against each other" in page
    (probes,) = re.findall(r'<details id="probes">.*?</details>', page, re.S)
    assert probes.index("goes by pitch") < probes.index("level is not the reason")
    assert "evidence and no proof" in probes
    assert page.index('id="conditions"') < page.index('id="probes"') < page.index('id="speakers"')


@pytest.mark.slow
def test_probes_are_shown_without_conditions(study, tmp_path):
    page = page_of(dataclasses.replace(make_study(), probes=study.probes), write_noise(tmp_path))
    assert 'id="conditions"' not in page
    assert "goes by pitch" in page


@pytest.mark.slow
def test_a_study_without_conditions_has_no_such_part(tmp_path):
    page = page_of(make_study(), write_noise(tmp_path))
    assert 'id="conditions"' not in page
    assert 'id="probes"' not in page


def test_pairs_are_of_the_largest_effects_first(study):
    pairs = choose_pairs(study)
    assert 1 <= len(pairs) <= MAX_PAIRS
    assert (pairs[0].condition, pairs[0].before, pairs[0].after) == ("phone", "female", "male")
    assert len({pair.key for pair in pairs}) == len(pairs)


def test_pairs_without_audio_or_room_have_no_players(study, tmp_path, capsys):
    pairs = choose_pairs(study)
    assert all(not pair.clean for pair in with_sounds(pairs, tmp_path, CHANGES, 10**6))
    assert "has no players" in capsys.readouterr().out
    write_noise(tmp_path)
    assert all(not pair.clean for pair in with_sounds(pairs, tmp_path, CHANGES, 100))
    assert all(pair.changed for pair in with_sounds(pairs, tmp_path, CHANGES, 10**6))


@pytest.mark.slow
def test_a_regression_has_the_part_too(tmp_path):
    study = study_in_conditions(classification=False)
    sentence = conditions.worst_sentence(study.condition_worst, study.measures)
    assert "Phone is the worst condition of a" in sentence
    assert "years" in sentence
    assert "Phone: the mean absolute error for “female” rises by" in conditions.effects(study)[0]
    assert 'id="conditions"' in page_of(study, write_noise(tmp_path))


@pytest.mark.slow
def test_hostile_names_are_escaped(tmp_path):
    page = page_of(hostile(study_in_conditions()), write_noise(tmp_path))
    assert "<b>x</b>" not in page
    assert "<script>alert(1)" not in page


@pytest.mark.slow
def test_one_model_has_no_rivals(tmp_path):
    study = study_in_conditions(models=1)
    assert conditions.rival_table(study) is None
    assert 'id="conditions"' in page_of(study, write_noise(tmp_path))
