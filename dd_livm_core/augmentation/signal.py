"""What of an excess image is hotspot and what is noise, so that weather changes only the former."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.hotspots.outlines import widened
from dd_livm_core.hotspots.segmentation import LONG_OVER_SHORT_SIDE, Hotspot, find_hotspots
from dd_livm_core.panels.module_level import LEAST_MODULES

_SAMPLES = 20_000
_REACH_PX = 4
"""How far heat and point spread carry a hotspot's foot beyond its threshold contour."""


@dataclass(frozen=True)
class HotspotSignal:
    """The hotspots of one excess image, parted from noise and background.

    Parameters
    ----------
    signal
        (H, W) float32, same unit as the excess: the hotspots alone, 0 elsewhere.
    hotspots
        What was segmented.
    noise
        Standard deviation of the sensor's noise, same unit.
    """

    signal: NDArray[np.float32]
    hotspots: tuple[Hotspot, ...]
    noise: float


def sensor_noise(excess: NDArray[np.float32], panel_mask: NDArray[np.bool_]) -> float:
    """Return the standard deviation of pixel noise on the panels, blind to gradients and edges.

    The difference of two Laplacians cancels everything locally linear (Immerkær 1996); the median
    of its magnitude ignores the share of pixels on edges.
    """
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(excess, cv2.CV_32F, kernel)[panel_mask])
    response = response[:: max(1, len(response) // _SAMPLES)]
    return 1.4826 * float(np.median(response)) / 6 if len(response) else 0.0


def separate(
    excess: NDArray[np.float32],
    panel_mask: NDArray[np.bool_],
    pv_module_width_px: float,
    *,
    pv_module_height_px: float | None = None,
    radiometric: bool = True,
    boxes_xyxy_px: Sequence[Sequence[float]] | NDArray[Any] = (),
) -> HotspotSignal:
    """Part the hotspots of an excess image from noise and background.

    Hotspots are what :func:`dd_livm_core.hotspots.segmentation.find_hotspots` segments, and positive excess in
    labelled boxes. A local Wiener filter leaves the noise where it is, so that a change of the
    signal neither shrinks nor amplifies it.

    Parameters
    ----------
    excess
        (H, W) float32, finite.
    panel_mask
        (H, W) bool.
    pv_module_width_px, pv_module_height_px, radiometric
        As in :func:`dd_livm_core.hotspots.segmentation.find_hotspots`.
    boxes_xyxy_px
        (N, 4) labelled boxes.
    """
    # Where it is warm matters here, not what is counted as one; but rims of sharpening, which take
    # several PV modules to be told, must not pass for heat.
    height_px = pv_module_height_px or LONG_OVER_SHORT_SIDE * pv_module_width_px
    several = np.count_nonzero(panel_mask) >= LEAST_MODULES * pv_module_width_px * height_px
    found = find_hotspots(
        excess,
        panel_mask,
        pv_module_width_px,
        pv_module_height_px=height_px,
        radiometric=radiometric,
        by_pv_module=not radiometric and bool(several),
    )
    core = np.zeros(excess.shape, np.uint8)
    for hotspot in found:
        core[window(hotspot.box_xywh_px)] |= hotspot.mask
    for x0, y0, x1, y1 in boxes_xyxy_px:
        inside = slice(max(int(y0), 0), int(np.ceil(y1))), slice(max(int(x0), 0), int(np.ceil(x1)))
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


def extent(there: NDArray[np.bool_], margin_px: int) -> tuple[slice, slice] | None:
    """Return the smallest window around all set pixels, widened by a margin; None where none is set."""
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    tight = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    return widened(tight, margin_px)


def window(box_xywh_px: Sequence[float]) -> tuple[slice, slice]:
    """Return the rows and columns of a box on whole pixels."""
    x, y, w, h = (round(value) for value in box_xywh_px)
    return slice(y, y + h), slice(x, x + w)


def foot(box_xywh_px: Sequence[float]) -> tuple[slice, slice]:
    """Return the window of a box with the foot of its heat."""
    return widened(window(box_xywh_px), _REACH_PX)


def _wiener(excess: NDArray[np.float32], noise: float) -> NDArray[np.float32]:
    mean = cv2.blur(excess, (3, 3))
    variance = np.maximum(cv2.blur(excess * excess, (3, 3)) - mean * mean, 0)
    floor = np.float32(max(noise**2, 1e-12))
    keep = np.maximum(variance - floor, 0) / np.maximum(variance, floor)
    return np.asarray(mean + keep * (excess - mean), np.float32)
