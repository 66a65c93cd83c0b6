"""1x1 convolution and instance norm over the positions: how MBA projects the image, as released."""

from torch import Tensor, nn


class PositionNorm(nn.InstanceNorm2d):
    """Instance norm over the positions of (B, C, H, W), without parameters; a single position becomes 0."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.shape[2:].numel() > 1 else x - x  # PyTorch's refuses a single one


class Projection(nn.Sequential):
    """x (B, C, H, W) -> P (B, D, H, W), normalised for each sample and channel."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(nn.Conv2d(inputs, outputs, 1), PositionNorm(outputs))

    def products(self, query: Tensor, x: Tensor) -> Tensor:
        """query (B, L, D), x (B, C, H, W) -> query P, (B, L, N), of all N = H W positions."""
        return query @ self(x).flatten(2)

    def gathered(self, weights: Tensor, x: Tensor) -> Tensor:
        """weights (B, L, N), x (B, C, H, W) -> sums over the positions, weights P^T, (B, L, D)."""
        return weights @ self(x).flatten(2).transpose(1, 2)
