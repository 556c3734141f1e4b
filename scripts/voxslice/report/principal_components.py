"""The two-dimensional map of an embedding that the report and the interactive view show."""

import numpy as np


def principal_components(matrix: np.ndarray, *, seed: int) -> tuple[np.ndarray, float]:
    """Project an embedding onto its first two principal components.

    Args:
        matrix: shape (utterances, dimensions), at least one utterance
        seed: seed of the solver

    Returns:
        points of shape (utterances, 2), with zeros where there is no second component; and the
        share of the variance that they explain
    """
    # imported here, since the import takes seconds
    from sklearn.decomposition import PCA

    size = min(2, *matrix.shape)
    points = np.zeros((len(matrix), 2), dtype=matrix.dtype)
    model = PCA(size, random_state=seed)
    with np.errstate(invalid="ignore"):  # the share of a constant embedding is not defined
        points[:, :size] = model.fit_transform(matrix)
    return points, float(np.nan_to_num(model.explained_variance_ratio_).sum())
