"""The training losses: L_ce, L_sim, L_con (paper eq. 8-11), and the two that are ours.

`has_target` is the paper's delta: bool (B,), False for one-to-zero samples. Where the batch is spread over
processes, B is one process's share, and the mean of the losses is the loss of the whole batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dmmi_core.distributed import gather, process_mean, rank


def segmentation_loss(
    logits: Tensor, target: Tensor, background_weight: float = 1.0, known: Tensor | None = None
) -> Tensor:
    """L_ce: cross-entropy of the two score maps, logits (B, 2, H, W), with the mask, bool (B, H, W).

    A pixel without the object counts `background_weight`, where one of the object counts 1. It is a weighted
    mean, so that only their ratio matters: the released 0.9 to 1.1 is 9 / 11. Only pixels that are `known`,
    bool (B, H, W), count.
    """
    weights = logits.new_tensor([background_weight, 1.0])[target.long()]
    if known is not None:
        weights = weights * known
    total = (weights * F.cross_entropy(logits, target.long(), reduction="none")).sum()
    return total / process_mean(weights.sum()).clamp(min=1)


def dice_loss(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """1 - Dice overlap of the object's probability with the mask, mean over the samples that have one.

    Not in the paper: with little data it keeps small objects from being lost. (Milletari 2016.) Only pixels
    that are `known`, bool (B, H, W), count.
    """
    has_target = target.flatten(1).any(dim=1)
    probability = _foreground(logits).flatten(1)
    if known is not None:
        probability = probability * known.flatten(1)
    mask = target.flatten(1).to(probability.dtype)
    overlap = (2 * (probability * mask).sum(dim=1) + 1) / (probability.sum(dim=1) + mask.sum(dim=1) + 1)
    count = process_mean(has_target.sum(dtype=logits.dtype))
    return ((1 - overlap) * has_target).sum() / torch.where(count > 0, count, 1)


def projection_loss(logits: Tensor, boxes: Tensor, unmasked: Tensor) -> Tensor:
    """What a box says of the mask in it: each of its rows and columns holds a pixel of the object.

    The projection term of BoxInst (Tian et al. 2021, eq. 2) inside each box: 1 - Dice overlap of the highest
    probability of each row and column with 1, mean over the objects that have a box only.
    logits (B, 2, H, W); boxes (B, K, 4), left, top, right, bottom as fractions; unmasked bool (B, K).
    """
    probability = _foreground(logits)
    height, width = probability.shape[1:]
    terms = []
    for sample, number in unmasked.nonzero().tolist():
        left, top, right, bottom = boxes[sample, number].tolist()
        rows = slice(int(top * height), max(round(bottom * height), int(top * height) + 1))
        columns = slice(int(left * width), max(round(right * width), int(left * width) + 1))
        inside = probability[sample, rows, columns]
        for axis in (0, 1):
            line = inside.amax(dim=axis)
            terms.append(1 - 2 * line.sum() / (line.square().sum() + len(line)))
    return torch.stack(terms).mean() if terms else logits.sum() * 0


def _foreground(logits: Tensor) -> Tensor:
    """Probabilities (B, H, W) of (B, 2, H, W)."""
    return logits.softmax(dim=1)[:, 1]


def centre_loss(heat: Tensor, target: Tensor) -> Tensor:
    """Penalty-reduced focal loss of centre heat maps (CornerNet, Law and Deng 2018, eq. 1), an object.

    heat (B, h, w), logits; target (B, h, w) in [0, 1], 1 at each centre.
    """
    probability = heat.sigmoid()
    at_centre = target == 1
    hit = F.logsigmoid(heat) * (1 - probability) ** 2
    miss = F.logsigmoid(-heat) * probability**2 * (1 - target) ** 4
    return -torch.where(at_centre, hit, miss).sum() / process_mean(at_centre.sum(dtype=heat.dtype)).clamp(
        min=1
    )


def offset_loss(offsets: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Mean distance of offsets to their targets, both (B, 2, h, w), along each axis; weights (B, h, w)."""
    distance = (offsets - target).abs().sum(dim=1)
    return (weights * distance).sum() / process_mean(weights.sum()).clamp(min=1)


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
