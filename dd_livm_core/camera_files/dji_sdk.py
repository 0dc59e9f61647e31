"""Reads DJI R-JPEG through DJI's Thermal SDK, a shared library that the user installs and names.

Functions and structures are those of the SDK's public
header ``dirp_api.h``.
"""

import ctypes
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.images import MAX_PIXELS, MIN_SIDE_PX
from dd_livm_core.errors import InputError
from dd_livm_core.records import FROM_FILE, MeasurementParameters

SDK_VARIABLE = "DD_LIVM_DJI_SDK"
TODO = (
    f"Install DJI's Thermal SDK and set {SDK_VARIABLE} to its libdirp.so (libdirp.dll on Windows)."
)
PARAMETERS_BYTES = 256
"""More than any SDK version's ``dirp_measurement_params_t``; its first four floats are the same in all."""


class _Resolution(ctypes.Structure):
    _fields_ = (("width", ctypes.c_int32), ("height", ctypes.c_int32))


def find_sdk(library: Path | None = None) -> Path | None:
    """Return the path of DJI's SDK that the argument, else the variable ``DD_LIVM_DJI_SDK``, names; or None."""
    named = library or os.environ.get(SDK_VARIABLE)
    return Path(named).expanduser() if named else None


def read_with_sdk(
    content: bytes, path: Path, library: Path, parameters: MeasurementParameters
) -> tuple[NDArray[np.float32], MeasurementParameters]:
    """Return the temperatures of a DJI R-JPEG, float32 (H, W) in °C, and all parameters they were computed with.

    Parameters
    ----------
    parameters
        Take the place of the file's own, where they are not None.

    Raises
    ------
    InputError
        The library cannot be loaded, or it refuses the file or the parameters.
    """
    sdk = load_sdk(library)
    handle = ctypes.c_void_p()
    _check(sdk.dirp_create_from_rjpeg(content, len(content), ctypes.byref(handle)), "opening", path)
    try:
        size = _Resolution()
        _check(sdk.dirp_get_rjpeg_resolution(handle, ctypes.byref(size)), "the size", path)
        pixels = size.width * size.height
        if min(size.width, size.height) < MIN_SIDE_PX or pixels > MAX_PIXELS:
            raise InputError("a drone camera's frame", f"{size.width} x {size.height}", path, TODO)
        stored = ctypes.create_string_buffer(PARAMETERS_BYTES)
        _check(sdk.dirp_get_measurement_params(handle, stored), "its parameters", path)
        used = _merge(stored, parameters)
        if parameters != FROM_FILE:
            _check(sdk.dirp_set_measurement_params(handle, stored), f"setting {parameters}", path)
        celsius = np.empty((size.height, size.width), np.float32)
        pointer = celsius.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        _check(sdk.dirp_measure_ex(handle, pointer, celsius.nbytes), "measuring", path)
    finally:
        sdk.dirp_destroy(handle)
    return celsius, used


def _merge(
    stored: "ctypes.Array[ctypes.c_char]", given: MeasurementParameters
) -> MeasurementParameters:
    """Write the given parameters into the SDK's structure, and return what it then holds."""
    # distance, humidity in %, emissivity, reflected
    numbers = (ctypes.c_float * 4).from_buffer(stored)
    humidity = given.relative_humidity
    humidity_pct = None if humidity is None else 100 * humidity
    for place, value in enumerate(
        (given.distance_m, humidity_pct, given.emissivity, given.reflected_c)
    ):
        if value is not None:
            numbers[place] = value
    distance_m, humidity_pct, emissivity, reflected_c = (float(number) for number in numbers)
    return MeasurementParameters(emissivity, reflected_c, distance_m, humidity_pct / 100)


@lru_cache(maxsize=2)
def load_sdk(library: Path) -> ctypes.CDLL:
    """Return the SDK with the types of its functions set, or raise an InputError where it is none."""
    try:
        sdk = ctypes.CDLL(str(library))
        sdk.dirp_create_from_rjpeg.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_void_p]
        sdk.dirp_measure_ex.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
        for name in (
            "dirp_get_rjpeg_resolution",
            "dirp_get_measurement_params",
            "dirp_set_measurement_params",
        ):
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
