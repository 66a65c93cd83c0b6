"""What is minimised: the network's forward pass and the losses, as one module that can be distributed."""

import torch
from torch import Tensor, nn

from dmmi_core import losses
from dmmi_core.data.collate import Batch
from dmmi_core.model import Dmmi
from dmmi_core.training.centre_targets import centre_targets
from dmmi_core.training.recipe import LossRecipe


class Objective(nn.Module):
    def __init__(self, model: Dmmi, *, background_weight: float = 1.0, gather_negatives: bool = False):
        super().__init__()
        self.model = model
        self.background_weight = background_weight
        self.gather_negatives = gather_negatives

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Every loss term that the model's configuration has, unweighted among each other."""
        model = self.model
        text = model.encode_text(batch.ids, batch.mask)
        erased = model.encode_text(batch.erased_ids, batch.mask)
        output = model(model.normalize(batch.image), text, batch.mask, erased=erased)
        has_target, logits = batch.has_target, _wide(output.logits)
        terms = {
            "segmentation": losses.segmentation_loss(
                logits, batch.target, self.background_weight, batch.known
            ),
            "dice": losses.dice_loss(logits, batch.target, batch.known),
            "projection": losses.projection_loss(logits, batch.boxes, batch.has_box_only),
        }
        if output.recovered is not None:
            terms["similarity"] = losses.similarity_loss(
                _wide(output.text), _wide(output.recovered), batch.mask, has_target
            )
        if output.image_embedding is not None:
            terms["contrast"] = losses.contrastive_loss(
                _wide(output.image_embedding),
                _wide(output.text_embedding),
                has_target,
                gather_negatives=self.gather_negatives,
            )
        if output.presence is not None:
            terms["presence"] = losses.presence_loss(_wide(output.presence), has_target)
        if output.centres is not None:
            heat, offsets = _wide(output.centres), _wide(output.offsets)
            target = centre_targets(batch.labels, batch.boxes, batch.count, heat.shape[1:])
            terms["centres"] = losses.centre_loss(heat, target.heat)
            terms["offsets"] = losses.offset_loss(offsets, target.offsets, target.weights)
        return terms


def _wide(value: Tensor) -> Tensor:
    """In float32 or better: losses are not computed in the half precision of autocast."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def weighted_sum(terms: dict[str, Tensor], weights: LossRecipe) -> Tensor:
    return sum(getattr(weights, name) * value for name, value in terms.items())
