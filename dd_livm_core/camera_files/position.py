"""Reads where an image was taken, from EXIF or else from XMP."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from dd_livm_core.camera_files.exif import Value, numbers_of, text_of
from dd_livm_core.camera_files.xmp import parse_number, quote

# EXIF tags, by the numbers of the EXIF standard (CIPA DC-008)
GPS_TAGS = {
    1: "GPSLatitudeRef",
    2: "GPSLatitude",
    3: "GPSLongitudeRef",
    4: "GPSLongitude",
    9: "GPSStatus",
}
GPS_STATUS, VOID = 9, "V"
"""The receiver's own word that its position is no measurement."""
LATITUDE, LONGITUDE = (2, 1, "NS", 90.0), (4, 3, "EW", 180.0)
"""Tag, tag of the side, positive and negative side, and bound in degrees."""
MAX_APART_DEG = 0.0005
"""So far may the positions of EXIF and XMP lie apart, 56 m to the north; 82 real files that have both: 2 m."""
XMP_LATITUDES = ("GpsLatitude", "Latitude", "GPSLatitude")
XMP_LONGITUDES = ("GpsLongitude", "GpsLongtitude", "Longitude", "GPSLongitude")
"""The first that a file has counts. ``GpsLongtitude`` stands so in files of several DJI cameras, ``Latitude`` in older
ones; ``GPSLatitude`` is that of the XMP standard, in degrees and minutes."""
DEGREES_AND_MINUTES = re.compile(
    r"(\d{1,3}),(\d{1,2}(?:\.\d+)?)(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])", re.I
)


class Position(NamedTuple):
    """Latitude and longitude in degrees, north and east positive; None where a file does not say them."""

    latitude_deg: float | None
    longitude_deg: float | None


NOWHERE = Position(None, None)


def find_position(
    exif: Mapping[int, Value], xmp: Mapping[str, str], dropped: list[str]
) -> Position:
    """Return the position in EXIF, else that in XMP; a coordinate that only one of them has is taken from there.

    Left out, with a word added to ``dropped``: coordinates that cannot be, all of a receiver that says itself that it
    has no fix, and two positions that are not of one place. A latitude or longitude alone is told. The position
    0° N 0° E, which drones write before their first fix, counts as none.
    """
    if (text_of(exif, GPS_STATUS) or "").upper().startswith(VOID):
        dropped.append("position: EXIF GPSStatus says that it is no measurement")
        return NOWHERE
    first = _drop_null_island(
        Position(*(_exif_coordinate(exif, *axis, dropped) for axis in (LATITUDE, LONGITUDE)))
    )
    second = _drop_null_island(
        Position(
            _xmp_coordinate(xmp, XMP_LATITUDES, *LATITUDE[2:], dropped),
            _xmp_coordinate(xmp, XMP_LONGITUDES, *LONGITUDE[2:], dropped),
        )
    )
    if None not in first and None not in second:
        if any(abs(a - b) > MAX_APART_DEG for a, b in zip(first, second, strict=True)):  # type: ignore[operator]
            said = " and ".join(f"{a:.5f}°, {b:.5f}°" for a, b in (first, second))
            dropped.append(f"position: EXIF and XMP say two places, {said}")
            return NOWHERE
        return first
    if None not in second:
        return second
    joined = Position(*(a if a is not None else b for a, b in zip(first, second, strict=True)))
    if (joined.latitude_deg is None) != (joined.longitude_deg is None):
        dropped.append("position: a latitude or a longitude alone")
    return joined


def _drop_null_island(position: Position) -> Position:
    """Return a position, or none where it is 0° N 0° E."""
    return NOWHERE if position == (0, 0) else position


def _exif_coordinate(
    exif: Mapping[int, Value], tag: int, side_tag: int, sides: str, limit: float, dropped: list[str]
) -> float | None:
    """Return a latitude or longitude from EXIF's degrees, minutes and seconds, or None."""
    values, side = numbers_of(exif, tag), (text_of(exif, side_tag) or "")[:1].upper()
    if not values:
        return None
    if len(values) == 3 and side and side in sides:
        degrees = _join(*values, limit)
        if degrees is not None:
            return -degrees if side == sides[1] else degrees
    dropped.append(
        f"EXIF {GPS_TAGS[tag]} {values[:3]} {side or '(no side)'} is no coordinate".replace("'", "")
    )
    return None


def _xmp_coordinate(
    xmp: Mapping[str, str], names: tuple[str, ...], sides: str, limit: float, dropped: list[str]
) -> float | None:
    """Return a latitude or longitude from the first of some XMP fields that holds one, or None."""
    for name in names:
        text = xmp.get(name)
        if text is None:
            continue
        degrees = parse_number(text, "°")
        parts = DEGREES_AND_MINUTES.fullmatch(text)
        if parts and parts[4].upper() in sides:
            joined = _join(float(parts[1]), float(parts[2]), float(parts[3] or 0), limit)
            negative = parts[4].upper() == sides[1]
            degrees = -joined if negative and joined is not None else joined
        if degrees is not None and -limit <= degrees <= limit:
            return degrees
        dropped.append(f"XMP {name} {quote(text)} is no coordinate")
    return None


def _join(degrees: float, minutes: float, seconds: float, limit: float) -> float | None:
    """Return degrees, minutes and seconds as degrees, or None where they cannot be."""
    joined = degrees + minutes / 60 + seconds / 3600
    possible = 0 <= minutes <= 60 and 0 <= seconds <= 60 and 0 <= joined <= limit
    return joined if possible and degrees >= 0 else None
