"""Labels of a frame: boxes from the noise-free excess temperature, shapes from what is heated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.missions.hot_regions import HotRegion, hot_regions
from dd_livm_core.records import HotspotShape

THRESHOLD_K = 1.5
"""Above the spread between healthy PV modules, below an open circuit at 600 W/m² and 5 m/s."""
_MIN_AREA_PX, _MIN_AREA = 5, 0.006
_MIN_SIDE_PX = 2
_LEAST_SHOWN = 0.5
"""Share of a source's cells that a hotspot must show to have its shape: less than half of a block may be
a stripe to the eye. Whatever shows of a point is a point."""


@dataclass(frozen=True)
class SourceInFrame:
    """One group of heated cells, as the camera looks at it.

    Parameters
    ----------
    owner
        Number of its PV module among the faulty ones.
    cells_px
        (n, 2) float64: x and y of the middle of each cell, also of those beyond the border.
    shape
        What the cells cover.
    """

    owner: int
    cells_px: NDArray[np.float64]
    shape: HotspotShape


@dataclass(frozen=True)
class TrueHotspot:
    """One hotspot in one frame.

    ``box_xywh_px`` spans whole pixels, edges at half-integers shifted to COCO's convention (the
    first pixel spans 0 to 1). ``hotspot_shape`` is None where so little of what is heated shows that
    nobody could tell: beyond the border, under leaves, or too weak.
    """

    defect: int
    box_xywh_px: tuple[float, float, float, float]
    area_px: int
    hotspot_shape: HotspotShape | None
    mean_excess_k: float
    max_excess_k: float


def true_hotspots(
    excess_k: NDArray[np.float32],
    owner: NDArray[np.int32],
    defects: NDArray[np.int32],
    module_px: tuple[float, float],
    sources: Sequence[SourceInFrame],
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
    sources
        What is heated on the faulty PV modules; a hotspot has the shape of the one it shows.
    """
    hot = excess_k >= THRESHOLD_K
    found: list[TrueHotspot] = []
    if not hot.any():
        return found
    sides = min(module_px), max(module_px)
    for region in hot_regions(excess_k, hot, owner, sides[0]):
        (rows, columns), size = region.window, int(region.hot.sum())
        if _too_small(rows, columns, size, hot.shape, sides):
            continue
        warm_k = excess_k[region.window][region.hot]
        width, height = columns.stop - columns.start, rows.stop - rows.start
        found.append(
            TrueHotspot(
                defect=int(defects[region.owner]),
                box_xywh_px=(float(columns.start), float(rows.start), float(width), float(height)),
                area_px=size,
                hotspot_shape=_shape(region, sources),
                mean_excess_k=float(warm_k.mean()),
                max_excess_k=float(warm_k.max()),
            )
        )
    return found


def _shape(region: HotRegion, sources: Sequence[SourceInFrame]) -> HotspotShape | None:
    """Return the shape of the source that most hot cells belong to, or else of the nearest one."""
    own = [source for source in sources if source.owner == region.owner]
    if not own:
        return None
    shown = [_cells_shown(region, source) for source in own]
    nearness = [-_distance_px(region, source) for source in own]
    most, _, best = max(zip(shown, nearness, range(len(own)), strict=True))
    source = own[best]
    if source.shape != "point" and most < _LEAST_SHOWN * len(source.cells_px):
        return None
    return source.shape


def _cells_shown(region: HotRegion, source: SourceInFrame) -> int:
    """Count the source's cells whose middle lies on the hotspot."""
    rows, columns = region.window
    x, y = np.round(source.cells_px.T).astype(int)
    inside = (x >= columns.start) & (x < columns.stop) & (y >= rows.start) & (y < rows.stop)
    return int(region.hot[y[inside] - rows.start, x[inside] - columns.start].sum())


def _distance_px(region: HotRegion, source: SourceInFrame) -> float:
    """Return how far the middle of the hotspot is from the middle of the source's next cell."""
    rows, columns = region.window
    y, x = np.nonzero(region.hot)
    middle = x.mean() + columns.start, y.mean() + rows.start
    return float(np.linalg.norm(source.cells_px - middle, axis=1).min())


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
