"""Turns images upright, as EXIF's tag Orientation asks for and every viewer and labelling tool shows them."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.exif import exif_values

ORIENTATION = 0x0112
"""EXIF's and TIFF's tag (CIPA DC-008)."""
UPRIGHT = 1
ORIENTATIONS = range(1, 9)
SIDEWAYS = (5, 6, 7, 8)
"""Orientations in which rows of the file are columns of the picture."""

Number = TypeVar("Number", bound=np.generic)


def orientation_of(content: bytes) -> int:
    """Return the orientation that a JPEG, PNG or TIFF says, 1 to 8; 1, which is upright, where it says none."""
    return checked_orientation(exif_values(content, {ORIENTATION}).get(ORIENTATION))


def checked_orientation(value: Any) -> int:
    """Return a tag's value as an orientation; what is none counts as upright, as viewers take it."""
    number = value[0] if isinstance(value, tuple) and len(value) == 1 else value
    is_known = isinstance(number, int) and number in ORIENTATIONS
    return int(number) if is_known else UPRIGHT


def turn_upright(stored: NDArray[Number], orientation: int) -> NDArray[Number]:
    """Return the pixels (H, W) or (H, W, C) of a file as they are shown; an upright image is returned itself.

    Orientations 2, 4, 5 and 7 are mirrored, as the standard has them.
    """
    if orientation == UPRIGHT:
        return stored
    turned = stored.swapaxes(0, 1) if orientation in SIDEWAYS else stored
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return np.ascontiguousarray(turned)


def upright_size_px(stored_px: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return (width, height) of the picture as it is shown, of a file's own (width, height)."""
    return stored_px[::-1] if orientation in SIDEWAYS else stored_px
