"""Pictures that let a person judge an alignment."""

import cv2
import numpy as np
from numpy.typing import NDArray

TILE_PX = 64
OUTLINE_COLOUR = (60, 230, 90)


def checkerboard(
    first: NDArray[np.uint8], second: NDArray[np.uint8], tile_px: int = TILE_PX
) -> NDArray[np.uint8]:
    """Alternate square tiles of two (H, W, 3) pictures on one grid: edges run on where they are aligned.

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
    """Return a copy of an (H, W, 3) RGB picture with the outline of a (H, W) mask drawn on it.

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
