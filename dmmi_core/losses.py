"""Training losses: L_ce, L_sim and L_con of the paper (eq. 8-11), and five that are not in the paper.

`has_target` is the paper's delta: bool (B,), False for one-to-zero samples. If the batch is split over
processes, B is the part of one process, and the mean of the processes' losses is the loss of the whole batch.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dmmi_core.distributed import gather, process_mean, rank


def segmentation_loss(
    logits: Tensor, target: Tensor, background_weight: float = 1.0, known: Tensor | None = None
) -> Tensor:
    """Return L_ce, the cross-entropy of the score maps, logits (B, 2, H, W), with the mask, bool (B, H, W).

    The loss is a weighted mean over the pixels that are `known`, bool (B, H, W): background pixels have the
    weight `background_weight`, object pixels 1. The released weights, 0.9 and 1.1, have the ratio 9 / 11.
    """
    weights = logits.new_tensor([background_weight, 1.0])[target.long()]
    if known is not None:
        weights = weights * known
    total = (weights * F.cross_entropy(logits, target.long(), reduction="none")).sum()
    return total / process_mean(weights.sum()).clamp(min=1)


def dice_loss(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the mean of 1 - Dice (Milletari et al. 2016) over the samples with a target (not in the paper).

    logits (B, 2, H, W), target bool (B, H, W); only pixels that are `known`, bool (B, H, W), count. With
    little data this loss keeps small objects from being missed.
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
    """Return the projection loss of BoxInst (Tian et al. 2021, eq. 2) inside the boxes (not in the paper).

    Each row and column of a box holds a pixel of the object: the loss is 1 - Dice of the rows' and columns'
    highest probabilities with 1, averaged over the objects that have a box and no mask.
    logits (B, 2, H, W); boxes (B, K, 4), left, top, right, bottom as fractions of the sides; unmasked bool
    (B, K), the objects without a mask.
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
    """Return the probability of the object, (B, H, W), from logits (B, 2, H, W)."""
    return logits.softmax(dim=1)[:, 1]


def centre_loss(heat: Tensor, target: Tensor) -> Tensor:
    """Return the penalty-reduced focal loss of centre heat maps per object (not in the paper).

    heat (B, h, w), logits; target (B, h, w) in [0, 1], 1 at each centre. The loss is eq. 1 of CornerNet (Law
    and Deng 2018).
    """
    probability = heat.sigmoid()
    at_centre = target == 1
    hit = F.logsigmoid(heat) * (1 - probability) ** 2
    miss = F.logsigmoid(-heat) * probability**2 * (1 - target) ** 4
    count = process_mean(at_centre.sum(dtype=heat.dtype)).clamp(min=1)
    return -torch.where(at_centre, hit, miss).sum() / count


def offset_loss(offsets: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted mean L1 distance of offsets to their targets (not in the paper).

    offsets and target (B, 2, h, w); weights (B, h, w).
    """
    distance = (offsets - target).abs().sum(dim=1)
    return (weights * distance).sum() / process_mean(weights.sum()).clamp(min=1)


def similarity_loss(text: Tensor, recovered: Tensor, mask: Tensor, has_target: Tensor) -> Tensor:
    """Return L_sim, the batch mean of delta * (1 - cos[Detach(E_4*), E^]) (eq. 8).

    text E_4* and recovered E^ (B, L, D); the cosine is averaged over the tokens where mask (B, L) is True.
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
    """Return L_con (eq. 9-11) of V_o and E_o, unit vectors (B, D).

    One-to-zero samples are no positives but stay in the denominators as negatives. With `gather_negatives`
    the denominators run over the batches of all processes.
    """
    images, texts = (gather(image), gather(text)) if gather_negatives else (image, text)
    first = rank() * len(image) if gather_negatives else 0
    labels = torch.arange(first, first + len(image), device=image.device)
    image_to_text = F.cross_entropy(image @ texts.T / temperature, labels, reduction="none")
    text_to_image = F.cross_entropy(text @ images.T / temperature, labels, reduction="none")
    return (has_target * (image_to_text + text_to_image)).mean()


def presence_loss(logits: Tensor, has_target: Tensor) -> Tensor:
    """Return the binary cross-entropy of the presence head's logits (B,) (not in the paper)."""
    return F.binary_cross_entropy_with_logits(logits, has_target.to(logits.dtype))
