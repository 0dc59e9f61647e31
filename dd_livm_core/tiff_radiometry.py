"""TIFF frames of thermal cameras: the numbers, and the unit that the file declares for them."""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from pydantic import ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.image_files import MAX_PIXELS
from dd_livm_core.metadata import xmp_values
from dd_livm_core.records import DeclaredUnit, TemperatureUnit

UNITS_TO_C: dict[TemperatureUnit, tuple[float, float]] = {
    "celsius": (1.0, 0.0),
    "kelvin": (1.0, -273.15),
    "centikelvin": (0.01, -273.15),
    "decikelvin": (0.1, -273.15),
}
"""Declared unit to (gain, offset) that give °C."""
LARGEST = 1e12
"""No camera's number; differences of larger ones overflow."""


@dataclass(frozen=True)
class TiffFrame:
    """A TIFF's first page.

    Attributes
    ----------
    values
        float64 (H, W), or (H, W, C) for colours; finite.
    stored_dtype
        Type of the numbers in the file.
    unit
        What the file itself declares, or None.
    """

    values: NDArray[np.float64]
    stored_dtype: str
    unit: DeclaredUnit | None


def read_tiff_frame(content: bytes, path: Path) -> TiffFrame:
    """Decode a TIFF's first page; its size is checked before its pixels are.

    Raises
    ------
    InputError
        No TIFF, no frame of a drone camera, broken, values that are not finite, or a declared unit that is none.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            page = tiff.pages[0]
            shape, kind = page.shape, np.dtype(page.dtype)
            samples = shape[2] if len(shape) == 3 else 1
            if not 2 <= len(shape) <= 3 or samples > 4 or kind.kind not in "uif":
                raise InputError("a TIFF frame", f"{shape}, {kind}", path, "Export frames.")
            if math.prod(shape) > MAX_PIXELS or min(shape[:2]) < 8:
                raise InputError("a drone camera's frame", f"{shape}", path, "Export frames.")
            description = str(getattr(page, "description", "") or "")
            values = np.asarray(page.asarray())
    except InputError:
        raise
    except Exception as error:  # tifffile raises many kinds on broken files
        found = f"{type(error).__name__}: {error}"[:200]
        raise InputError("a whole TIFF", found, path, "Copy it anew.") from error
    if values.shape != shape:
        raise InputError(f"a TIFF of {shape}", f"{values.shape}", path, "Copy it anew.")
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused below
        exact = values.astype(np.float64)
    if not (np.abs(exact) < LARGEST).all():  # false for NaN, too
        raise InputError(
            f"finite values below {LARGEST:g}", "some that are not", path, "Export the frame anew."
        )
    frame = exact[..., 0] if samples == 1 and values.ndim == 3 else exact
    return TiffFrame(frame, str(values.dtype), _own_unit(description, content, path))


def _own_unit(description: str, content: bytes, path: Path) -> DeclaredUnit | None:
    """Return the unit in the description's JSON, else in FLIR's TLinear tag, else None."""
    try:
        said = json.loads(description)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and "unit" in said:
        try:
            return DeclaredUnit(unit=said["unit"], scale=said.get("scale", 1.0))
        except ValidationError as error:
            raise InputError(
                f"a unit of {', '.join(UNITS_TO_C)} and a positive scale",
                repr({name: said.get(name) for name in ("unit", "scale")})[:200],
                path,
                "Mend the TIFF's ImageDescription.",
            ) from error
    gain_k = xmp_values(content, {"TlinearGain": "gain_k"}).get("gain_k", 0.0)
    return DeclaredUnit(unit="kelvin", scale=gain_k) if 0 < gain_k <= 1 else None
