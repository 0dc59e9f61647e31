"""What looks like a defect and is none: cables, painted numbers, birds."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.layout import Layout
from dd_livm_core.fleet.raster import Window
from dd_livm_core.fleet.sun import Sun


def draw_cables(
    image: NDArray[np.uint8], layout: Layout, window: Window, share: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Draw cables that hang from the ends of some tables, in place."""
    chosen = rng.random(len(layout.tables_px)) < share
    sag = rng.uniform(-1, 1, (len(layout.tables_px), 3))
    reach = 1.5 / layout.step_m[0]
    for table in np.flatnonzero(chosen & window.touches(layout.tables_px, 2 * reach)):
        _, top, right, bottom = layout.tables_px[table] - np.tile(window.origin, 2)
        t = np.linspace(0, 1, 24)
        y = (
            top
            + (bottom - top) * (0.5 + 0.4 * sag[table, 0])
            + reach * 0.4 * sag[table, 1] * np.sin(3 * t)
        )
        x = right - reach * 1.2 + t * reach * (2.4 + sag[table, 2])
        line = np.stack([x, y], axis=-1).astype(np.int32)
        cv2.polylines(image, [line], False, (28, 28, 30), 2, cv2.LINE_AA)


def draw_numbers(
    image: NDArray[np.uint8], layout: Layout, window: Window, share: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Paint table numbers on lower frames, in place."""
    chosen = rng.random(len(layout.tables_px)) < share
    height = 0.22 / layout.step_m[1] / 22
    for table in np.flatnonzero(chosen & window.touches(layout.tables_px)):
        left, _, _, bottom = layout.tables_px[table] - np.tile(window.origin, 2)
        at = (int(left) + 4, int(bottom) - 2)
        cv2.putText(image, f"T{table:03d}", at, 0, height, (232, 232, 225), 1, cv2.LINE_AA)


def draw_bird(
    image: NDArray[np.uint8], step_m: tuple[float, float], sun: Sun, rng: np.random.Generator
) -> None:
    """Draw a bird in flight and its shadow, in place."""
    height, width = image.shape[:2]
    at = rng.uniform(0.2, 0.8, 2) * (width, height)
    span, turn = rng.uniform(0.3, 0.8) / step_m[0], rng.uniform(0, 2 * np.pi)
    wing = (
        np.array([[-1, 0.25], [-0.45, -0.1], [0, 0.12], [0.45, -0.1], [1, 0.25], [0, -0.18]])
        * span
        / 2
    )
    c, s = np.cos(turn), np.sin(turn)
    outline = wing @ np.array([[c, s], [-s, c]]) + at
    shadow = outline + np.asarray(sun.shadow_per_m) / np.asarray(step_m) * rng.uniform(2, 6)
    light = int(rng.choice([35, 60, 215]))
    cv2.fillPoly(image, [shadow.astype(np.int32)], (38, 40, 46), cv2.LINE_AA)
    cv2.fillPoly(image, [outline.astype(np.int32)], (light, light, light), cv2.LINE_AA)
