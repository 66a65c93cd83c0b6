"""Samples into batches of tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from dmmi_core.data.erasing import erase_phrase
from dmmi_core.model.text import tokenize


@dataclass
class Batch:
    image: Tensor
    """uint8 RGB (B, 3, S, S)."""
    target: Tensor
    """bool (B, S, S)."""
    ids: Tensor
    """int64 (B, L)."""
    erased_ids: Tensor
    """int64 (B, L), one noun phrase masked."""
    mask: Tensor
    """bool (B, L), True for real tokens."""

    @property
    def has_target(self) -> Tensor:
        """bool (B,): the paper's delta."""
        return self.target.flatten(1).any(dim=1)

    def to(self, device: str | torch.device) -> "Batch":
        return Batch(**{name: value.to(device, non_blocking=True) for name, value in vars(self).items()})


class Collate:
    """Tokenises, erases one phrase a text, and stacks."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, max_tokens: int, *, fill: bool = False):
        """`fill`: see `tokenize`."""
        self.tokenizer, self.max_tokens, self.fill = tokenizer, max_tokens, fill

    def __call__(self, items: list[tuple[np.ndarray, np.ndarray, str, int]]) -> Batch:
        """Items as `SceneDataset` gives them."""
        images, targets, texts, seeds = zip(*items, strict=True)
        ids, mask = tokenize(self.tokenizer, list(texts), self.max_tokens, fill=self.fill)
        erased = [
            erase_phrase(text, row, self.tokenizer, np.random.default_rng(seed))
            for text, row, seed in zip(texts, ids, seeds, strict=True)
        ]
        image = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        return Batch(image, torch.from_numpy(np.stack(targets)), ids, torch.stack(erased), mask)
