"""The patches of sliceguard do not change its slices."""

import os
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from voxslice.slices import sliceguard_finder, sliceguard_patches
from voxslice.slices.sliceguard_finder import suggest
from voxslice.task import Task

os.environ["NUMBA_NUM_THREADS"] = "1"  # as in `sliceguard_finder`, before numba is imported


@pytest.fixture
def voices():
    """Three clusters of embeddings, and two models that fail on one of them each."""
    rng = np.random.default_rng(0)
    cluster = np.repeat([0, 1, 2], 50)
    embedding = (rng.normal(size=(3, 12))[cluster] * 9 + rng.normal(size=(150, 12))).astype("f4")
    label = rng.choice(["yes", "no"], 150)
    scores = []
    for failing in (0, 2):
        wrong = (cluster == failing) & (rng.random(150) < 0.7)
        prediction = np.where(wrong, np.where(label == "yes", "no", "yes"), label)
        scores.append(pd.DataFrame({"label": label, "prediction": prediction}))
    return pd.DataFrame({"gender": rng.choice(["f", "m"], 150)}), embedding, scores


def slices(voices, number, seed=0, kind="classification"):
    table, embedding, scores = voices
    settings = {"task": Task(kind, min_drop=0.2), "min_support": 10, "seed": seed}
    found = suggest(table, scores[number], ["gender"], embedding=embedding, **settings)
    return [rows.tolist() for rows in found]


@pytest.mark.slow
def test_slices_are_those_of_sliceguard_itself(voices, monkeypatch):
    import umap
    from sliceguard import detection, utils

    fitted, fit = [], umap.UMAP.fit_transform
    monkeypatch.setattr(sliceguard_patches, "_reduced", {})
    measured, measure = [], sliceguard_patches.pairwise_distances
    monkeypatch.setattr(
        sliceguard_patches, "pairwise_distances",
        lambda data, **settings: measured.append(1) or measure(data, **settings),
    )  # fmt: skip
    monkeypatch.setattr(
        umap.UMAP, "fit_transform", lambda self, data: fitted.append(1) or fit(self, data)
    )
    shared = [slices(voices, number) for number in (0, 1)]
    assert len(fitted) == len(measured) == 1  # both models are asked about the same utterances
    assert shared[0] and shared[1] and shared[0] != shared[1]
    slices(voices, 0, seed=1)
    assert len(fitted) == 2
    assert (utils.umap, detection.HNNE.__module__) == (umap, "hnne.projector")

    monkeypatch.setattr(sliceguard_finder, "faster_sliceguard", nullcontext)
    assert [slices(voices, number) for number in (0, 1)] == shared
    assert (len(fitted), len(measured)) == (4, 2)


@pytest.mark.slow
def test_slices_of_a_regression_are_those_of_sliceguard_itself(voices, monkeypatch):
    table, embedding, scores = voices
    rng = np.random.default_rng(1)
    wrong = (scores[0]["label"] != scores[0]["prediction"]).to_numpy()
    label = rng.normal(40, 9, 150)
    prediction = label + np.where(wrong, rng.normal(0, 9, 150), rng.normal(0, 1, 150))
    ages = table, embedding, [pd.DataFrame({"label": label, "prediction": prediction})]
    found = slices(ages, 0, kind="regression")
    monkeypatch.setattr(sliceguard_finder, "faster_sliceguard", nullcontext)
    assert found and found == slices(ages, 0, kind="regression")


@pytest.mark.parametrize("sizes", [[1], [3, 1, 40], [7] * 30])
def test_metrics_are_those_of_fairlearn_and_scikit_learn(sizes):
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import accuracy_score, mean_absolute_error

    rng = np.random.default_rng(len(sizes))
    cluster = pd.Series(rng.permutation(np.repeat(np.arange(len(sizes)), sizes)), name="level")
    classes = [pd.Series(rng.choice(["a", "bc"], len(cluster))) for _ in range(2)]
    numbers = [pd.Series(rng.normal(40, 9, len(cluster))) for _ in range(2)]
    for ours, theirs, (label, prediction) in (
        (sliceguard_finder._accuracy, accuracy_score, classes),
        (sliceguard_finder._mean_absolute_error, mean_absolute_error, numbers),
    ):
        given = {"y_true": label, "y_pred": prediction, "sensitive_features": cluster}
        made = sliceguard_patches.Metrics(metrics={"metric": ours}, **given)
        expected = MetricFrame(metrics={"metric": theirs}, **given)
        pd.testing.assert_frame_equal(
            made.by_group, expected.by_group, check_exact=True, check_names=False
        )
        pd.testing.assert_series_equal(made.overall, expected.overall, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("dimensions", [1, 8, 13, 1024])
def test_distances_are_those_of_scikit_learn(dimensions):
    from umap import umap_
    from umap.distances import euclidean

    data = np.random.default_rng(dimensions).normal(size=(40, dimensions)).astype("f4")
    expected = umap_.pairwise_distances(data, metric=euclidean)
    found = sliceguard_patches.pairwise_distances(data, metric=euclidean)
    assert found.dtype == expected.dtype and (found == expected).all()


@pytest.mark.slow
def test_a_cached_reduction_leaves_the_same_random_state(monkeypatch):
    monkeypatch.setattr(sliceguard_patches, "_reduced", {})
    data = np.random.default_rng(0).normal(size=(60, 5))
    drawn = []
    for seed in (0, 0, 1):
        np.random.seed(seed)  # noqa: NPY002
        reducer = sliceguard_patches.CachedUmap(n_components=2, n_neighbors=5)
        reduced = reducer.fit_transform(data)
        reduced += 1  # what is remembered stays as it was
        drawn.append((reduced.tolist(), np.random.random()))  # noqa: NPY002
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(sliceguard_patches._reduced) == 2


@pytest.mark.slow
def test_functions_are_compiled_without_a_folder_for_the_cache(voices, monkeypatch):
    import umap

    def nowhere():
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(umap.umap_.smooth_knn_dist, "enable_caching", nowhere)
    assert slices(voices, 0)
