"""NanoDet-Plus-m, a detector of COCO's 80 categories: ShuffleNetV2, Ghost-PAN and a head for each stride.

NanoDet-Plus is by RangiLyu (2021), ShuffleNetV2 by Ma et al. (2018), Ghost modules by Han et al. (2020).
Batch norms are folded into the convolutions. The network uses it frozen, as a second visual encoder.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 80
BINS = 8
"""Bins of the distribution of each distance from a position to a side of its box."""
WIDTH = 96
"""Channels of the pyramid and of the heads."""
STRIDES = (8, 16, 32, 64)
MEAN, SCALE = (123.675, 116.28, 103.53), (0.017125, 0.017507, 0.017429)
"""Normalisation of RGB in [0, 255], as published: (image - mean) * scale."""


class DetectorLevel(NamedTuple):
    """Output of the detector at one stride."""

    features: Tensor
    """(B, 96, h, w), the input of the head's last convolution."""
    classes: Tensor
    """Class logits (B, 80, h, w), in COCO's order of the categories."""
    boxes: Tensor
    """(B, 32, h, w), logits of 8 bins for left, top, right and bottom. A distance is the stride times the
    expected bin."""


class NanoDet(nn.Module):
    """Backbone, pyramid and heads; box decoding and non-maximum suppression are not needed here."""

    mean: Tensor
    scale: Tensor

    def __init__(self):
        super().__init__()
        self.stem = _conv(3, 24, 3, stride=2)
        self.stages = nn.ModuleList((_stage(24, 116, 4), _stage(116, 232, 8), _stage(232, 464, 4)))
        self.pyramid = GhostPyramid((116, 232, 464))
        self.heads = nn.ModuleList(
            nn.Sequential(_separable(WIDTH, WIDTH), _separable(WIDTH, WIDTH)) for _ in STRIDES
        )
        self.scores = nn.ModuleList(nn.Conv2d(WIDTH, CLASSES + 4 * BINS, 1) for _ in STRIDES)
        for name, values in (("mean", MEAN), ("scale", SCALE)):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[DetectorLevel]:
        """image RGB in [0, 1], (B, 3, H, W), sides multiples of 32 -> one level for each of STRIDES."""
        x = F.max_pool2d(self.stem((255 * image - self.mean) * self.scale), 3, stride=2, padding=1)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        levels = []
        for level, head, score in zip(self.pyramid(maps), self.heads, self.scores, strict=True):
            features = head(level)
            classes, boxes = score(features).split((CLASSES, 4 * BINS), dim=1)
            levels.append(DetectorLevel(features, classes, boxes))
        return levels


class GhostPyramid(nn.Module):
    """Ghost-PAN: a top-down and a bottom-up path over strides 8, 16 and 32, and a coarsest level of 64."""

    def __init__(self, channels: tuple[int, int, int]):
        super().__init__()
        self.reduce = nn.ModuleList(_conv(inputs, WIDTH, 1) for inputs in channels)
        self.top_down = nn.ModuleList(Ghost() for _ in range(2))
        self.shrink = nn.ModuleList(_separable(WIDTH, WIDTH, stride=2) for _ in range(2))
        self.bottom_up = nn.ModuleList(Ghost() for _ in range(2))
        self.coarsest = nn.ModuleList(_separable(WIDTH, WIDTH, stride=2) for _ in range(2))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """maps of strides 8, 16, 32 -> maps of strides 8, 16, 32, 64, (B, 96, h, w)."""
        p8, p16, p32 = (reduce(x) for reduce, x in zip(self.reduce, maps, strict=True))
        up16 = self.top_down[0](torch.cat([_doubled(p32), p16], dim=1))
        out8 = self.top_down[1](torch.cat([_doubled(up16), p8], dim=1))
        out16 = self.bottom_up[0](torch.cat([self.shrink[0](out8), up16], dim=1))
        out32 = self.bottom_up[1](torch.cat([self.shrink[1](out16), p32], dim=1))
        return [out8, out16, out32, self.coarsest[0](p32) + self.coarsest[1](out32)]


