"""What is normal for a PV module: its own level, and the rims that sharpening draws along its edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.panels.baseline import robust_spread

Floats = NDArray[np.float32]

_SAMPLES = 20_000
_RIM = 0.15
"""How far from the edge sharpening reaches, in short sides of a PV module."""
_SIDES = 8
_RIM_PERCENTILE = 85.0
_WARM_LEVELS = 3.0
"""In spreads of the PV modules' levels."""
_COLDER_PERCENTILES, _COLDER_DEVIATIONS = (10.0, 30.0), 0.757
"""So many standard deviations lie between these percentiles of a normal distribution."""
LEAST_MODULES = 8
"""Fewer PV modules do not tell what is usual."""


def over_own_level(
    values: Floats, modules: NDArray[np.int32], faces: NDArray[np.bool_], warm: float
) -> tuple[Floats, Floats, float]:
    """Take off each PV module's own level where it is healthy, as PV modules differ among themselves.

    A PV module's level is the middle of its densest half: neither frames, leaves nor a warm
    substring move it. From ``warm`` on, and if it stands out of the others' levels, it is a fault
    of the whole PV module and stays.

    Parameters
    ----------
    values
        (H, W) float32 excess over the row.
    modules
        (H, W) int32 of :func:`dd_livm_core.panels.module_map.pv_module_map`.
    faces
        (H, W) bool: panels without their outer edges.
    warm
        Level of a PV module that is warm as a whole.

    Returns
    -------
    (H, W) float32, the levels that stay in it, and the standard deviation within PV modules.
    """
    flat = np.flatnonzero(faces)
    if not len(flat):
        return values, np.zeros_like(values), 0.0
    flat = flat[:: max(1, len(flat) // (2 * _SAMPLES))]
    number, sample = modules.ravel()[flat], values.ravel()[flat]
    order = np.lexsort((sample, number))
    number, sample = number[order], sample[order]
    known, start = np.unique(number, return_index=True)
    level = np.zeros(int(modules.max()) + 1, np.float32)
    for k, own in zip(known, np.split(sample, start[1:]), strict=True):
        half = max(1, len(own) // 2)
        width = own[half:] - own[: len(own) - half]
        first = int(np.argmin(width)) if len(width) else 0
        level[k] = np.median(own[first : first + half + 1])
    level[0] = 0
    spread = robust_spread(sample - level[number])
    if len(known) >= LEAST_MODULES:
        # From the colder PV modules alone: an open string may warm half of them and more.
        low, high = np.percentile(level[known], _COLDER_PERCENTILES)
        warm = max(warm, _WARM_LEVELS * float(high - low) / _COLDER_DEVIATIONS)
    kept = np.where(level < warm, level, np.float32(0))
    return values - kept[modules], (level - kept)[modules], spread


def without_rims(
    values: Floats, modules: NDArray[np.int32], levels: Floats, width_px: float
) -> Floats:
    """Take off how bright PV modules usually are at this distance from this side of their edge.

    Sharpening makes the glass beside a cold frame or cold ground look warm, and does so at every
    PV module. What 15 % of them reach there (the rest may be hidden by noise) passes for a rim, so
    a fault along the same edge of many PV modules is thinned by it.

    Parameters
    ----------
    values
        (H, W) float32 excess.
    modules
        (H, W) int32 of :func:`dd_livm_core.panels.module_map.pv_module_map`.
    levels
        (H, W) float32: level of the PV module under each pixel.
    width_px
        Short side of a PV module.
    """
    reach = max(3, round(_RIM * width_px))
    near, ring, rings = _rings(modules, reach)
    if not len(near):
        return values
    # One value per ring and PV module, so that one hot edge is one vote.
    count = int(modules.max()) + 1
    vote = ring * count + modules.ravel()[near]
    size = np.bincount(vote, minlength=rings * count)
    total = np.bincount(vote, (values - levels).ravel()[near], rings * count)
    mean = np.where(size > 0, total / np.maximum(size, 1), np.nan).reshape(rings, count)
    known = np.flatnonzero(np.isfinite(mean).sum(axis=1) >= LEAST_MODULES)
    rim = np.zeros(rings, np.float32)
    if len(known):
        rim[known] = np.maximum(np.nanpercentile(mean[known], _RIM_PERCENTILE, axis=1), 0)
    corrected = values.copy()
    corrected.ravel()[near] -= rim[ring]
    return corrected


def _rings(
    modules: NDArray[np.int32], reach_px: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return the flat indices of pixels near an edge, the number of each one's ring, and how many rings there are.

    A ring is one distance from the edge on one side of a PV module.
    """
    edge = (modules == 0).astype(np.uint8)
    edge[1:] |= modules[1:] != modules[:-1]
    edge[:, 1:] |= modules[:, 1:] != modules[:, :-1]
    distance, nearest = cv2.distanceTransformWithLabels(
        1 - edge, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    near = np.flatnonzero((modules > 0) & (distance <= reach_px))
    # Where the nearest pixel of an edge lies, by its label.
    edge_y, edge_x = np.nonzero(edge)
    place = np.zeros((2, len(edge_y) + 1), np.float32)
    place[:, nearest[edge_y, edge_x]] = edge_y, edge_x
    away = np.array(np.unravel_index(near, modules.shape)) - place[:, nearest.ravel()[near]]
    side = np.round(np.arctan2(*away) / (2 * np.pi / _SIDES)).astype(int) % _SIDES
    return (
        near,
        side * (reach_px + 1) + distance.ravel()[near].astype(int),
        _SIDES * (reach_px + 1),
    )
