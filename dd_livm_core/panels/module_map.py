"""Which pixel belongs to which PV module: the panels cut along the cold lines of their frames."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import median_abs_deviation

from dd_livm_core.panels.frame_direction import direction_deg, upright_turn

Floats = NDArray[np.float32]

_LINE_SHARE = 0.5
"""A frame's line is looked at over this share of the short side: noise averages out, a leaf does not last."""
_HALF_GAPS = (0.1, 0.16)
"""Distance from a frame's middle to the PV modules on both sides, in short sides."""
_LINE_PERCENTILE = 93.0
_STEPS = (0.35, 0.22, 0.14)
"""Shares of the frames' contrast that count as a line; a lower one only where panels hang together."""
_LEAST_NOISE = 1.5
_WHOLE = (0.25, 1.4)
"""A smaller piece is a splinter, a larger one more than one PV module."""
_MOST_UNPARTED = 0.6
"""Share of the panels that may hang together before the frames count as unseen."""
_SAMPLES = 20_000
_STEEPEST_PERCENTILE = 95.0
"""Steeper gradients count as this one for the direction of the frames."""


def pv_module_map(
    excess: Floats, panel_mask: NDArray[np.bool_], pv_module_px: tuple[float, float]
) -> NDArray[np.int32]:
    """Number the PV modules that frames or gaps part from each other.

    The panels are turned upright; where a short line is colder than what lies on both its sides,
    a frame runs. A step, as the edge of a hotspot, is none. Nothing is assumed about periods, so
    that lens distortion and tables out of step do no harm.

    Parameters
    ----------
    excess
        (H, W) float32, finite.
    panel_mask
        (H, W) bool.
    pv_module_px
        Short and long side of a PV module.

    Returns
    -------
    (H, W) int32 from 1, 0 off the panels. PV modules that no line parts share a number.
    """
    if not panel_mask.any():
        return np.zeros(panel_mask.shape, np.int32)
    area = pv_module_px[0] * pv_module_px[1]
    coldness = _line_coldness(excess, panel_mask, pv_module_px[0])
    inside = coldness[panel_mask]
    inside = inside[:: max(1, len(inside) // _SAMPLES)]
    spread = float(median_abs_deviation(inside, scale="normal"))
    contrast = float(np.percentile(inside, _LINE_PERCENTILE))
    open_panels = panel_mask.astype(np.uint8)
    for step in _STEPS:
        joined = open_panels > 0
        if step < _STEPS[0]:
            _, label, stats, _ = cv2.connectedComponentsWithStats(open_panels, connectivity=4)
            large = stats[:, cv2.CC_STAT_AREA] > _WHOLE[1] * area
            large[0] = False
            joined = large[label]
        open_panels[joined & (coldness > max(step * contrast, _LEAST_NOISE * spread))] = 0
    pieces = _pieces(open_panels, area)
    size = np.bincount(pieces[pieces > 0])
    # Without frames to be seen, as in thin film from far, lines are chance.
    if size[size > _WHOLE[1] * area].sum() > _MOST_UNPARTED * size.sum():
        return panel_mask.astype(np.int32)
    return _spread(pieces, panel_mask)


def _pieces(open_panels: NDArray[np.uint8], area_px2: float) -> NDArray[np.int32]:
    """Number connected panels; splinters are left to their neighbours unless the frame's border cuts them."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(open_panels, connectivity=4)
    height, width = label.shape
    x, y, w, h, size = stats.T
    inner = (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
    kept = (size >= _WHOLE[0] * area_px2) | (~inner & (size > 0))
    kept[0] = False
    number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    pieces: NDArray[np.int32] = number[label]
    return pieces


def _spread(pieces: NDArray[np.int32], panel_mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give panel pixels on lines the number of the nearest PV module."""
    if not pieces.any():
        return panel_mask.astype(np.int32)
    _, nearest = cv2.distanceTransformWithLabels(
        (pieces == 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(nearest.max()) + 1, np.int32)
    number[nearest[pieces > 0]] = pieces[pieces > 0]
    whole: NDArray[np.int32] = np.where(panel_mask, number[nearest], 0)
    return whole


def _line_coldness(excess: Floats, panel_mask: NDArray[np.bool_], width_px: float) -> Floats:
    """Return how much colder a line through each pixel is than both its sides."""
    height, width = excess.shape
    turn, side = upright_turn((height, width), _direction_deg(excess, panel_mask))
    upright = cv2.warpAffine(excess, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    length = max(5, round(_LINE_SHARE * width_px)) | 1
    coldness = np.full((side, side), -np.inf, np.float32)
    for along in ((length, 1), (1, length)):
        line = cv2.blur(upright, along)
        for share in _HALF_GAPS:
            reach = max(2, round(share * width_px))
            dx, dy = (0, reach) if along[1] == 1 else (reach, 0)
            padded = cv2.copyMakeBorder(line, dy, dy, dx, dx, cv2.BORDER_REPLICATE)
            before, after = (
                padded[:side, :side],
                padded[2 * dy : 2 * dy + side, 2 * dx : 2 * dx + side],
            )
            np.maximum(coldness, np.minimum(before, after) - line, out=coldness)
    back = cv2.warpAffine(
        coldness, turn, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return np.asarray(back, np.float32)


def _direction_deg(excess: Floats, panel_mask: NDArray[np.bool_]) -> float:
    """Return the direction of the frames, -45 to 45; hotspots are steeper than frames, and turned as they like."""
    inner = cv2.erode(panel_mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    smooth = cv2.GaussianBlur(excess, (0, 0), 1.0)
    x, y = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)[inner], cv2.Scharr(smooth, cv2.CV_32F, 0, 1)[inner]
    step = max(1, len(x) // _SAMPLES)
    gradient: NDArray[Any] = x[::step] + 1j * y[::step]
    strength = np.abs(gradient)
    if not strength.any():
        return 0.0
    most = np.percentile(strength, _STEEPEST_PERCENTILE)
    return direction_deg(gradient * np.minimum(1, most / np.maximum(strength, 1e-9)))
