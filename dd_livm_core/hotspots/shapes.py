"""The shape of a hotspot, from its outline in units of a PV module."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.panels.pv_module_px import PvModulePx
from dd_livm_core.records import HotspotShape

Mask = NDArray[np.bool_]
_LEVEL_SHARE = 0.5
"""Blur moves the foot of an edge, but not its half height."""
_LEVEL_STEPS = 3
"""The level is the median of what is kept, which the level decides: both are updated in turn so many times."""
_MOST_SLICES, _LEAST_SLICE_PX = 12, 2
"""A hotspot is measured in so many slices, or fewer where they would be thinner."""
_EVEN = 0.4
"""A slice that departs from the median width by more than this share of it is uneven."""
_LEAST_OPEN = 0.5
"""A slice of which leaves hide more than the rest is not measured."""


@dataclass(frozen=True)
class Geometry:
    """Measures of a hotspot, of what no leaf hides.

    Attributes
    ----------
    area
        Share of a PV module's area.
    length
        Longer side of the smallest rectangle around it, in long sides of a PV module.
    width
        Median of the slices across that side, in short sides of a PV module: a fringe does not count.
    fill
        Mean of the slices over the shorter side of the rectangle, 0 to 1.
    evenness
        Share of the slices whose width is near the median, 0 to 1.
    aspect
        Length over width, both in pixels.
    """

    area: float
    length: float
    width: float
    fill: float
    evenness: float
    aspect: float


def keep_above_half_level(excess: NDArray[np.floating[Any]], hot: Mask) -> Mask:
    """Return the part of a hotspot above half of its own median level, bool (h, w).

    A threshold's contour grows with contrast and blur; the half level stays on the edge of what is heated, whatever
    the weather, the flight height and the lens.

    Parameters
    ----------
    excess
        (h, w) float.
    hot
        (h, w) bool, with at least one pixel set.
    """
    member = hot
    for _ in range(_LEVEL_STEPS):
        level = float(np.median(excess[member]))
        member = hot & (excess >= _LEVEL_SHARE * level)
    return member


def geometry(mask: Mask, pv_module: PvModulePx, hidden: Mask | None = None) -> Geometry:
    """Measure an outline, slice by slice along its longer side; parameters are those of :func:`hotspot_shape`."""
    rectangle = _enclosing_rectangle(mask)
    long_px, short_px = rectangle.long_px, max(rectangle.short_px, 1.0)
    hot_px = _slice_widths(mask, rectangle)
    open_px = np.full(len(hot_px), short_px)
    if hidden is not None and hidden.any():
        open_px -= _slice_widths(hidden & ~mask, rectangle)
    # A slice that leaves hide in part counts by the share that is hot of what is seen.
    known = open_px >= _LEAST_OPEN * short_px
    if not known.any():
        known[:] = True
    width_px = np.minimum(hot_px[known] / np.maximum(open_px[known], 1.0), 1.0) * short_px
    middle_px = float(np.median(width_px))
    return Geometry(
        area=float(mask.sum()) / pv_module.area_px2,
        length=long_px / pv_module.long,
        width=middle_px / pv_module.short,
        fill=min(float(width_px.mean()) / short_px, 1.0),
        evenness=float(np.mean(np.abs(width_px - middle_px) <= _EVEN * middle_px)),
        aspect=long_px / max(middle_px, 1.0),
    )


def hotspot_shape(
    mask: Mask,
    pv_module: PvModulePx,
    limits: HotspotLimits | None = None,
    hidden: Mask | None = None,
) -> HotspotShape:
    """Return the name of a hotspot's shape, from its area and its smallest enclosing rectangle at any rotation.

    Parameters
    ----------
    mask
        (h, w) bool, with at least one pixel set.
    pv_module
        Size of a PV module.
    limits
        Where one shape ends and the next begins; defaults to :class:`HotspotLimits`.
    hidden
        (h, w) bool: where a leaf hides the panel. Such pixels count neither as hot nor as not hot.

    Returns
    -------
    ``point`` (few cells), ``stripe`` (long and narrow, as a substring), ``block`` (a filled
    rectangle of most of a PV module or more), else ``patch``.
    """
    limits = limits or HotspotLimits()
    found = geometry(mask, pv_module, hidden)
    if found.area < limits.point_area:
        return "point"
    if found.width >= limits.block_width:
        whole = found.area >= limits.block_area and found.fill >= limits.block_fill
        return "block" if whole else "patch"
    # What reaches along most of a PV module is a substring, however ragged; a shorter one must be slender and full.
    slender = found.aspect >= limits.stripe_aspect and found.fill >= limits.stripe_fill
    if found.evenness >= limits.stripe_evenness and (
        found.length >= limits.stripe_length or slender
    ):
        return "stripe"
    return "patch"


@dataclass(frozen=True)
class _Rectangle:
    """A turned rectangle: its middle (x, y), its sides, and the direction of the longer one from the x axis."""

    centre_px: tuple[float, float]
    long_px: float
    short_px: float
    turn_rad: float


def _enclosing_rectangle(mask: Mask) -> _Rectangle:
    """Return the smallest rectangle around the set pixels, each a square of 1 px."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    points = np.concatenate([contour.reshape(-1, 2) for contour in contours]).astype(np.float32)
    # A pixel reaches half a pixel to each side of its centre.
    reach = np.array([(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)], np.float32)
    centre, (first, second), angle_deg = cv2.minAreaRect((points[:, None] + reach).reshape(-1, 2))
    along_deg = angle_deg if first >= second else angle_deg + 90
    return _Rectangle(
        (float(centre[0]), float(centre[1])),
        max(first, second),
        min(first, second),
        float(np.radians(along_deg)),
    )


def _slice_widths(pixels: Mask, rectangle: _Rectangle) -> NDArray[np.float64]:
    """Return the mean width in pixels of what is set, (slices,) float64, in equal slices along the longer side."""
    slices = int(np.clip(rectangle.long_px / _LEAST_SLICE_PX, 1, _MOST_SLICES))
    step_px = rectangle.long_px / slices
    y, x = np.nonzero(pixels)
    cos, sin = np.cos(rectangle.turn_rad), np.sin(rectangle.turn_rad)
    right, down = x - rectangle.centre_px[0], y - rectangle.centre_px[1]
    along, across = right * cos + down * sin, down * cos - right * sin
    inside = np.abs(across) <= max(rectangle.short_px, 1.0) / 2
    number = np.clip((along[inside] + rectangle.long_px / 2) / step_px, 0, slices - 1)
    return np.asarray(np.bincount(number.astype(int), minlength=slices) / step_px)
