"""Pictures that let a person judge an alignment."""

import numpy as np
from numpy.typing import NDArray

TILE_PX = 64


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


def blend(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Average two (H, W, 3) pictures on one grid.

    Raises
    ------
    ValueError
        The two have different shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"pictures of one shape; found {first.shape} and {second.shape}")
    return ((first.astype(np.uint16) + second) // 2).astype(np.uint8)
