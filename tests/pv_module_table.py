"""A table of PV modules as excess temperature, for tests."""

import numpy as np

from dd_livm_core.panels.pv_module_px import PvModulePx

WIDTH, HEIGHT = 24, 40
PV_MODULE = PvModulePx(WIDTH, HEIGHT)


def table(rows: int = 2, columns: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return excess and mask of a table of portrait PV modules with cold frames, noise and their own levels."""
    rng = np.random.default_rng(5)
    shape = (rows * HEIGHT + 40, columns * WIDTH + 40)
    excess, mask = np.zeros(shape, np.float32), np.zeros(shape, bool)
    mask[20 : 20 + rows * HEIGHT, 20 : 20 + columns * WIDTH] = True
    for i in range(rows):
        for k in range(columns):
            place = inside(i, k, 0)
            excess[place] = rng.normal(0, 0.3)
            excess[place][[0, -1]] = excess[place][:, [0, -1]] = -4
    excess += rng.normal(0, 0.1, shape).astype(np.float32)
    return np.where(mask, excess, 0).astype(np.float32), mask


def inside(row: int, column: int, frame: int = 1) -> tuple[slice, slice]:
    top, left = 20 + row * HEIGHT, 20 + column * WIDTH
    return slice(top + frame, top + HEIGHT - frame), slice(left + frame, left + WIDTH - frame)
