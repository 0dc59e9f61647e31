"""Reads FLIR's radiometric JPEG: raw sensor image, Planck constants and atmosphere embedded in a picture.

The layout of the FFF records is the one that ExifTool documents (FLIR tags). Temperature follows FLIR's own
camera equation: raw = R1 / (R2·(exp(B/T) − F)) − O, after taking out what the object reflects and the air adds.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from dd_livm_core.camera_files.images import MAX_PIXELS, MIN_SIDE_PX
from dd_livm_core.camera_files.jpeg_segments import application_segments
from dd_livm_core.camera_files.planck import (
    ZERO_C_K,
    CameraParameters,
    convert_by_table,
    read_parameters,
    record_byte_order,
    replace_parameters,
)
from dd_livm_core.errors import InputError
from dd_livm_core.records import MeasurementParameters

FLIR_START = b"FLIR\0"
RAW_RECORD, CAMERA_RECORD = 1, 32
BROKEN = (
    struct.error,
    IndexError,
    ValueError,
    ZeroDivisionError,
    OverflowError,
    OSError,
    SyntaxError,
    cv2.error,
)
"""What decoding broken FLIR data raises."""
EDITED = (
    "the camera record does not fit its checksum: emissivity, distance or other parameters were changed after the "
    "flight, or are damaged"
)
SURELY_SMOOTHER = 4
"""Ratio of typical steps between neighbours: far above chance, far below what a wrong byte order makes of them."""


@dataclass(frozen=True)
class FlirThermogram:
    """Temperatures, float32 (H, W) in °C, the parameters they were computed with, and a remark on these or None."""

    temperature_c: NDArray[np.float32]
    emissivity: float
    reflected_c: float
    distance_m: float
    relative_humidity: float
    camera: str | None
    remark: str | None = None


class _Records(NamedTuple):
    """The bodies of the two records that temperatures are computed from, and whether the camera's was edited."""

    raw: bytes
    camera: bytes
    edited: bool


def read_flir(content: bytes, path: Path, given: MeasurementParameters) -> FlirThermogram | None:
    """Return the temperatures of a FLIR radiometric JPEG, or None where the file holds none.

    Parameters
    ----------
    given
        Take the place of the file's own parameters, where they are not None.

    Raises
    ------
    InputError
        The file holds FLIR data that is broken.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite or not plausible is refused below
            found = _decode(content, given)
    except BROKEN as error:
        raise _broken(error, path) from error
    if found is None:
        return None
    celsius, parameters, edited = found
    if not np.isfinite(celsius).all():
        raise InputError(
            "finite temperatures", "some that are not", path, "The FLIR constants are broken."
        )
    return FlirThermogram(
        celsius,
        parameters.emissivity,
        parameters.reflected_k - ZERO_C_K,
        parameters.distance_m,
        parameters.humidity,
        parameters.camera,
        EDITED if edited else None,
    )


def holds_flir_records(content: bytes) -> bool:
    """Return whether a file is a JPEG with records of a FLIR sensor, broken ones included."""
    return any(
        number == 1 and body.startswith(FLIR_START)
        for number, body in application_segments(content)
    )


def flir_counts(content: bytes, path: Path) -> NDArray[np.uint16] | None:
    """Return the sensor's counts of a FLIR JPEG as stored, uint16 (H, W), or None where the file holds none.

    Raises
    ------
    InputError
        The file holds FLIR data that is broken.
    """
    try:
        records = _raw_and_camera(content)
        return None if records is None else _raw_image(records.raw)
    except BROKEN as error:
        raise _broken(error, path) from error


def _broken(error: Exception, path: Path) -> InputError:
    """Return the error for FLIR data that does not decode."""
    return InputError("whole FLIR data", f"broken ({error})"[:200], path, "Copy the file anew.")


def _decode(
    content: bytes, given: MeasurementParameters
) -> tuple[NDArray[np.float32], CameraParameters, bool] | None:
    """Return temperatures in °C, their parameters and whether these were edited, or None without FLIR data.

    Broken data raise of many kinds.
    """
    records = _raw_and_camera(content)
    if records is None:
        return None
    raw = _raw_image(records.raw)
    parameters = replace_parameters(read_parameters(records.camera), given)
    return convert_by_table(raw, parameters), parameters, records.edited


def _raw_and_camera(content: bytes) -> _Records | None:
    """Return the raw image's and the camera's record, or None where one of them is missing."""
    data = _join_segments(content)
    if data is None:
        return None
    if data[:4] not in (b"FFF\0", b"AFF\0"):
        raise ValueError("no FFF header")
    return _find_records(data)


def _join_segments(content: bytes) -> bytes | None:
    """Return the APP1 'FLIR' segments joined in their order, or None without any; each says its and the last number."""
    parts: dict[int, bytes] = {}
    last = 0
    for number, body in application_segments(content):
        if number == 1 and body.startswith(FLIR_START) and len(body) > 8:
            parts.setdefault(body[6], body[8:])
            last = body[7]
    if not parts:
        return None
    if sorted(parts) != list(range(last + 1)):
        raise ValueError(f"{len(parts)} of {last + 1} segments")
    return b"".join(parts[key] for key in sorted(parts))


def _find_records(data: bytes) -> _Records | None:
    """Return the bodies of the raw image's and the camera's record, or None where one of them is missing.

    Most cameras of FLIR keep a CRC-32 of each record, DJI's keep none. Where one record fits its own, the pixels must.
    Programs that change emissivity or distance leave the camera record's as it was: `read_flir` says so.
    """
    order = ">" if struct.unpack_from(">I", data, 0x14)[0] < 0x10000 else "<"
    offset, count = struct.unpack_from(f"{order}II", data, 0x18)
    records: dict[int, bytes] = {}
    whole: dict[int, bool] = {}
    for number in range(min(count, 256)):
        kind, _, _, _, start, length, _, _, checksum = struct.unpack_from(
            f"{order}HHIIIIIII", data, offset + 32 * number
        )
        body = data[start : start + length]
        if kind in (RAW_RECORD, CAMERA_RECORD):
            if len(body) < length:
                raise ValueError(f"record {kind} ends after the data")
            records.setdefault(kind, body)
        if kind and checksum:
            whole.setdefault(kind, zlib.crc32(body) == checksum)
    kept = any(whole.values())
    if kept and not whole.get(RAW_RECORD, True):
        raise ValueError("the record of the pixels does not fit its checksum")
    if not {RAW_RECORD, CAMERA_RECORD} <= records.keys():
        return None
    edited = kept and not whole.get(CAMERA_RECORD, True)
    return _Records(records[RAW_RECORD], records[CAMERA_RECORD], edited)


def _correct_byte_order(stored: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return a PNG's samples in their right byte order.

    FLIR stores little-endian samples in this big-endian format; a few old cameras keep to the format. In the wrong
    order neighbours differ by hundreds of counts where they differ by single ones.
    """
    swapped = stored.byteswap()
    steps, swapped_steps = (
        float(np.abs(np.diff(image.astype(np.int32), axis=1)).mean()) for image in (stored, swapped)
    )
    return stored if SURELY_SMOOTHER * steps < swapped_steps else swapped


