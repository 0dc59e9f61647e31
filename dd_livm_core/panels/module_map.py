"""Which pixel belongs to which PV module: the panels cut along the cold lines of their frames.

The shares below were set by hand, none is fitted; `python -m benchmarks.augmentation` measures the shapes of hotspots
that rest on them.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import median_abs_deviation

from dd_livm_core.panels.baseline import SAMPLED_PIXELS
from dd_livm_core.panels.frame_direction import direction_deg, upright_turn
from dd_livm_core.panels.pv_module_px import PvModulePx

Floats = NDArray[np.float32]

_LINE_SHARE = 0.5
"""Length over which a frame's line is averaged, in short sides: noise averages out, and a leaf is shorter."""
_HALF_GAPS = (0.1, 0.16)
"""Distance from a frame's middle to the PV modules on both sides, in short sides."""
_LINE_PERCENTILE = 93.0
"""Coldness at this percentile of the panels is taken for the frames' contrast."""
_CONTRAST_SHARES = (0.35, 0.22, 0.14)
"""Shares of the frames' contrast that count as a line, tried in turn; the lower ones only in pieces still too large."""
_LEAST_SPREADS = 1.5
"""Least coldness of a line, in spreads of the coldness, whatever the contrast."""
_SPLINTER = 0.25
"""A smaller piece, in areas of a PV module, is a splinter of one."""
LARGEST_SINGLE = 1.4
"""A larger piece, in areas of a PV module, is more than one."""
_MOST_UNCUT = 0.6
"""Share of the panels in pieces that are too large, above which the frames count as unseen."""
_STEEPEST_PERCENTILE = 95.0
"""Steeper gradients count as this one for the direction of the frames."""


def pv_module_map(
    excess: Floats, panel_mask: NDArray[np.bool_], pv_module: PvModulePx
) -> NDArray[np.int32]:
    """Number the PV modules that frames or gaps separate.

    The panels are turned upright. A frame runs where a short line is colder than what lies on both its sides; a step,
    as at the edge of a hotspot, is no line. Nothing is assumed about periods, so that lens distortion and tables out
    of step do no harm.

    Parameters
    ----------
    excess
        (H, W) float32, finite, in any unit.
    panel_mask
        (H, W) bool.
    pv_module
        Size of a PV module.

    Returns
    -------
    (H, W) int32: from 1, 0 off the panels. PV modules without a line between them share a number; where the frames
    are not seen, all panels are 1.
    """
    if not panel_mask.any():
        return np.zeros(panel_mask.shape, np.int32)
    coldness = _line_coldness(excess, panel_mask, pv_module.short)
    inside = coldness[panel_mask]
    inside = inside[:: max(1, len(inside) // SAMPLED_PIXELS)]
    spread = float(median_abs_deviation(inside, scale="normal"))
    contrast = float(np.percentile(inside, _LINE_PERCENTILE))
    open_panels = panel_mask.astype(np.uint8)
    for share in _CONTRAST_SHARES:
        uncut = open_panels > 0
        if share < _CONTRAST_SHARES[0]:
            _, label, stats, _ = cv2.connectedComponentsWithStats(open_panels, connectivity=4)
            large = stats[:, cv2.CC_STAT_AREA] > LARGEST_SINGLE * pv_module.area_px2
            large[0] = False
            uncut = large[label]
        open_panels[uncut & (coldness > max(share * contrast, _LEAST_SPREADS * spread))] = 0
    pieces = _number_pieces(open_panels, pv_module.area_px2)
    size = np.bincount(pieces[pieces > 0])
    # Where no frames are seen, as in thin film from far, lines are chance.
    if size[size > LARGEST_SINGLE * pv_module.area_px2].sum() > _MOST_UNCUT * size.sum():
        return panel_mask.astype(np.int32)
    return _fill_lines(pieces, panel_mask)


def _number_pieces(open_panels: NDArray[np.uint8], area_px2: float) -> NDArray[np.int32]:
    """Number connected panels from 1, (H, W) int32; splinters are 0 unless the frame's border cuts them."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(open_panels, connectivity=4)
    height, width = label.shape
    x, y, w, h, size = stats.T
    inner = (x > 0) & (y > 0) & (x + w < width) & (y + h < height)
    kept = (size >= _SPLINTER * area_px2) | (~inner & (size > 0))
    kept[0] = False
    number = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    pieces: NDArray[np.int32] = number[label]
    return pieces


def _fill_lines(pieces: NDArray[np.int32], panel_mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Give panel pixels on lines and splinters the number of the nearest PV module."""
    if not pieces.any():
        return panel_mask.astype(np.int32)
    _, nearest = cv2.distanceTransformWithLabels(
        (pieces == 0).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(nearest.max()) + 1, np.int32)
    number[nearest[pieces > 0]] = pieces[pieces > 0]
    whole: NDArray[np.int32] = np.where(panel_mask, number[nearest], 0)
    return whole


def _line_coldness(excess: Floats, panel_mask: NDArray[np.bool_], short_px: float) -> Floats:
    """Return how much colder a line through each pixel is than the colder of its two sides, (H, W) float32.

    The unit is that of the excess. Lines along both directions of the frames are tried, and both distances to the
    sides; the coldest counts.
    """
    height, width = excess.shape
    turn, side = upright_turn((height, width), _direction_deg(excess, panel_mask))
    upright = cv2.warpAffine(excess, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    length = max(5, round(_LINE_SHARE * short_px)) | 1
    coldness = np.full((side, side), -np.inf, np.float32)
    for along in ((length, 1), (1, length)):
        line = cv2.blur(upright, along)
        for share in _HALF_GAPS:
            reach = max(2, round(share * short_px))
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
    """Return the direction of the frames, -45 to 45 degrees.

    Gradients are capped, as the edges of hotspots are steeper than frames and run in any direction.
    """
    inner = cv2.erode(panel_mask.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    smooth = cv2.GaussianBlur(excess, (0, 0), 1.0)
    x, y = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)[inner], cv2.Scharr(smooth, cv2.CV_32F, 0, 1)[inner]
    step = max(1, len(x) // SAMPLED_PIXELS)
    gradient: NDArray[Any] = x[::step] + 1j * y[::step]
    strength = np.abs(gradient)
    if not strength.any():
        return 0.0
    most = np.percentile(strength, _STEEPEST_PERCENTILE)
    return direction_deg(gradient * np.minimum(1, most / np.maximum(strength, 1e-9)))
