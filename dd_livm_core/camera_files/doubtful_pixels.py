"""Says which pixels of a thermal frame no scene can have: dead ones, or damage that no checksum covers."""

import cv2
import numpy as np
from numpy.typing import NDArray

LONE_K, FEW_K = 30.0, 100.0
"""A lone pixel is so far above or below all its neighbours; one of two or three so far off the median of the nine.
77 real files: 18 and 43 K at most."""
LENS_SHARE = 0.8
"""Such a share of its distance from the farthest neighbour is more than a lens leaves: of a point that it spreads by
0.7 px (standard deviation) the share is 0.74."""
FEWEST_ZEROS = 16
"""Pixels of a float frame that hold exactly 0: one or two may by chance."""
TINY = 1e-6
"""Of any unit: a float32 near 20 has steps of 2e-6, and a sensor's are far larger."""
NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


def describe_lone_pixels(temperature_c: NDArray[np.float32]) -> str | None:
    """Return how many pixels of (H, W) °C stand alone, in words, or None where none does."""
    highest, lowest = cv2.dilate(temperature_c, NEIGHBOURS), cv2.erode(temperature_c, NEIGHBOURS)
    above, below = temperature_c - highest, lowest - temperature_c
    off_median = temperature_c - cv2.medianBlur(temperature_c, 3)
    largest_k = max(float(above.max()), float(below.max())), float(np.abs(off_median).max())
    if largest_k[0] <= LONE_K and largest_k[1] <= FEW_K:
        return None
    alone = np.zeros(temperature_c.shape, bool)
    for off_all, off_most, farthest in (
        (above, off_median, temperature_c - lowest),
        (below, -off_median, highest - temperature_c),
    ):
        alone |= (off_all > LONE_K) & (off_all > LENS_SHARE * farthest)
        alone |= (off_most > FEW_K) & (off_most > LENS_SHARE * farthest)
    count = int(alone.sum())
    if not count:
        return None
    return f"{count} pixels lie over {LONE_K:g} K off those around them: they are dead, or the file is damaged"


def describe_zeros(stored: NDArray[np.float64]) -> str | None:
    """Return how many pixels of a frame stored as floats hold 0 or next to it, in words; None where hardly any does."""
    size = np.abs(stored)
    zeros, tiny = int((size == 0).sum()), int(((size > 0) & (size < TINY)).sum())
    if zeros >= FEWEST_ZEROS:
        return f"{zeros} pixels hold exactly 0: they have no data, or the file is damaged"
    return (
        f"{tiny} pixels hold a number that nothing measures: the file is damaged" if tiny else None
    )
