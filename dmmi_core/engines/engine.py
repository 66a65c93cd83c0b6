"""The interface of engines: encoded texts and images in, scores out."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from dmmi_core.config import DmmiConfig


class Encoded(NamedTuple):
    """One encoded text; the arrays are of the kind that the engine itself uses."""

    features: Any
    """Text features E, (L, D)."""
    mask: Any
    """bool (L,)."""
    categories: Any = None
    """(80,): weight of each of the guide's categories in the text; None without a guide."""


class Scores(NamedTuple):
    """Scores of B pairs of image and text; heads that the model lacks give None."""

    margin: np.ndarray
    """float32 (B, S, S): logit of object minus logit of background, at the network's size."""
    presence: np.ndarray | None = None
    """float32 (B,): logits of the presence head."""
    centres: np.ndarray | None = None
    """float32 (B, h, w): centre logits of the instance head."""
    offsets: np.ndarray | None = None
    """float32 (B, 2, h, w): offsets to the centres, x and y, as fractions of the image's sides."""
    detections: np.ndarray | None = None
    """float32 (B, P): logits of the guide, at its P positions, for the categories that the text names."""
    boxes: np.ndarray | None = None
    """float32 (B, P, 4): the guide's boxes: left, top, right and bottom as fractions of the image's sides."""


class Engine(Protocol):
    """Runs one model. A text is encoded once; its features then serve any image."""

    name: str
    """One of `ENGINES` in `dmmi_core.engines.registry`."""
    precision: str
    """One of `PRECISIONS`, there too."""
    device: str
    config: DmmiConfig

    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        """Encode ids int64 (L,) and mask bool (L,), True for real tokens; L <= `config.max_tokens`."""
        ...

    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        """Score B texts, each about one of the images uint8 RGB (I, S, S, 3).

        `image_of` gives the image of each text. The work before the first fusion is shared by the texts
        about one image.
        """
        ...
