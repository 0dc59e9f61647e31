"""The base model's network: from a frame's channels to dense maps at half of its size."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from dd_livm_core.base_model.backbone import CHANNELS, Encoder

STRIDE_PX = 2
"""Pixels of the input for one of the maps."""
WIDTHS = (96, 64, 40, 32)
"""Channels of the decoder, from a sixteenth of the input's size to a half. Chosen for 0.3 s a frame on one core."""
_PRIOR_LOGITS = (0.0, -3.0, -5.0, 0.0, 0.0, 0.0)
"""Of the head's outputs before training: hotspots are rare (Lin et al., Focal Loss, ICCV 2017)."""


@dataclass(frozen=True)
class DenseMaps:
    """The network's outputs, each (N, h, w) at half of the input's size.

    Attributes
    ----------
    panel, hot, centre
        Logits: the pixel belongs to a panel; to a hotspot's box; is the centre of one.
    log_width, log_height
        Natural logarithm of a hotspot's sides at its centre, in units of 4 px of the input.
    log_module
        Natural logarithm of the PV module's short side, in units of `MODULE_PX`.
    """

    panel: Tensor
    hot: Tensor
    centre: Tensor
    log_width: Tensor
    log_height: Tensor
    log_module: Tensor


def _separable(channels_in: int, channels_out: int) -> nn.Sequential:
    """Return a convolution that filters each channel in space, then mixes the channels (Chollet, Xception, 2017)."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, 3, 1, 1, groups=channels_in, bias=False),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU6(),
    )


class BaseNetwork(nn.Module):
    """Encoder, and a decoder that adds the features of each size (Lin et al., Feature Pyramid Networks, CVPR 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        sizes = tuple(reversed(CHANNELS))
        self.laterals = nn.ModuleList(
            nn.Conv2d(c, w, 1) for c, w in zip(sizes, WIDTHS, strict=True)
        )
        self.narrows = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in pairwise(WIDTHS))
        self.mixes = nn.ModuleList(
            nn.Sequential(_separable(w, w), _separable(w, w)) for w in WIDTHS
        )
        self.head = nn.Conv2d(WIDTHS[-1], len(_PRIOR_LOGITS), 1)
        with torch.no_grad():
            bias = self.head.bias
            assert bias is not None
            bias.copy_(torch.tensor(_PRIOR_LOGITS))

    def forward(self, channels: Tensor) -> DenseMaps:
        """Return the maps of float32 (N, 3, H, W), H and W multiples of 16."""
        half, quarter, eighth, sixteenth = self.encoder(channels)
        features = self.mixes[0](self.laterals[0](sixteenth))
        for n, finer in enumerate((eighth, quarter, half), 1):
            size = finer.shape[-2:]
            coarse = functional.interpolate(
                self.narrows[n - 1](features), size=size, mode="bilinear", align_corners=False
            )
            features = self.mixes[n](coarse + self.laterals[n](finer))
        return DenseMaps(*self.head(features).float().unbind(1))
