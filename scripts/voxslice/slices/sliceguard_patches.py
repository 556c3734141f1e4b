"""What takes sliceguard's time, without that of it which is done again or not looked at.

sliceguard reduces an embedding (UMAP) anew for each model, although all are asked about the same
utterances; umap-learn compiles itself anew in each process; h-NNE lays out its clusters on a plane,
which only sliceguard's own report shows; and fairlearn computes differences and ratios of clusters
that nothing reads. The slices are the same bytes without all that.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

_reduced: dict[str, tuple[np.ndarray, Any]] = {}


class Reducer:
    """UMAP that remembers, within a process, what it made of the same data and the same seed."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def fit_transform(self, data: np.ndarray) -> np.ndarray:
        """Reduce data; numpy's global state, which UMAP draws from, is left as UMAP leaves it.

        Args:
            data: shape (rows, dimensions)

        Returns:
            shape (rows, fewer dimensions)
        """
        from umap import UMAP

        state: Any = np.random.get_state()  # noqa: NPY002
        name, numbers, *rest = state
        settings = (sorted(self._settings.items()), data.shape, data.dtype.str, name, rest)
        digest = hashlib.sha256(repr(settings).encode())
        for array in (data, numbers):
            digest.update(array.tobytes())
        key = digest.hexdigest()
        if key not in _reduced:
            made = UMAP(**self._settings).fit_transform(data)
            _reduced[key] = made, np.random.get_state()  # noqa: NPY002
        made, after = _reduced[key]
        np.random.set_state(after)  # noqa: NPY002
        return made.copy()


class Metrics:
    """The part of fairlearn's MetricFrame that sliceguard reads: a metric overall and by cluster.

    Args:
        metrics: one function of labels and predictions, by name
        y_true: labels
        y_pred: predictions of the same rows
        sensitive_features: cluster of the same rows
    """

    def __init__(
        self,
        *,
        metrics: dict[str, Callable[[np.ndarray, np.ndarray], float]],
        y_true: pd.Series,
        y_pred: pd.Series,
        sensitive_features: pd.Series,
    ) -> None:
        ((name, metric),) = metrics.items()
        labels, predictions = y_true.to_numpy(), y_pred.to_numpy()
        clusters, place, sizes = np.unique(
            sensitive_features, return_inverse=True, return_counts=True
        )
        members = np.split(np.argsort(place, kind="stable"), np.cumsum(sizes)[:-1])
        values = [metric(labels[rows], predictions[rows]) for rows in members]
        self.overall = pd.Series({name: metric(labels, predictions)})
        self.by_group = pd.DataFrame({name: values}, index=clusters)


@contextmanager
def without_waste() -> Iterator[None]:
    """Let sliceguard, while the block runs, reduce and compile once, and make only what is read."""
    import umap
    from hnne import HNNE
    from sliceguard import detection, utils

    # of umap-learn's functions those that it does not keep on disk itself; where there is no place
    # for it, numba raises and goes on compiling them
    for function in (
        umap.umap_.fast_knn_indices,
        umap.umap_.smooth_knn_dist,
        umap.umap_.compute_membership_strengths,
        umap.layouts._nb_optimize_layout_euclidean_single_epoch_parallel,
    ):
        with suppress(RuntimeError):
            function.enable_caching()

    class Clusters(HNNE):
        def fit_transform(self, data: np.ndarray) -> None:
            self.fit_only_hierarchy(data)

    with (
        patch.object(utils, "umap", SimpleNamespace(UMAP=Reducer)),
        patch.object(detection, "HNNE", Clusters),
        patch.object(detection, "MetricFrame", Metrics),
    ):
        yield
