"""The projection of image features in MBA: a 1x1 convolution and an instance norm, as released."""

from torch import Tensor, nn


class PositionNorm(nn.InstanceNorm2d):
    """Instance norm over the positions of (B, C, H, W), without parameters; a single position becomes 0."""

    def forward(self, x: Tensor) -> Tensor:
        # PyTorch's own norm raises an error for a single position.
        return super().forward(x) if x.shape[2:].numel() > 1 else x - x


class Projection(nn.Sequential):
    """x (B, C, H, W) -> P (B, D, H, W), normalised for each sample and channel."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(nn.Conv2d(inputs, outputs, 1), PositionNorm(outputs))

    def products(self, query: Tensor, x: Tensor) -> Tensor:
        """Return query P over the N = H W positions: query (B, L, D), x (B, C, H, W) -> (B, L, N)."""
        return query @ self(x).flatten(2)

    def gathered(self, weights: Tensor, x: Tensor) -> Tensor:
        """Return weights P^T, sums over the positions: weights (B, L, N), x (B, C, H, W) -> (B, L, D)."""
        return weights @ self(x).flatten(2).transpose(1, 2)
