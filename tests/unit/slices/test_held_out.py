"""Suggested slices are confirmed on held-out speakers."""

import numpy as np
import pandas as pd
import pytest
from voxslice.slices.held_out import (
    VERIFIED_COLUMNS,
    feature_space,
    overlap,
    split_speakers,
    stability,
    verify,
)
from voxslice.speakers import UNKNOWN_SPEAKER

SPEAKERS = np.repeat(np.arange(12), 40).astype(str)
COUNT = len(SPEAKERS)


def study(planted, seed=0):
    """Twelve speakers with their own error rates; `planted` is the excess where x is high."""
    rng = np.random.default_rng(seed)
    x = rng.random(COUNT)
    rates = np.repeat(rng.uniform(0, 0.2, 12), 40) + planted * (x > 0.8)
    return x, (rng.random(COUNT) < rates).astype(float)


def worst_window(x, loss):
    """A finder that returns the one of ten windows of x in which errors are most frequent."""

    def suggest(rows):
        windows = np.minimum((x[rows] * 10).astype(int), 9)
        means = np.bincount(windows, loss[rows], 10) / np.maximum(np.bincount(windows, None, 10), 1)
        best = int(np.argmax(means))
        return [rows[np.isin(windows, [best, best - 1])]]

    return suggest


def verified(planted, seed=0, speakers=SPEAKERS):
    x, loss = study(planted, seed)
    suggest = worst_window(x, loss)
    masks = [np.isin(np.arange(COUNT), rows) for rows in suggest(np.arange(COUNT))]
    return verify(masks, suggest, x[:, None], loss, speakers, alpha=0.05, seed=seed)


def test_a_planted_slice_is_confirmed_by_other_speakers():
    row = verified(0.5).iloc[0]
    assert list(row.index) == VERIFIED_COLUMNS
    assert row["confirmed"]
    assert row["evidence"] == "within speakers"
    assert row["p"] <= row["q"] <= 0.05
    assert row["note"] == ""


@pytest.mark.slow
def test_slices_found_by_chance_are_seldom_confirmed():
    confirmed = [verified(0, seed)["confirmed"].any() for seed in range(60)]
    assert sum(confirmed) <= 7  # 3 expected at most at the level of 0.05


def test_a_slice_that_does_not_come_back_has_no_p():
    x, loss = study(0.5)
    other = x < 0.2
    suggest = worst_window(x, loss)
    row = verify([other], suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=0).iloc[0]
    assert np.isnan(row["p"]) and np.isnan(row["q"]) and not row["confirmed"]
    assert row["note"] == "not found again on half of the speakers"