class Ghost(nn.Module):
    """Ghost bottleneck: half of the channels of each step are depthwise convolutions of the other half."""

    def __init__(self):
        super().__init__()
        half = WIDTH // 2
        self.first, self.cheap = _conv(2 * WIDTH, half, 1), _depthwise(half, 3, act=True)
        self.second, self.cheap2 = _conv(WIDTH, half, 1, act=False), _depthwise(half, 3)
        self.shortcut = nn.Sequential(_depthwise(2 * WIDTH, 5), _conv(2 * WIDTH, WIDTH, 1, act=False))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 192, h, w) -> (B, 96, h, w)."""
        y = self.first(x)
        y = self.second(torch.cat([y, self.cheap(y)], dim=1))
        return torch.cat([y, self.cheap2(y)], dim=1) + self.shortcut(x)


class Shuffle(nn.Module):
    """ShuffleNetV2 unit: keeps one half of the channels, convolves the other, then shuffles both."""

    def __init__(self, channels: int):
        super().__init__()
        half = channels // 2
        self.right = nn.Sequential(_conv(half, half, 1), _depthwise(half, 3), _conv(half, half, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, h, w)."""
        kept, x = x.chunk(2, dim=1)
        return F.channel_shuffle(torch.cat([kept, self.right(x)], dim=1), 2)


class ShuffleDown(nn.Module):
    """ShuffleNetV2 unit of stride 2: both branches see all channels."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(_depthwise(inputs, 3, stride=2), _conv(inputs, half, 1))
        self.right = nn.Sequential(
            _conv(inputs, half, 1), _depthwise(half, 3, stride=2), _conv(half, half, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C', h / 2, w / 2)."""
        return F.channel_shuffle(torch.cat([self.left(x), self.right(x)], dim=1), 2)


def graph_order() -> Iterator[str]:
    """Yield the names of the convolutions of `NanoDet` in the order of the published graph."""
    yield "stem"
    for stage, units in enumerate((4, 8, 4)):
        yield from (
            f"stages.{stage}.0.{part}" for part in ("left.0", "right.0", "right.1", "left.1", "right.2")
        )
        yield from (f"stages.{stage}.{unit}.right.{part}" for unit in range(1, units) for part in range(3))
    ghost = ("first", "cheap", "second", "cheap2", "shortcut.0", "shortcut.1")
    yield "pyramid.reduce.2"
    for number, level in enumerate((1, 0)):
        yield f"pyramid.reduce.{level}"
        yield from (f"pyramid.top_down.{number}.{part}" for part in ghost)
    for number in range(2):
        yield from (f"pyramid.shrink.{number}.{part}" for part in range(2))
        yield from (f"pyramid.bottom_up.{number}.{part}" for part in ghost)
    yield from (f"pyramid.coarsest.{number}.{part}" for number in range(2) for part in range(2))
    yield from (f"heads.{level}.0.{part}" for level in range(4) for part in range(2))
    for level in (3, 2, 1, 0):
        yield from (f"heads.{level}.1.0", f"heads.{level}.1.1", f"scores.{level}")


class _Conv(nn.Conv2d):
    """A convolution and, if `act`, a leaky ReLU."""

    def __init__(self, *args: Any, act: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return F.leaky_relu(x, 0.1) if self.act else x


def _conv(
    inputs: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1, act: bool = True
) -> _Conv:
    return _Conv(inputs, outputs, side, stride=stride, padding=side // 2, groups=groups, act=act)


def _depthwise(channels: int, side: int, *, stride: int = 1, act: bool = False) -> _Conv:
    return _conv(channels, channels, side, stride=stride, groups=channels, act=act)


def _separable(inputs: int, outputs: int, *, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_depthwise(inputs, 5, stride=stride, act=True), _conv(inputs, outputs, 1))


def _stage(inputs: int, outputs: int, units: int) -> nn.Sequential:
    return nn.Sequential(ShuffleDown(inputs, outputs), *(Shuffle(outputs) for _ in range(units - 1)))


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
