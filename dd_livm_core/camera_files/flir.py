"""Reads FLIR's radiometric JPEG: raw sensor image, Planck constants and atmosphere embedded in a picture.

The layout of the FFF records is the one that ExifTool documents (FLIR tags). Temperature follows FLIR's own
camera equation: raw = R1 / (R2·(exp(B/T) − F)) − O, after taking out what the object reflects and the air adds.
"""

import io
import struct
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from dd_livm_core.camera_files.images import MAX_PIXELS, MIN_SIDE_PX
from dd_livm_core.camera_files.jpeg_segments import application_segments
from dd_livm_core.errors import InputError
from dd_livm_core.records import MeasurementParameters

RAW_RECORD, CAMERA_RECORD = 1, 32
ZERO_C_K = 273.15
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


@dataclass(frozen=True)
class _Parameters:
    """What FLIR's camera equation takes, under ExifTool's names; humidity is a share of 1."""

    emissivity: float
    distance_m: float
    reflected_k: float
    air_k: float
    window_k: float
    window_transmission: float
    humidity: float
    r1: float
    b: float
    f: float
    alpha: tuple[float, float]
    beta: tuple[float, float]
    x: float
    o: int
    r2: float
    camera: str | None


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
    except (
        struct.error,
        IndexError,
        ValueError,
        ZeroDivisionError,
        OverflowError,
        OSError,
        SyntaxError,
        cv2.error,
        tifffile.TiffFileError,
    ) as error:
        raise InputError(
            "whole FLIR data", f"broken ({error})"[:200], path, "Copy the file anew."
        ) from error
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


def _decode(
    content: bytes, given: MeasurementParameters
) -> tuple[NDArray[np.float32], _Parameters, bool] | None:
    """Return temperatures in °C, their parameters and whether these were edited, or None without FLIR data.

    Broken data raise of many kinds.
    """
    data = _join_segments(content)
    if data is None:
        return None
    if data[:4] not in (b"FFF\0", b"AFF\0"):
        raise ValueError("no FFF header")
    records, edited = _records(data)
    if RAW_RECORD not in records or CAMERA_RECORD not in records:
        return None
    raw = _raw_image(records[RAW_RECORD])
    parameters = _overrule(_parameters(records[CAMERA_RECORD]), given)
    return _convert_by_table(raw, parameters), parameters, edited


def _join_segments(content: bytes) -> bytes | None:
    """Return the APP1 'FLIR' segments joined in their order, or None without any; each says its and the last number."""
    parts: dict[int, bytes] = {}
    last = 0
    for number, body in application_segments(content):
        if number == 1 and body[:5] == b"FLIR\0" and len(body) > 8:
            parts.setdefault(body[6], body[8:])
            last = body[7]
    if not parts:
        return None
    if sorted(parts) != list(range(last + 1)):
        raise ValueError(f"{len(parts)} of {last + 1} segments")
    return b"".join(parts[key] for key in sorted(parts))


def _records(data: bytes) -> tuple[dict[int, bytes], bool]:
    """Return the bodies of the raw image's and the camera's record, by their kind, and whether the latter was edited.

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
    return records, kept and not whole.get(CAMERA_RECORD, True)


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
    order = _record_byte_order(record)
    width, height = struct.unpack_from(f"{order}HH", record, 2)
    if not min(width, height) >= MIN_SIDE_PX or width * height > MAX_PIXELS:
        raise ValueError(f"raw image of {width} x {height}")
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
    """Return the samples of an uncompressed TIFF."""
    with tifffile.TiffFile(io.BytesIO(body)) as tiff:
        page = tiff.pages[0]
        if page.shape != (height, width):
            raise ValueError(f"TIFF of {page.shape} in a record of {width} x {height}")
        if page.compression != 1:
            raise ValueError(f"a TIFF packed by {page.compression}")
        return np.asarray(page.asarray())


def _record_byte_order(record: bytes) -> str:
    """Return the byte order of a record, as `struct` writes it; its first number is below 256."""
    return "<" if struct.unpack_from("<H", record, 0)[0] < 0x100 else ">"


def _parameters(record: bytes) -> _Parameters:
    """Return the camera record's parameters, from the offsets that ExifTool documents."""
    order = _record_byte_order(record)

    def value(offset: int, kind: str = "f") -> float:
        return float(struct.unpack_from(f"{order}{kind}", record, offset)[0])

    camera = record[0xD4:0xF4].split(b"\0")[0].decode("ascii", "replace").strip() or None
    humidity = value(0x3C)
    return _Parameters(
        emissivity=value(0x20),
        distance_m=value(0x24),
        reflected_k=value(0x28),
        air_k=value(0x2C),
        window_k=value(0x30),
        window_transmission=value(0x34),
        humidity=humidity if humidity <= 2 else humidity / 100,
        r1=value(0x58),
        b=value(0x5C),
        f=value(0x60),
        alpha=(value(0x70), value(0x74)),
        beta=(value(0x78), value(0x7C)),
        x=value(0x80),
        o=int(value(0x308, "i")),
        r2=value(0x30C),
        camera=camera,
    )


