"""timm backbones, cut into a stem and four stages so that fusion can act after each stage (paper 3.1.1)."""

from functools import partial
from typing import Any

import timm
import torch.nn.functional as F
from timm.layers import PatchEmbed
from timm.models.efficientnet import EfficientNet
from timm.models.resnet import ResNet
from timm.models.swin_transformer import SwinTransformer, SwinTransformerBlock
from torch import Tensor, nn

from dmmi_core.errors import ModelError, one_line
from dmmi_core.model.swin_weights import fit_tables


class VisualEncoder(nn.Module):
    """A timm backbone as four stages, at strides 4, 8, 16 and 32.

    `channels` are the output widths of the stages. The caller runs them one by one:

        x = encoder.stem(image)                  # image (B, 3, H, W)
        for stage in encoder.stages:
            x = stage(x)                         # (B, C, H / stride, W / stride), rounded up

    Raises ModelError for a name that timm does not know and a family that is not supported.
    """

    def __init__(self, name: str, **kwargs: Any):
        super().__init__()
        self._create = partial(create_backbone, name, **kwargs)
        self.stem, self.stages, self.channels = _cut(self._create())

    def load_backbone(self, state: dict[str, Tensor]) -> None:
        """Load the weights of a whole timm model but for its head. Raises ModelError if they do not fit."""
        whole = self._create()
        body = {key: value for key, value in state.items() if not key.startswith(_HEADS)}
        body = fit_tables(body, whole.state_dict())
        try:
            missing, unexpected = whole.load_state_dict(body, strict=False)
        except RuntimeError as error:  # a shape differs
            raise ModelError(f"backbone weights do not fit: {one_line(error)}") from error
        missing = [key for key in missing if not key.startswith(_HEADS)]
        if missing or unexpected:
            raise ModelError(
                f"backbone weights do not fit: missing {missing[:3]}, unexpected {unexpected[:3]}"
            )
        stem, stages, _ = _cut(whole)
        self.stem.load_state_dict(stem.state_dict())
        self.stages.load_state_dict(stages.state_dict())


_HEADS = ("classifier.", "fc.", "head.", "conv_head.", "bn2.", "norm.")
"""Prefixes of the parameters after the last stage of timm models."""


def create_backbone(name: str, **kwargs: Any) -> nn.Module:
    """Return a whole timm model with random weights. Raises ModelError for a name that timm does not know."""
    if not timm.is_model(name):
        raise ModelError(f"timm has no model {name!r}")
    if name.startswith("swin_"):
        kwargs = {"strict_img_size": False, **kwargs}  # any image size, not just the pretraining one
    # These two arguments are fixed: a configuration must not make timm read or download a file.
    backbone = timm.create_model(name, pretrained=False, checkpoint_path="", **kwargs)
    for module in backbone.modules():
        if isinstance(module, SwinTransformerBlock):
            module.__class__ = _PadsFirst
        elif isinstance(module, PatchEmbed):
            # Pad with zeros at the right and at the bottom, to whole patches.
            module.dynamic_img_pad = True  # type: ignore[misc]
    return backbone


class _PadsFirst(SwinTransformerBlock):
    """Swin block that pads a map to whole windows before the cyclic shift, as Swin for dense prediction does.

    timm pads after the shift; its mask then lets positions at opposite borders attend to each other.
    """

    def _attn(self, x: Tensor) -> Tensor:
        """x (B, H, W, C) -> (B, H, W, C)."""
        height, width = x.shape[1:3]
        rows, columns = self.window_size
        padded = F.pad(x, (0, 0, 0, -width % columns, 0, -height % rows))
        return super()._attn(padded)[:, :height, :width]


def _cut(backbone: Any) -> tuple[nn.Module, nn.ModuleList, tuple[int, ...]]:
    """Return the stem, the stages and the stages' output widths. Raises ModelError for other families."""
    features = [f for f in backbone.feature_info if f["reduction"] >= 4]
    channels = tuple(f["num_chs"] for f in features)
    stem: nn.Module
    stages: list[nn.Module]
    if isinstance(backbone, SwinTransformer):
        stem = _ChannelsLast(backbone.patch_embed, first=True)
        stages = [_ChannelsLast(layer) for layer in backbone.layers]
    elif isinstance(backbone, ResNet):
        stem = nn.Sequential(backbone.conv1, backbone.bn1, backbone.act1, backbone.maxpool)
        stages = [backbone.get_submodule(f"layer{number}") for number in (1, 2, 3, 4)]
    elif isinstance(backbone, EfficientNet):
        ends = [int(f["module"].removeprefix("blocks.")) + 1 for f in features]
        stem = nn.Sequential(backbone.conv_stem, backbone.bn1)
        stages = [backbone.blocks[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    else:
        raise ModelError(
            f"{type(backbone).__name__} backbones are not supported: use Swin, ResNet or EfficientNet"
        )
    return stem, nn.ModuleList(stages), channels


class _ChannelsLast(nn.Module):
    """A (B, H, W, C) module of Swin, applied to (B, C, H, W) through views.

    The `first` module, the patch embedding, takes the image as (B, 3, H, W) already.
    """

    def __init__(self, module: nn.Module, *, first: bool = False):
        super().__init__()
        self.module = module
        self.first = first

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x if self.first else x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
