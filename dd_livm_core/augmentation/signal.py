"""Separates hotspot signal from sensor noise, so that augmentation changes the signal only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.hotspots.outlines import widen
from dd_livm_core.hotspots.segmentation import Hotspot, find_hotspots
from dd_livm_core.panels.baseline import MAD_TO_STD, SAMPLED_PIXELS
from dd_livm_core.panels.module_level import LEAST_PV_MODULES
from dd_livm_core.panels.pv_module_px import PvModulePx

_LAPLACIAN_NORM = 6
"""Root of the sum of squares of the kernel in :func:`sensor_noise`: white noise grows by it."""
_REACH_PX = 4
"""How far heat and point spread carry a hotspot's foot beyond its threshold contour."""
_WIENER_PX = 3
"""Side of the window in which signal and noise are compared: as small as it can be, for hotspots of few pixels."""


@dataclass(frozen=True)
class HotspotSignal:
    """The hotspots of one excess image, separated from noise and background.

    Attributes
    ----------
    signal
        (H, W) float32, same unit as the excess: the hotspots alone, 0 elsewhere.
    hotspots
        The segmented ones, by falling maximum.
    noise
        Standard deviation of the sensor's noise, same unit.
    """

    signal: NDArray[np.float32]
    hotspots: tuple[Hotspot, ...]
    noise: float


def sensor_noise(excess: NDArray[np.float32], panel_mask: NDArray[np.bool_]) -> float:
    """Return the standard deviation of pixel noise on the panels, in the unit of the excess; 0 without panels.

    The difference of two Laplacians cancels everything locally linear (Immerkær 1996); the median of its magnitude
    ignores the pixels on edges as long as they are few.

    Parameters
    ----------
    excess
        (H, W) float32, finite.
    panel_mask
        (H, W) bool.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(excess, cv2.CV_32F, kernel)[panel_mask])
    response = response[:: max(1, len(response) // SAMPLED_PIXELS)]
    return MAD_TO_STD * float(np.median(response)) / _LAPLACIAN_NORM if len(response) else 0.0


def separate(
    excess: NDArray[np.float32],
    panel_mask: NDArray[np.bool_],
    pv_module: PvModulePx,
    *,
    radiometric: bool = True,
    boxes_xyxy_px: Sequence[Sequence[float]] | NDArray[Any] = (),
) -> HotspotSignal:
    """Separate hotspot signal from sensor noise and background, so that augmentation changes the signal only.

    The signal is the excess that :func:`dd_livm_core.hotspots.segmentation.find_hotspots` segments, and positive excess
    in labelled boxes, after a local Wiener filter. The filter's residual is noise and stays in the image.

    Parameters
    ----------
    excess
        (H, W) float32, finite.
    panel_mask
        (H, W) bool.
    pv_module, radiometric
        As in :func:`dd_livm_core.hotspots.segmentation.find_hotspots`.
    boxes_xyxy_px
        (N, 4) labelled boxes; empty for none.
    """
    # Where it is warm matters here, not what counts as one hotspot. But rims of sharpening must not pass for heat, and
    # finding them takes several PV modules.
    least_px = LEAST_PV_MODULES * pv_module.short * pv_module.long
    several = np.count_nonzero(panel_mask) >= least_px
    found = find_hotspots(
        excess,
        panel_mask,
        pv_module,
        radiometric=radiometric,
        by_pv_module=not radiometric and bool(several),
    )
    core = np.zeros(excess.shape, np.uint8)
    for hotspot in found:
        core[window(hotspot.box_xywh_px)] |= hotspot.mask
    for box in boxes_xyxy_px:
        inside = window_around(box)
        core[inside] |= panel_mask[inside]
    noise = sensor_noise(excess, panel_mask)
    signal = np.zeros(excess.shape, np.float32)
    near = extent(core > 0, 2 * _REACH_PX)
    if near is not None:
        side = 2 * _REACH_PX + 1
        foot_px = cv2.dilate(core[near], cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
        feather = cv2.blur(foot_px.astype(np.float32), (_REACH_PX, _REACH_PX))
        signal[near] = np.maximum(_wiener(excess[near], noise), 0) * feather
    return HotspotSignal(signal, tuple(found), noise)


def extent(pixels: NDArray[np.bool_], margin_px: int) -> tuple[slice, slice] | None:
    """Return the smallest window around all set pixels, widened by a margin; None where none is set."""
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    if not len(rows):
        return None
    tight = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return widen(tight, margin_px)


def window(box_xywh_px: Sequence[float]) -> tuple[slice, slice]:
    """Return the rows and columns of a COCO box on whole pixels."""
    x, y, w, h = (round(value) for value in box_xywh_px)
    return slice(y, y + h), slice(x, x + w)


def window_around(box_xyxy_px: Sequence[float] | NDArray[Any]) -> tuple[slice, slice]:
    """Return the rows and columns of all pixels that a box (left, top, right, bottom) touches."""
    x0, y0, x1, y1 = box_xyxy_px
    return slice(max(int(y0), 0), int(np.ceil(y1))), slice(max(int(x0), 0), int(np.ceil(x1)))


def foot(box_xywh_px: Sequence[float]) -> tuple[slice, slice]:
    """Return the rows and columns of a COCO box, widened by how far its heat reaches."""
    return widen(window(box_xywh_px), _REACH_PX)


def _wiener(excess: NDArray[np.float32], noise: float) -> NDArray[np.float32]:
    """Return the excess without noise of this standard deviation, by the adaptive filter of Lee (1980)."""
    side = (_WIENER_PX, _WIENER_PX)
    mean = cv2.blur(excess, side)
    variance = np.maximum(cv2.blur(excess * excess, side) - mean * mean, 0)
    floor = np.float32(max(noise**2, 1e-12))
    keep = np.maximum(variance - floor, 0) / np.maximum(variance, floor)
    return np.asarray(mean + keep * (excess - mean), np.float32)
