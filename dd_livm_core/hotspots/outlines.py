"""Which hot pixels are one hotspot, and where its outline runs."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.hotspots.shapes import hotspot_shape, keep_above_half_level
from dd_livm_core.panels.module_map import LARGEST_SINGLE
from dd_livm_core.panels.pv_module_px import PvModulePx
from dd_livm_core.records import HotspotShape

Mask = NDArray[np.bool_]
Window = tuple[slice, slice]
"""Rows and columns of an image."""

_FRAME = 0.06
"""Width of a frame in short sides of a PV module: what is cold this close to its edge is no leaf."""
_LEAF_EDGE_PX = 2
"""Width of the border in which the lens mixes a leaf with the heat beside it."""


@dataclass(frozen=True)
class Region:
    """One hotspot of one PV module.

    Attributes
    ----------
    window
        Place in the frame, tight around ``hot``.
    hot
        (h, w) bool: pixels over the threshold.
    outline
        (h, w) bool: those over half of the hotspot's own level, with gaps closed.
    shape
        Name of the outline's shape.
    """

    window: Window
    hot: Mask
    outline: Mask
    shape: HotspotShape


def regions(
    excess: NDArray[np.float32],
    hot: Mask,
    cold: Mask,
    pv_modules: NDArray[np.int32],
    pv_module: PvModulePx,
    limits: HotspotLimits,
) -> list[Region]:
    """Group the hot pixels of each PV module into hotspots.

    Pixels separated by the frame of a PV module are two hotspots; separated by a leaf, one.

    Parameters
    ----------
    excess
        (H, W) float32.
    hot, cold
        (H, W) bool: over the threshold, and colder than any panel.
    pv_modules
        (H, W) int32: number of the PV module from 1, 0 elsewhere.
    pv_module
        Size of a PV module.
    limits
        Distance up to which parts are one hotspot, and where one shape ends and the next begins.

    Returns
    -------
    Hotspots in the order of their PV modules' numbers.
    """
    join_px = limits.join * pv_module.short
    leaf = cold & ~_borders(pv_modules, max(2, round(_FRAME * pv_module.short)))
    # Where several PV modules share a number, their frames would pass for one leaf.
    single = np.bincount(pv_modules.ravel()) <= LARGEST_SINGLE * pv_module.short * pv_module.long
    leaf &= single[pv_modules]
    found: list[Region] = []
    for number, tight in enumerate(find_objects(np.where(hot, pv_modules, 0)), 1):
        if tight is None:
            continue
        near = widen((tight[0], tight[1]), int(join_px) + 3)
        own = pv_modules[near] == number
        for window, member in group_hot_pixels(hot[near] & own, leaf[near] & own, join_px):
            above = keep_above_half_level(excess[near][window], member)
            outline = _close_gaps(above, _odd_side(join_px))
            shape = hotspot_shape(outline, pv_module, limits, leaf[near][window])
            found.append(Region(_window_in_frame(window, near), member, outline, shape))
    return found


def group_hot_pixels(hot: Mask, leaf: Mask, join_px: float) -> list[tuple[Window, Mask]]:
    """Group hot pixels into hotspots: parts near each other are one, and so are parts beside one leaf.

    Parameters
    ----------
    hot, leaf
        (H, W) bool.
    join_px
        Parts up to this far from each other are near.

    Returns
    -------
    The window tight around each hotspot, and its hot pixels within, bool (h, w).
    """
    kernel = _disk(2 * _LEAF_EDGE_PX + 1)
    linked = _close_gaps(hot, _odd_side(join_px)) | (cv2.dilate(leaf.astype(np.uint8), kernel) > 0)
    _, group = cv2.connectedComponents(linked.astype(np.uint8))
    label: NDArray[np.int32] = np.where(hot, group, 0).astype(np.int32)
    return [
        ((tight[0], tight[1]), label[tight] == number)
        for number, tight in enumerate(find_objects(label), 1)
        if tight is not None
    ]


def widen(window: Window, by_px: int) -> Window:
    """Return a window that reaches farther on every side, but never below zero."""
    rows, columns = window
    return (
        slice(max(rows.start - by_px, 0), rows.stop + by_px),
        slice(max(columns.start - by_px, 0), columns.stop + by_px),
    )


def box_xywh_px(window: Window) -> tuple[float, float, float, float]:
    """Return a window as a COCO box (left, top, width, height): the first pixel spans 0 to 1."""
    y, x = window
    return float(x.start), float(y.start), float(x.stop - x.start), float(y.stop - y.start)


def _window_in_frame(inner: Window, outer: Window) -> Window:
    """Return a window of the frame from one within another window of the frame."""
    rows, columns = (
        slice(part.start + whole.start, part.stop + whole.start)
        for part, whole in zip(inner, outer, strict=True)
    )
    return rows, columns


def _borders(pv_modules: NDArray[np.int32], reach_px: int) -> Mask:
    """Return the pixels up to ``reach_px`` from where a PV module ends, bool (H, W)."""
    numbers, kernel = pv_modules.astype(np.float32), _disk(2 * reach_px + 1)
    return np.asarray(cv2.dilate(numbers, kernel) != cv2.erode(numbers, kernel))


def _odd_side(join_px: float) -> int:
    """Return the side in pixels of the disk that closes gaps up to ``join_px``: odd, at least 3."""
    return max(3, int(join_px)) | 1


def _close_gaps(hot: Mask, side: int) -> Mask:
    """Return hot pixels and the gaps between them that are narrower than a disk of so many pixels, bool (h, w)."""
    # OpenCV takes the outside for hot unless the image is widened first.
    wide = cv2.copyMakeBorder(
        hot.astype(np.uint8), side, side, side, side, cv2.BORDER_CONSTANT, value=0
    )
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _disk(side))[side:-side, side:-side]
    return np.asarray(closed > 0)


def _disk(side: int) -> NDArray[np.uint8]:
    """Return a disk of so many pixels across, uint8 (side, side)."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
