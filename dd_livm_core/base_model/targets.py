"""Turns what is drawn on a crop into what the network's maps should be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.base_model.network import STRIDE_PX

Floats = NDArray[np.float32]
CENTRE_SPREAD, LEAST_SPREAD_PX = 0.18, 0.7
"""Standard deviation of a centre's bump as a share of the box's side, and the least in pixels of the map.

As in CenterNet (Zhou et al., Objects as Points, 2019), where it comes from the box's size, too. Chosen."""
NEAR_CENTRE = 0.3
"""A hotspot's sides are learnt where its bump is at least this high."""
DOUBT_PX = 2.0
"""So far around a doubtful box nothing is learnt: its edges are not sure either. Chosen."""
UNIT_PX = 4.0
"""Of a hotspot's sides in the maps, pixels of the input."""


@dataclass(frozen=True)
class DenseTargets:
    """What the maps of one crop should be, each float32 (h, w) unless said.

    Attributes
    ----------
    panel, panel_weight
        1 on panels; 0 where nothing is learnt of them.
    hot, centre, hotspot_weight
        1 in boxes; bumps of height 1 at centres; 0 where nothing is learnt of hotspots.
    log_sides, sides_weight
        (2, h, w) width and height as in `DenseMaps`, 1 where they are learnt.
    log_module
        Of the PV module's short side; NaN where it is not known.
    """

    panel: Floats
    panel_weight: Floats
    hot: Floats
    centre: Floats
    hotspot_weight: Floats
    log_sides: Floats
    sides_weight: Floats
    log_module: np.float32


def dense_targets(
    panel: NDArray[np.bool_],
    ignored: NDArray[np.bool_],
    sure_xywh_px: NDArray[np.float64],
    doubtful_xywh_px: NDArray[np.float64],
    log_module: float,
) -> DenseTargets:
    """Return the targets of a crop.

    Parameters
    ----------
    panel, ignored
        bool (H, W) on the crop's grid: panels, and where nothing is learnt.
    sure_xywh_px, doubtful_xywh_px
        Boxes (N, 4) on the crop's grid.
    log_module
        As in `DenseMaps`; NaN where it is not known.
    """
    pick = (slice(1, None, STRIDE_PX), slice(1, None, STRIDE_PX))
    shape = panel[pick].shape
    learnt = (~ignored[pick]).astype(np.float32)
    hot, centre, sides_weight = (np.zeros(shape, np.float32) for _ in range(3))
    log_sides, weight = np.zeros((2, *shape), np.float32), learnt.copy()
    for box in doubtful_xywh_px:
        weight[_pixels(box, DOUBT_PX, shape)] = 0
    for box in sorted(sure_xywh_px.tolist(), key=lambda b: -b[2] * b[3]):
        hot[_pixels(np.asarray(box), 0.0, shape)] = 1
        bump, peak = _bump(np.asarray(box), shape)
        if peak is None:
            continue
        near = bump >= NEAR_CENTRE
        np.maximum(centre, bump, out=centre)
        log_sides[:, near] = np.log(np.maximum(box[2:], 2.0) / np.float64(UNIT_PX))[:, None]
        sides_weight[near], weight[peak] = 1, 1
    return DenseTargets(
        panel=panel[pick].astype(np.float32),
        panel_weight=learnt,
        hot=hot,
        centre=centre,
        hotspot_weight=weight,
        log_sides=log_sides,
        sides_weight=sides_weight * learnt,
        log_module=np.float32(log_module),
    )


def _pixels(
    box_xywh_px: NDArray[np.float64], wider_px: float, shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Return the rows and columns of the map that a box, widened on each side, touches."""
    low = (box_xywh_px[:2] - wider_px) / STRIDE_PX
    high = (box_xywh_px[:2] + box_xywh_px[2:] + wider_px) / STRIDE_PX
    across = slice(max(int(np.floor(low[0])), 0), max(int(np.ceil(high[0])), 0))
    return slice(max(int(np.floor(low[1])), 0), max(int(np.ceil(high[1])), 0)), across


def _bump(
    box_xywh_px: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[Floats, tuple[int, int] | None]:
    """Return a bump of height 1 at a box's centre, float32 (h, w), and that pixel; None for a centre off the map."""
    x, y = (box_xywh_px[:2] + box_xywh_px[2:] / 2) / STRIDE_PX - 0.5
    spread = np.maximum(CENTRE_SPREAD * box_xywh_px[2:] / STRIDE_PX, LEAST_SPREAD_PX)
    down, across = np.ogrid[: shape[0], : shape[1]]
    bump = np.exp(-0.5 * (((across - x) / spread[0]) ** 2 + ((down - y) / spread[1]) ** 2))
    peak = round(float(y)), round(float(x))
    if not (0 <= peak[0] < shape[0] and 0 <= peak[1] < shape[1]):
        return bump.astype(np.float32), None
    bump[peak] = 1.0
    return bump.astype(np.float32), peak