def _overrule(own: _Parameters, given: MeasurementParameters) -> _Parameters:
    """Return a file's parameters with the given ones in their place."""
    reflected_k = None if given.reflected_c is None else given.reflected_c + ZERO_C_K
    values = {
        "emissivity": given.emissivity,
        "distance_m": given.distance_m,
        "reflected_k": reflected_k,
        "humidity": given.relative_humidity,
    }
    return replace(own, **{name: value for name, value in values.items() if value is not None})  # type: ignore[arg-type]


def _convert_by_table(raw: NDArray[np.uint16], parameters: _Parameters) -> NDArray[np.float32]:
    """Return °C, float32 (H, W); each count that may occur is converted once, as they are fewer than pixels."""
    _check_parameters(parameters)
    lowest = int(raw.min())
    counts = np.arange(lowest, int(raw.max()) + 1, dtype=np.float64)
    return np.asarray(_temperature_c(counts, parameters)[raw - np.uint16(lowest)])


def _check_parameters(p: _Parameters) -> None:
    """Raise a ValueError for values that no measurement has."""
    if not (0.01 <= p.emissivity <= 1 and p.r1 > 0 and p.r2 > 0 and 500 < p.b < 5000):
        raise ValueError(f"emissivity {p.emissivity}, R1 {p.r1}, R2 {p.r2}, B {p.b}")
    if not (100 < p.reflected_k < 2000 and 150 < p.air_k < 400 and 0 <= p.humidity <= 1):
        raise ValueError(f"reflected {p.reflected_k} K, air {p.air_k} K, humidity {p.humidity}")
    if not 0 <= p.distance_m <= 10_000:
        raise ValueError(f"distance {p.distance_m} m")


def _temperature_c(raw: NDArray[np.float64], p: _Parameters) -> NDArray[np.float32]:
    """Return °C of raw counts, by FLIR's camera equation."""

    def radiance(kelvin: float) -> float:
        return float(p.r1 / (p.r2 * (np.exp(p.b / kelvin) - p.f)) - p.o)

    window = p.window_transmission if 0 < p.window_transmission <= 1 else 1.0
    e, t = p.emissivity, _air_transmission(p)
    # two stretches of air, before and after the window, as FLIR and ExifTool take them
    added = (
        (1 - e) / e * radiance(p.reflected_k)
        + (1 - t) / (e * t) * radiance(p.air_k)
        + (1 - window) / (e * t * window) * radiance(p.window_k if p.window_k > 0 else p.air_k)
        + (1 - t) / (e * t * t * window) * radiance(p.air_k)
    )
    seen = raw / (e * t * window * t) - added
    ratio = p.r1 / (p.r2 * (seen + p.o)) + p.f
    return (p.b / np.log(ratio) - ZERO_C_K).astype(np.float32)


def _air_transmission(p: _Parameters) -> float:
    """Return the share of radiation that passes half the distance, by the formula of the readers flyr and Thermimage.

    Its exponential of a polynomial is the water vapour that saturated air holds, in g/m3.
    """
    air_c = p.air_k - ZERO_C_K
    vapour = p.humidity * np.exp(
        1.5587 + 0.06939 * air_c - 0.00027816 * air_c**2 + 6.8455e-7 * air_c**3
    )
    root = np.sqrt(p.distance_m / 2)
    transmission = float(
        p.x * np.exp(-root * (p.alpha[0] + p.beta[0] * np.sqrt(vapour)))
        + (1 - p.x) * np.exp(-root * (p.alpha[1] + p.beta[1] * np.sqrt(vapour)))
    )
    if not 0 < transmission <= 1.01:
        raise ValueError(f"atmospheric transmission {transmission}")
    return transmission
