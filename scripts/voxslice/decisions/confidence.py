"""The confidence of a classification: the probability of the predicted class."""

import numpy as np
import pandas as pd


def confidence(scores: pd.DataFrame) -> np.ndarray | None:
    """Select the probability of the predicted class.

    Args:
        scores: scores of a model for a classification

    Returns:
        shape (utterances,); None if a predicted class has no probabilities
    """
    classes = scores["prediction"].cat.categories
    predicted = scores["prediction"].cat.codes.to_numpy()
    columns = [f"p_{name}" for name in classes]
    missing = [position for position, name in enumerate(columns) if name not in scores]
    if np.isin(predicted, missing).any():
        return None
    matrix = scores.reindex(columns=columns).to_numpy(float)
    return matrix[np.arange(len(scores)), predicted]
