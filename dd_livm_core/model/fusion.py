"""Fusion of both encoders' features: a gate says how much of one is added to the other."""

import torch
from torch import Tensor, nn

NEARLY_CLOSED = -2.0
"""First bias of every gate, which lets 12 % through: stage 3 begins near where stages 1 and 2 ended. Chosen."""


class GatedResidual(nn.Module):
    """Returns own + gate(own, other) · project(other); the gate is one number per place, for all channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.project = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(2 * channels, 1, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, NEARLY_CLOSED)  # type: ignore[arg-type]

    def forward(self, own: Tensor, other: Tensor) -> Tensor:
        """Return the sum, (B, C, H, W), of two maps of that shape."""
        share = torch.sigmoid(self.gate(torch.cat([own, other], 1)))
        out: Tensor = own + share * self.project(other)
        return out
