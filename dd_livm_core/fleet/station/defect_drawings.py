"""Drawings of what covers or breaks a PV module: plants, dirt, cracks; colours that vary."""

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.raster.canvas import Canvas

Array = NDArray[np.float64]


def draw_plant(
    canvas: Canvas, side: int, base: float, reach: float, scale: float, rng: np.random.Generator
) -> None:
    """Draw leaves on stems that come up from beside one edge, the upper ones in the sun."""
    green = draw_colour((44, 66, 26), (112, 128, 66), rng)

    def place(along: float, depth: float) -> tuple[float, float]:
        return ((along, 1 - depth), (depth, along), (1 - depth, along), (along, depth))[side]

    roots = np.clip(base + rng.normal(0, reach * 0.3, int(rng.integers(3, 8))), -0.15, 1.15)
    leaves = int(rng.integers(28, 130) * scale) + 10
    for number in range(leaves):
        root = float(rng.choice(roots))
        along = float(np.clip(root + rng.normal(0, reach * 0.45), -0.2, 1.2))
        depth = float(rng.normal(reach * 0.35, reach * 0.38)) - 0.05
        if number % 6 == 0:
            stem = green * rng.uniform(0.5, 0.8)
            canvas.line([place(root, -0.06), place(along, depth)], 255, 1, rgb=stem)
        leaf = rng.uniform(0.012, 0.045)
        radii = (leaf * rng.uniform(1, 2.6), leaf * 0.55)
        sunlit = rng.uniform(0.5, 0.8) + 0.6 * number / leaves
        rgb = green * sunlit + rng.normal(0, 7, 3)
        canvas.ellipse(place(along, depth), radii, rng.uniform(0, 180), rgb)


def draw_band(canvas: Canvas, size: float, rng: np.random.Generator) -> None:
    """Draw dirt that rain washed down to the lower edge."""
    x = np.arange(canvas.alpha.shape[1]) / canvas.short
    depth = (
        rng.uniform(0.06, 0.2)
        * size
        * (1 + 0.35 * np.sin(x * rng.uniform(2, 6) + rng.uniform(0, 6)))
    )
    strength = np.clip(1 - (1 - canvas.rows()) / depth, 0, 1) * rng.uniform(0.7, 1.0)
    canvas.alpha[:] = strength * 255
    canvas.clip_to_module()


def draw_spots(
    canvas: Canvas,
    number: int,
    spread: float,
    radius: tuple[float, float],
    rng: np.random.Generator,
) -> None:
    """Draw spots about one place; spread and least and greatest radius are shares of the PV module's width."""
    middle = rng.uniform(0.15, 0.85, 2)
    for _ in range(number):
        x, y = np.clip(middle + rng.normal(0, spread, 2), 0.02, 0.98)
        r = rng.uniform(*radius)
        canvas.ellipse((float(x), float(y)), (r, r * rng.uniform(0.8, 2.2)), rng.uniform(-25, 25))


def draw_cracks(canvas: Canvas, centre: Array, reach: float, rng: np.random.Generator) -> None:
    """Draw a web of cracks around an impact."""
    aspect = canvas.tile_px[0] / canvas.tile_px[1]
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(7, 17))))

    def places(radius: Array, angle: Array) -> list[tuple[float, float]]:
        x, y = centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle) * aspect
        return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]

    for angle in angles:
        radius = reach * rng.uniform(0.5, 1.0) * np.arange(0, 1.01, 0.2)
        bend = angle + np.cumsum(rng.normal(0, 0.1, len(radius)))
        canvas.line(places(radius, bend), int(rng.integers(150, 256)), int(rng.integers(2, 4)))
    for ring in np.cumsum(rng.uniform(0.12, 0.3, 3)):
        around = places(np.full(len(angles), reach * ring), angles)
        canvas.line(around, int(rng.integers(110, 220)), 2, closed=bool(rng.random() < 0.5))
    hole = rng.uniform(0.02, 0.06)
    canvas.ellipse((float(centre[0]), float(centre[1])), (hole, hole), 0)


def draw_colour(
    first: tuple[int, int, int], last: tuple[int, int, int], rng: np.random.Generator
) -> Array:
    """Draw a colour between two, with a small variation of its hue."""
    start, end = np.array(first, float), np.array(last, float)
    return np.asarray(start + (end - start) * rng.random() + rng.normal(0, 4, 3))
