"""Computes with boxes: (N, 4) corners x0, y0, x1, y1, or x, y, width, height as in COCO."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float64]


def xyxy_of_xywh(boxes_xywh: ArrayLike) -> Boxes:
    """Return the corners x0, y0, x1, y1 of boxes x, y, width, height, float64 (N, 4) of (N, 4)."""
    boxes = np.asarray(boxes_xywh, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xywh_of_xyxy(boxes_xyxy: ArrayLike) -> Boxes:
    """Return x, y, width, height of boxes given by their corners, float64 (N, 4) of (N, 4)."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def iou(first_xyxy: ArrayLike, second_xyxy: ArrayLike) -> Boxes:
    """Return the intersection over union of each box of (N, 4) with each of (M, 4), float64 (N, M).

    It is 0 where both boxes have no area.
    """
    first = np.asarray(first_xyxy, np.float64).reshape(-1, 1, 4)
    second = np.asarray(second_xyxy, np.float64).reshape(1, -1, 4)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    union = _areas(first) + _areas(second) - shared
    return np.asarray(shared / np.maximum(union, np.finfo(np.float64).tiny))


def pixels_of(box_xyxy: Sequence[float], shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """Return the slices of rows and of columns that a box touches, or None for a box off the frame.

    Parameters
    ----------
    box_xyxy
        x0, y0, x1, y1; the first pixel spans 0 to 1.
    shape
        Height and width of the frame.
    """
    x0, y0 = (max(0, int(np.floor(value))) for value in box_xyxy[:2])
    x1, y1 = (
        min(size, int(np.ceil(value)))
        for size, value in zip((shape[1], shape[0]), box_xyxy[2:], strict=True)
    )
    return (slice(y0, y1), slice(x0, x1)) if x1 > x0 and y1 > y0 else None


def _areas(boxes_xyxy: Boxes) -> Boxes:
    """Return the areas of boxes (..., 4), 0 where a side is negative."""
    sides = np.clip(boxes_xyxy[..., 2:] - boxes_xyxy[..., :2], 0, None)
    return np.asarray(sides.prod(axis=-1))
