"""Labels from the noise-free excess temperature: threshold, components, boxes, shapes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.hotspot_outline import HotspotLimits, hot_outlines, hotspot_shape
from dd_livm_core.records import HotspotShape

THRESHOLD_K = 1.5
"""Above the spread between healthy PV modules, below an open circuit at 600 W/m² and 5 m/s."""
_MIN_AREA_PX = 5
_MIN_SIDE_PX = 2


@dataclass(frozen=True)
class TrueHotspot:
    """One hotspot in one frame.

    ``box_xywh_px`` spans whole pixels, edges at half-integers shifted to COCO's convention (the
    first pixel spans 0 to 1).
    """

    defect: int
    box_xywh_px: tuple[float, float, float, float]
    area_px: int
    hotspot_shape: HotspotShape
    max_excess_k: float


def true_hotspots(
    excess_k: NDArray[np.float32], owner: NDArray[np.int32], module_px: tuple[float, float],
) -> list[TrueHotspot]:  # fmt: skip
    """Find the hotspots of one infrared frame.

    Parameters
    ----------
    excess_k
        (h, w) float32, as the camera resolves it, without noise.
    owner
        (h, w) int32: defect of the PV module under each pixel, -1 elsewhere.
    module_px
        Size of a PV module along and across the row, in infrared pixels.
    """
    hot = excess_k >= THRESHOLD_K
    found: list[TrueHotspot] = []
    if not hot.any():
        return found
    # The point spread carries heat a pixel beyond its PV module.
    reach = cv2.dilate(owner.astype(np.float32), np.ones((5, 5), np.uint8))
    own = np.where(owner >= 0, owner, reach)
    limits = HotspotLimits()
    for defect in np.unique(own[hot]):
        if defect < 0:
            continue
        member, hidden = hot & (own == defect), (excess_k <= -limits.hidden_k) & (own == defect)
        for window, part, outline in hot_outlines(member, hidden, limits.join * min(module_px)):
            y, x = np.nonzero(part)
            y, x = y + window[0].start, x + window[1].start
            if _too_small(x, y, hot.shape, min(module_px)):
                continue
            box = (float(x.min()), float(y.min()), float(np.ptp(x) + 1), float(np.ptp(y) + 1))
            shape = hotspot_shape(outline, min(module_px), max(module_px))
            found.append(
                TrueHotspot(int(defect), box, len(x), shape, float(excess_k[window][part].max()))
            )
    return found


def _too_small(
    x: NDArray[np.intp], y: NDArray[np.intp], shape: tuple[int, ...], module_px: float
) -> bool:
    """Tell whether nobody could name it: a few pixels, or a sliver cut off by the border."""
    if len(x) < _MIN_AREA_PX or min(np.ptp(x), np.ptp(y)) + 1 < _MIN_SIDE_PX:
        return True
    cut_x = x.min() == 0 or x.max() == shape[1] - 1
    cut_y = y.min() == 0 or y.max() == shape[0] - 1
    sliver = module_px / 4
    return bool((cut_x and np.ptp(x) + 1 < sliver) or (cut_y and np.ptp(y) + 1 < sliver))
