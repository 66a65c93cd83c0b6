"""Training objective: the network and its losses as one module, which can be distributed."""

import torch
from torch import Tensor, nn

from dmmi_core import losses
from dmmi_core.data.collate import Batch
from dmmi_core.model import Dmmi
from dmmi_core.training.centre_targets import centre_targets
from dmmi_core.training.recipe import LossRecipe


class Objective(nn.Module):
    """Network and losses: maps a batch to its loss terms."""

    def __init__(self, model: Dmmi, *, background_weight: float = 1.0, gather_negatives: bool = False):
        super().__init__()
        self.model = model
        self.background_weight = background_weight
        self.gather_negatives = gather_negatives

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Return the unweighted loss terms that the model's configuration provides."""
        model = self.model
        text = model.encode_text(batch.ids, batch.mask)
        erased = model.encode_text(batch.erased_ids, batch.mask)
        output = model(model.normalize(batch.image), text, batch.mask, erased=erased)
        has_target, logits = batch.has_target, _at_least_float32(output.logits)
        terms = {
            "segmentation": losses.segmentation_loss(
                logits, batch.target, self.background_weight, batch.known
            ),
            "dice": losses.dice_loss(logits, batch.target, batch.known),
            "projection": losses.projection_loss(logits, batch.boxes, batch.has_box_only),
        }
        if output.recovered is not None:
            terms["similarity"] = losses.similarity_loss(
                _at_least_float32(output.text),
                _at_least_float32(output.recovered),
                batch.mask,
                has_target,
            )
        if output.image_embedding is not None and output.text_embedding is not None:
            terms["contrast"] = losses.contrastive_loss(
                _at_least_float32(output.image_embedding),
                _at_least_float32(output.text_embedding),
                has_target,
                gather_negatives=self.gather_negatives,
            )
        if output.presence is not None:
            terms["presence"] = losses.presence_loss(_at_least_float32(output.presence), has_target)
        if output.centres is not None and output.offsets is not None:
            heat, offsets = _at_least_float32(output.centres), _at_least_float32(output.offsets)
            height, width = heat.shape[1:]
            target = centre_targets(batch.labels, batch.boxes, batch.count, (height, width))
            terms["centres"] = losses.centre_loss(heat, target.heat)
            terms["offsets"] = losses.offset_loss(offsets, target.offsets, target.weights)
        return terms


def _at_least_float32(value: Tensor) -> Tensor:
    """Convert to float32 or better: losses are not computed in the half precision of autocast."""
    return value.to(torch.promote_types(value.dtype, torch.float32))


def weighted_sum(terms: dict[str, Tensor], weights: LossRecipe) -> Tensor:
    """Return the total loss."""
    return sum(getattr(weights, name) * value for name, value in terms.items())
