"""The encoder of one modality: strided convolutions, whose scales are joined at stride 4."""

import torch
from torch import Tensor, nn

STRIDE = 4
"""Input pixels per cell of the feature maps, a side."""


class ConvBlock(nn.Sequential):
    """3x3 convolution, group normalisation, activation.

    Normalisation is by 8 groups, which divide every width, and not by batch: pairs do not change each other.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.GroupNorm(8, outputs),
            nn.SiLU(inplace=True),
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(ConvBlock(channels, channels), ConvBlock(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the input's shape, (B, C, H, W)."""
        out: Tensor = x + self.body(x)
        return out


class Encoder(nn.Module):
    """Turns an image (B, inputs, H, W) into features (B, 2 · channels, H / 4, W / 4)."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        c = channels
        self.outputs = 2 * c
        self.stem = nn.Sequential(
            ConvBlock(inputs, c, 2), ConvBlock(c, 2 * c, 2), ResidualBlock(2 * c)
        )
        self.middle = nn.Sequential(ConvBlock(2 * c, 3 * c, 2), ResidualBlock(3 * c))
        self.deep = nn.Sequential(
            ConvBlock(3 * c, 4 * c, 2), ResidualBlock(4 * c), ResidualBlock(4 * c)
        )
        self.from_deep = nn.Conv2d(4 * c, 3 * c, 1)
        self.from_middle = nn.Conv2d(3 * c, 2 * c, 1)
        self.smooth = ConvBlock(2 * c, 2 * c)

    def forward(self, image: Tensor) -> Tensor:
        """Return the features of a batch."""
        fine = self.stem(image)
        middle = self.middle(fine)
        deep = self.deep(middle)
        middle = middle + upsample(self.from_deep(deep), middle)
        out: Tensor = self.smooth(fine + upsample(self.from_middle(middle), fine))
        return out


def upsample(x: Tensor, like: Tensor) -> Tensor:
    """Return a map with its pixels repeated to the height and width of another."""
    return torch.nn.functional.interpolate(x, size=like.shape[-2:], mode="nearest")