def test_too_few_speakers_confirm_nothing():
    few = np.repeat(["a", "b", "c"], COUNT // 3)
    row = verified(0.5, speakers=few).iloc[0]
    assert not row["confirmed"]
    assert row["note"] == "not tested: 3 speakers are too few to be split into halves"
    row = verified(0.5, speakers=None).iloc[0]
    assert not row["confirmed"]
    assert row["note"] == "not tested: the speakers are not known"


@pytest.mark.slow
def test_a_true_slice_is_confirmed_among_many_suggestions():
    """The planted slice is confirmed among thirty suggestions of each half of the speakers."""
    x, loss = study(0.6)

    def suggest(rows):
        near = [rows[x[rows] > edge] for edge in np.linspace(0.78, 0.82, 15)]
        beside = [rows[np.abs(x[rows] - middle) < 0.1] for middle in np.linspace(0.1, 0.6, 15)]
        return [*near, *beside]

    row = verify([x > 0.8], suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=0).iloc[0]
    assert row["confirmed"]
    assert row["q"] == 2 * row["p"]


def test_the_finder_never_sees_the_speakers_that_are_held_out():
    x, loss = study(0.5)
    seen = []

    def suggest(rows):
        seen.append(set(SPEAKERS[rows]))
        return []

    table = verify([x > 0.8], suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=0)
    assert len(seen) == 2
    assert not seen[0] & seen[1]
    assert seen[0] | seen[1] == set(SPEAKERS)
    assert table["p"].isna().all()


def test_unknown_speakers_are_in_neither_half():
    x, loss = study(0.5)
    speakers = np.where(np.isin(SPEAKERS, ["3", "7"]), UNKNOWN_SPEAKER, SPEAKERS)
    seen = []

    def suggest(rows):
        seen.append(set(speakers[rows]))
        return worst_window(x, loss)(rows)

    masks = [np.isin(np.arange(COUNT), rows) for rows in worst_window(x, loss)(np.arange(COUNT))]
    table = verify(masks, suggest, x[:, None], loss, speakers, alpha=0.05, seed=0)
    halves = split_speakers(speakers, 0).groupby("half")["speaker"].agg(set)
    assert seen == [halves["first"], halves["second"]]
    assert set.union(*seen) == set(speakers) - {UNKNOWN_SPEAKER}
    # utterances of unknown speakers are no evidence for or against the slice
    other = np.where(speakers == UNKNOWN_SPEAKER, 1 - loss, loss)
    pd.testing.assert_frame_equal(
        table, verify(masks, suggest, x[:, None], other, speakers, alpha=0.05, seed=0)
    )
    few = np.where(np.isin(SPEAKERS, ["0", "1", "2", "3", "4"]), SPEAKERS, UNKNOWN_SPEAKER)
    note = verified(0.5, speakers=few).iloc[0]["note"]
    assert note == "not tested: 5 speakers are too few to be split into halves"
    assert (
        verified(0.5, speakers=np.full(COUNT, UNKNOWN_SPEAKER))
        .iloc[0]["note"]
        .startswith("not tested")
    )


def test_halves_are_drawn_by_the_seed():
    table = split_speakers(SPEAKERS, 0)
    assert table["half"].to_list() == 6 * ["first"] + 6 * ["second"]
    assert set(table["speaker"]) == set(SPEAKERS)
    pd.testing.assert_frame_equal(table, split_speakers(SPEAKERS[::-1], 0))
    assert not table.equals(split_speakers(SPEAKERS, 1))
    few = np.where(np.isin(SPEAKERS, ["0", "1", "2", "3", "4"]), SPEAKERS, UNKNOWN_SPEAKER)
    assert list(split_speakers(few, 0)) == list(split_speakers(None, 0)) == list(table)
    assert len(split_speakers(few, 0)) == len(split_speakers(None, 0)) == 0


def test_the_same_seed_gives_the_same_result():
    pd.testing.assert_frame_equal(verified(0.3), verified(0.3), check_exact=True)


def test_feature_space():
    table = pd.DataFrame(
        {"age": [20.0, 30.0, np.nan, 40.0], "emotion": ["joy", "fear", "joy", None]}
    )
    embedding = np.arange(8.0).reshape(4, 2)
    space = feature_space(table, ["age", "emotion"], embedding)
    assert space.shape == (4, 1 + 3 + 2)
    assert np.isnan(space[2]).any() and np.isfinite(space[[0, 1, 3]]).all()
    # two categories are a fixed step apart, whatever their names are
    emotions = space[:, 1:4]
    assert np.linalg.norm(emotions[0] - emotions[1]) == pytest.approx(2)
    assert (emotions[0] == emotions[2]).all()
    # the embedding as a whole varies as much as one number
    assert np.var(space[:, 4:], axis=0).sum() == pytest.approx(1)


def test_stability():
    members = np.arange(20) < 10
    runs = {1: [np.arange(10)], 2: [np.arange(5, 15)], 3: [np.arange(12, 20), np.arange(3, 10)]}
    assert stability([members], runs.get, [1, 2, 3]).tolist() == pytest.approx([2 / 3])
    assert np.isnan(stability([members], runs.get, [])).all()


def test_overlap():
    one = np.array([True, True, False, False])
    assert overlap(one, np.array([True, False, True, False])) == pytest.approx(1 / 3)
    assert overlap(one, one) == 1
    assert overlap(one & ~one, one & ~one) == 0


def test_a_slice_of_one_speaker_is_not_confirmed_by_others():
    x, loss = study(0.5)
    one = (x > 0.8) & (SPEAKERS == "3")

    def suggest(rows):
        return [rows[one[rows]]] if one[rows].any() else [rows[x[rows] > 0.8]]

    row = verify([one], suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=0).iloc[0]
    assert not row["confirmed"] and np.isnan(row["p"])


def test_units_that_cross_speakers_are_held_out():
    x, loss = study(0.5)
    sentence = np.tile(np.arange(8), COUNT // 8)
    sessions = 4 * SPEAKERS.astype(int) + np.arange(COUNT) % 4
    seen = []

    def suggest(rows):
        seen.append((set(SPEAKERS[rows]), set(sentence[rows])))
        return []

    verify(
        [x > 0.8], suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=0,
        units=[sentence, sessions],
    )  # fmt: skip
    (first, of_first), (second, of_second) = seen
    assert not first & second and not of_first & of_second
    assert len(of_first) == len(of_second) == 4 and len(first) == len(second) == 6


def test_only_units_of_both_halves_are_held_out():
    """Few utterances have a copy by another speaker, so nearly all are used."""
    x, loss = study(0.5)
    copies = np.arange(COUNT)
    copies[-6:] = copies[:6]  # of the first and of the last speaker
    seen = []

    def suggest(rows):
        seen.append(rows)
        return []

    for seed in range(6):
        verify(
            [x > 0.8], suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=seed, units=[copies]
        )
        first, second = seen[-2:]
        assert not set(copies[first]) & set(copies[second])
        speakers = split_speakers(SPEAKERS, seed).set_index("speaker")["half"]
        expected = COUNT if speakers["0"] == speakers["11"] else COUNT - 6
        assert len(first) + len(second) == expected


@pytest.mark.slow
def test_clusters_of_hard_sentences_are_not_confirmed():
    confirmed = {"plain": 0, "units": 0}
    for seed in range(30):
        rng = np.random.default_rng(seed)
        sentence = rng.integers(0, 20, COUNT)
        x = (rng.permutation(20)[sentence] + rng.random(COUNT)) / 20
        rate = 1 / (1 + np.exp(1.4 - 1.5 * rng.normal(size=20)[sentence]))
        loss = (rng.random(COUNT) < rate).astype(float)
        suggest = worst_window(x, loss)
        masks = [np.isin(np.arange(COUNT), rows) for rows in suggest(np.arange(COUNT))]
        for name, units in (("plain", []), ("units", [sentence])):
            table = verify(
                masks, suggest, x[:, None], loss, SPEAKERS, alpha=0.05, seed=seed, units=units
            )
            confirmed[name] += table["confirmed"].any()
    assert confirmed["plain"] >= 8 and confirmed["units"] <= 4  # 1.5 are expected at most
