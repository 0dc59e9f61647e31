"""Outlines of hotspots: which pixels belong together, and the name of their shape."""

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.ndimage import find_objects
from scipy.sparse.csgraph import connected_components

from dd_livm_core.pv_module_map import over_own_level, pv_module_map
from dd_livm_core.records import HotspotShape

Component = tuple[tuple[slice, slice], NDArray[np.bool_], NDArray[np.bool_]]
"""Window in the frame, hot pixels and closed outline within it."""


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
    min_area: float = Field(default=0.004, ge=0, description="least area, share of a PV module")
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
        default=0.06, gt=0, description="up to this share of a PV module: point"
    )
    block_area: float = Field(default=0.4, gt=0, description="least share of a PV module: block")
    block_width: float = Field(
        default=0.5, gt=0, description="least width of a block: between one and two of 3 substrings"
    )
    block_fill: float = Field(
        default=0.75, gt=0, le=1, description="least fill of a block's rectangle"
    )
    stripe_fill: float = Field(
        default=0.6, gt=0, le=1, description="least fill of a stripe's rectangle"
    )
    stripe_length: float = Field(
        default=0.7, gt=0, description="from this share of the long side a stripe may be ragged"
    )
    stripe_aspect: float = Field(
        default=2.2, gt=1, description="least length over width of a stripe"
    )


