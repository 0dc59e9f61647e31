"""What an infrared file holds: its values, or only its sizes and kind."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Thermogram:
    """An infrared image, upright as its file says by EXIF's or TIFF's orientation.

    Attributes
    ----------
    values
        float32 (H, W): °C where ``radiometric``, else grey 0 to 255.
    stored_dtype
        Type of the numbers in the file.
    reason
        Why there is no temperature and what the values are instead, or None.
    emissivity, reflected_c, distance_m, relative_humidity
        What the temperatures were computed with; humidity is a share of 1. None where the file does not say it.
    palette
        What a picture's values were read from: ``grey``, the name of a known palette, ``unknown``, or ``none`` for the
        colours of a photograph. None where the values are the file's own numbers.
    marked_share
        Share of pixels that burnt-in marks covered; they hold the mean of what is around them.
    remark
        What a person should know of the temperatures, or None.
    """

    values: NDArray[np.float32]
    radiometric: bool
    stored_dtype: str
    emissivity: float | None = None
    reflected_c: float | None = None
    distance_m: float | None = None
    relative_humidity: float | None = None
    camera: str | None = None
    reason: str | None = None
    palette: str | None = None
    marked_share: float = 0.0
    remark: str | None = None


@dataclass(frozen=True)
class InfraredContent:
    """What an infrared file holds, without its values; temperatures are None where it has none.

    ``remark`` is the `Thermogram`'s.
    """

    width_px: int
    height_px: int
    radiometric: bool
    stored_dtype: str
    median_c: float | None = None
    max_c: float | None = None
    camera: str | None = None
    remark: str | None = None
