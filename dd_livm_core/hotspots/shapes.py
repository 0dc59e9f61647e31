"""The name of a hotspot's shape, from its outline in units of a PV module."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from dd_livm_core.records import HotspotShape

Mask = NDArray[np.bool_]
_BODY_SHARE = 0.5
"""Blur moves the foot of an edge, but not its half height."""
_BODY_STEPS = 3
_SLICES = 12
_EVEN = 0.4
"""A slice this much wider or narrower than most of a hotspot's is uneven."""


class HotspotLimits(BaseModel):
    """What counts as a hotspot, and where one shape ends and the next begins.

    Areas and lengths are in units of a PV module, so that they hold at any flight height.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold_k: float = Field(
        default=1.5, gt=0, description="least excess temperature, radiometric"
    )
    threshold_sigma: float = Field(
        default=3.5, gt=0, description="least excess in spreads of the panels"
    )
    wide_sigma: float = Field(
        default=1.6, gt=0, description="the same for stripes and blocks, whose noise averages out"
    )
    wide_area: float = Field(default=0.15, gt=0, description="least share of a PV module for that")
    min_area: float = Field(default=0.006, ge=0, description="least area, share of a PV module")
    join: float = Field(
        default=0.14, ge=0, description="parts closer than this share of the width join"
    )
    hidden_k: float = Field(
        default=1.0,
        gt=0,
        description="this much colder than the panel is not panel: a leaf, a frame",
    )
    hidden_sigma: float = Field(
        default=2.5, gt=0, description="the same in spreads of the panels; the colder of both holds"
    )
    point_area: float = Field(
        default=0.065, gt=0, description="up to this share of a PV module: point"
    )
    block_area: float = Field(default=0.25, gt=0, description="least share of a PV module: block")
    block_width: float = Field(
        default=0.5, gt=0, description="least width of a block: between one and two of 3 substrings"
    )
    block_fill: float = Field(
        default=0.5, gt=0, le=1, description="least fill of a block's rectangle"
    )
    stripe_evenness: float = Field(
        default=0.45,
        gt=0,
        le=1,
        description="least share of a stripe's length that is as wide as most",
    )
    stripe_length: float = Field(
        default=0.8, gt=0, description="from this share of the long side a stripe may be ragged"
    )
    stripe_aspect: float = Field(
        default=2.4, gt=1, description="least length over width of a shorter stripe"
    )
    stripe_fill: float = Field(
        default=0.6, gt=0, le=1, description="least fill of a shorter stripe's rectangle"
    )


@dataclass(frozen=True)
class Geometry:
    """A hotspot in units of a PV module: its area, the smallest rectangle around it, and how full that is.

    ``width`` is the median of slices along the length, so that a fringe does not count, ``evenness``
    the share of slices about as wide. Only what is seen counts: a leaf says nothing.
    """

    area: float
    length: float
    width: float
    fill: float
    evenness: float
    aspect: float


def body(excess: NDArray[np.floating[Any]], hot: Mask) -> Mask:
    """Return the part of a hotspot above half of its own median level.

    A threshold's contour grows with contrast and blur; the half level stays on the edge of what
    is heated, whatever the weather, the flight height and the lens.
    """
    member = hot
    for _ in range(_BODY_STEPS):
        level = float(np.median(excess[member]))
        member = hot & (excess >= _BODY_SHARE * level)
    return member


def geometry(
    mask: Mask, pv_module_width_px: float, pv_module_height_px: float, hidden: Mask | None = None
) -> Geometry:
    """Measure an outline, slice by slice along its longer side; see :func:`hotspot_shape`."""
    rectangle = _enclosing_rectangle(mask)
    long_px, short_px = rectangle.long_px, max(rectangle.short_px, 1.0)
    hot_px = _per_slice(mask, rectangle)
    open_px = np.full(len(hot_px), short_px)
    if hidden is not None and hidden.any():
        open_px -= _per_slice(hidden & ~mask, rectangle)
    # A slice that leaves cover says nothing, one that they cover in part tells its share.
    known = open_px >= 0.5 * short_px
    if not known.any():
        known[:] = True
    width_px = np.minimum(hot_px[known] / np.maximum(open_px[known], 1.0), 1.0) * short_px
    middle_px = float(np.median(width_px))
    return Geometry(
        area=float(mask.sum()) / (pv_module_width_px * pv_module_height_px),
        length=long_px / pv_module_height_px,
        width=middle_px / pv_module_width_px,
        fill=min(float(width_px.mean()) / short_px, 1.0),
        evenness=float(np.mean(np.abs(width_px - middle_px) <= _EVEN * middle_px)),
        aspect=long_px / max(middle_px, 1.0),
    )


def hotspot_shape(
    mask: Mask,
    pv_module_width_px: float,
    pv_module_height_px: float,
    limits: HotspotLimits | None = None,
    hidden: Mask | None = None,
) -> HotspotShape:
    """Name a hotspot's shape from its area and its smallest enclosing rectangle, at any rotation.

    Parameters
    ----------
    mask
        (h, w) bool, with at least one pixel set.
    pv_module_width_px, pv_module_height_px
        Short and long side of a PV module.
    limits
        Borders between shapes.
    hidden
        (h, w) bool: where a leaf hides the panel, which counts for nothing.

    Returns
    -------
    ``point`` (few cells), ``stripe`` (long and narrow, as a substring), ``block`` (a filled
    rectangle of most of a PV module or more), else ``patch``.
    """
    limits = limits or HotspotLimits()
    found = geometry(mask, pv_module_width_px, pv_module_height_px, hidden)
    if found.area < limits.point_area:
        return "point"
    if found.width >= limits.block_width:
        whole = found.area >= limits.block_area and found.fill >= limits.block_fill
        return "block" if whole else "patch"
    # Along most of a PV module it is a substring, however ragged; a shorter one must be a slender rectangle.
    slender = found.aspect >= limits.stripe_aspect and found.fill >= limits.stripe_fill
    if found.evenness >= limits.stripe_evenness and (
        found.length >= limits.stripe_length or slender
    ):
        return "stripe"
    return "patch"


@dataclass(frozen=True)
class _Rectangle:
    """A turned rectangle: its middle, and the direction of its longer side."""

    centre_px: tuple[float, float]
    long_px: float
    short_px: float
    turn_rad: float


def _enclosing_rectangle(mask: Mask) -> _Rectangle:
    """Return the smallest rectangle around the pixels' areas."""
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


def _per_slice(pixels: Mask, rectangle: _Rectangle) -> NDArray[np.float64]:
    """Return the mean width of what is set, in pixels, for each slice across the longer side."""
    slices = int(np.clip(rectangle.long_px / 2, 1, _SLICES))
    step_px = rectangle.long_px / slices
    y, x = np.nonzero(pixels)
    cos, sin = np.cos(rectangle.turn_rad), np.sin(rectangle.turn_rad)
    right, down = x - rectangle.centre_px[0], y - rectangle.centre_px[1]
    along, across = right * cos + down * sin, down * cos - right * sin
    inside = np.abs(across) <= max(rectangle.short_px, 1.0) / 2
    number = np.clip((along[inside] + rectangle.long_px / 2) / step_px, 0, slices - 1)
    return np.asarray(np.bincount(number.astype(int), minlength=slices) / step_px)
