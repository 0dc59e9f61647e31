"""Fusion of both encoders' features: each side keeps its duty, and a gate decides what the other adds."""

import torch
from torch import Tensor, nn

NEARLY_CLOSED = -2.0
"""First logit of every gate: it lets 12 % through, so that stage 3 begins near where stages 1 and 2 ended."""


class GatedResidual(nn.Module):
    """own + gate(own, other) · project(other), with one gate for all channels of a place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(2 * channels, 1, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, NEARLY_CLOSED)  # type: ignore[arg-type]

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        """Return features (B, C, H, W) of two such maps."""
        share = torch.sigmoid(self.gate(torch.cat([own, other], 1)))
        out: Tensor = own + share * self.project(other)
        return out
