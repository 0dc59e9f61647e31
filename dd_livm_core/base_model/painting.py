"""Paints hotspots into training crops: points, stripes and blocks of a PV module, so that every place may be hot."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
LEAST_PANEL_PX = 200
MOST_HOTSPOTS = 6
AMPLITUDES = (2.0, 9.0)
"""In spreads of the panels' local contrast, from what hardly shows to what nobody misses."""
SURE_AMPLITUDE = 3.0
"""Fainter ones are doubtful: nothing is learnt there."""
EDGE_LEVEL = 0.4
"""Share of the maximum at which a painted hotspot ends."""


class Painted(NamedTuple):
    """Boxes (N, 4) of the painted hotspots, in pixels; of the faint ones apart."""

    sure: NDArray[np.float64]
    faint: NDArray[np.float64]


class _Kind(NamedTuple):
    """Share of a kind of hotspot, and its half sides in short sides of a PV module (least, most)."""

    share: float
    across: tuple[float, float]
    along: tuple[float, float]


_KINDS = (
    _Kind(0.65, (0.025, 0.11), (0.025, 0.11)),
    _Kind(0.20, (0.1, 0.2), (0.3, 0.8)),
    _Kind(0.15, (0.2, 0.5), (0.2, 0.5)),
)
"""Points as most are, stripes as of a bypassed third, blocks. Chosen."""


def paint_hotspots(
    values: Floats,
    panel: NDArray[np.bool_],
    module_px: float,
    direction_deg: float,
    rng: np.random.Generator,
) -> Painted:
    """Add hotspots to panels, in place, along a direction or across it; return their boxes.

    Parameters
    ----------
    values
        float32 (H, W), changed.
    panel
        bool (H, W): where hotspots may lie.
    module_px
        Short side of a PV module.
    direction_deg
        Of the PV modules' sides.
    """
    none = np.zeros((0, 4))
    places = np.argwhere(panel)
    if len(places) < LEAST_PANEL_PX:
        return Painted(none, none)
    contrast = values - cv2.GaussianBlur(values, (0, 0), max(module_px / 2, 1.0))
    spread = float(contrast[panel].std()) + 0.01
    sure: list[tuple[float, ...]] = []
    faint: list[tuple[float, ...]] = []
    for _ in range(rng.integers(1, MOST_HOTSPOTS + 1)):
        kind = _KINDS[rng.choice(len(_KINDS), p=[kind.share for kind in _KINDS])]
        half_px = np.maximum(
            [module_px * rng.uniform(*kind.across), module_px * rng.uniform(*kind.along)], 1.0
        )
        turn_deg = direction_deg + 90 * rng.integers(2) + rng.normal(0, 2)
        centre = places[rng.integers(len(places))]
        amplitude = rng.uniform(*AMPLITUDES)
        box = _add(values, centre, half_px, float(turn_deg), amplitude * spread)
        (sure if amplitude > SURE_AMPLITUDE else faint).append(box)
    return Painted(np.asarray(sure).reshape(-1, 4), np.asarray(faint).reshape(-1, 4))


def _add(
    values: Floats,
    centre: NDArray[np.int64],
    half_px: NDArray[np.float64],
    turn_deg: float,
    amplitude: float,
) -> tuple[float, float, float, float]:
    """Add one hotspot with blurred edges; return its box x, y, width, height."""
    reach = int(3 * half_px.max() + 4)
    top, left = (max(int(c) - reach, 0) for c in centre)
    window = values[top : int(centre[0]) + reach + 1, left : int(centre[1]) + reach + 1]
    down, across = np.indices(window.shape) + np.array([top, left])[:, None, None]
    turn = np.radians(turn_deg)
    x, y = across - centre[1], down - centre[0]
    first = np.abs(x * np.cos(turn) + y * np.sin(turn)) / half_px[0]
    second = np.abs(-x * np.sin(turn) + y * np.cos(turn)) / half_px[1]
    steep = 2 if half_px.max() < 1.5 * half_px.min() and half_px.max() < 4 else 4
    bump = np.exp(-0.5 * (first**steep + second**steep))
    window += (amplitude * bump).astype(np.float32)
    rows, columns = np.nonzero(bump >= EDGE_LEVEL)
    return (
        float(left + columns.min()),
        float(top + rows.min()),
        float(np.ptp(columns) + 1),
        float(np.ptp(rows) + 1),
    )
