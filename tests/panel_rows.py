"""Rows of PV modules in an infrared frame, drawn by hand: for tests of panels and hotspots."""

import numpy as np

from dd_livm_core.panels.pv_module_px import PvModulePx

WIDTH, HEIGHT = 30, 51
"""Short and long side of a PV module, in pixels."""
PV_MODULE = PvModulePx(WIDTH, HEIGHT)


def row_of_panels(noise: float = 0.2, offset: float = 40.0) -> tuple[np.ndarray, np.ndarray]:
    """Return two rows of eight portrait PV modules with cold frames, on warmer and colder ground."""
    rng = np.random.default_rng(0)
    image = np.full((180, 280), offset - 12.0)
    mask = np.zeros(image.shape, bool)
    for top in (20, 110):
        mask[top : top + HEIGHT, 20 : 20 + 8 * WIDTH] = True
        image[top : top + HEIGHT, 20 : 20 + 8 * WIDTH] = offset
        for k in range(9):
            image[top : top + HEIGHT, 20 + k * WIDTH - (k == 8) : 21 + k * WIDTH] = offset - 4
    return (image + rng.normal(0, noise, image.shape)).astype(np.float32), mask


def add(image: np.ndarray, row: int, column: int, shape: str, kelvin: float = 8.0) -> None:
    top, left = (20, 110)[row], 20 + column * WIDTH
    rows, columns = {
        "point": (slice(10, 15), slice(8, 13)),
        "stripe": (slice(0, HEIGHT), slice(1, 11)),
        "block": (slice(0, HEIGHT), slice(1, WIDTH)),
    }[shape]
    image[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop] += kelvin
