"""What is normal for a PV module: its own level, and the rims that sharpening draws along its edges.

The limits were set by hand, none is fitted; `python -m benchmarks.augmentation` measures the hotspots that are found
above what is normal.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.panels.baseline import SAMPLED_PIXELS, robust_spread

Floats = NDArray[np.float32]

LEAST_PV_MODULES = 8
"""Fewer PV modules do not show the typical level, nor the typical rim."""
_RIM = 0.15
"""How far from the edge sharpening reaches, in short sides of a PV module."""
_SIDES = 8
"""Directions from the edge that are looked at separately: sharpening, light and cold ground differ among them."""
_RIM_PERCENTILE = 85.0
"""A rim is what this share of the PV modules stays below: in the others noise may hide it."""
_WARM_LEVELS = 3.0
"""A PV module is warm as a whole from this many standard deviations of the PV modules' levels on."""
_COLDER_PERCENTILES, _COLDER_DEVIATIONS = (10.0, 30.0), 0.757
"""Percentiles that give the levels' standard deviation: so many of it lie between them in a normal distribution."""


def subtract_module_level(
    values: Floats, pv_modules: NDArray[np.int32], faces: NDArray[np.bool_], warm: float
) -> tuple[Floats, Floats, float]:
    """Subtract each PV module's own level where it is healthy, as PV modules differ among themselves.

    A PV module's level is the median of its densest half: neither frames, leaves nor a warm substring move it. A level
    of at least ``warm`` that also stands out of the others' is a fault of the whole PV module and is not subtracted.

    Parameters
    ----------
    values
        (H, W) float32 excess over the row.
    pv_modules
        (H, W) int32 of :func:`dd_livm_core.panels.module_map.pv_module_map`.
    faces
        (H, W) bool: panels without their outer edges.
    warm
        Level of a PV module that is warm as a whole, in the unit of ``values``.

    Returns
    -------
    Excess over the subtracted levels, (H, W) float32; the levels that were not subtracted, (H, W) float32; the
    standard deviation within PV modules. The unit is that of ``values``.
    """
    flat = np.flatnonzero(faces)
    if not len(flat):
        return values, np.zeros_like(values), 0.0
    flat = flat[:: max(1, len(flat) // (2 * SAMPLED_PIXELS))]
    number, sample = pv_modules.ravel()[flat], values.ravel()[flat]
    order = np.lexsort((sample, number))
    number, sample = number[order], sample[order]
    known, start = np.unique(number, return_index=True)
    level = np.zeros(int(pv_modules.max()) + 1, np.float32)
    for k, own in zip(known, np.split(sample, start[1:]), strict=True):
        level[k] = _median_of_densest_half(own)
    level[0] = 0
    spread = robust_spread(sample - level[number])
    if len(known) >= LEAST_PV_MODULES:
        # From the colder PV modules alone: an open string may warm half of them and more.
        low, high = np.percentile(level[known], _COLDER_PERCENTILES)
        warm = max(warm, _WARM_LEVELS * float(high - low) / _COLDER_DEVIATIONS)
    subtracted = np.where(level < warm, level, np.float32(0))
    return values - subtracted[pv_modules], (level - subtracted)[pv_modules], spread


def _median_of_densest_half(ascending: Floats) -> np.float32:
    """Return the median of the half of sorted values that spans the least."""
    half = max(1, len(ascending) // 2)
    width = ascending[half:] - ascending[: len(ascending) - half]
    first = int(np.argmin(width)) if len(width) else 0
    return np.float32(np.median(ascending[first : first + half + 1]))


def subtract_sharpening_rims(
    values: Floats, pv_modules: NDArray[np.int32], levels: Floats, short_px: float
) -> Floats:
    """Subtract how bright PV modules typically are at this distance from this side of their edge.

    Sharpening makes the glass beside a cold frame or cold ground look warm, and does so at every PV module. The 85th
    percentile over the PV modules is taken as rim; a fault on the same edge of many PV modules is therefore
    underestimated. With fewer than ``LEAST_PV_MODULES`` nothing is subtracted.

    Parameters
    ----------
    values
        (H, W) float32 excess.
    pv_modules
        (H, W) int32 of :func:`dd_livm_core.panels.module_map.pv_module_map`.
    levels
        (H, W) float32: level of the PV module under each pixel.
    short_px
        Short side of a PV module.

    Returns
    -------
    (H, W) float32, unit of ``values``.
    """
    reach = max(3, round(_RIM * short_px))
    near, ring, rings = _rings(pv_modules, reach)
    if not len(near):
        return values
    # One value per ring and PV module, so that one hot edge is one vote.
    count = int(pv_modules.max()) + 1
    vote = ring * count + pv_modules.ravel()[near]
    size = np.bincount(vote, minlength=rings * count)
    total = np.bincount(vote, (values - levels).ravel()[near], rings * count)
    mean = np.where(size > 0, total / np.maximum(size, 1), np.nan).reshape(rings, count)
    known = np.flatnonzero(np.isfinite(mean).sum(axis=1) >= LEAST_PV_MODULES)
    rim = np.zeros(rings, np.float32)
    if len(known):
        rim[known] = np.maximum(np.nanpercentile(mean[known], _RIM_PERCENTILE, axis=1), 0)
    corrected = values.copy()
    corrected.ravel()[near] -= rim[ring]
    return corrected


def _rings(
    pv_modules: NDArray[np.int32], reach_px: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return the flat indices of pixels near an edge, (n,), the ring of each, (n,), and how many rings there are.

    A ring is one distance from the edge, in whole pixels, on one side of a PV module.
    """
    edge = (pv_modules == 0).astype(np.uint8)
    edge[1:] |= pv_modules[1:] != pv_modules[:-1]
    edge[:, 1:] |= pv_modules[:, 1:] != pv_modules[:, :-1]
    distance, nearest = cv2.distanceTransformWithLabels(
        1 - edge, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    near = np.flatnonzero((pv_modules > 0) & (distance <= reach_px))
    # Where the nearest pixel of an edge lies, by its label.
    edge_y, edge_x = np.nonzero(edge)
    place = np.zeros((2, len(edge_y) + 1), np.float32)
    place[:, nearest[edge_y, edge_x]] = edge_y, edge_x
    away = np.array(np.unravel_index(near, pv_modules.shape)) - place[:, nearest.ravel()[near]]
    side = np.round(np.arctan2(*away) / (2 * np.pi / _SIDES)).astype(int) % _SIDES
    return (
        near,
        side * (reach_px + 1) + distance.ravel()[near].astype(int),
        _SIDES * (reach_px + 1),
    )
