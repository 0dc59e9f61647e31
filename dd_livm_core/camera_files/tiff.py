"""Reads TIFF frames of thermal cameras: the numbers, and the unit that the file declares for them."""

import io
import json
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import tifffile
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from dd_livm_core.camera_files.images import MIN_SIDE_PX, frame_of, page_orientation
from dd_livm_core.camera_files.orientation import turn_upright, upright_size_px
from dd_livm_core.camera_files.xmp import parse_number, read_xmp
from dd_livm_core.errors import InputError
from dd_livm_core.records import DeclaredUnit, TemperatureUnit

UNITS_TO_C: dict[TemperatureUnit, tuple[float, float]] = {
    "celsius": (1.0, 0.0),
    "kelvin": (1.0, -273.15),
    "centikelvin": (0.01, -273.15),
    "decikelvin": (0.1, -273.15),
}
"""Unit → (gain, offset): number * gain + offset is °C."""
MAX_VALUES = 2**24
"""Numbers in a thermal frame: eight times those of the largest infrared drone camera."""
DEFLATE, BY_PILLOW = {8, 32946}, {5, 32773}
"""TIFF's numbers: deflate, and LZW and PackBits, which tifffile leaves to a further library."""
COMPRESSIONS = {1} | DEFLATE | BY_PILLOW
GDAL_METADATA = 42112
"""Tag of GDAL's metadata, XML."""
GDAL_UNITS: dict[str, TemperatureUnit] = {
    **dict.fromkeys(("degc", "°c", "c", "celsius"), "celsius"),
    **dict.fromkeys(("k", "kelvin"), "kelvin"),
}
MAX_NUMBER = 1e12
"""No camera stores a larger one; differences of such numbers would overflow."""


@dataclass(frozen=True)
class TiffFrame:
    """The frame of a TIFF.

    Attributes
    ----------
    values
        float64 (H, W), or (H, W, C) for colours; finite, upright as TIFF's tag Orientation says.
    stored_dtype
        Type of the numbers in the file.
    unit
        Unit that the file itself declares, or None.
    """

    values: NDArray[np.float64]
    stored_dtype: str
    unit: DeclaredUnit | None


def read_tiff_frame(content: bytes, path: Path) -> TiffFrame:
    """Return a TIFF's frame; its size is checked before its pixels are decoded.

    Raises
    ------
    InputError
        No TIFF, no frame of a drone camera, broken, values that are not finite, or a declared unit that is none.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            number, page = frame_of(tiff, path)
            _check_page(page, path)
            shape, stored_dtype = _upright_shape(page), str(np.dtype(page.dtype))
            description = str(getattr(page, "description", "") or "")
            gdal = page.tags.valueof(GDAL_METADATA)
            values = _values(page, number, content)
    except InputError:
        raise
    except Exception as error:  # tifffile raises many kinds on broken files
        found = f"{type(error).__name__}: {error}"[:200]
        raise InputError("a whole TIFF", found, path, "Copy it anew.") from error
    if values.shape != shape:
        raise InputError(f"a TIFF of {shape}", f"{values.shape}", path, "Copy it anew.")
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is refused below
        exact = values.astype(np.float64)
    if not (np.abs(exact) < MAX_NUMBER).all():  # false for NaN, too
        raise InputError(
            f"finite values below {MAX_NUMBER:g}",
            "some that are not",
            path,
            "Export the frame anew.",
        )
    frame = exact[..., 0] if exact.ndim == 3 and exact.shape[2] == 1 else exact
    return TiffFrame(frame, stored_dtype, _own_unit(description, gdal, content, path))


def _check_page(page: Any, path: Path) -> None:
    """Raise an InputError for a page that is no frame of a drone camera, by its tags alone."""
    shape, dtype = page.shape, np.dtype(page.dtype)
    samples = shape[2] if len(shape) == 3 else 1
    if not 2 <= len(shape) <= 3 or samples > 4 or dtype.kind not in "uif":
        raise InputError("a TIFF frame", f"{shape}, {dtype}", path, "Export frames.")
    if math.prod(shape) > MAX_VALUES or min(shape[:2]) < MIN_SIDE_PX:
        raise InputError("a drone camera's frame", f"{shape}", path, "Export frames.")
    if page.compression not in COMPRESSIONS:
        found = page.compression.name
        raise InputError(
            "a TIFF without compression, or LZW or deflate", found, path, "Export it anew."
        )


def _values(page: Any, number: int, content: bytes) -> NDArray[np.generic]:
    """Return a page's numbers upright, never decoding more bytes than its shape asks for."""
    if page.compression in BY_PILLOW:
        with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
            image.seek(number)
            return np.asarray(image)  # Pillow turns a TIFF upright itself
    if page.compression in DEFLATE:
        largest_b = page.nbytes + page.rowsperstrip * page.imagewidth * 16
        for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
            packed = content[start : start + length]
            if len(zlib.decompressobj().decompress(packed, largest_b + 1)) > largest_b:
                raise ValueError(f"a strip of over {largest_b} bytes")
    return turn_upright(np.asarray(page.asarray()), page_orientation(page))


def _upright_shape(page: Any) -> tuple[int, ...]:
    """Return the shape of a page's numbers when they are upright."""
    return (*upright_size_px(page.shape[:2], page_orientation(page)), *page.shape[2:])


def _own_unit(description: str, gdal: object, content: bytes, path: Path) -> DeclaredUnit | None:
    """Return the unit that the description's JSON, else GDAL's tag, else FLIR's TLinear gain declares; or None."""
    try:
        said = json.loads(description)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and "unit" in said:
        try:
            return DeclaredUnit.model_validate(
                {name: said[name] for name in DeclaredUnit.model_fields if name in said}
            )
        except ValidationError as error:
            raise InputError(
                f"a unit of {', '.join(UNITS_TO_C)} and a positive scale",
                repr(said)[:200],
                path,
                "Mend the TIFF's ImageDescription.",
            ) from error
    declared = _gdal_unit(gdal) if isinstance(gdal, str) else None
    if declared is not None:
        return declared
    gain_k = parse_number(read_xmp(content, {"TlinearGain"}).texts.get("TlinearGain", "")) or 0.0
    return DeclaredUnit(unit="kelvin", scale=gain_k) if 0 < gain_k <= 1 else None


def _gdal_unit(text: str) -> DeclaredUnit | None:
    """Return the unit, scale and offset of the first band in GDAL's metadata, or None where they name no unit."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    items = [item for item in root.iter("Item") if item.get("sample", "0") == "0"]
    said = {str(item.get("role")): (item.text or "").strip() for item in items if item.get("role")}
    unit = GDAL_UNITS.get(said.pop("unittype", "").lower())
    if unit is None:
        return None
    try:
        numbers = {name: said[name] for name in ("scale", "offset") if name in said}
        return DeclaredUnit.model_validate({"unit": unit, **numbers})
    except ValidationError:
        return None
