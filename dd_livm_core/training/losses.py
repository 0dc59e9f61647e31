"""Losses of the three stages."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from dd_livm_core.model.encoders import STRIDE

TEMPERATURE = 0.2
"""Divides the similarities of the contrast. The source has 0.1 with batches of thousands; softer here. Chosen."""
GAUSSIAN_SHARE = 0.18
"""Standard deviation of a label's peak on the centre map, as a share of its box: it fades inside the box. Chosen."""
LEAST_SPREAD_CELLS = 0.6
"""Least standard deviation of a peak: the neighbours of a small label's centre still get a share. Chosen."""
LEARNING_PEAK = 0.3
"""Cells where a peak is higher than this learn the sides of its box. Chosen."""


def supervised_contrastive(embedding: Tensor, labels: Tensor) -> Tensor:
    """Return the loss that pulls embeddings of one label together and away from the others.

    Parameters
    ----------
    embedding
        (N, D).
    labels
        (N,) int64; those below 0 take no part.

    Returns
    -------
    A scalar; 0 where no two embeddings share a label.

    Source: Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, eq. 2.
    """
    kept = labels >= 0
    z, y = F.normalize(embedding[kept], dim=1), labels[kept]
    same = (y[:, None] == y[None]) & ~torch.eye(len(y), dtype=torch.bool, device=y.device)
    anchors = same.any(1)
    if not bool(anchors.any()):
        return embedding.sum() * 0
    logits = z @ z.T / TEMPERATURE
    itself = torch.eye(len(y), dtype=torch.bool, device=y.device)
    log_share = logits - torch.logsumexp(logits.masked_fill(itself, -1e9), 1, keepdim=True)
    mean = (log_share * same).sum(1)[anchors] / same.sum(1)[anchors]
    return -mean.mean()


def centre_targets(boxes: list[Tensor], shape: tuple[int, int]) -> Tensor:
    """Return each pair's map with a Gaussian peak of 1 at every label's centre cell, float32 (B, 1, h, w).

    Centres outside the frame peak at its edge.

    Parameters
    ----------
    boxes
        One tensor (n, 4) per pair: x0, y0, x1, y1 in input pixels.
    shape
        Height h and width w of the map, in cells.

    Source: Zhou et al., Objects as Points, 2019, sec. 3; the spread follows the box in each direction.
    """
    height, width = shape
    target = torch.zeros((len(boxes), 1, height, width))
    ys, xs = torch.arange(height, dtype=torch.float32), torch.arange(width, dtype=torch.float32)
    for number, of_pair in enumerate(boxes):
        for x0, y0, x1, y1 in (of_pair / STRIDE).tolist():
            cx = min(max(math.floor((x0 + x1) / 2), 0), width - 1)
            cy = min(max(math.floor((y0 + y1) / 2), 0), height - 1)
            spread = [max(GAUSSIAN_SHARE * side, LEAST_SPREAD_CELLS) for side in (x1 - x0, y1 - y0)]
            peak = torch.exp(-((ys - cy) ** 2) / (2 * spread[1] ** 2))[:, None] * torch.exp(
                -((xs - cx) ** 2) / (2 * spread[0] ** 2)
            )
            target[number, 0] = torch.maximum(target[number, 0], peak)
    return target


def centre_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the penalty-reduced focal loss of the centre map over the number of centre cells, a scalar.

    Parameters
    ----------
    logits
        (B, 1, h, w).
    target
        (B, 1, h, w) of `centre_targets`.

    Source: Law and Deng, CornerNet, ECCV 2018, eq. 1, with its exponents 2 and 4.
    """
    p = torch.sigmoid(logits).clamp(1e-5, 1 - 1e-5)  # keeps the logarithms finite
    hit = target >= 0.999  # peaks are 1
    positive = -((1 - p) ** 2) * torch.log(p) * hit
    negative = -(p**2) * torch.log(1 - p) * (1 - target) ** 4 * ~hit
    return (positive.sum() + negative.sum()) / max(1, int(hit.sum()))


def side_loss(sides: Tensor, boxes: list[Tensor], target: Tensor) -> Tensor:
    """Return the mean of 1 - GIoU over the boxes predicted by cells near a label's centre, a scalar; 0 without labels.

    Each cell learns the box whose centre is nearest in units of its half sides. ``target`` weights the mean.

    Parameters
    ----------
    sides
        (B, 4, h, w), as in `Maps`.
    boxes
        One tensor (n, 4) per pair: x0, y0, x1, y1 in input pixels.
    target
        (B, 1, h, w) of `centre_targets`.

    Source: Rezatofighi et al., Generalized Intersection over Union, CVPR 2019.
    """
    losses: list[Tensor] = []
    weights: list[Tensor] = []
    for number, of_pair in enumerate(boxes):
        if not len(of_pair):
            continue
        ys, xs = torch.nonzero(target[number, 0] > LEARNING_PEAK, as_tuple=True)
        centre = torch.stack([xs, ys], 1).float() * STRIDE + (STRIDE - 1) / 2
        middles = (of_pair[:, :2] + of_pair[:, 2:]) / 2
        halves = (of_pair[:, 2:] - of_pair[:, :2]) / 2
        nearest = (
            (((centre[:, None] - middles[None]) / halves[None].clamp(min=STRIDE)) ** 2)
            .sum(-1)
            .argmin(1)
        )
        distances = sides[number, :, ys, xs].T * STRIDE
        predicted = torch.cat([centre - distances[:, :2], centre + distances[:, 2:]], 1)
        losses.append(1 - generalised_iou(predicted, of_pair[nearest]))
        weights.append(target[number, 0, ys, xs])
    if not losses:
        return sides.sum() * 0
    loss, weight = torch.cat(losses), torch.cat(weights)
    return (loss * weight).sum() / weight.sum()


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """Return the generalised IoU of each box with the box of the same row, (N,) of (N, 4) and (N, 4), -1 to 1."""
    shared = (
        torch.minimum(first[:, 2:], second[:, 2:]) - torch.maximum(first[:, :2], second[:, :2])
    ).clamp(min=0)
    hull = torch.maximum(first[:, 2:], second[:, 2:]) - torch.minimum(first[:, :2], second[:, :2])
    areas = [(b[:, 2:] - b[:, :2]).clamp(min=0).prod(1) for b in (first, second)]
    union = (areas[0] + areas[1] - shared.prod(1)).clamp(min=1e-6)
    around = hull.prod(1).clamp(min=1e-6)
    return shared.prod(1) / union - (around - union) / around
