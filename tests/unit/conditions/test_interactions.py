"""Groups that a condition hurts more than others are found, with speakers as the units."""

import numpy as np
import pytest
from voxslice.conditions.interactions import interaction_tests, moderated


def changes_in_conditions(
    seed, planted=None, *, speakers=20, utterances=50, comparisons=4, cost=0.1, spread=0.03
):
    """Changes of the loss of each utterance, and groups within and between speakers."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(speakers), utterances)
    women = np.isin(who, rng.permutation(speakers)[: speakers // 2])
    anger = rng.random(len(who)) < 0.2
    groups = {"women": women, "men": ~women, "anger": anger, "calm": ~anger}
    right = rng.beta(8, 2, speakers)[who]
    clean = rng.random(len(who)) > right
    changes = np.zeros((len(who), comparisons))
    for number in range(comparisons):
        lost = cost + rng.normal(0, spread, speakers)[who]
        if planted and number == 0:
            lost = lost + 0.2 * groups[planted]
        breaks = rng.random(len(who)) < lost / right
        changes[:, number] = np.where(clean, rng.random(len(who)) > 0.2, breaks) - clean.astype(int)
    return groups, changes, who.astype(str)


def results_of(groups, changes, speakers, seed=0):
    return interaction_tests(list(groups.values()), changes, speakers, seed=seed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("planted", "evidence"), [("women", "across speakers"), ("anger", "within speakers")]
)
def test_a_group_that_loses_more_is_found_in_its_condition_only(planted, evidence):
    groups, changes, speakers = changes_in_conditions(1, planted)
    results = results_of(groups, changes, speakers)
    place = list(groups).index(planted)
    assert results.p[place, 0] <= 0.05
    assert results.evidence[place, 0] == evidence
    assert (results.p[place, 1:] > 0.05).all()
    assert (np.delete(results.p, place, axis=0) > 0.05).all()


@pytest.mark.slow
def test_what_hurts_everyone_equally_is_no_interaction():
    groups, changes, speakers = changes_in_conditions(2, cost=0.4)
    assert changes.mean() > 0.2
    assert (results_of(groups, changes, speakers).p > 0.05).all()


@pytest.mark.slow
def test_few_tables_without_an_interaction_show_one_and_most_planted_ones_are_found():
    tables = 40
    false = sum(
        (results_of(*changes_in_conditions(seed), seed=seed).p <= 0.05).any()
        for seed in range(tables)
    )
    assert false <= 5  # 97 % of all runs at a rate of 5 %
    found = dict.fromkeys(("women", "anger"), 0)
    for seed in range(tables):
        for name in found:
            groups, *data = changes_in_conditions(1000 + seed, name)
            place = list(groups).index(name)
            found[name] += results_of(groups, *data, seed=seed).p[place, 0] <= 0.05
    assert min(found.values()) >= 0.9 * tables


@pytest.mark.slow
def test_variances_that_are_alike_are_shared_and_others_are_kept():
    rng = np.random.default_rng(0)
    alike = rng.chisquare(9, 200) / 9
    shared = moderated(alike, 9)
    assert np.std(shared) < 0.3 * np.std(alike)
    assert shared.mean() == pytest.approx(1, abs=0.1)
    different = alike * np.exp(rng.normal(0, 3, 200))
    kept = moderated(different, 9)
    large = different > np.median(different)
    assert np.abs(np.log(kept / different))[large].max() < 0.5


def test_variances_without_a_second_one_are_kept():
    assert moderated(np.array([0.3]), 9) == pytest.approx(0.3)
    assert moderated(np.array([0.0, 0.3]), 9) == pytest.approx([1, 0.3])
    assert moderated(np.array([2.0, 2.0]), 9) == pytest.approx(2, rel=0.15)


@pytest.mark.slow
def test_five_women_of_ten_speakers_are_enough_if_each_of_them_loses_much():
    who = np.repeat(np.arange(10), 40)
    rng = np.random.default_rng(3)
    changes = (rng.random((len(who), 24)) < 0.05).astype(float)
    women = who < 5
    changes[women, 0] = rng.random(women.sum()) < 0.86
    changes[~women, 0] = 0
    results = results_of({"women": women, "men": ~women}, changes, who.astype(str))
    assert results.p[0, 0] <= 0.05
    assert results.p[1, 0] == 1
    # one of the five women alone is not enough for a statement on women
    alone = np.where((who == 0)[:, None] | (np.arange(24) > 0), changes, 0)
    assert results_of({"women": women, "men": ~women}, alone, who.astype(str)).p[0, 0] > 0.05


def test_utterances_of_one_speaker_are_no_evidence_about_a_group_of_speakers():
    groups, changes, speakers = changes_in_conditions(4, "women", speakers=8)
    # four women are too few for the test, however many utterances they have
    assert (results_of(groups, changes, speakers).p[:2] == 1).all()


def test_without_speakers_utterances_are_exchanged():
    groups, changes, _ = changes_in_conditions(5, "women")
    results = results_of(groups, changes, None)
    assert results.p[0, 0] <= 0.05
    assert results.evidence[0, 0] == "rows"


@pytest.mark.slow
def test_utterances_of_unknown_speakers_are_no_evidence_within_speakers():
    groups, changes, speakers = changes_in_conditions(6, "anger")
    unknown = np.full(len(speakers), "")
    assert (results_of(groups, changes, unknown).p == 1).all()
    half = np.where(np.arange(len(speakers)) % 2, speakers, "")
    assert 0.0 < results_of(groups, changes, half).p[2, 0] <= 1


@pytest.mark.slow
def test_empty_groups_whole_groups_and_unchanged_losses_have_no_result():
    groups, changes, speakers = changes_in_conditions(7)
    nobody, everybody = np.zeros(len(changes), bool), np.ones(len(changes), bool)
    assert (interaction_tests([nobody, everybody], changes, speakers, seed=0).p == 1).all()
    assert interaction_tests([], changes, speakers, seed=0).p.shape == (0, 4)
    same = results_of(groups, np.zeros_like(changes), speakers)
    assert (same.p == 1).all()
    assert (same.evidence == "").all()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_p():
    data = changes_in_conditions(8, "anger")
    assert (results_of(*data).p == results_of(*data).p).all()
    assert results_of(*data, seed=1).p[2, 0] <= 0.05


def read_by_all(rng, hard):
    """Changes of utterances of 20 speakers who read 12 sentences twice, some of which are hard."""
    who = np.repeat(np.arange(20), 24)
    sentence = np.tile(np.arange(24) % 12, 20)
    cost = np.where(np.isin(sentence, hard), 0.6, 0.1)
    return who.astype(str), sentence, (rng.random(len(who)) < cost).astype(float)[:, None]


def test_a_group_of_few_sentences_is_not_hurt_if_sentences_are_units():
    """Two of twelve sentences are hard, and only chance decides that both are of the group."""
    who, sentence, changes = read_by_all(np.random.default_rng(0), [0, 1])
    topic = sentence < 4
    plain = interaction_tests([topic, ~topic], changes, who, seed=0)
    named = interaction_tests([topic, ~topic], changes, who, seed=0, units=[sentence])
    assert plain.p[0, 0] <= 0.01
    assert named.p[0, 0] > 0.05


def test_a_group_of_half_of_the_sentences_that_is_hurt_is_found():
    who, sentence, changes = read_by_all(np.random.default_rng(0), range(6))
    topic = sentence < 6
    named = interaction_tests([topic, ~topic], changes, who, seed=0, units=[sentence])
    assert named.p[0, 0] <= 0.05
    assert named.evidence[0, 0] == "within speakers"


def test_units_change_nothing_for_a_group_that_crosses_them():
    rng = np.random.default_rng(0)
    who, sentence, changes = read_by_all(rng, [0, 1])
    anger = rng.random(len(who)) < 0.3
    plain = interaction_tests([anger, ~anger], changes, who, seed=0)
    named = interaction_tests([anger, ~anger], changes, who, seed=0, units=[sentence])
    np.testing.assert_array_equal(plain.p, named.p)
