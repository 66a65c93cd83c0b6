"""Collation of samples into batches of tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from dmmi_core.data.erasing import erase_phrase
from dmmi_core.data.target import UNKNOWN, Target
from dmmi_core.tokenizer import tokenize


@dataclass
class Batch:
    """B samples as tensors: S the side of the images, K the most objects of a sample, L tokens."""

    image: Tensor
    """uint8 RGB (B, 3, S, S)."""
    labels: Tensor
    """uint8 (B, S, S), as in `Target`."""
    boxes: Tensor
    """float32 (B, K, 4), as in `Target`, K at least 1; zeros beyond a sample's own objects."""
    has_mask: Tensor
    """bool (B, K); False beyond a sample's own objects."""
    count: Tensor
    """int64 (B,): number of objects of each sample."""
    ids: Tensor
    """int64 (B, L): tokens of the texts."""
    erased_ids: Tensor
    """int64 (B, L): the same with one noun phrase masked."""
    mask: Tensor
    """bool (B, L), True for real tokens."""

    @property
    def has_target(self) -> Tensor:
        """bool (B,): the paper's delta."""
        return self.count > 0

    @property
    def target(self) -> Tensor:
        """bool (B, S, S): pixels that certainly belong to an object."""
        return (self.labels > 0) & self.known

    @property
    def known(self) -> Tensor:
        """bool (B, S, S): pixels of known label."""
        return self.labels != UNKNOWN

    @property
    def has_box_only(self) -> Tensor:
        """bool (B, K): True for the objects without a mask."""
        exists = torch.arange(self.has_mask.shape[1], device=self.count.device) < self.count[:, None]
        return exists & ~self.has_mask

    def to(self, device: str | torch.device) -> "Batch":
        return Batch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


class Collate:
    """A collate function that tokenizes the texts, erases one phrase of each, and stacks all tensors."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_tokens: int, *, fill: bool = False):
        """`fill`: see `tokenize`."""
        self.tokenizer, self.max_tokens, self.fill = tokenizer, max_tokens, fill

    def __call__(self, items: list[tuple[np.ndarray, Target, str, int]]) -> Batch:
        """Collate items of `SceneDataset` or `SampleDataset`."""
        images, targets, texts, seeds = zip(*items, strict=True)
        ids, mask = tokenize(self.tokenizer, list(texts), self.max_tokens, fill=self.fill)
        erased = [
            erase_phrase(text, row, self.tokenizer, np.random.default_rng(seed))
            for text, row, seed in zip(texts, ids, seeds, strict=True)
        ]
        image = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        return Batch(image, *_stacked(targets), ids, torch.stack(erased), mask)


def _stacked(targets: Sequence[Target]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return labels, boxes, has_mask and count, as in `Batch`."""
    counts = [len(target.boxes) for target in targets]
    boxes = torch.zeros(len(targets), max(1, *counts), 4)
    has_mask = torch.zeros(boxes.shape[:2], dtype=torch.bool)
    for row, (target, count) in enumerate(zip(targets, counts, strict=True)):
        boxes[row, :count] = torch.from_numpy(target.boxes)
        has_mask[row, :count] = torch.from_numpy(target.has_mask)
    labels = torch.from_numpy(np.stack([target.labels for target in targets]))
    return labels, boxes, has_mask, torch.tensor(counts)
