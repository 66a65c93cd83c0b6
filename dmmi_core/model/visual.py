"""timm backbones cut into a stem and four stages, so that fusion can step in between (paper 3.1.1)."""

from functools import partial

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
    """Four stages, at strides 4, 8, 16 and 32.

    `channels` are the widths of what the stages return. The caller runs them one by one:

        x = encoder.stem(image)                  # image (B, 3, H, W)
        for stage in encoder.stages:
            x = stage(x)                         # (B, C, H / stride, W / stride), rounded up
    """

    def __init__(self, name: str, **kwargs):
        super().__init__()
        self._create = partial(create_backbone, name, **kwargs)
        self.stem, self.stages, self.channels = _cut(self._create())

    def load_backbone(self, state: dict[str, Tensor]) -> None:
        """Copies weights of the whole timm model, not of its head. Raises ModelError if one is missing."""
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
"""What timm models have after their last stage."""


def create_backbone(name: str, **kwargs) -> nn.Module:
    """The whole timm model, without weights. Raises ModelError for what timm does not know."""
    if not timm.is_model(name):
        raise ModelError(f"timm has no model {name!r}")
    if name.startswith("swin_"):
        kwargs = {"strict_img_size": False, **kwargs}  # any image size, not just the pretraining one
    # What is fixed here cannot be an argument: a configuration must not make timm read or load a file.
    backbone = timm.create_model(name, pretrained=False, checkpoint_path="", **kwargs)
    for module in backbone.modules():
        if isinstance(module, SwinTransformerBlock):
            module.__class__ = _PadsFirst
        elif isinstance(module, PatchEmbed):
            module.dynamic_img_pad = True  # zeros at the right and at the bottom, to whole patches
    return backbone


class _PadsFirst(SwinTransformerBlock):
    """Pads a map to whole windows before the cyclic shift, as Swin for dense prediction does.

    timm pads afterwards; then its mask lets positions of opposite borders see each other.
    """

    def _attn(self, x: Tensor) -> Tensor:
        """x (B, H, W, C)."""
        height, width = x.shape[1:3]
        rows, columns = self.window_size
        padded = F.pad(x, (0, 0, 0, -width % columns, 0, -height % rows))
        return super()._attn(padded)[:, :height, :width]


def _cut(backbone: nn.Module) -> tuple[nn.Module, nn.ModuleList, tuple[int, ...]]:
    features = [f for f in backbone.feature_info if f["reduction"] >= 4]
    channels = tuple(f["num_chs"] for f in features)
    if isinstance(backbone, SwinTransformer):
        stem = backbone.patch_embed
        return _ChannelsLast(stem, first=True), nn.ModuleList(map(_ChannelsLast, backbone.layers)), channels
    if isinstance(backbone, ResNet):
        stem = nn.Sequential(backbone.conv1, backbone.bn1, backbone.act1, backbone.maxpool)
        stages = [backbone.layer1, backbone.layer2, backbone.layer3, backbone.layer4]
        return stem, nn.ModuleList(stages), channels
    if isinstance(backbone, EfficientNet):
        ends = [int(f["module"].removeprefix("blocks.")) + 1 for f in features]
        stages = [backbone.blocks[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        return nn.Sequential(backbone.conv_stem, backbone.bn1), nn.ModuleList(stages), channels
    raise ModelError(
        f"{type(backbone).__name__} backbones are not supported: use Swin, ResNet or EfficientNet"
    )


class _ChannelsLast(nn.Module):
    """Runs a (B, H, W, C) module of Swin on (B, C, H, W); only views are made."""

    def __init__(self, module: nn.Module, first: bool = False):
        super().__init__()
        self.module = module
        self.first = first  # the patch embedding takes the image as it is

    def forward(self, x: Tensor) -> Tensor:
        return self.module(x if self.first else x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
