"""The detector: infrared says where a hotspot is, visible says what causes it, and each helps the other.

Localisation works on infrared features plus a gated share of the visible ones; classification works on visible
features plus a gated share of the infrared ones, pooled over each box. A gate says at each place how much the
other modality adds.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dd_livm_core.model.encoders import ConvBlock, Encoder
from dd_livm_core.model.fusion import GatedResidual
from dd_livm_core.model.pooling import pool
from dd_livm_core.records import DEFECT_CLASSES, EXTERNAL_DEFECTS, HOTSPOT_SHAPES

VISIBLE_TYPES = len(EXTERNAL_DEFECTS) + 1
"""Classes of stage 2, learnt from the visible image alone: each external defect, and all internal faults as one."""
EMBEDDING, HIDDEN = 32, 64
"""Width of the contrastive embeddings, and of the heads' hidden layer; small as the encoders are, chosen."""
RARE_CENTRE_LOGIT = -4.0
"""First bias of the centre logits, a score of 2 %: hotspots are rare (Lin et al., Focal Loss, ICCV 2017, sec. 3.3)."""
FIRST_SIDE = 1.5
"""First bias of the sides, softplus of which is 1.7 cells: first boxes are 14 pixels wide, a small hotspot. Chosen."""
UNCHOSEN_THRESHOLD = 0.3
"""Operating threshold until `choose_threshold` gives one; arbitrary."""
SIZE_UNIT = 20
"""Box sides enter the heads as log(20 · side / frame width): about 0 for a PV module, so that values stay small."""


@dataclass(frozen=True)
class Architecture:
    """What is needed to build the network again.

    Attributes
    ----------
    channels
        Width of the encoders' first layer; deeper ones are 2 to 4 times as wide.
    """

    input_width_px: int
    input_height_px: int
    channels: int


@dataclass
class Maps:
    """Feature maps and dense outputs of a batch, at stride 4.

    Attributes
    ----------
    localisation, classification
        (B, C, h, w) features for where a hotspot is, and for what it is; h and w are the input's over 4.
    centre
        (B, 1, h, w) logits that a cell holds a hotspot's centre.
    sides
        (B, 4, h, w) distances from a cell's centre to the box's left, upper, right and lower side, in cells.
    """

    localisation: Tensor
    classification: Tensor
    centre: Tensor
    sides: Tensor


class Detector(nn.Module):
    """Two encoders, two gated residuals, and the heads on them.

    Its attributes' names are those of the weights in its file. ``threshold`` is the operating threshold, 0 to 1.
    """

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
        self.external_head = _head(width, VISIBLE_TYPES)
        self.class_head = _head(2 * width + 2, len(DEFECT_CLASSES))
        self.shape_embedding = nn.Linear(width, EMBEDDING)
        self.type_embedding = nn.Linear(width, EMBEDDING)

    def maps(self, infrared: Tensor, visible: Tensor | None) -> Maps:
        """Return the feature maps and dense outputs of a batch.

        Parameters
        ----------
        infrared
            (B, 2, H, W) float32, as `network_input.encode` makes it.
        visible
            (B, 3, H, W) float32, or None in stage 1: both feature maps are then those of infrared.
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
        """Return logits of ``DEFECT_CLASSES``, (N, classes), of boxes; parameters as of `pooling.pool`."""
        features = [
            pool(maps.classification, boxes, pair_index),
            pool(maps.localisation, boxes, pair_index),
            self._extent(boxes),
        ]
        out: Tensor = self.class_head(torch.cat(features, 1))
        return out

    def shape_logits(self, localisation: Tensor, boxes: Tensor, pair_index: Tensor) -> Tensor:
        """Return logits of ``HOTSPOT_SHAPES``, (N, shapes), of boxes; parameters as of `pooling.pool`."""
        out: Tensor = self.shape_head(
            torch.cat([pool(localisation, boxes, pair_index), self._extent(boxes)], 1)
        )
        return out

    def _extent(self, boxes: Tensor) -> Tensor:
        """Return the logarithms of the boxes' width and height, (N, 2), in the unit of ``SIZE_UNIT``."""
        size = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1) / self.architecture.input_width_px
        return torch.log(size * SIZE_UNIT)


def _head(inputs: int, outputs: int) -> nn.Sequential:
    """Return a head with one hidden layer."""
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, outputs))
