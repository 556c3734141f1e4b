"""Patches that make sliceguard faster without changing its results.

sliceguard reduces an embedding with UMAP again for each model, although the utterances are the
same. umap-learn compiles its functions again in each process, and calls a function from Python for
each pair of fewer than 4,096 utterances. h-NNE computes a layout of its clusters that only
sliceguard's own report shows. fairlearn computes differences and ratios between clusters that are
not used. The patches remove this work.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

_reduced: dict[str, tuple[np.ndarray, Any]] = {}


class CachedUmap:
    """UMAP that remembers its result for the same data and the same seed within a process."""

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def fit_transform(self, data: np.ndarray) -> np.ndarray:
        """Reduce data, and leave numpy's global random state as UMAP would leave it.

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
            reduced = UMAP(**self._settings).fit_transform(data)
            _reduced[key] = reduced, np.random.get_state()  # noqa: NPY002
        reduced, after = _reduced[key]
        np.random.set_state(after)  # noqa: NPY002
        return reduced.copy()


@cache
def _compiled_distances() -> Callable[[np.ndarray, Callable], np.ndarray]:
    """Compile the loop over all pairs of rows, since importing numba takes long."""
    import numba

    @numba.njit
    def distances(data, metric):  # type: ignore[no-untyped-def]
        found = np.zeros((len(data), len(data)), data.dtype)
        for i in range(len(data)):
            for j in range(i + 1, len(data)):
                found[i, j] = metric(data[i], data[j])
                found[j, i] = found[i, j]
        return found

    return distances


def pairwise_distances(
    data: np.ndarray,
    *,
    metric: Callable[[np.ndarray, np.ndarray], float],
) -> np.ndarray:
    """Compute the distances of all pairs as scikit-learn does for umap-learn, by a compiled loop.

    Args:
        data: shape (rows, dimensions), finite
        metric: a function of two rows that numba has compiled, and 0 for equal rows

    Returns:
        shape (rows, rows), with the type of the data
    """
    return _compiled_distances()(data, metric)


class Metrics:
    """The part of fairlearn's MetricFrame that sliceguard reads: a metric overall and by cluster.

    Args:
        metrics: one function of labels and predictions, by name
        y_true: labels
        y_pred: predictions of the same rows
        sensitive_features: cluster of each of the same rows
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
        clusters, cluster, sizes = np.unique(
            sensitive_features, return_inverse=True, return_counts=True
        )
        members = np.split(np.argsort(cluster, kind="stable"), np.cumsum(sizes)[:-1])
        values = [metric(labels[rows], predictions[rows]) for rows in members]
        self.overall = pd.Series({name: metric(labels, predictions)})
        self.by_group = pd.DataFrame({name: values}, index=clusters)


@contextmanager
def faster_sliceguard() -> Iterator[None]:
    """Apply the patches while the block runs."""
    import umap
    from hnne import HNNE
    from sliceguard import detection, utils

    # the functions of umap-learn that it does not cache on disk itself. If there is no folder for
    # the cache, numba raises and still compiles them in each process
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

    with ExitStack() as stack:
        stack.enter_context(replaced(utils, "umap", SimpleNamespace(UMAP=CachedUmap)))
        stack.enter_context(replaced(umap.umap_, "pairwise_distances", pairwise_distances))
        stack.enter_context(replaced(detection, "HNNE", Clusters))
        stack.enter_context(replaced(detection, "MetricFrame", Metrics))
        yield


@contextmanager
def replaced(module: ModuleType, name: str, value: Any) -> Iterator[None]:
    """Replace a name of a module while the block runs.

    Args:
        module: the module
        name: a name that the module has
        value: replacement of the name within the block
    """
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)
