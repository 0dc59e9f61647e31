"""Take features of boxes from the feature maps of a batch."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from dd_livm_core.model.encoders import STRIDE

POOL_POINTS = 5
"""Points a side at which a box's features are sampled. Chosen."""
CONTEXT = 1.3
"""Boxes are enlarged by this factor first: the cause may lie at the hotspot's edge. Chosen."""


def pool(features: Tensor, boxes: Tensor, pair_index: Tensor) -> Tensor:
    """Return each box's features: the mean over a grid of points in the enlarged box, (N, C).

    Parameters
    ----------
    features
        (B, C, h, w), of cells ``STRIDE`` input pixels wide.
    boxes
        (N, 4) x0, y0, x1, y1 in input pixels.
    pair_index
        (N,) int64: which pair of the batch each box lies in.
    """
    if len(boxes) == 0:
        return features.new_zeros((0, features.shape[1]))
    height, width = features.shape[-2:]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * CONTEXT
    steps = torch.linspace(-1, 1, POOL_POINTS, device=boxes.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = centre[:, None, None] + half[:, None, None] * torch.stack([x, y], -1)
    size = torch.tensor([width * STRIDE, height * STRIDE], device=boxes.device, dtype=boxes.dtype)
    grid = (2 * points + 1) / size - 1
    pooled = features.new_zeros((len(boxes), features.shape[1]))
    for number in torch.unique(pair_index).tolist():
        chosen = pair_index == number
        sampled = F.grid_sample(
            features[number : number + 1],
            grid[chosen].reshape(1, -1, POOL_POINTS, 2),
            align_corners=False,
        )
        pooled[chosen] = (
            sampled.reshape(features.shape[1], -1, POOL_POINTS * POOL_POINTS).mean(-1).T
        )
    return pooled


def stack_boxes(boxes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the boxes (n, 4) of each pair joined to (N, 4), and which pair each one lies in, int64 (N,)."""
    pair_index = torch.cat(
        [torch.full((len(b),), number, dtype=torch.long) for number, b in enumerate(boxes)]
    )
    return torch.cat([b.reshape(-1, 4) for b in boxes]), pair_index
