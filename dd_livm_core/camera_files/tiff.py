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
FLOAT_PREDICTOR = 3
"""TIFF's number for differences of a float's bytes, which tifffile leaves to a further library."""
GDAL_METADATA, GDAL_NODATA = 42112, 42113
"""Tags of GDAL: its metadata, XML; the number that marks pixels without data, as text."""
UNIT_NAMES: dict[str, TemperatureUnit] = {
    **dict.fromkeys(("degc", "deg c", "°c", "c", "celsius", "degree_celsius"), "celsius"),
    **dict.fromkeys(("k", "kelvin"), "kelvin"),
    **dict.fromkeys(("ck", "centikelvin"), "centikelvin"),
    **dict.fromkeys(("dk", "decikelvin"), "decikelvin"),
}
FAHRENHEIT = {"degf", "deg f", "°f", "f", "fahrenheit", "degree_fahrenheit"}
MAX_MISSING = 0.5
"""Share of a frame's pixels that may hold no data. Chosen: what fills them, the median, is then that of most pixels."""
MAX_NUMBER = 1e12
"""No camera stores a larger one; differences of such numbers would overflow."""

Scaling = tuple[float, float]
"""Scale and offset."""


@dataclass(frozen=True)
class TiffFrame:
    """The frame of a TIFF.

    Attributes
    ----------
    values
        float64 (H, W), or (H, W, C) for colours; finite, upright as TIFF's tag Orientation says. Pixels that the file
        declares to hold no data have the median of the others.
    stored_dtype
        Type of the numbers in the file.
    unit
        Unit that the file itself declares, or None.
    scaling
        (scale, offset) by which the file itself turns its numbers into values of a unit that it does not name, or
        None.
    missing
        Share of the pixels without data.
    """

    values: NDArray[np.float64]
    stored_dtype: str
    unit: DeclaredUnit | None
    scaling: Scaling | None = None
    missing: float = 0.0


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
            nodata = page.tags.valueof(GDAL_NODATA)
            values = _values(page, number, content)
            colours, inverted = _colours_of(page), _stores_white_as_zero(page)
    except InputError:
        raise
    except Exception as error:  # tifffile raises many kinds on broken files
        found = f"{type(error).__name__}: {error}"[:200]
        raise InputError("a whole TIFF", found, path, "Copy it anew.") from error
    if values.shape != shape:
        raise InputError(f"a TIFF of {shape}", f"{values.shape}", path, "Copy it anew.")
    if colours is not None:
        values = colours[values]
    if inverted:
        values = 255 - values
    frame = values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values
    exact, missing = _fill_missing(frame, nodata, path)
    if not (np.abs(exact) < MAX_NUMBER).all():  # false for NaN, too
        raise InputError(
            f"finite values below {MAX_NUMBER:g}",
            "some that are not",
            path,
            "Export the frame anew.",
        )
    unit, scaling = _own_unit(description, gdal, content, path)
    return TiffFrame(exact, stored_dtype, unit, scaling, missing)


def _colours_of(page: Any) -> NDArray[np.uint8] | None:
    """Return the colours (N, 3) that the numbers of an 8-bit page stand for, or None where they are values."""
    if page.colormap is None or page.dtype != np.uint8:
        return None
    bits = 8 if page.colormap.max() > 255 else 0  # old writers fill the lower byte only
    return np.asarray(page.colormap.T >> bits, np.uint8)


def _stores_white_as_zero(page: Any) -> bool:
    """Return whether the numbers of an 8-bit page are still those of a negative; Pillow turns it over itself."""
    is_negative = page.photometric == tifffile.PHOTOMETRIC.MINISWHITE
    return is_negative and page.dtype == np.uint8 and page.compression not in BY_PILLOW


def _fill_missing(
    values: NDArray[np.generic], nodata: object, path: Path
) -> tuple[NDArray[np.float64], float]:
    """Return a frame with its declared gaps filled by the median of the other pixels, and the share of the gaps.

    Colours and 8-bit frames are returned as they are: in pictures it marks a colour to be seen through.
    """
    with np.errstate(
        invalid="ignore", over="ignore"
    ):  # what is not finite is refused by the caller
        exact = values.astype(np.float64)
    try:
        number = float(nodata.strip(" \0")) if isinstance(nodata, str) else None
    except ValueError:
        number = None
    if exact.ndim != 2 or values.dtype.itemsize == 1 or number is None:
        return exact, 0.0
    if values.dtype.kind == "f":  # GDAL writes more digits than a float32 holds
        with np.errstate(over="ignore"):
            number = float(np.asarray(number, values.dtype))
    gaps = np.isnan(exact) if math.isnan(number) else exact == number
    missing = float(gaps.mean())
    if missing > MAX_MISSING:
        raise InputError(
            f"data in {1 - MAX_MISSING:.0%} of the pixels",
            f"{missing:.0%} marked as missing ({nodata})",
            path,
            "Export frames, not mosaics.",
        )
    if missing:
        exact[gaps] = np.median(exact[~gaps])
    return exact, missing


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
    row_b = page.nbytes // shape[0]
    stored_b = sum(page.databytecounts)
    if page.compression == 1 and not page.is_tiled and stored_b >= page.nbytes + row_b:
        found = f"{stored_b // row_b}"
        raise InputError(f"{shape[0]} rows of {row_b} bytes", found, path, "Copy it anew.")


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
        if page.predictor == FLOAT_PREDICTOR:
            return turn_upright(_undo_float_predictor(page, content), page_orientation(page))
    return turn_upright(np.asarray(page.asarray()), page_orientation(page))


