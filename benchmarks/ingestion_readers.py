"""Temperatures of real FLIR-type files, compared with readers that others wrote."""

import io
import json
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np

from dd_livm_core.camera_files.radiometry import read_infrared

DIRECTORY_ENTRY = "HHIIII"
CONSTANTS = {
    "Emissivity": "emissivity",
    "ReflectedApparentTemperature": "reflected_c",
    "ObjectDistance": "distance_m",
    "RelativeHumidity": "relative_humidity",
}
"""ExifTool's name → ours."""


def flir_files(real: Path) -> list[Path]:
    """Return every file below a folder that holds FLIR's segments."""
    files = sorted((real / "radiometric").rglob("*.[jJ][pP][gG]"))
    return [path for path in files if b"FLIR\0\1" in path.read_bytes()]


def for_flyr(content: bytes) -> bytes:
    """Return a file with its record directory as flyr expects it: big-endian, entries counted from the file's start.

    Pixels and constants stay as they are.
    """
    start = content.index(b"FLIR\0\1") + 8
    version, offset, count = struct.unpack_from("<III", content, start + 0x14)
    if version >= 0x10000:
        return content
    data = bytearray(content)
    struct.pack_into(">III", data, start + 0x14, version, offset, count + offset // 32)
    for number in range(count):
        at = start + offset + 32 * number
        struct.pack_into(
            f">{DIRECTORY_ENTRY}", data, at, *struct.unpack_from(f"<{DIRECTORY_ENTRY}", data, at)
        )
    return bytes(data)


def against_flyr(path: Path) -> float | str:
    """Return the largest difference over all pixels in kelvin, or why there is none."""
    try:
        import flyr
    except ImportError:
        return "flyr is not installed"
    try:
        other = flyr.unpack(io.BytesIO(for_flyr(path.read_bytes()))).celsius
    except Exception as error:
        return f"flyr cannot read it: {type(error).__name__}: {error}"[:200]
    return float(np.abs(read_infrared(path).values - other).max())


def against_exiftool(path: Path) -> float | str:
    """Return the largest difference of the constants from those that ExifTool prints, or why there is none."""
    program = shutil.which("exiftool")
    if program is None:
        return "exiftool is not installed"
    run = subprocess.run([program, "-j", "-n", "-FLIR:all", path], capture_output=True, check=True)
    (printed,) = json.loads(run.stdout)
    ours = vars(read_infrared(path))
    return max(abs(float(printed[name]) - ours[field]) for name, field in CONSTANTS.items())


def compared(real: Path) -> dict[str, dict[str, float | str]]:
    """Compare every FLIR-type file with both."""
    return {
        path.relative_to(real / "radiometric").as_posix(): {
            "flyr_error_k": against_flyr(path),
            "exiftool_constants_error": against_exiftool(path),
        }
        for path in flir_files(real)
    }
