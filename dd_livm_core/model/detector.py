"""The detector: infrared says where, visible says what, each adds a gated residual to the other.

Localisation works on infrared features plus a gated share of the visible ones; classification on visible
features plus a gated share of the infrared ones, pooled over each box. So each side keeps its one duty, and the
gates decide at each place how much the other modality adds.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dd_livm_core.model.encoders import ConvBlock, Encoder
from dd_livm_core.model.fusion import GatedResidual
from dd_livm_core.model.pooling import pool
from dd_livm_core.records import DEFECT_CLASSES, EXTERNAL_DEFECTS, HOTSPOT_SHAPES

EXTERNAL_OR_INTERNAL = len(EXTERNAL_DEFECTS) + 1
"""What the visible encoder tells in stage 2: three external types, and all internal faults as one."""
EMBEDDING, HIDDEN = 32, 64
"""Width of the contrastive embeddings, and of the heads' hidden layer; small, as the encoders are."""
RARE_CENTRE_LOGIT = -4.0
"""First logit of every centre: 2 % of cells, as hotspots are rare (Lin et al., Focal Loss, ICCV 2017, sec. 3.3)."""
FIRST_SIDE = 1.5
"""First logit of a box's sides: 1.7 cells, so that first boxes are about as large as small hotspots."""
UNCHOSEN_THRESHOLD = 0.3
"""Operating threshold until one is chosen on training sites."""
SIZE_UNIT = 20
"""Sizes enter the heads as logarithms in 1/20 of the frame's width, about a PV module: near 0, either sign."""


@dataclass(frozen=True)
class Architecture:
    """What is needed to build the network again: its input size and the width of its encoders."""

    input_width_px: int
    input_height_px: int
    channels: int


@dataclass
class Maps:
    """Feature maps and dense outputs of a batch, at stride 4.

    Attributes
    ----------
    localisation, classification
        (B, C, H, W) features: where, and what.
    centre
        (B, 1, H, W) logits of a hotspot's centre.
    sides
        (B, 4, H, W) distances from a cell to the left, upper, right and lower side, in cells.
    """

    localisation: Tensor
    classification: Tensor
    centre: Tensor
    sides: Tensor


class Detector(nn.Module):
    """Two encoders, two gated residuals, and the heads on them."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.threshold = UNCHOSEN_THRESHOLD
        self.infrared = Encoder(2, architecture.channels)
        self.visible = Encoder(3, architecture.channels)
        width = self.infrared.outputs
        self.where_residual, self.what_residual = GatedResidual(width), GatedResidual(width)
        self.tower = ConvBlock(width, width)
        self.centre = nn.Conv2d(width, 1, 3, padding=1)
        self.sides = nn.Conv2d(width, 4, 3, padding=1)
        nn.init.constant_(self.centre.bias, RARE_CENTRE_LOGIT)  # type: ignore[arg-type]
        nn.init.constant_(self.sides.bias, FIRST_SIDE)  # type: ignore[arg-type]
        self.shape_head = _head(width + 2, len(HOTSPOT_SHAPES))
        self.external_head = _head(width, EXTERNAL_OR_INTERNAL)
        self.class_head = _head(2 * width + 2, len(DEFECT_CLASSES))
        self.shape_embedding = nn.Linear(width, EMBEDDING)
        self.type_embedding = nn.Linear(width, EMBEDDING)

    def maps(self, infrared: Tensor, visible: Tensor | None) -> Maps:
        """Return the feature maps and dense outputs of a batch.

        Parameters
        ----------
        infrared
            (B, 2, H, W).
        visible
            (B, 3, H, W), or None in stage 1: nothing is then added to the infrared features.
        """
        own = self.infrared(infrared)
        if visible is None:
            localisation = classification = own
        else:
            other = self.visible(visible)
            localisation = self.where_residual(own, other)
            classification = self.what_residual(other, own)
        tower = self.tower(localisation)
        return Maps(localisation, classification, self.centre(tower), F.softplus(self.sides(tower)))

    def class_logits(self, maps: Maps, boxes: Tensor, pair_index: Tensor) -> Tensor:
        """Return logits (N, classes) of boxes (N, 4) in input pixels, in the pairs ``pair_index`` (N,)."""
        features = [
            pool(maps.classification, boxes, pair_index),
            pool(maps.localisation, boxes, pair_index),
            self._extent(boxes),
        ]
        out: Tensor = self.class_head(torch.cat(features, 1))
        return out

    def shape_logits(self, localisation: Tensor, boxes: Tensor, pair_index: Tensor) -> Tensor:
        """Return logits (N, shapes) of boxes (N, 4) in input pixels, in the pairs ``pair_index`` (N,)."""
        out: Tensor = self.shape_head(
            torch.cat([pool(localisation, boxes, pair_index), self._extent(boxes)], 1)
        )
        return out

    def _extent(self, boxes: Tensor) -> Tensor:
        """Return width and height of boxes (N, 4) as the heads take them, (N, 2)."""
        size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1) / self.architecture.input_width_px
        return torch.log(size * SIZE_UNIT)


def _head(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, outputs))
