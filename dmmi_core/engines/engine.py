"""The interface behind which engines are: encoded texts and images in, scores out."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from dmmi_core.config import DmmiConfig


class Encoded(NamedTuple):
    """One text, for the engine that encoded it; the arrays are of that engine's own kind."""

    features: Any
    """E, (L, D)."""
    mask: Any
    """bool (L,)."""
    categories: Any = None
    """(80,), the share of each of the guide's categories in what the text names; with a guide only."""


class Scores(NamedTuple):
    margin: np.ndarray
    """float32 (B, S, S): the logit of object less that of background, at the network's size."""
    presence: np.ndarray | None
    """float32 (B,): logits of the presence head, where the model has one."""
    centres: np.ndarray | None = None
    """float32 (B, h, w): logits of the instance head's centres, where the model has one."""
    offsets: np.ndarray | None = None
    """float32 (B, 2, h, w): its ways to the centres, as fractions of the sides, x and y."""


class Engine(Protocol):
    """Runs one model. `encode` may be called once for a text, whose features then serve any image."""

    name: str
    """One of `dmmi_core.engines.ENGINES`."""
    precision: str
    """What is computed in, one of `dmmi_core.engines.PRECISIONS`."""
    device: str
    config: DmmiConfig

    def encode(self, ids: np.ndarray, mask: np.ndarray) -> Encoded:
        """ids int64 (L,), mask bool (L,), True for real tokens, L at most `config.max_tokens`."""
        ...

    def score(self, images: np.ndarray, texts: Sequence[Encoded], image_of: Sequence[int]) -> Scores:
        """images uint8 RGB (I, S, S, 3); one score map for each of the B texts.

        `image_of` says which image each text is about; what comes before the first fusion runs once for
        each image.
        """
        ...
