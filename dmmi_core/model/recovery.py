"""Image-to-text decoder: context clue recovery and contrastive pooling (paper 3.3). Training only."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.decoder import conv_bn_relu
from dmmi_core.model.transformer import decoder_layer


class ContextClueRecovery(nn.Module):
    """D(E', V_g*) of 3.3.1: rebuilds the erased phrase of a text from what the image shows."""

    def __init__(self, config: DmmiConfig):
        super().__init__()
        self.visual = conv_bn_relu(config.hidden_size, config.hidden_size)
        self.layer = decoder_layer(config)

    def forward(self, erased: Tensor, mask: Tensor, middle: Tensor) -> Tensor:
        """erased E' (B, L, D), mask bool (B, L), middle V_g* (B, D, h, w) -> (B, L, D)."""
        memory = self.visual(middle).flatten(2).transpose(1, 2)
        return self.layer(erased, memory, tgt_key_padding_mask=~mask)


class ContrastivePooling(nn.Module):
    """V_o and E_o of 3.3.2, of length 1.

    The levels of the text-to-image decoder are averaged over their pixels and folded together from
    coarse to fine, as released; the text is averaged over its real tokens.
    """

    def __init__(self, width: int, levels: int):
        super().__init__()
        self.fold = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(levels - 1))
        self.align = nn.Linear(width, width)

    def forward(self, levels: list[Tensor], text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """levels of (B, D, h, w), text E_4* (B, L, D), mask bool (B, L) -> two (B, D)."""
        image, *finer = (level.mean(dim=(2, 3)) for level in levels)
        for fold, level in zip(self.fold, finer, strict=True):
            image = fold(torch.cat([image, level], dim=1))
        return F.normalize(image, dim=1), F.normalize(masked_mean(self.align(text), mask), dim=1)


def masked_mean(text: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B, L, D) over the tokens where mask (B, L) is True."""
    weights = mask.to(text.dtype)[:, :, None]
    return (text * weights).sum(dim=1) / weights.sum(dim=1)
