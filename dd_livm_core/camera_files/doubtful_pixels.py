"""Says which pixels of a thermal frame no scene can have: dead ones, or damage that no checksum covers."""

import cv2
import numpy as np
from numpy.typing import NDArray

LONE_K, LONE_SHARE = 30.0, 0.8
"""A lone pixel is so far above or below all its neighbours, and that is such a share of its distance from the last.
Of a point that a lens spreads by 0.7 px (standard deviation) the share is 0.74. 77 real files: 18 K."""
FEWEST_ZEROS = 16
"""Pixels of a float frame that hold exactly 0: one or two may by chance."""
TINY = 1e-6
"""Of any unit: a float32 near 20 has steps of 2e-6, and a sensor's are far larger."""
NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


def describe_lone_pixels(temperature_c: NDArray[np.float32]) -> str | None:
    """Return how many pixels of (H, W) °C stand alone by more than `LONE_K`, in words, or None where none does."""
    highest, lowest = cv2.dilate(temperature_c, NEIGHBOURS), cv2.erode(temperature_c, NEIGHBOURS)
    above, below = temperature_c - highest, lowest - temperature_c
    if max(above.max(), below.max()) <= LONE_K:
        return None
    lone = (above > np.maximum(LONE_K, LONE_SHARE * (temperature_c - lowest))) | (
        below > np.maximum(LONE_K, LONE_SHARE * (highest - temperature_c))
    )
    count = int(lone.sum())
    if not count:
        return None
    return f"{count} pixels lie over {LONE_K:g} K off all their neighbours: they are dead, or the file is damaged"


def describe_zeros(stored: NDArray[np.float64]) -> str | None:
    """Return how many pixels of a frame stored as floats hold 0 or next to it, in words; None where hardly any does."""
    size = np.abs(stored)
    zeros, tiny = int((size == 0).sum()), int(((size > 0) & (size < TINY)).sum())
    if zeros >= FEWEST_ZEROS:
        return f"{zeros} pixels hold exactly 0: they have no data, or the file is damaged"
    return (
        f"{tiny} pixels hold a number that nothing measures: the file is damaged" if tiny else None
    )
