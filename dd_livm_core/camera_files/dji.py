"""Reads DJI R-JPEG, whose scale of counts is not published: through `dji_program`, through `dji_sdk`, or through both.

Without either they are pictures, since a guessed scale would give wrong temperatures unnoticed.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files import dji_program, dji_sdk
from dd_livm_core.camera_files.exif import exif_values
from dd_livm_core.camera_files.images import read_bytes
from dd_livm_core.camera_files.jpeg_segments import application_segments
from dd_livm_core.errors import InputError
from dd_livm_core.records import MeasurementParameters

MAKE = 0x010F
"""EXIF's tag of the camera's maker."""
MIN_RAW_BYTES = 2 * 160 * 120
"""16 bits for each pixel of the smallest sensor."""
AGREE_C = 0.1
"""Both readers agree within it: the step of the SDK's own whole-number output."""
FILES_PER_CALL = 8
"""Chosen: the program starts in 0.3 s and takes 0.1 s for a file; a call's files lie in memory at once."""
NO_READER = (
    "a DJI R-JPEG gives its temperatures to dji-thermal-cli or to DJI's own SDK. "
    f"{dji_program.TODO} Or: {dji_sdk.TODO}"
)


@dataclass(frozen=True)
class DjiThermogram:
    """Temperatures of a DJI R-JPEG, float32 (H, W) in °C.

    Attributes
    ----------
    parameters
        All that they were computed with.
    remark
        How far two readers differ, where they do.
    """

    temperature_c: NDArray[np.float32]
    parameters: MeasurementParameters
    remark: str | None = None


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
        raise InputError(
            f"counts of a frame like {width} x {height}", f"{counts}", path, "Copy it anew."
        )
    return raster_px


def dji_counts(
    content: bytes, stored_picture_px: tuple[int, int], path: Path
) -> NDArray[np.uint16]:
    """Return an R-JPEG's raw counts as stored, uint16 (H, W): they grow with temperature, by no published formula.

    Raises
    ------
    InputError
        As `dji_raster_px`.
    """
    width, height = dji_raster_px(content, stored_picture_px, path)
    parts: dict[int, list[bytes]] = {3: [], 4: []}
    for number, body in application_segments(content):
        if number in parts:
            parts[number].append(body)
    raw = max((b"".join(of_segment) for of_segment in parts.values()), key=len)
    return np.frombuffer(raw, "<u2", width * height).reshape(height, width)


def _raw_bytes(content: bytes) -> int:
    """Return how many bytes of raw counts a JPEG's segments APP3 or APP4 hold, the larger of the two."""
    sizes = {3: 0, 4: 0}
    for number, body in application_segments(content):
        if number in sizes:
            sizes[number] += len(body)
    return max(sizes.values())


def has_reader() -> bool:
    """Return whether this machine has a reader of DJI's temperatures, or names one."""
    return dji_program.find_program() is not None or dji_sdk.find_sdk() is not None


def read_dji(
    content: bytes, path: Path, parameters: MeasurementParameters, library: Path | None = None
) -> DjiThermogram | str:
    """Return the temperatures of a DJI R-JPEG, or the reason why there are none.

    Where both readers are at hand the SDK's values are returned, compared with the program's.

    Parameters
    ----------
    parameters
        Take the place of the file's own, where they are not None.
    library
        DJI's ``libdirp``; by default what the variable ``DD_LIVM_DJI_SDK`` names.

    Raises
    ------
    InputError
        A reader does not work, or refuses the file or the parameters.
    """
    program, library = dji_program.find_program(), dji_sdk.find_sdk(library)
    if program is None and library is None:
        return NO_READER
    by_program = (
        dji_program.read_with_program(content, path, program, parameters) if program else None
    )
    if library is None:
        return by_program if isinstance(by_program, str) else DjiThermogram(*by_program)  # type: ignore[misc]
    celsius, used = dji_sdk.read_with_sdk(content, path, library, parameters)
    if by_program is None or isinstance(by_program, str):
        return DjiThermogram(celsius, used)
    return DjiThermogram(celsius, used, _difference(celsius, by_program[0]))


def _difference(by_sdk: NDArray[np.float32], by_program: NDArray[np.float32]) -> str | None:
    """Return in words how far two readings of a file differ, or None where they agree."""
    if by_sdk.shape != by_program.shape:
        return f"DJI's SDK gives {by_sdk.shape}, dji-thermal-cli {by_program.shape}"
    largest_c = float(np.abs(by_sdk - by_program).max())
    if largest_c <= AGREE_C:
        return None
    return f"DJI's SDK, used here, and dji-thermal-cli differ by up to {largest_c:.1f} °C"


def keep_dji_temperatures(paths: Sequence[Path], parameters: MeasurementParameters) -> None:
    """Have the program read several files in one call, whose start takes longer than a file does.

    The results are kept for `read_dji`. Files that it cannot read are left to `read_dji` to say so; without the
    program or a folder to keep results in, nothing is done.
    """
    program, folder = dji_program.find_program(), dji_program.find_kept_folder()
    if program is None or folder is None:
        return
    contents: list[bytes] = []
    with suppress(InputError, OSError):
        for path in paths:
            with suppress(InputError, OSError):
                content = read_bytes(path)
                if holds_dji_counts(content):
                    contents.append(content)
        dji_program.keep_all(contents, program, parameters, folder)
