"""Turn the network's dense outputs into candidate boxes, and drop those that overlap a better one."""

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
"""Most candidates of a frame: several times as many as a frame shows hotspots. Bounds the heads' time. Chosen."""
NMS_IOU = 0.45
"""IoU above which the lower of two boxes is dropped: a little below the 0.5 from which a box lies on a label.
Chosen, not measured."""
LEAST_SCORE = 0.02
"""Centre scores up to it are dropped: final scores are no higher, and operating thresholds start at 0.05."""


def decode(maps: Maps) -> tuple[Tensor, Tensor]:
    """Return each pair's K best candidates, one for each peak of the centre map, best first.

    Returns
    -------
    Boxes, float32 (B, K, 4): x0, y0, x1, y1 in input pixels, which may reach over the frame; and their scores, float32
    (B, K), 0 to 1. K is ``CANDIDATES``, or the number of cells where there are fewer; cells that are no peak score 0.
    """
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
    """Return which boxes no better box overlaps by more than ``NMS_IOU`` (non-maximum suppression), best first.

    Parameters
    ----------
    boxes_xyxy
        (N, 4) x0, y0, x1, y1.
    scores
        (N,); those up to ``LEAST_SCORE`` are left out.

    Returns
    -------
    Indices into the boxes, int64 (n,).
    """
    boxes = xywh_of_xyxy(boxes_xyxy).tolist()
    kept = cv2.dnn.NMSBoxes(boxes, scores.tolist(), LEAST_SCORE, NMS_IOU)
    return np.asarray(kept, np.int64).reshape(-1)
