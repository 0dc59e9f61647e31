"""Reads DJI R-JPEG through DJI's Thermal SDK, a shared library that the user installs and names.

The scale of the 16-bit counts in newer DJI files is not published. Without the SDK they are read as pictures, since
a guessed scale would give wrong temperatures unnoticed. Functions and structures are those of the SDK's public
header ``dirp_api.h``.
"""

import ctypes
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.exif import exif_values
from dd_livm_core.camera_files.images import MAX_PIXELS, MIN_SIDE_PX
from dd_livm_core.camera_files.jpeg_segments import application_segments
from dd_livm_core.errors import InputError

SDK_VARIABLE = "DD_LIVM_DJI_SDK"
TODO = (
    f"Install DJI's Thermal SDK and set {SDK_VARIABLE} to its libdirp.so (libdirp.dll on Windows)."
)
MAKE = 0x010F
"""EXIF's tag of the camera's maker."""
MIN_RAW_BYTES = 2 * 160 * 120
"""16 bits for each pixel of the smallest sensor."""
PARAMETERS_BYTES = 256
"""More than any SDK version's ``dirp_measurement_params_t``; its first four floats are the same in all."""


@dataclass(frozen=True)
class DjiThermogram:
    """Temperatures of a DJI R-JPEG, float32 (H, W) in °C, and the parameters that the SDK computed them with."""

    temperature_c: NDArray[np.float32]
    emissivity: float
    reflected_c: float
    distance_m: float
    relative_humidity: float


class _Resolution(ctypes.Structure):
    _fields_ = (("width", ctypes.c_int32), ("height", ctypes.c_int32))


def holds_dji_counts(content: bytes) -> bool:
    """Return whether a file is a JPEG of DJI with raw thermal counts, in segments APP3 (XT S: APP4)."""
    if _raw_bytes(content) < MIN_RAW_BYTES:
        return False
    return str(exif_values(content, {MAKE}).get(MAKE, "")).upper().startswith("DJI")


def dji_raster_px(
    content: bytes, stored_picture_px: tuple[int, int], path: Path
) -> tuple[int, int]:
    """Return (width, height) of an R-JPEG's raw counts, as stored; some cameras enlarge the picture beside them.

    The file states no size in a documented place: it is the picture's shape with as many pixels as there are counts
    of 16 bits.

    Raises
    ------
    InputError
        No size of the picture's shape has that many pixels.
    """
    counts = _raw_bytes(content) // 2
    width, height = stored_picture_px
    reduction = math.sqrt(width * height / counts)
    raster_px = round(width / reduction), round(height / reduction)
    if raster_px[0] * raster_px[1] != counts:
        raise InputError(f"counts of a frame like {width} x {height}", f"{counts}", path, TODO)
    return raster_px


def _raw_bytes(content: bytes) -> int:
    """Return how many bytes of raw counts a JPEG's segments APP3 or APP4 hold, the larger of the two."""
    sizes = {3: 0, 4: 0}
    for number, body in application_segments(content):
        if number in sizes:
            sizes[number] += len(body)
    return max(sizes.values())


def find_sdk(library: Path | None = None) -> Path | None:
    """Return the path of DJI's SDK that the argument, else the variable ``DD_LIVM_DJI_SDK``, names; or None."""
    named = library or os.environ.get(SDK_VARIABLE)
    return Path(named).expanduser() if named else None


def read_dji(content: bytes, path: Path, library: Path) -> DjiThermogram:
    """Return the temperatures of a DJI R-JPEG.

    Raises
    ------
    InputError
        The library cannot be loaded, or it refuses the file.
    """
    sdk = _load(library)
    handle = ctypes.c_void_p()
    _check(sdk.dirp_create_from_rjpeg(content, len(content), ctypes.byref(handle)), "opening", path)
    try:
        size = _Resolution()
        _check(sdk.dirp_get_rjpeg_resolution(handle, ctypes.byref(size)), "the size", path)
        pixels = size.width * size.height
        if min(size.width, size.height) < MIN_SIDE_PX or pixels > MAX_PIXELS:
            raise InputError("a drone camera's frame", f"{size.width} x {size.height}", path, TODO)
        celsius = np.empty((size.height, size.width), np.float32)
        pointer = celsius.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        _check(sdk.dirp_measure_ex(handle, pointer, celsius.nbytes), "measuring", path)
        parameters = ctypes.create_string_buffer(PARAMETERS_BYTES)
        _check(sdk.dirp_get_measurement_params(handle, parameters), "its parameters", path)
    finally:
        sdk.dirp_destroy(handle)
    distance_m, humidity_pct, emissivity, reflected_c = np.frombuffer(parameters.raw, "f4", 4)
    return DjiThermogram(
        celsius, float(emissivity), float(reflected_c), float(distance_m), float(humidity_pct) / 100
    )


@lru_cache(maxsize=2)
def _load(library: Path) -> ctypes.CDLL:
    """Return the SDK with the types of its functions set."""
    try:
        sdk = ctypes.CDLL(str(library))
        sdk.dirp_create_from_rjpeg.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p]
        sdk.dirp_measure_ex.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
        for name in ("dirp_get_rjpeg_resolution", "dirp_get_measurement_params"):
            getattr(sdk, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        sdk.dirp_destroy.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError) as error:
        raise InputError("DJI's Thermal SDK", str(error), library, TODO) from error
    return sdk


def _check(status: int, what: str, path: Path) -> None:
    """Raise an InputError where a call of the SDK did not return 0."""
    if status != 0:
        raise InputError(
            "an R-JPEG that DJI's SDK reads",
            f"error {status} at {what}",
            path,
            "Copy the file anew, or use a newer SDK.",
        )
