"""Temperatures of FLIR-type files as flyr reads them: a reader that others wrote."""

import io
import struct
from pathlib import Path

import numpy as np

from dd_livm_core.camera_files.radiometry import read_infrared

DIRECTORY_ENTRY = "HHIIII"


def find_flir_files(real: Path) -> list[Path]:
    """Return every JPEG below ``radiometric`` that holds FLIR's segments, sorted."""
    files = sorted((real / "radiometric").rglob("*.[jJ][pP][gG]"))
    return [path for path in files if b"FLIR\0\1" in path.read_bytes()]


def rewrite_for_flyr(content: bytes) -> bytes:
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


def compare_with_flyr(path: Path) -> float | str:
    """Return the largest difference over all pixels in kelvin, or why there is none."""
    try:
        import flyr
    except ImportError:
        return "flyr is not installed"
    try:
        other = flyr.unpack(io.BytesIO(rewrite_for_flyr(path.read_bytes()))).celsius
    except Exception as error:
        return f"flyr cannot read it: {type(error).__name__}: {error}"[:200]
    return float(np.abs(read_infrared(path).values - other).max())
