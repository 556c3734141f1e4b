"""The fewest slices that explain the errors are chosen, and slices that share errors are joined."""

import numpy as np
import pytest
from voxslice.modes.equations import equations
from voxslice.modes.memberships import Memberships
from voxslice.modes.selection import choose, group

N, SPEAKERS = 2000, 40


def case(seed=0):
    """Speakers and losses with two disjoint groups that fail."""
    rng = np.random.default_rng(seed)
    who = np.arange(N) % SPEAKERS
    kind = rng.integers(10, size=N)
    first, second = kind == 0, kind == 1
    rate = rng.beta(1, 19, SPEAKERS)[who] + 0.4 * (first | second)
    return rng, who.astype(str), first, second, kind, (rng.random(N) < rate).astype(float)


def chosen_of(masks, loss, speakers, confirmed=None, preferred=None):
    """Positions that are chosen, for one model."""
    confirmed = np.ones(len(masks), bool) if confirmed is None else np.array(confirmed)
    preferred = np.ones(len(masks), bool) if preferred is None else np.array(preferred)
    memberships = Memberships.of(masks)
    model = equations(memberships, loss, speakers)
    counts = memberships.shared(np.ones(N))
    return sorted(choose({"m": model}, {"m": confirmed}, preferred, counts, N))


def test_a_coarse_slice_never_stands_for_the_two_groups_that_it_holds():
    _, speakers, first, second, kind, loss = case()
    coarse = kind < 4
    assert chosen_of([coarse, first, second], loss, speakers) == [1, 2]


def test_the_tight_coarse_slice_loses_as_well():
    rng, speakers, first, second, _, loss = case(1)
    coarse = first | second | (rng.random(N) < 0.1)
    assert chosen_of([coarse, first, second], loss, speakers) == [1, 2]


def test_parts_of_a_group_are_explained_by_the_group():
    rng, speakers, first, _, _, loss = case(2)
    half = rng.random(N) < 0.5
    masks = [first & half, first & ~half, first]
    assert chosen_of(masks, loss * first, speakers) == [2]


def test_a_noisy_copy_is_explained_by_the_group():
    rng, speakers, first, second, _, loss = case(3)
    noisy = (first & (rng.random(N) < 0.8)) | (rng.random(N) < 0.02)
    assert chosen_of([noisy, first, second], loss, speakers) == [1, 2]


def test_a_slice_that_is_not_preferred_is_chosen_only_for_errors_of_its_own():
    rng, speakers, first, second, _, loss = case(4)
    preferred = [True, False, False]
    masks = [first, first & (rng.random(N) < 0.9), second]
    assert chosen_of(masks, loss, speakers, preferred=preferred) == [0, 2]


def test_only_confirmed_slices_are_chosen():
    _, speakers, first, second, _, loss = case(5)
    assert chosen_of([first, second], loss, speakers, confirmed=[True, False]) == [0]
    assert chosen_of([first, second], loss, speakers, confirmed=[False, False]) == []


def test_a_slice_of_one_model_is_chosen_beside_that_of_another_model():
    _, speakers, first, second, _, _ = case(6)
    rng = np.random.default_rng(7)
    masks = [first, second]
    losses = {
        "a": (rng.random(N) < 0.05 + 0.4 * first).astype(float),
        "b": (rng.random(N) < 0.05 + 0.4 * second).astype(float),
    }
    losses["b"][:100] = np.nan  # not scored
    memberships = Memberships.of(masks)
    models = {name: equations(memberships, loss, speakers) for name, loss in losses.items()}
    confirmed = {"a": np.array([True, False]), "b": np.array([False, True])}
    counts = memberships.shared(np.ones(N))
    assert sorted(choose(models, confirmed, np.ones(2, bool), counts, N)) == [0, 1]


def test_the_equations_are_those_of_a_mixed_model():
    """Coefficients agree with generalised least squares with the full covariance matrix."""
    rng = np.random.default_rng(8)
    who = rng.integers(0, 5, 60)
    mask = rng.random(60) < 0.3
    loss = rng.random(60) + rng.normal(0, 0.5, 5)[who] + mask
    model = equations(Memberships.of([mask]), loss, who.astype(str))
    means = np.array([loss[who == k].mean() for k in range(5)])
    sizes = np.bincount(who)
    within = ((loss - means[who]) ** 2).sum() / 55
    among = (sizes * (means - loss.mean()) ** 2).sum() / 4
    between = max((among - within) / ((60 - (sizes**2).sum() / 60) / 4), 0)
    assert between > 0
    weights = np.linalg.inv(within * np.eye(60) + between * (who[:, None] == who))
    design = np.column_stack([np.ones(60), mask])
    expected = np.linalg.solve(design.T @ weights @ design, design.T @ weights @ loss)
    assert model.coefficients([0]) == pytest.approx(expected)
    ratio = model.products / (design.T @ weights @ design)
    assert ratio == pytest.approx(np.full((2, 2), ratio[0, 0]))


def test_weights_of_utterances_in_two_slices_are_summed():
    masks = [np.array([1, 1, 1, 0], bool), np.array([0, 1, 1, 1], bool)]
    weights = np.array([1.0, 2, np.nan, 8])
    assert Memberships.of(masks).shared(weights).tolist() == [[3, 2], [2, 10]]


def test_more_slices_than_bits_of_a_byte_are_told_apart():
    masks = [np.arange(20) == k for k in range(20)]
    assert (Memberships.of(masks).shared(np.arange(20.0)) == np.diag(np.arange(20.0))).all()


def test_slices_that_share_errors_are_one_group():
    share = np.eye(4)
    share[0, 1] = share[1, 0] = 0.6
    share[2, 3] = share[3, 2] = 0.4
    errors = np.array([5, 10, 7, 3])
    assert group([0, 1, 2, 3], share, errors) == [[1, 0], [2], [3]]
