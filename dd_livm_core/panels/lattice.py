"""The lattice of PV modules inside panels: its direction and its periods, from frame lines.

Within a row of panels the frames repeat with the PV module's size. The strength of edges across a direction is
correlated with itself along it, line by line, so that tables need not be in step with each other.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.panels.frame_direction import direction_deg, typical_gradient, upright_turn

Mask = NDArray[np.bool_]

LEAST_PIXELS = 1500
LEAST_PERIOD_PX = 6
LEAST_STRENGTH = 0.25
FUNDAMENTAL_SHARE = 0.6
"""A peak this strong against the strongest counts as a period of its own: multiples of a period peak, too."""


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
        """Return the shorter period: the PV module's short side, where frames are seen on both sides."""
        known = [period for period in (self.along_px, self.across_px) if period]
        return min(known) if known else None


def panel_lattice(image: NDArray[np.float32], mask: Mask) -> PanelLattice | None:
    """Measure the lattice of PV modules inside panels.

    Parameters
    ----------
    image
        float32 (H, W), infrared (°C or grey) or visible (grey), on the grid of ``mask``.
    mask
        bool (H, W), the panels.

    Returns
    -------
    None where the mask is too small to tell.
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


def _turn_upright(
    gradient: tuple[NDArray[np.float32], NDArray[np.float32]],
    typical: float,
    inner: NDArray[np.uint8],
    turn_deg: float,
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Turn the image so that the lattice stands upright; return saturated edge strength along x and y, and mask."""
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
    """Return the period of edges along x and the correlation there; None where there is none."""
    rows = inside.sum(1) > 4 * LEAST_PERIOD_PX
    if not rows.any():
        return None, 0.0
    weight = inside[rows]
    line = np.asarray(cv2.GaussianBlur(edges[rows], (0, 0), sigmaX=1.2, sigmaY=0.01), np.float32)
    mean = (line * weight).sum(1, keepdims=True) / weight.sum(1, keepdims=True)
    line = (line - mean) * weight
    size = 2 * line.shape[1]

    def correlated(values: NDArray[np.float32]) -> NDArray[np.float64]:
        power = np.abs(np.fft.rfft(values, size, axis=1)) ** 2
        return np.asarray(np.fft.irfft(power.sum(0))[: size // 2])

    overlap = correlated(weight)
    score = correlated(line) / np.maximum(overlap, 0.02 * overlap[0])
    score = score / max(float(score[0]), 1e-9)
    usable = overlap > 0.08 * overlap[0]
    lags = np.arange(1, len(score) - 1)
    peak = (score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:]) & usable[1:-1]
    lags = lags[peak & (lags >= LEAST_PERIOD_PX)]
    if not len(lags) or score[lags].max() < LEAST_STRENGTH:
        return None, float(score[lags].max()) if len(lags) else 0.0
    first = int(lags[score[lags] >= FUNDAMENTAL_SHARE * score[lags].max()][0])
    return first + parabola_vertex(score, first), float(score[first])


def parabola_vertex(values: NDArray[np.floating], at: int) -> float:
    """Return how far from index ``at``, -0.5 to 0.5, the parabola through it and its neighbours peaks.

    Returns
    -------
    0 at either end, and where the three values make no peak.
    """
    if not 0 < at < len(values) - 1:
        return 0.0
    left, middle, right = (float(values[at + step]) for step in (-1, 0, 1))
    curvature = left - 2 * middle + right
    if curvature >= -1e-9:
        return 0.0
    return float(np.clip(0.5 * (left - right) / curvature, -0.5, 0.5))
