"""Makes the values of an infrared picture without temperatures: by its palette, told in words."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.images import grey, read_bytes, upright_pixels
from dd_livm_core.camera_files.palette_values import BLACK_HOT, read_picture
from dd_livm_core.camera_files.palettes import names
from dd_livm_core.camera_files.thermogram import Thermogram
from dd_livm_core.errors import InputError

NO_TEMPERATURE = "Give the camera's radiometric file (16-bit TIFF, FLIR or DJI R-JPEG)."
NO_PALETTE = "none"
"""Instead of a palette's name, for the colours of a photograph."""
SAID_OF_KIND = {
    "grey": "",
    "known": "; the values are places along the palette {}",
    "bright": "; the values are the brightness of an unknown palette, which grows along it",
    "line": "; the values are places along an unknown palette, whose hot end is told by its colours",
    "photograph": "; its colours are of no palette, as in a photograph: the values are brightness, hot or not",
}
"""By `palette_values.Kind`."""


def read_colours(rgb: NDArray[np.uint8], path: Path, reason: str) -> Thermogram:
    """Return a picture's values by its palette: they give shape, never a ΔT.

    Raises
    ------
    InputError
        The palette is unknown, and neither its brightness nor its colours tell which end is hot.
    """
    picture = read_picture(rgb)
    if picture.values is None:
        raise InputError(
            "a grey picture or one of a known palette",
            "an unknown palette whose brightness does not grow with temperature",
            path,
            f"Save it with one of these: white hot, {', '.join(names())}. {NO_TEMPERATURE}",
        )
    marked = 0.0 if picture.marks is None else float(picture.marks.mean())
    said = SAID_OF_KIND[picture.kind].format(picture.palette)
    if picture.palette == BLACK_HOT:
        said = "; the burnt-in scale is black at its hot end, so the values are turned over"
    if marked:
        said += f"; burnt-in marks on {marked:.1%} of the pixels were filled from around them"
    return Thermogram(
        values=picture.values,
        radiometric=False,
        stored_dtype="uint8",
        reason=f"{reason}{said}",
        palette=picture.palette or (NO_PALETTE if picture.kind == "photograph" else "unknown"),
        marked_share=marked,
    )


def read_picture_values(path: Path) -> NDArray[np.float32]:
    """Return what an infrared file's picture shows, float32 (H, W) 0 to 255, hot is high; temperatures are passed over.

    People draw labels on the picture, which need not be the grid of the temperatures.

    Raises
    ------
    InputError
        It is no image, too large or truncated.
    """
    rgb = upright_pixels(read_bytes(path), path)
    values = read_picture(rgb).values
    if values is None:  # a palette whose order is not told: brightness still shows the shapes
        values = np.asarray(grey(rgb), np.float32)
    return values


def require_no_photograph(thermogram: Thermogram, path: Path) -> None:
    """Raise an InputError where an image has the colours of a photograph."""
    if thermogram.palette == NO_PALETTE:
        raise InputError(
            "an infrared image, as there is no visible one beside it",
            "the colours of a photograph",
            path,
            "Give the visible images their own marks (_V), or leave it out.",
        )
