"""Outlines of hotspots: which pixels belong together."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from dd_livm_core.hotspots.shapes import HotspotLimits, body, hotspot_shape
from dd_livm_core.panels.module_level import over_own_level, without_rims
from dd_livm_core.panels.module_map import pv_module_map
from dd_livm_core.records import HotspotShape

Mask = NDArray[np.bool_]
_FRAME = 0.06
"""A frame's share of the width; cold this close to the edge of a PV module is no leaf."""
_SINGLE = 1.4
"""A larger piece, in areas of a PV module, is more than one."""
_LEAF_EDGE_PX = 2
"""Between a leaf and the heat beside it the lens mixes both."""


@dataclass(frozen=True)
class Region:
    """One hotspot of one PV module.

    Parameters
    ----------
    window
        Rows and columns in the frame, tight around ``hot``.
    hot
        (h, w) bool: pixels over the threshold.
    outline
        (h, w) bool: closed outline at half of the hotspot's own level.
    shape
        Its name.
    """

    window: tuple[slice, slice]
    hot: Mask
    outline: Mask
    shape: HotspotShape


def regions(
    excess: NDArray[np.float32],
    hot: Mask,
    cold: Mask,
    modules: NDArray[np.int32],
    pv_module_px: tuple[float, float],
    limits: HotspotLimits,
) -> list[Region]:
    """Group hot pixels within each PV module: what a frame parts is two hotspots, what a leaf covers is one.

    Parameters
    ----------
    excess
        (H, W) float32.
    hot, cold
        (H, W) bool: over the threshold, and colder than any panel.
    modules
        (H, W) int32: number of the PV module from 1, 0 elsewhere.
    pv_module_px
        Short and long side of a PV module.
    limits
        Distances and shapes.
    """
    join_px = limits.join * pv_module_px[0]
    leaf = cold & ~_seams(modules, max(2, round(_FRAME * pv_module_px[0])))
    # Where several PV modules hang together, their frames would pass for one leaf.
    single = np.bincount(modules.ravel()) <= _SINGLE * pv_module_px[0] * pv_module_px[1]
    leaf &= single[modules]
    found: list[Region] = []
    for number, tight in enumerate(find_objects(np.where(hot, modules, 0)), 1):
        if tight is None:
            continue
        near = widened((tight[0], tight[1]), int(join_px) + 3)
        own = modules[near] == number
        for window, member in hot_groups(hot[near] & own, leaf[near] & own, join_px):
            inner = _closed(body(excess[near][window], member), _side(join_px))
            shape = hotspot_shape(inner, *pv_module_px, limits, leaf[near][window])
            found.append(Region(_shifted(window, near), member, inner, shape))
    return found


def hot_groups(hot: Mask, leaf: Mask, join_px: float) -> list[tuple[tuple[slice, slice], Mask]]:
    """Part hot pixels into hotspots: parts near each other are one, and parts beside one leaf.

    Parameters
    ----------
    hot, leaf
        (H, W) bool.
    join_px
        Parts up to this far from each other are near.

    Returns
    -------
    The window of each hotspot, tight, and its hot pixels within.
    """
    kernel = _disk(2 * _LEAF_EDGE_PX + 1)
    linked = _closed(hot, _side(join_px)) | (cv2.dilate(leaf.astype(np.uint8), kernel) > 0)
    _, group = cv2.connectedComponents(linked.astype(np.uint8))
    label: NDArray[np.int32] = np.where(hot, group, 0).astype(np.int32)
    return [
        ((tight[0], tight[1]), label[tight] == number)
        for number, tight in enumerate(find_objects(label), 1)
        if tight is not None
    ]


def candidates(
    values: NDArray[np.float32],
    mask: Mask,
    faces: Mask,
    sigma: float,
    radiometric: bool,
    pv_module_px: tuple[float, float],
    limits: HotspotLimits,
    by_pv_module: bool,
) -> tuple[list[Region], NDArray[np.float32]]:
    """Return hot regions, and the excess over what is normal for each PV module, which they were found in.

    Stripes and blocks count already at a lower contrast than small ones.
    """
    module_px2 = pv_module_px[0] * pv_module_px[1]
    floor, hidden_floor = (limits.threshold_k, limits.hidden_k) if radiometric else (0.0, 0.0)
    warm = max(limits.wide_sigma * sigma, floor)
    if warm <= 0:
        return [], values
    modules, within = mask.astype(np.int32), sigma
    if by_pv_module:
        modules = pv_module_map(values, mask, pv_module_px)
        values, levels, within = over_own_level(values, modules, faces, warm)
        if not radiometric:
            values = without_rims(values, modules, levels, pv_module_px[0])
    # Sharpening and compression of plain images leave bright rims that no spread within tells.
    sigma = within if radiometric else sigma
    least = max(limits.threshold_sigma * sigma, warm)
    least_wide = max(limits.wide_sigma * sigma, warm)
    cold = mask & (values <= -max(limits.hidden_sigma * sigma, hidden_floor))
    found: list[Region] = []
    taken = np.zeros(mask.shape, bool)
    if least_wide < least:
        for one in regions(
            values, mask & (values >= least_wide), cold, modules, pv_module_px, limits
        ):
            large = one.outline.sum() >= limits.wide_area * module_px2
            if large and one.shape in ("stripe", "block"):
                taken[one.window] |= one.hot
                found.append(one)
    for one in regions(values, mask & (values >= least), cold, modules, pv_module_px, limits):
        large = one.hot.sum() >= max(limits.min_area * module_px2, 2)
        if large and not (taken[one.window] & one.hot).any():
            found.append(one)
    return found, values


def widened(window: tuple[slice, slice], by_px: int) -> tuple[slice, slice]:
    """Return a window of rows and columns that reaches farther on every side, but never below zero."""
    rows, columns = window
    return (
        slice(max(rows.start - by_px, 0), rows.stop + by_px),
        slice(max(columns.start - by_px, 0), columns.stop + by_px),
    )


def box_xywh_px(window: tuple[slice, slice]) -> tuple[float, float, float, float]:
    """Return a window as a COCO box: the first pixel spans 0 to 1."""
    y, x = window
    return float(x.start), float(y.start), float(x.stop - x.start), float(y.stop - y.start)


def _shifted(inner: tuple[slice, slice], outer: tuple[slice, slice]) -> tuple[slice, slice]:
    """Return a window within a window as a window of the frame."""
    rows, columns = (
        slice(part.start + whole.start, part.stop + whole.start)
        for part, whole in zip(inner, outer, strict=True)
    )
    return rows, columns


def _seams(modules: NDArray[np.int32], reach_px: int) -> Mask:
    """Return where PV modules end, and a frame's width around."""
    numbers, kernel = modules.astype(np.float32), _disk(2 * reach_px + 1)
    return np.asarray(cv2.dilate(numbers, kernel) != cv2.erode(numbers, kernel))


def _side(join_px: float) -> int:
    return max(3, int(join_px)) | 1


def _closed(hot: Mask, side: int) -> Mask:
    """Fill gaps narrower than a disk; OpenCV takes the outside for hot unless the frame is widened first."""
    wide = cv2.copyMakeBorder(
        hot.astype(np.uint8), side, side, side, side, cv2.BORDER_CONSTANT, value=0
    )
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _disk(side))[side:-side, side:-side]
    return np.asarray(closed > 0)


def _disk(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
