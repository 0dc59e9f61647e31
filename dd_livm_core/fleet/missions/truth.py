"""Labels from the noise-free excess temperature: threshold, components, boxes, shapes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.hotspots.outlines import box_xywh_px, regions
from dd_livm_core.panels.pv_module_px import PvModulePx
from dd_livm_core.records import HotspotShape

THRESHOLD_K = 1.5
"""Above the spread between healthy PV modules, below an open circuit at 600 W/m² and 5 m/s."""
_MIN_AREA_PX, _MIN_AREA = 5, 0.006
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
    mean_excess_k: float
    max_excess_k: float


def true_hotspots(
    excess_k: NDArray[np.float32],
    owner: NDArray[np.int32],
    defects: NDArray[np.int32],
    module_px: tuple[float, float],
) -> list[TrueHotspot]:
    """Find the hotspots of one infrared frame: a hotspot ends where its PV module does.

    Parameters
    ----------
    excess_k
        (h, w) float32, as the camera resolves it, without noise.
    owner
        (h, w) int32: number of the faulty PV module under each pixel, -1 elsewhere.
    defects
        (n,) int32: the defect of each faulty PV module; those of an open string share one.
    module_px
        Size of a PV module along and across the row, in infrared pixels.
    """
    hot = excess_k >= THRESHOLD_K
    found: list[TrueHotspot] = []
    if not hot.any():
        return found
    limits, sides = HotspotLimits(), (min(module_px), max(module_px))
    cold = excess_k <= -limits.hidden_k
    for region in regions(excess_k, hot, cold, owner + 1, PvModulePx(*sides), limits):
        (rows, columns), size = region.window, int(region.hot.sum())
        if _too_small(rows, columns, size, hot.shape, sides):
            continue
        number = owner[region.window][region.hot][0]
        warm_k = excess_k[region.window][region.hot]
        found.append(
            TrueHotspot(
                defect=int(defects[number]),
                box_xywh_px=box_xywh_px(region.window),
                area_px=size,
                hotspot_shape=region.shape,
                mean_excess_k=float(warm_k.mean()),
                max_excess_k=float(warm_k.max()),
            )
        )
    return found


def _too_small(
    rows: slice,
    columns: slice,
    area_px: int,
    shape: tuple[int, ...],
    module_px: tuple[float, float],
) -> bool:
    """Tell whether nobody could name it: a few pixels, or a sliver cut off by the border."""
    height, width = rows.stop - rows.start, columns.stop - columns.start
    if (
        area_px < max(_MIN_AREA_PX, _MIN_AREA * module_px[0] * module_px[1])
        or min(height, width) < _MIN_SIDE_PX
    ):
        return True
    cut_x = columns.start == 0 or columns.stop == shape[1]
    cut_y = rows.start == 0 or rows.stop == shape[0]
    sliver = module_px[0] / 4
    return bool((cut_x and width < sliver) or (cut_y and height < sliver))