def _upright_shape(page: Any) -> tuple[int, ...]:
    """Return the shape of a page's numbers when they are upright."""
    return (*upright_size_px(page.shape[:2], page_orientation(page)), *page.shape[2:])


def _undo_float_predictor(page: Any, content: bytes) -> NDArray[np.generic]:
    """Return the floats of a deflated page whose bytes are stored as differences.

    Of each row of a strip or tile, all first bytes come first, the most significant ones, then all second ones;
    each byte is the difference from the one before (Adobe Photoshop, TIFF Technical Note 3).
    """
    height, width, size = page.imagelength, page.imagewidth, np.dtype(page.dtype).itemsize
    rows = page.tilelength if page.is_tiled else page.rowsperstrip
    columns = page.tilewidth if page.is_tiled else width
    across = math.ceil(width / columns)
    floats = np.empty((height, width), f"f{size}")
    for number, (start, length) in enumerate(
        zip(page.dataoffsets, page.databytecounts, strict=True)
    ):
        top, left = number // across * rows, number % across * columns
        stored = rows if page.is_tiled else min(rows, height - top)
        packed = zlib.decompress(content[start : start + length])
        differences = np.frombuffer(packed, np.uint8, stored * columns * size)
        planes = np.cumsum(differences.reshape(stored, -1), axis=1, dtype=np.uint8)
        whole = planes.reshape(stored, size, columns).transpose(0, 2, 1)
        part = np.ascontiguousarray(whole).view(f">f{size}")[..., 0]
        floats[top : top + rows, left : left + columns] = part[: height - top, : width - left]
    return floats


def _own_unit(
    description: str, gdal: object, content: bytes, path: Path
) -> tuple[DeclaredUnit | None, Scaling | None]:
    """Return the unit that the description's JSON, else GDAL's tag, else FLIR's TLinear gain declares, or None.

    Without a unit, GDAL's scale and offset are returned where it has them.
    """
    try:
        said = json.loads(description)
    except (ValueError, RecursionError):
        said = None
    if isinstance(said, dict) and "unit" in said:
        fields = {name: said[name] for name in DeclaredUnit.model_fields if name in said}
        fields["unit"] = UNIT_NAMES.get(str(said["unit"]).strip().lower(), said["unit"])
        return _declared_unit(fields, path, "ImageDescription"), None
    declared, scaling = _gdal_unit(gdal, path) if isinstance(gdal, str) else (None, None)
    if declared is not None or scaling is not None:
        return declared, scaling
    gain_k = parse_number(read_xmp(content, {"TlinearGain"}).texts.get("TlinearGain", "")) or 0.0
    return (DeclaredUnit(unit="kelvin", scale=gain_k) if 0 < gain_k <= 1 else None), None


def _declared_unit(fields: dict[str, object], path: Path, where: str) -> DeclaredUnit:
    """Return the unit that a part of the file declares, or raise an InputError where it cannot be."""
    try:
        return DeclaredUnit.model_validate(fields)
    except ValidationError as error:
        raise InputError(
            f"a unit of {', '.join(UNITS_TO_C)} and a positive scale",
            repr(fields)[:200],
            path,
            f"Mend the TIFF's {where}.",
        ) from error


def _gdal_unit(text: str, path: Path) -> tuple[DeclaredUnit | None, Scaling | None]:
    """Return the unit of the first band in GDAL's metadata, or its scale and offset where it names no unit."""
    try:
        root = fromstring(text)
    except (ParseError, DefusedXmlException, ValueError):
        return None, None
    items = [item for item in root.iter("Item") if item.get("sample", "0") == "0"]
    said = {str(item.get("role")): (item.text or "").strip() for item in items if item.get("role")}
    name = said.get("unittype", "").lower()
    if name in FAHRENHEIT:
        raise InputError("°C or kelvin", f"{name!r} in GDAL's metadata", path, "Export it anew.")
    unit = UNIT_NAMES.get(name)
    numbers: dict[str, object] = {role: said[role] for role in ("scale", "offset") if role in said}
    if unit is not None:
        return _declared_unit({"unit": unit, **numbers}, path, "GDAL metadata"), None
    if not numbers:
        return None, None
    scaled = _declared_unit({"unit": "celsius", **numbers}, path, "GDAL metadata")
    scaling = scaled.scale, scaled.offset
    return None, None if scaling == (1, 0) else scaling
