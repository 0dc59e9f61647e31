"""The lattice of PV modules inside panels: its direction and its periods, from the lines of their frames.

Along a row of panels the frames repeat with the PV module's size. Edge strength is correlated with itself along each
line of pixels and summed over the lines, so that tables need not be in step with each other.

The limits were set by hand, none is fitted; `python -m benchmarks.alignment` measures the registration that uses the
periods.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.panels.frame_direction import direction_deg, typical_gradient, upright_turn

Mask = NDArray[np.bool_]

LEAST_PIXELS = 1500
"""A smaller mask holds too few frames to repeat."""
LEAST_PERIOD_PX = 6
"""Shorter periods are noise or the camera's own blur."""
LEAST_STRENGTH = 0.25
"""Least correlation of a period, far above that of ground."""
FUNDAMENTAL_SHARE = 0.6
"""Multiples of a period peak, too. The shortest peak this strong against the strongest one is the period."""
_LEAST_OVERLAP, _OVERLAP_FLOOR = 0.08, 0.02
"""Shares of the mask's pixels: lags with fewer compared are skipped, and the least that a sum is divided by."""


@dataclass(frozen=True)
class PanelLattice:
    """How PV modules repeat in one image.

    Attributes
    ----------
    direction_deg
        Direction of the first period in the image, -45 to 45, clockwise from the x axis.
    along_px, across_px
        Periods in pixels along that direction and across it; None where no period stands out.
    strength
        Correlation at the clearer of both periods, 0 to 1: 0 for ground, near 1 for clean frames.
    """

    direction_deg: float
    along_px: float | None
    across_px: float | None
    strength: float

    @property
    def short_px(self) -> float | None:
        """Return the shorter of the known periods, the PV module's short side; None where none is known."""
        known = [period for period in (self.along_px, self.across_px) if period]
        return min(known) if known else None


def panel_lattice(image: NDArray[np.float32], mask: Mask) -> PanelLattice | None:
    """Return the lattice of PV modules inside panels, or None where the mask is too small.

    Parameters
    ----------
    image
        float32 (H, W), infrared (°C or grey) or visible (grey), on the grid of ``mask``.
    mask
        bool (H, W), the panels.
    """
    inner = cv2.erode(mask.astype(np.uint8), np.ones((5, 5), np.uint8))
    if int(inner.sum()) < LEAST_PIXELS:
        return None
    smooth = cv2.GaussianBlur(image, (0, 0), 1.0)
    gx, gy = cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    strength = np.hypot(gx, gy)
    typical = typical_gradient(strength[inner > 0]) + 1e-6
    direction = direction_deg((gx + 1j * gy)[inner > 0])
    gradient = np.asarray(gx, np.float32), np.asarray(gy, np.float32)
    turned, inside = _turn_upright(gradient, typical, np.asarray(inner, np.uint8), direction)
    along = _period(turned[0], inside)
    across = _period(np.ascontiguousarray(turned[1].T), np.ascontiguousarray(inside.T))
    return PanelLattice(direction, along[0], across[0], max(along[1], across[1]))


def pv_module_short_px(image: NDArray[np.float32], mask: Mask) -> float | None:
    """Return a PV module's short side by the lattice inside panels, px, or None; arguments as of `panel_lattice`."""
    lattice = panel_lattice(image, mask)
    return lattice.short_px if lattice else None


def _turn_upright(
    gradient: tuple[NDArray[np.float32], NDArray[np.float32]],
    typical: float,
    inner: NDArray[np.uint8],
    turn_deg: float,
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Return edge strength along the lattice's two directions and the mask, turned so that the lattice stands upright.

    Strength is 0 to 1, half at ``typical``, so that no hotspot outweighs the frames. All are float32 squares.
    """
    (gx, gy), turn_rad = gradient, np.radians(turn_deg)
    c, s = float(np.cos(turn_rad)), float(np.sin(turn_rad))
    spin, side = upright_turn((inner.shape[0], inner.shape[1]), turn_deg)
    maps = []
    for part in (c * gx + s * gy, c * gy - s * gx):
        saturated = part**2 / (part**2 + np.float32(typical**2))
        maps.append(np.asarray(cv2.warpAffine(saturated, spin, (side, side)), np.float32))
    inside = cv2.warpAffine(inner.astype(np.float32), spin, (side, side))
    return maps, (inside > 0.5).astype(np.float32)


def _period(edges: NDArray[np.float32], inside: NDArray[np.float32]) -> tuple[float | None, float]:
    """Return the period of edges along x in pixels, None where there is none, and the correlation there."""
    rows = inside.sum(1) > 4 * LEAST_PERIOD_PX
    if not rows.any():
        return None, 0.0
    weight = inside[rows]
    line = np.asarray(cv2.GaussianBlur(edges[rows], (0, 0), sigmaX=1.2, sigmaY=0.01), np.float32)
    mean = (line * weight).sum(1, keepdims=True) / weight.sum(1, keepdims=True)
    line = (line - mean) * weight
    size = 2 * line.shape[1]

    def autocorrelate(values: NDArray[np.float32]) -> NDArray[np.float64]:
        power = np.abs(np.fft.rfft(values, size, axis=1)) ** 2
        return np.asarray(np.fft.irfft(power.sum(0))[: size // 2])

    overlap = autocorrelate(weight)
    score = autocorrelate(line) / np.maximum(overlap, _OVERLAP_FLOOR * overlap[0])
    score = score / max(float(score[0]), 1e-9)
    usable = overlap > _LEAST_OVERLAP * overlap[0]
    lags = np.arange(1, len(score) - 1)
    peak = (score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:]) & usable[1:-1]
    lags = lags[peak & (lags >= LEAST_PERIOD_PX)]
    if not len(lags) or score[lags].max() < LEAST_STRENGTH:
        return None, float(score[lags].max()) if len(lags) else 0.0
    first = int(lags[score[lags] >= FUNDAMENTAL_SHARE * score[lags].max()][0])
    return first + parabola_vertex(score, first), float(score[first])


def parabola_vertex(values: NDArray[np.floating], at: int) -> float:
    """Return where the parabola through ``values[at]`` and its neighbours peaks: -0.5 to 0.5 from index ``at``.

    0 at either end, and where the three values make no peak.
    """
    if not 0 < at < len(values) - 1:
        return 0.0
    left, middle, right = (float(values[at + step]) for step in (-1, 0, 1))
    curvature = left - 2 * middle + right
    if curvature >= -1e-9:
        return 0.0
    return float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5))
