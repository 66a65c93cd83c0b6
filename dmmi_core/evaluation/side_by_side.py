"""Predictions of one or several models for a sample, beside its image and its ground truth."""

from collections.abc import Mapping

import numpy as np

from dmmi_core.evaluation.evaluate import Prediction
from dmmi_core.visualization.html import fitted
from dmmi_core.visualization.overlay import tinted

TARGET_COLOUR, PREDICTED_COLOUR = (0, 200, 120), (255, 122, 0)  # RGB


def side_by_side(predictions: Mapping[str, Prediction]) -> dict[str, np.ndarray]:
    """Return pictures by name: the image, the ground truth and each of the predictions, all of one sample."""
    first = next(iter(predictions.values()))
    image = fitted(first.example.image)
    return {
        "image": image,
        "ground truth": tinted(image, first.target, TARGET_COLOUR),
        **{name: tinted(image, item.predicted, PREDICTED_COLOUR) for name, item in predictions.items()},
    }
