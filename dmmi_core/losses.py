"""The training losses: L_ce, L_sim, L_con (paper eq. 8-11), and the two that are ours.

`has_target` is the paper's delta: bool (B,), False for one-to-zero samples. Where the batch is spread over
processes, B is one process's share, and the mean of the losses is the loss of the whole batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dmmi_core.distributed import gather, process_mean, rank


def segmentation_loss(logits: Tensor, target: Tensor, background_weight: float = 1.0) -> Tensor:
    """L_ce: cross-entropy of the two score maps, logits (B, 2, H, W), with the mask, bool (B, H, W).

    A pixel without the object counts `background_weight`, where one of the object counts 1. It is a weighted
    mean, so that only their ratio matters: the released 0.9 to 1.1 is 9 / 11.
    """
    weights = logits.new_tensor([background_weight, 1.0])
    total = F.cross_entropy(logits, target.long(), weight=weights, reduction="sum")
    return total / process_mean(weights[target.long()].sum())


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - Dice overlap of the object's probability with the mask, mean over the samples that have one.

    Not in the paper: with little data it keeps small objects from being lost. (Milletari 2016.)
    """
    has_target = target.flatten(1).any(dim=1)
    probability = logits.softmax(dim=1)[:, 1].flatten(1)
    mask = target.flatten(1).to(probability.dtype)
    overlap = (2 * (probability * mask).sum(dim=1) + 1) / (probability.sum(dim=1) + mask.sum(dim=1) + 1)
    count = process_mean(has_target.sum(dtype=logits.dtype))
    return ((1 - overlap) * has_target).sum() / torch.where(count > 0, count, 1)


def similarity_loss(text: Tensor, recovered: Tensor, mask: Tensor, has_target: Tensor) -> Tensor:
    """L_sim, eq. 8: delta * (1 - cos[Detach(E_4*), E^]), mean over the batch.

    text E_4* and recovered E^ (B, L, D); the cosine is the mean over the tokens where mask (B, L) is True.
    """
    cosine = F.cosine_similarity(text.detach(), recovered, dim=2, eps=1e-6) * mask
    distance = 1 - cosine.sum(dim=1) / mask.sum(dim=1)
    return (has_target * distance).mean()


def contrastive_loss(
    image: Tensor,
    text: Tensor,
    has_target: Tensor,
    temperature: float = 0.05,
    *,
    gather_negatives: bool = False,
) -> Tensor:
    """L_con, eq. 9-11, of V_o and E_o (B, D), both of length 1.

    One-to-zero samples are nobody's positive but stay in the denominators as negatives. With
    `gather_negatives` the denominators run over the batches of all processes.
    """
    images, texts = (gather(image), gather(text)) if gather_negatives else (image, text)
    first = rank() * len(image) if gather_negatives else 0
    labels = torch.arange(first, first + len(image), device=image.device)
    image_to_text = F.cross_entropy(image @ texts.T / temperature, labels, reduction="none")
    text_to_image = F.cross_entropy(text @ images.T / temperature, labels, reduction="none")
    return (has_target * (image_to_text + text_to_image)).mean()


def presence_loss(logits: Tensor, has_target: Tensor) -> Tensor:
    """Binary cross-entropy of the presence head's logits (B,)."""
    return F.binary_cross_entropy_with_logits(logits, has_target.to(logits.dtype))