def hotspot_shape(
    mask: NDArray[np.bool_],
    pv_module_width_px: float,
    pv_module_height_px: float,
    limits: HotspotLimits | None = None,
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

    Returns
    -------
    ``point`` (few cells), ``stripe`` (long and filled, as a substring), ``block`` (a filled
    rectangle of most of a PV module or more), else ``patch``.
    """
    limits = limits or HotspotLimits()
    pixels = int(mask.sum())
    area = pixels / (pv_module_width_px * pv_module_height_px)
    if area < limits.point_area:
        return "point"
    long_px, short_px = _enclosing_rectangle(mask)
    fill = min(pixels / (long_px * short_px), 1.0)
    # Area over length: a single outgrown pixel widens the rectangle, not this.
    width_px = pixels / long_px
    wide = width_px >= limits.block_width * pv_module_width_px
    if wide and area >= limits.block_area and fill >= limits.block_fill:
        return "block"
    # Along most of a PV module its mean width tells a substring; a shorter one its rectangle.
    whole = long_px >= limits.stripe_length * pv_module_height_px
    aspect = long_px / (width_px if whole else short_px)
    if not wide and fill >= limits.stripe_fill and aspect >= limits.stripe_aspect:
        return "stripe"
    return "patch"


def _enclosing_rectangle(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return long and short side of the smallest rectangle around the pixels' areas."""
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    points = np.concatenate([contour.reshape(-1, 2) for contour in contours]).astype(np.float32)
    # A pixel reaches half a pixel to each side of its centre.
    reach = np.array([(-0.5, 0), (0.5, 0), (0, -0.5), (0, 0.5)], np.float32)
    spread = (points[:, None] + reach[None]).reshape(-1, 2)
    (_, sides, _) = cv2.minAreaRect(spread)
    return float(max(sides)), max(float(min(sides)), 1.0)


def candidates(
    values: NDArray[np.float32],
    mask: NDArray[np.bool_],
    faces: NDArray[np.bool_],
    sigma: float,
    radiometric: bool,
    pv_module_px: tuple[float, float],
    limits: HotspotLimits,
    by_pv_module: bool,
) -> list[Component]:
    """Return hot components; stripes and blocks already at a lower contrast than small ones."""
    join_px, module_px2 = limits.join * pv_module_px[0], pv_module_px[0] * pv_module_px[1]
    floor, hidden_floor = (limits.threshold_k, limits.hidden_k) if radiometric else (0.0, 0.0)
    warm = max(limits.wide_sigma * sigma, floor)
    if warm <= 0:
        return []
    modules, within = mask.astype(np.int32), sigma
    if by_pv_module:
        modules = pv_module_map(values, mask, pv_module_px)
        values, within = over_own_level(values, modules, faces, warm)
    # Sharpening and compression of plain images leave bright rims that no spread within tells.
    sigma = within if radiometric else sigma
    least = max(limits.threshold_sigma * sigma, warm)
    least_wide = max(limits.wide_sigma * sigma, warm)
    hidden = mask & (values <= -max(limits.hidden_sigma * sigma, hidden_floor))
    found: list[Component] = []
    taken = np.zeros(mask.shape, bool)
    if least_wide < least:
        for box, part, filled in _by_module(
            mask & (values >= least_wide), hidden, modules, join_px
        ):
            large = filled.sum() >= limits.wide_area * module_px2
            if large and hotspot_shape(filled, *pv_module_px, limits) in ("stripe", "block"):
                taken[box] |= filled
                found.append((box, part, filled & mask[box]))
    for box, part, filled in _by_module(mask & (values >= least), hidden, modules, join_px):
        large = part.sum() >= max(limits.min_area * module_px2, 2)
        if large and not (taken[box] & part).any():
            found.append((box, part, filled & mask[box]))
    return _with_strings(found, mask.shape, pv_module_px, limits)


def _by_module(
    hot: NDArray[np.bool_], hidden: NDArray[np.bool_], modules: NDArray[np.int32], join_px: float
) -> list[Component]:
    """Group hot pixels within each PV module: what a frame parts are two hotspots."""
    found: list[Component] = []
    reach = int(join_px) + 3
    for number, tight in enumerate(find_objects(np.where(hot, modules, 0)), 1):
        if tight is None:
            continue
        window = widened((tight[0], tight[1]), reach)
        own = modules[window] == number
        for (rows, columns), part, filled in hot_outlines(
            hot[window] & own, hidden[window] & own, join_px
        ):
            top, left = window[0].start, window[1].start
            box = (
                slice(rows.start + top, rows.stop + top),
                slice(columns.start + left, columns.stop + left),
            )
            found.append((box, part, filled))
    return found


def _with_strings(
    found: list[Component],
    shape: tuple[int, ...],
    pv_module_px: tuple[float, float],
    limits: HotspotLimits,
) -> list[Component]:
    """Join neighbours that are warm as a whole: an open string is one hotspot."""
    whole = [hotspot_shape(filled, *pv_module_px, limits) == "block" for _, _, filled in found]
    blocks = [one for one, block in zip(found, whole, strict=True) if block]
    if len(blocks) < 2:
        return found
    label, hot = np.zeros(shape, np.int32), np.zeros(shape, bool)
    for number, (box, part, filled) in enumerate(blocks, 1):
        label[box][filled] = number
        hot[box] |= part
    # As wide a gap as within a PV module, and half a pixel that the cold frame eats from either side.
    reach = max(3, int(limits.join * pv_module_px[0])) + 1
    touch = np.eye(len(blocks), dtype=bool)
    for number, (box, _, _) in enumerate(blocks, 1):
        near = widened(box, reach)
        apart = cv2.distanceTransform(
            (label[near] != number).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
        )
        touch[number - 1, np.unique(label[near][(apart <= reach) & (label[near] > 0)]) - 1] = True
    _, string = connected_components(touch, directed=False)
    members = np.concatenate([[0], string + 1])[label]
    strings: list[Component] = []
    for number, tight in enumerate(find_objects(members), 1):
        own = members[tight] == number
        strings.append(((tight[0], tight[1]), hot[tight] & own, _closed(own, reach | 1)))
    return [one for one, block in zip(found, whole, strict=True) if not block] + strings


def hot_outlines(
    hot: NDArray[np.bool_], hidden: NDArray[np.bool_], join_px: float
) -> list[Component]:
    """Group hot pixels: parts are one hotspot when they are near, or when only what hides the panel is between.

    Parameters
    ----------
    hot, hidden
        (H, W) bool: warm pixels, and those where a leaf or a frame is seen instead of the panel.
    join_px
        Parts up to this far from each other are near.
    """
    warm = hot.astype(np.uint8)
    side, reach = max(3, int(join_px)) | 1, max(1, round(join_px / 2))
    joined = _closed(hot, side).astype(np.uint8)
    # Half of the way from either part: so that a leaf is bridged as far as a gap is.
    near = cv2.dilate(warm, _disk(2 * reach + 1))
    bridged = cv2.bitwise_or(joined, cv2.bitwise_and(hidden.astype(np.uint8), near))
    count, label, boxes, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(bridged))
    found = []
    for k in range(1, count):
        x, y, width, height = (int(value) for value in boxes[k, :4])
        member = label[y : y + height, x : x + width] == k
        part = member & hot[y : y + height, x : x + width]
        if not part.any():  # a bridge to nowhere
            continue
        # Bridges reach beyond the hot pixels; the hotspot does not.
        rows, columns = (np.flatnonzero(part.any(axis=axis)) for axis in (1, 0))
        tight = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        box = (
            slice(y + int(rows[0]), y + int(rows[-1]) + 1),
            slice(x + int(columns[0]), x + int(columns[-1]) + 1),
        )
        found.append((box, part[tight], member[tight] & (joined[box] > 0)))
    return found


def widened(window: tuple[slice, slice], by_px: int) -> tuple[slice, slice]:
    """Return a window of rows and columns that reaches farther on every side, but never below zero."""
    rows, columns = window
    return (
        slice(max(rows.start - by_px, 0), rows.stop + by_px),
        slice(max(columns.start - by_px, 0), columns.stop + by_px),
    )


def _closed(hot: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Fill gaps narrower than a disk; OpenCV takes the outside for hot unless the frame is widened first."""
    wide = cv2.copyMakeBorder(
        hot.astype(np.uint8), side, side, side, side, cv2.BORDER_CONSTANT, value=0
    )
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, _disk(side))[side:-side, side:-side]
    return np.asarray(closed > 0)


def _disk(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
