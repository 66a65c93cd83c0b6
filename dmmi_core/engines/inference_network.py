"""The network in two parts, one that a new text costs and one that a frame costs, without training parts."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from dmmi_core.engines.folded_upsampling import FoldedAggregate
from dmmi_core.model import Dmmi
from dmmi_core.model.attention import ImageToTextAttention
from dmmi_core.model.decoder import TextToImageDecoder
from dmmi_core.model.dmmi import EncodedText
from dmmi_core.model.image_projection import Projection


class TextNetwork(nn.Module):
    """The text encoder, and the guide's link from texts to categories."""

    def __init__(self, model: Dmmi):
        super().__init__()
        self.text, self.link = model.text, model.link

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """ids int64 (B, L), mask bool (B, L) -> E (B, L, D); then, with a guide, its categories (B, 80)."""
        features = self.text.features(ids, mask)
        named = () if self.link is None else (self.link(features, mask),)
        return (self.text.projection(features), *named)


class FrameNetwork(nn.Module):
    """Everything but the text encoder; equals the model's own operations up to rounding."""

    def __init__(self, model: Dmmi):
        super().__init__()
        self.model = deepcopy(model).eval()
        for part in ("text", "link", "recovery", "pooling"):  # not used for frames
            setattr(self.model, part, None)
        _fold_aggregates(self.model.decoder, model.config.image_size)
        self.model.decoder.score = _difference(self.model.decoder.score)
        for module in self.model.modules():
            if isinstance(module, ImageToTextAttention):
                _never_build_projections(module)

    def forward(
        self,
        image: Tensor,
        text: Tensor,
        mask: Tensor,
        image_of: Tensor,
        categories: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        """image uint8 (I, S, S, 3), text E (B, L, D), mask bool (B, L), image_of int64 (B,); with a guide,
        categories (B, 80).

        Margins (B, S, S); then, as far as the model has them, the other values of `Scores`, in their order:
        see `frame_outputs` in `dmmi_core.engines.exported_engine`.
        """
        pixels = self.model.normalize(image.permute(0, 3, 1, 2))
        output = self.model(pixels, EncodedText(text, categories), mask, image_of=image_of)
        more = (output.presence, output.centres, output.offsets, output.detections, output.boxes)
        return (output.logits[:, 0], *(value for value in more if value is not None))


@torch.no_grad()
def _difference(score: nn.Conv2d) -> nn.Conv2d:
    """Return a layer that computes object minus background: resizing is linear, so one map does for two."""
    assert score.bias is not None
    one = nn.Conv2d(score.in_channels, 1, 1).to(score.weight)
    one.load_state_dict(
        {"weight": score.weight[1:] - score.weight[:1], "bias": score.bias[1:] - score.bias[:1]}
    )
    return one


@torch.no_grad()
def _fold_aggregates(decoder: TextToImageDecoder, side: int) -> None:
    for stride, name in ((16, "aggregate3"), (8, "aggregate2"), (4, "aggregate1")):
        aggregate = getattr(decoder, name)
        if aggregate is not None:
            setattr(decoder, name, FoldedAggregate(aggregate, side // (2 * stride), side // stride))


def _never_build_projections(attention: ImageToTextAttention) -> None:
    """Replace the projections of `attention` by those that do not build maps as wide as the text."""
    for module in attention.modules():
        if isinstance(module, Projection):
            module.__class__ = ImplicitProjection


class ImplicitProjection(Projection):
    """A `Projection` whose products with P = norm(W x + b) are computed from x if that is less work.

    Subtracting the mean cancels b, and leaves W x_c with x_c = x - mean(x). Its variance is that of W x,
    diag(W S W^T) with S the covariance of x over the positions, C x C. So P = s W x_c, where s scales the
    channels, and query P = (query s W) x_c: nothing is D x N, where N >> C.
    """

    def products(self, query: Tensor, x: Tensor) -> Tensor:
        if not self._pays(x):
            return super().products(query, x)
        centred = _centred(x)
        return (query * self._scale(centred)) @ self._matrix @ centred

    def gathered(self, weights: Tensor, x: Tensor) -> Tensor:
        if not self._pays(x):
            return super().gathered(weights, x)
        centred = _centred(x)
        return weights @ centred.transpose(1, 2) @ self._matrix.T * self._scale(centred)

    @property
    def _matrix(self) -> Tensor:
        convolution: Any = self[0]
        return convolution.weight[:, :, 0, 0]  # (D, C)

    def _pays(self, x: Tensor) -> bool:
        """Return whether C^2 N + C^2 D multiplications, for covariance and scale, are less than C D N."""
        outputs, channels = self._matrix.shape
        positions = x.shape[2] * x.shape[3]
        return channels * (positions + outputs) < outputs * positions

    def _scale(self, centred: Tensor) -> Tensor:
        """Return s, (B, 1, D)."""
        covariance = centred @ centred.transpose(1, 2) / centred.shape[2]
        variance = ((self._matrix @ covariance) * self._matrix).sum(dim=2)
        norm: Any = self[1]
        return (variance + norm.eps).rsqrt()[:, None]


def _centred(x: Tensor) -> Tensor:
    """Return x as (B, C, N), with mean 0 over the positions."""
    x = x.flatten(2)
    return x - x.mean(dim=2, keepdim=True)
