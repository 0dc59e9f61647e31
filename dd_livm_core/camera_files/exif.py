"""Reads single EXIF tags from the bytes of a JPEG, PNG or TIFF; broken ones are left out.

The first directory and its sub-directories are read and nothing below them, with bounds on entries and values, so
that no file can make the reader loop or grow.
"""

import math
import struct
from collections.abc import Collection, Mapping
from typing import NamedTuple

from dd_livm_core.camera_files.jpeg_segments import application_segments

EXIF_START = b"Exif\0\0"
PNG_START, PNG_EXIF = b"\x89PNG\r\n\x1a\n", b"eXIf"
MAX_CHUNKS = 4096
"""Of a PNG that are looked at: a large picture is stored in several hundred."""
FIRST_DIRECTORY = 0
"""Stands for the first directory among the tags; no tag has this number."""
SUB_DIRECTORIES = {0x8769, 0x8825}
"""Tags that point to the camera's and to the position's directory."""
MAX_ENTRIES, MAX_VALUES, MAX_TEXT_BYTES = 1024, 16, 256
"""Of a directory, of a tag, and of a text: several times what the tags of `metadata` need."""
TEXT = 2
NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 7: "B", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"} | {
    16: "Q",
    17: "q",
    18: "Q",
}
"""TIFF's numeric types by number, with their letters in `struct`."""
RATIONALS = {5: "I", 10: "i"}
"""Types of two numbers each, numerator and denominator."""

TYPES = {TEXT, 7, *NUMBERS, *RATIONALS, 129}
"""All types of values; 129 is UTF-8 of Exif 3.0."""

Value = str | tuple[float, ...]
"""Of a tag: a text, or its numbers."""


class _Layout(NamedTuple):
    """Letters of `struct` for byte order, entry counter and entry, and how many bytes of a value an entry holds."""

    order: str
    counter: str
    entry: str
    inline_b: int


class ExifTags(NamedTuple):
    """Values of the wanted tags, and the tags and directories that are there but cannot be read."""

    values: dict[int, Value]
    broken: frozenset[int]


def exif_values(content: bytes, tags: Collection[int]) -> dict[int, Value]:
    """Return the values of some tags of a JPEG, PNG or TIFF; tags that are absent or broken are not in the result."""
    return read_exif(content, tags).values


def read_exif(content: bytes, tags: Collection[int]) -> ExifTags:
    """Return the values of some tags of a JPEG, PNG or TIFF; a broken tag or sub-directory costs no other."""
    data = _tiff_part(content)
    found: dict[int, Value] = {}
    broken: set[int] = set()
    try:
        layout, first = _header(data)
    except (struct.error, IndexError, OverflowError):
        return ExifTags({}, frozenset({FIRST_DIRECTORY} if data else ()))
    pointers = _read_directory(data, layout, first, FIRST_DIRECTORY, tags, found, broken)
    for owner, pointer in pointers:
        _read_directory(data, layout, pointer, owner, tags, found, broken)
    return ExifTags(found, frozenset(broken - found.keys()))


def numbers_of(exif: Mapping[int, Value], tag: int) -> tuple[float, ...]:
    """Return a tag's numbers; none where it is absent or a text."""
    values = exif.get(tag, ())
    return () if isinstance(values, str) else values


def number_of(exif: Mapping[int, Value], tag: int) -> float | None:
    """Return a tag's number, or None where it has none or several."""
    values = numbers_of(exif, tag)
    return float(values[0]) if len(values) == 1 else None


def text_of(exif: Mapping[int, Value], tag: int) -> str | None:
    """Return at most 64 characters of a tag's text, or None."""
    text = exif.get(tag)
    return text[:64] or None if isinstance(text, str) else None


def _tiff_part(content: bytes) -> bytes:
    """Return a TIFF itself, or the TIFF structure in a JPEG's or PNG's EXIF; empty where there is none."""
    if content[:8] == PNG_START:
        return _png_exif(content)
    if content[:2] != b"\xff\xd8":
        return content
    for number, body in application_segments(content):
        if number == 1 and body.startswith(EXIF_START):
            return body[len(EXIF_START) :]
    return b""


def _png_exif(content: bytes) -> bytes:
    """Return the body of a PNG's chunk ``eXIf``; empty where there is none, or the file ends before."""
    at = len(PNG_START)
    for _ in range(MAX_CHUNKS):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind == PNG_EXIF:
            return content[at + 8 : at + 8 + length]
        if len(kind) < 4:
            break
        at += 12 + length
    return b""


def _header(data: bytes) -> tuple[_Layout, int]:
    """Return the layout and the offset of the first directory; raise struct.error where this is no TIFF."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise struct.error("no byte order")
    (magic,) = struct.unpack_from(f"{order}H", data, 2)
    if magic == 43:
        return _Layout(order, "Q", "HHQ", 8), struct.unpack_from(f"{order}Q", data, 8)[0]
    return _Layout(order, "H", "HHI", 4), struct.unpack_from(f"{order}I", data, 4)[0]


def _read_directory(
    data: bytes,
    layout: _Layout,
    start: int,
    owner: int,
    tags: Collection[int],
    found: dict[int, Value],
    broken: set[int],
) -> list[tuple[int, int]]:
    """Add the wanted tags of one directory to ``found`` or ``broken``; return its sub-directories' tags and offsets.

    Of a directory that is cut, what stands before the cut is read. ``owner`` is the tag that points to it; it is
    broken, too, where an entry cannot be one.
    """
    pointers: list[tuple[int, int]] = []
    head = struct.Struct(layout.order + layout.entry)
    try:
        (count,) = struct.unpack_from(layout.order + layout.counter, data, start)
        if count > MAX_ENTRIES:
            broken.add(owner)
        at = start + struct.calcsize("=" + layout.counter)
        for number in range(min(count, MAX_ENTRIES)):
            place = at + number * (head.size + layout.inline_b)
            tag, kind, values = head.unpack_from(data, place)
            if kind not in TYPES:
                broken.add(owner)
            if tag not in SUB_DIRECTORIES and tag not in tags:
                continue
            value = _value(data, layout, kind, values, place + head.size)
            if tag in SUB_DIRECTORIES:
                offsets = [int(v) for v in value or () if isinstance(v, int)]
                pointers += [(tag, offset) for offset in offsets]
                if not offsets:
                    broken.add(tag)
            elif value is None:
                broken.add(tag)
            else:
                found.setdefault(tag, value)
    except (struct.error, IndexError, OverflowError):
        broken.add(owner)
    return pointers


def _value(data: bytes, layout: _Layout, kind: int, count: int, place: int) -> Value | None:
    """Return the value at the end of an entry, or that it points to; None where it is broken or not finite."""
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
