"""Fields and grids for tests of heat."""

import numpy as np


def random_field(seed: int, shape: tuple[int, int] = (24, 31)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def grid(half_m: float, count: int) -> tuple[np.ndarray, float]:
    """Return the middles of ``count`` pixels from -half to half, and the side of a pixel, in metres."""
    pixel_m = 2 * half_m / count
    return (np.arange(count) + 0.5) * pixel_m - half_m, pixel_m
