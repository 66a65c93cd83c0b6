"""Segmentation in which a faulty image or text costs no other its result."""

import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dmmi_core.errors import InputError
from dmmi_core.result import Result
from dmmi_core.segmenter_options import Options
from dmmi_ros.free_memory import free_memory
from dmmi_ros.parameters import Parameters

if TYPE_CHECKING:
    from dmmi_core.segmenter import Segmenter

Outcome = Result | Exception
"""The result of a request for an image, or the error that prevented it."""


def segment_pairs(
    segmenter: "Segmenter", images: Sequence[np.ndarray], texts: Sequence[str], settings: Parameters
) -> list[Outcome]:
    """Return the outcome of each pair of an image, uint8 RGB (H, W, 3), and a text."""
    outcomes = _segment_in_parts(segmenter, images, texts, _options(settings))
    if any(isinstance(each, Exception) and not isinstance(each, InputError) for each in outcomes):
        free_memory()
    return outcomes


def _segment_in_parts(
    segmenter: "Segmenter", images: Sequence[np.ndarray], texts: Sequence[str], options: Options
) -> list[Outcome]:
    """Segment in one batch, or in halves if that fails, so that only the faulty pairs have no result."""
    try:
        return list(segmenter.batch(images, texts, options))
    except Exception as error:
        traceback.clear_frames(error.__traceback__)  # they still hold tensors
        if len(images) == 1:
            return [error]
    half = len(images) // 2
    return [
        *_segment_in_parts(segmenter, images[:half], texts[:half], options),
        *_segment_in_parts(segmenter, images[half:], texts[half:], options),
    ]


def _options(settings: Parameters) -> Options:
    threshold = settings.presence_threshold
    return Options(
        presence_threshold=None if threshold < 0 else threshold,  # the model's own
        mask_threshold=settings.mask_threshold,
        min_area=settings.min_area,
    )
