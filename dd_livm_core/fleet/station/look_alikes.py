"""Draws what looks like a defect and is none: cables, painted numbers, birds; their shapes are chosen."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.physics.sun import Sun
from dd_livm_core.fleet.raster.raster import Window
from dd_livm_core.fleet.station.layout import Layout

_NUMBER_HEIGHT_M = 0.22
_CABLE_REACH_M, _CABLE_THICKNESS_M = 1.5, 0.018
_WING_SPAN_M, _BIRD_HEIGHT_M = (0.3, 0.8), (2, 6)


class Markings:
    """Draws cables that hang from the ends of some tables, and numbers painted on their lower frames.

    Parameters
    ----------
    layout
        The tables.
    cables, numbers
        Share of tables that have one.
    rng
        The same numbers give the same markings.
    """

    def __init__(
        self, layout: Layout, cables: float, numbers: float, rng: np.random.Generator
    ) -> None:
        tables = layout.tables_px
        self._tables = tables
        # OpenCV's plain font is about 22 px high at scale 1.
        self._number_scale = _NUMBER_HEIGHT_M / layout.step_m[1] / 22
        self._numbered = rng.random(len(tables)) < numbers
        self._cabled = np.flatnonzero(rng.random(len(tables)) < cables)
        sag = rng.uniform(-1, 1, (len(self._cabled), 4, 1))
        _, top, _, bottom = tables[self._cabled].T[..., None]
        right = tables[self._cabled, 2:3]
        reach, t = _CABLE_REACH_M / layout.step_m[0], np.linspace(0, 1, 24)
        # From a junction under the table, loose over its end, and down to the ground.
        y = top + (bottom - top) * (0.5 + 0.4 * sag[:, 0])
        y = y + reach * (0.35 * sag[:, 1] * np.sin(3 * t) + 0.12 * sag[:, 3] * np.sin(9 * t))
        x = right - reach * (0.45 + 0.35 * sag[:, 3]) + t * reach * (1.3 + 0.7 * sag[:, 2])
        self._lines = np.stack([x, y], axis=-1).astype(np.int32)
        self._thick_px = max(1, round(_CABLE_THICKNESS_M / layout.step_m[0]))
        self._line_boxes = np.hstack([self._lines.min(axis=1), self._lines.max(axis=1)])

    def draw(self, image: NDArray[np.uint8], window: Window) -> None:
        """Draw the markings of a window (h, w, 3), in place."""
        for line in self._lines[window.touches(self._line_boxes, 2)] - window.origin:
            cv2.polylines(image, [line], False, (30, 30, 33), self._thick_px, cv2.LINE_AA)
        for table in np.flatnonzero(self._numbered & window.touches(self._tables, 2)):
            left, _, _, bottom = self._tables[table] - np.tile(window.origin, 2)
            at, scale = (int(left) + 4, int(bottom) - 2), self._number_scale
            cv2.putText(image, f"T{table:03d}", at, 0, scale, (232, 232, 225), 1, cv2.LINE_AA)


def draw_bird(
    image: NDArray[np.uint8], step_m: tuple[float, float], sun: Sun, rng: np.random.Generator
) -> None:
    """Draw a bird in flight and its shadow into a picture (h, w, 3), in place."""
    height, width = image.shape[:2]
    at = rng.uniform(0.2, 0.8, 2) * (width, height)
    span, turn = rng.uniform(*_WING_SPAN_M) / step_m[0], rng.uniform(0, 2 * np.pi)
    wing = (
        np.array([[-1, 0.25], [-0.45, -0.1], [0, 0.12], [0.45, -0.1], [1, 0.25], [0, -0.18]])
        * span
        / 2
    )
    c, s = np.cos(turn), np.sin(turn)
    outline = wing @ np.array([[c, s], [-s, c]]) + at
    shadow = outline + np.asarray(sun.shadow_per_m) / np.asarray(step_m) * rng.uniform(
        *_BIRD_HEIGHT_M
    )
    light = int(rng.choice([35, 60, 215]))
    cv2.fillPoly(image, [shadow.astype(np.int32)], (38, 40, 46), cv2.LINE_AA)
    cv2.fillPoly(image, [outline.astype(np.int32)], (light, light, light), cv2.LINE_AA)