def _raw_image(record: bytes) -> NDArray[np.uint16]:
    """Return the sensor's counts, uint16 (H, W), stored as PNG, as TIFF or plainly."""
    order = record_byte_order(record)
    width, height = _raw_size_px(record)
    body = record[32:]
    if body[:8] == b"\x89PNG\r\n\x1a\n":
        raw = _decode_png(body, width, height)
    elif body[:4] in (b"II*\0", b"MM\0*"):
        raw = _decode_tiff(body, width, height)
    else:
        raw = np.frombuffer(body, f"{order}u2", width * height).reshape(height, width)
    if raw.shape != (height, width) or raw.dtype.kind != "u" or raw.dtype.itemsize != 2:
        raise ValueError(f"raw image of shape {raw.shape}, {raw.dtype}")
    return raw.astype(np.uint16)  # of this machine's byte order


def _raw_size_px(record: bytes) -> tuple[int, int]:
    """Return (width, height) of the raw image's record; raise a ValueError for one of no camera."""
    width, height = struct.unpack_from(f"{record_byte_order(record)}HH", record, 2)
    if not min(width, height) >= MIN_SIDE_PX or width * height > MAX_PIXELS:
        raise ValueError(f"raw image of {width} x {height}")
    return width, height


def _decode_png(body: bytes, width: int, height: int) -> NDArray[np.generic]:
    """Return the samples of a PNG whose header and checksums hold."""
    header = struct.unpack_from(">II", body, 16)
    if header != (width, height):
        raise ValueError(f"PNG of {header} in a record of {width} x {height}")
    with Image.open(io.BytesIO(body)) as unverified:
        unverified.verify()  # checksums: a flipped bit is a wrong temperature
    image = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("PNG that does not decode")
    return _correct_byte_order(image.view(np.uint16)) if image.dtype == np.uint16 else image


def _decode_tiff(body: bytes, width: int, height: int) -> NDArray[np.generic]:
    """Return the samples of an uncompressed TIFF, or raise a ValueError."""
    try:
        with tifffile.TiffFile(io.BytesIO(body)) as tiff:
            page = tiff.pages[0]
            if page.shape != (height, width):
                raise ValueError(f"TIFF of {page.shape} in a record of {width} x {height}")
            if page.compression != 1:
                raise ValueError(f"a TIFF packed by {page.compression}")
            return np.asarray(page.asarray())
    except Exception as error:  # tifffile raises many kinds on broken files
        raise ValueError(f"{type(error).__name__}: {error}") from error
