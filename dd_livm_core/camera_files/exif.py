"""The few EXIF tags that are asked for, from the bytes of a JPEG or TIFF; what is broken is left out.

Two levels of directories are walked and nothing else, so that no file can make this loop or grow.
"""

import math
import struct
from collections.abc import Collection
from typing import NamedTuple

from dd_livm_core.camera_files.jpeg_segments import application_segments

EXIF_START = b"Exif\0\0"
SUB_DIRECTORIES = {0x8769, 0x8825}
"""Pointers to the camera's and to the position's tags."""
MAX_ENTRIES, MAX_VALUES, MAX_TEXT_BYTES = 1024, 16, 256
TEXT = 2
NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"} | {
    16: "Q",
    17: "q",
    18: "Q",
}
"""TIFF's types by number, as `struct` calls them."""
RATIONALS = {5: "I", 10: "i"}

Value = str | tuple[float, ...]


class _Layout(NamedTuple):
    """Byte order, and the widths that classic and big TIFF differ in."""

    order: str
    counter: str
    entry: str
    inline_b: int


def exif_values(content: bytes, tags: Collection[int]) -> dict[int, Value]:
    """Return the wanted tags of a JPEG or TIFF: text, or numbers; tags that are absent or broken are not in it."""
    data = _tiff_part(content)
    found: dict[int, Value] = {}
    try:
        layout, first = _header(data)
        pointers = _read_directory(data, layout, first, tags, found)
        for pointer in pointers:
            _read_directory(data, layout, pointer, tags, found)
    except (struct.error, IndexError, OverflowError):  # what was read before the break is kept
        pass
    return found


def _tiff_part(content: bytes) -> bytes:
    if content[:2] != b"\xff\xd8":
        return content
    for number, body in application_segments(content):
        if number == 1 and body.startswith(EXIF_START):
            return body[len(EXIF_START) :]
    return b""


def _header(data: bytes) -> tuple[_Layout, int]:
    """Return the layout and where the first directory lies; a struct.error says that this is no TIFF."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise struct.error("no byte order")
    (magic,) = struct.unpack_from(f"{order}H", data, 2)
    if magic == 43:
        return _Layout(order, "Q", "HHQ", 8), struct.unpack_from(f"{order}Q", data, 8)[0]
    return _Layout(order, "H", "HHI", 4), struct.unpack_from(f"{order}I", data, 4)[0]


def _read_directory(
    data: bytes, layout: _Layout, start: int, tags: Collection[int], found: dict[int, Value]
) -> list[int]:
    """Add the wanted tags of one directory and return where its sub-directories lie."""
    (count,) = struct.unpack_from(layout.order + layout.counter, data, start)
    at = start + struct.calcsize("=" + layout.counter)
    head = struct.Struct(layout.order + layout.entry)
    pointers = []
    for number in range(min(count, MAX_ENTRIES)):
        place = at + number * (head.size + layout.inline_b)
        tag, kind, values = head.unpack_from(data, place)
        if tag not in SUB_DIRECTORIES and tag not in tags:
            continue
        value = _value(data, layout, kind, values, place + head.size)
        if tag in SUB_DIRECTORIES:
            pointers += [int(v) for v in value or () if isinstance(v, int)]
        elif value is not None:
            found.setdefault(tag, value)
    return pointers


def _value(data: bytes, layout: _Layout, kind: int, count: int, place: int) -> Value | None:
    code = "s" if kind == TEXT else (NUMBERS | {k: 2 * v for k, v in RATIONALS.items()}).get(kind)
    if code is None or count > (MAX_TEXT_BYTES if kind == TEXT else MAX_VALUES):
        return None
    size = count * struct.calcsize("=" + code)
    if size > layout.inline_b:
        (place,) = struct.unpack_from(
            layout.order + ("Q" if layout.inline_b == 8 else "I"), data, place
        )
    body = data[place : place + size]
    if len(body) < size:
        return None
    if kind == TEXT:
        return body.split(b"\0")[0].decode("utf-8", "replace").strip()
    numbers = struct.unpack(layout.order + count * code, body)
    if kind in RATIONALS:
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        numbers = tuple(n / d if d else math.nan for n, d in pairs)
    return numbers if all(math.isfinite(n) for n in numbers) else None
