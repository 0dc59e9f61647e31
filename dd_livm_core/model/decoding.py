"""From dense outputs to boxes."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from dd_livm_core.labels.boxes import xywh_of_xyxy
from dd_livm_core.model.detector import Maps
from dd_livm_core.model.encoders import STRIDE

CANDIDATES = 40
"""Boxes looked at in one frame: several times as many as frames show hotspots; bounds the time that heads take."""
NMS_IOU = 0.45
"""Boxes that overlap more are one hotspot: below the 0.5 from which a label counts as found, so that none is
found twice."""
LEAST_SCORE = 0.02
"""Below it no box is looked at: every operating threshold lies above."""


def decode(maps: Maps) -> tuple[Tensor, Tensor]:
    """Return candidate boxes (B, K, 4) in input pixels and their scores (B, K), best first."""
    score = torch.sigmoid(maps.centre)
    highest = score * (score == F.max_pool2d(score, 3, 1, 1))
    height, width = score.shape[2:]
    best, place = highest.flatten(1).topk(min(CANDIDATES, height * width))
    x, y = (place % width).float(), (place // width).float()
    sides = (
        maps.sides.flatten(2).gather(2, place[:, None].expand(-1, 4, -1)).transpose(1, 2) * STRIDE
    )
    centre = torch.stack([x, y], -1) * STRIDE + (STRIDE - 1) / 2
    return torch.cat([centre - sides[..., :2], centre + sides[..., 2:]], -1), best


def nms(boxes_xyxy: NDArray[np.float32], scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the boxes that no better one overlaps by more than ``NMS_IOU``, best first.

    Parameters
    ----------
    boxes_xyxy
        (N, 4).
    scores
        (N,); those up to ``LEAST_SCORE`` are left out.

    Returns
    -------
    int64 (n,) indices.
    """
    boxes = xywh_of_xyxy(boxes_xyxy).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, scores.tolist(), LEAST_SCORE, NMS_IOU)
    return np.asarray(kept, np.int64).reshape(-1)
