"""Conversion of Swin weights from other code than timm's, or from another window size."""

import math
import re

import torch.nn.functional as F
from torch import Tensor

_BUFFERS = (".relative_position_index", ".attn_mask")
_TABLE = ".relative_position_bias_table"


def to_timm_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` under timm's names, without the buffers that follow from the window size.

    timm's stages begin with the patch merging that ends the previous stage in other code.
    """
    offset = int("layers.0.downsample.reduction.weight" in state)

    def renamed(key: str) -> str:
        return re.sub(r"^layers\.(\d)\.downsample", lambda m: f"layers.{int(m[1]) + offset}.downsample", key)

    return {renamed(key): value for key, value in state.items() if not key.endswith(_BUFFERS)}


def fit_tables(state: dict[str, Tensor], wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with its relative position tables resized to the window sizes of `wanted`."""
    return {
        key: _resized(value, len(wanted[key])) if key.endswith(_TABLE) and key in wanted else value
        for key, value in state.items()
    }


def _resized(table: Tensor, rows: int) -> Tensor:
    """Resize a table ((2 M - 1)^2, heads) of window size M bicubically to (rows, heads)."""
    if len(table) == rows:
        return table
    old, new = math.isqrt(len(table)), math.isqrt(rows)
    planes = table.T.reshape(1, -1, old, old)
    return F.interpolate(planes, size=(new, new), mode="bicubic", align_corners=False).flatten(2)[0].T
