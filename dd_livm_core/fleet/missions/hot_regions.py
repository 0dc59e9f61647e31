"""Which hot pixels of a frame are one label: a definition, and the fleet's own."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

Mask = NDArray[np.bool_]
Window = tuple[slice, slice]
_NEAR = 0.14
"""Parts closer than this share of a PV module's short side are one hotspot: less than a cell, whose heat
flows across the gap to the next one."""
_LEAF_K = -1.0
"""This much colder than the healthy PV module is a leaf, which hides heat and does not part it."""
_FRAME = 0.06
"""A frame's share of the short side; cold this close to the edge of a PV module is no leaf."""
_LEAF_EDGE_PX = 2
"""Between a leaf and the heat beside it the lens mixes both."""


@dataclass(frozen=True)
class HotRegion:
    """The hot pixels of one label.

    Parameters
    ----------
    window
        Rows and columns in the frame, tight.
    hot
        (h, w) bool: which pixels of the window.
    owner
        Number of the PV module they lie on.
    """

    window: Window
    hot: Mask
    owner: int


def hot_regions(
    excess_k: NDArray[np.float32], hot: Mask, owner: NDArray[np.int32], short_px: float
) -> list[HotRegion]:
    """Group hot pixels within each PV module: parts near each other are one, and parts beside one leaf.

    Parameters
    ----------
    excess_k
        (H, W) float32, in kelvin.
    hot
        (H, W) bool: over the threshold.
    owner
        (H, W) int32: number of the PV module under each pixel, -1 elsewhere.
    short_px
        Short side of a PV module.
    """
    leaf = (excess_k <= _LEAF_K) & ~_edges(owner, max(2, round(_FRAME * short_px)))
    near_px = int(_NEAR * short_px)
    margin = near_px + 3
    found: list[HotRegion] = []
    for number, tight in enumerate(find_objects(np.where(hot, owner + 1, 0))):
        if tight is None:
            continue
        around = tuple(slice(max(side.start - margin, 0), side.stop + margin) for side in tight)
        own = owner[around] == number
        group = _groups(hot[around] & own, leaf[around] & own, near_px)
        for index, inner in enumerate(find_objects(group), 1):
            if inner is not None:
                window = _shift(inner, around)
                found.append(HotRegion(window, group[inner] == index, number))
    return found


def _groups(hot: Mask, leaf: Mask, near_px: int) -> NDArray[np.int32]:
    """Number hot pixels (h, w) by the hotspot they belong to, from 1; 0 elsewhere."""
    linked = _close(hot, max(3, near_px) | 1)
    linked |= cv2.dilate(leaf.astype(np.uint8), _disk(_LEAF_EDGE_PX)) > 0
    _, group = cv2.connectedComponents(linked.astype(np.uint8))
    return np.where(hot, group, 0).astype(np.int32)


def _close(hot: Mask, diameter_px: int) -> Mask:
    """Fill gaps narrower than a disk; beyond the border is no heat, which OpenCV would assume."""
    wide = np.pad(hot, diameter_px).astype(np.uint8)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _disk(diameter_px // 2))
    return np.asarray(closed[diameter_px:-diameter_px, diameter_px:-diameter_px] > 0)


def _edges(owner: NDArray[np.int32], reach_px: int) -> Mask:
    """Return where PV modules end, and so many pixels around."""
    numbers, kernel = owner.astype(np.float32), _disk(reach_px)
    return np.asarray(cv2.dilate(numbers, kernel) != cv2.erode(numbers, kernel))


def _disk(radius_px: int) -> NDArray[np.uint8]:
    side = 2 * radius_px + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _shift(inner: tuple[slice, ...], outer: tuple[slice, ...]) -> Window:
    """Return a window within a window as a window of the frame."""
    rows, columns = (
        slice(part.start + whole.start, part.stop + whole.start)
        for part, whole in zip(inner, outer, strict=True)
    )
    return rows, columns
