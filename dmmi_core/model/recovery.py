"""Image-to-text decoder: context clue recovery and contrastive pooling (paper 3.3), used in training only."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dmmi_core.config import DmmiConfig
from dmmi_core.model.decoder import conv_bn_relu
from dmmi_core.model.pooling import masked_mean
from dmmi_core.model.transformer import decoder_layer


class ContextClueRecovery(nn.Module):
    """D(E', V_g*) of 3.3.1: recovers the erased phrase of a text from the image."""

    def __init__(self, config: DmmiConfig):
        super().__init__()
        self.visual = conv_bn_relu(config.hidden_size, config.hidden_size)
        self.layer = decoder_layer(config)

    def forward(self, erased: Tensor, mask: Tensor, guidance: Tensor) -> Tensor:
        """erased E' (B, L, D), mask bool (B, L), guidance V_g* (B, D, h, w) -> E^ (B, L, D)."""
        memory = self.visual(guidance).flatten(2).transpose(1, 2)
        return self.layer(erased, memory, tgt_key_padding_mask=~mask)


class ContrastivePooling(nn.Module):
    """V_o and E_o of 3.3.2, unit vectors.

    The image embedding averages each level of the text-to-image decoder over its pixels and folds the levels
    together from coarse to fine, as released. The text embedding averages the real tokens.
    """

    def __init__(self, *, width: int, levels: int):
        super().__init__()
        self.fold = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(levels - 1))
        self.align = nn.Linear(width, width)

    def forward(self, levels: list[Tensor], text: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """levels, coarse to fine, (B, D, h, w) each, text E_4* (B, L, D), mask bool (B, L) -> two (B, D)."""
        image, *finer = (level.mean(dim=(2, 3)) for level in levels)
        for fold, level in zip(self.fold, finer, strict=True):
            image = fold(torch.cat([image, level], dim=1))
        return F.normalize(image, dim=1), F.normalize(masked_mean(self.align(text), mask), dim=1)
