"""Draw pictures on which a person can judge an alignment."""

import cv2
import numpy as np
from numpy.typing import NDArray

TILE_PX = 64
"""Ten tiles across a frame of 640 pixels: many edges cross from one to the next. Chosen."""
OUTLINE_COLOUR = (60, 230, 90)
"""RGB, a green that stands out on both pictures."""


def checkerboard(
    first: NDArray[np.uint8], second: NDArray[np.uint8], tile_px: int = TILE_PX
) -> NDArray[np.uint8]:
    """Return square tiles of two pictures in turn, (H, W, 3): edges run on where both are aligned.

    Raises
    ------
    ValueError
        The two have different shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"pictures of one shape; found {first.shape} and {second.shape}")
    rows, columns = np.indices(first.shape[:2]) // tile_px
    return np.where(((rows + columns) % 2 == 0)[..., None], first, second)


def draw_outline(picture: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return a copy of an (H, W, 3) uint8 RGB picture with the outline of a (H, W) mask drawn on it.

    Raises
    ------
    ValueError
        The mask has another size.
    """
    if picture.shape[:2] != mask.shape:
        raise ValueError(f"a mask of {picture.shape[:2]}; found {mask.shape}")
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    drawn = np.ascontiguousarray(picture).copy()
    return np.asarray(cv2.drawContours(drawn, contours, -1, OUTLINE_COLOUR, 2), np.uint8)
