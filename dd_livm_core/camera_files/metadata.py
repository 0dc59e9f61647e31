"""Reads what a drone wrote beside the pixels: position, height, gimbal, time, camera."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from dd_livm_core.camera_files.dji import holds_dji_counts
from dd_livm_core.camera_files.exif import (
    FIRST_DIRECTORY,
    Value,
    number_of,
    read_exif,
    text_of,
)
from dd_livm_core.camera_files.flir import holds_flir_records
from dd_livm_core.camera_files.images import open_image, read_bytes, shown_size_px
from dd_livm_core.camera_files.position import (
    GPS_TAGS,
    XMP_LATITUDES,
    XMP_LONGITUDES,
    find_position,
)
from dd_livm_core.camera_files.xmp import parse_number, quote, read_xmp

# EXIF tags, by the numbers of the EXIF standard (CIPA DC-008)
MODEL, TIME, TIME_ORIGINAL, ZONE, ZONE_ORIGINAL = 0x0110, 0x0132, 0x9003, 0x9010, 0x9011
FOCAL_LENGTH, DIGITAL_ZOOM, FILM_EQUIVALENT = 0x920A, 0xA404, 0xA405
GPS_ALTITUDE_REF, GPS_ALTITUDE = 5, 6
BELOW = (1, 3)
"""Of ``GPSAltitudeRef``: below the sea, or below the ellipsoid, which EXIF has from 3.0 on."""
TAGS = {
    MODEL: "Model",
    TIME: "DateTime",
    TIME_ORIGINAL: "DateTimeOriginal",
    ZONE: "OffsetTime",
    ZONE_ORIGINAL: "OffsetTimeOriginal",
    FOCAL_LENGTH: "FocalLength",
    DIGITAL_ZOOM: "DigitalZoomRatio",
    FILM_EQUIVALENT: "FocalLengthIn35mmFilm",
    GPS_ALTITUDE_REF: "GPSAltitudeRef",
    GPS_ALTITUDE: "GPSAltitude",
    **GPS_TAGS,
}
DIRECTORIES = {
    FIRST_DIRECTORY: "(its first directory)",
    0x8769: "(the camera's)",
    0x8825: "GPS (all of it)",
}
MAX_ZONE_H = 14
"""No place on earth is further from UTC."""
ZONE_TEXT = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d{1,2}):?(\d{2})?", re.I)
XMP_FIELDS = {
    "AbsoluteAltitude": "altitude_m",
    "RelativeAltitude": "relative_altitude_m",
    "GimbalPitchDegree": "gimbal_pitch_deg",
    "GimbalYawDegree": "gimbal_yaw_deg",
    "GimbalRollDegree": "gimbal_roll_deg",
}
IMAGE_SOURCE = "ImageSource"
XMP_NAMES = {IMAGE_SOURCE, *XMP_FIELDS, *XMP_LATITUDES, *XMP_LONGITUDES}
PLAUSIBLE = {
    "altitude_m": (-500.0, 20_000.0),
    "relative_altitude_m": (-1000.0, 20_000.0),
    "gimbal_pitch_deg": (-360.0, 360.0),
    "gimbal_yaw_deg": (-360.0, 360.0),
    "gimbal_roll_deg": (-360.0, 360.0),
}
"""Bounds on what XMP says; a number outside is left out and told."""

FILM_DIAGONAL_MM = math.hypot(36, 24)
SENSOR_WIDTH_MM = {"XT2": 10.88}
"""Cameras without a film equivalent: XT2 files name this width, and a field of view of 32° that fits it."""


@dataclass(frozen=True)
class ImageMetadata:
    """Metadata of one image; None is what its file does not say.

    Attributes
    ----------
    altitude_m, relative_altitude_m
        Height above the sea, and above the place of take-off.
    gimbal_pitch_deg
        -90 looks straight down.
    taken_at
        With its zone where the file says it.
    focal_length_35mm_mm
        Focal length of the same view on film of 36 mm x 24 mm; None under digital zoom.
    image_source
        DJI's own word which of its cameras took the image, as ``InfraredCamera`` or ``WideCamera``.
    holds_counts
        Whether the numbers of an infrared sensor stand beside the picture, as in a radiometric JPEG.
    dropped
        Tags that are in the file but were left out, each with the reason.
    """

    width_px: int
    height_px: int
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    altitude_m: float | None = None
    relative_altitude_m: float | None = None
    gimbal_pitch_deg: float | None = None
    gimbal_yaw_deg: float | None = None
    gimbal_roll_deg: float | None = None
    taken_at: datetime | None = None
    camera_model: str | None = None
    focal_length_mm: float | None = None
    focal_length_35mm_mm: float | None = None
    image_source: str | None = None
    holds_counts: bool = False
    dropped: tuple[str, ...] = ()


def read_metadata(path: Path) -> ImageMetadata:
    """Return the metadata in an image's EXIF and XMP; a broken tag of a good image is left out and named in `dropped`.

    Raises
    ------
    InputError
        The file is no image.
    """
    content = read_bytes(path)
    return metadata_from_bytes(content, shown_size_px(open_image(content, path), content))


def metadata_from_bytes(content: bytes, size_px: tuple[int, int]) -> ImageMetadata:
    """Return the metadata in the bytes of an image of known (width, height); see `read_metadata`.

    Where both say a position, it is EXIF's; height and gimbal are XMP's.
    """
    exif, broken = read_exif(content, TAGS)
    xmp, faults = read_xmp(content, XMP_NAMES)
    names = TAGS | DIRECTORIES
    dropped = [f"EXIF {names[tag]} cannot be read" for tag in sorted(broken)] + list(faults)
    latitude_deg, longitude_deg = find_position(exif, xmp, dropped)
    metadata = ImageMetadata(
        *size_px,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        altitude_m=_altitude(exif),
        taken_at=_time(exif, dropped),
        camera_model=text_of(exif, MODEL),
        focal_length_mm=number_of(exif, FOCAL_LENGTH) or None,
        focal_length_35mm_mm=_film_equivalent_mm(exif),
        image_source=xmp.get(IMAGE_SOURCE, "")[:64] or None,
        holds_counts=holds_flir_records(content) or holds_dji_counts(content),
    )
    flight = _flight_values(xmp, dropped)
    return replace(metadata, **flight, dropped=tuple(dropped))


def focal_length_px(metadata: ImageMetadata) -> float | None:
    """Return an infrared camera's focal length in pixels, or None where its file does not tell it.

    It comes from the film equivalent, which by CIPA DCG-001 goes by the diagonal and is rounded to a millimetre;
    else from the sensor's width, for cameras of `SENSOR_WIDTH_MM`.
    """
    width_px, height_px = metadata.width_px, metadata.height_px
    if metadata.focal_length_35mm_mm:
        diagonal_px = math.hypot(width_px, height_px)
        return float(metadata.focal_length_35mm_mm / FILM_DIAGONAL_MM * diagonal_px)
    sensor_mm = SENSOR_WIDTH_MM.get(str(metadata.camera_model))
    if sensor_mm is None or not metadata.focal_length_mm:
        return None
    return float(metadata.focal_length_mm / sensor_mm * max(width_px, height_px))


def ground_sampling_distance_m(metadata: ImageMetadata) -> float | None:
    """Return metres per infrared pixel on the ground straight below, or None where camera or height are unknown."""
    focal_px, height_m = focal_length_px(metadata), metadata.relative_altitude_m
    if focal_px is None or not height_m or height_m <= 0:
        return None
    return float(height_m / focal_px)


def _flight_values(xmp: Mapping[str, str], dropped: list[str]) -> dict[str, Any]:
    """Return heights and gimbal angles in XMP, by the names of `XMP_FIELDS`; add to ``dropped`` what cannot be."""
    found: dict[str, Any] = {}
    for name, field in XMP_FIELDS.items():
        text = xmp.get(name)
        if text is None:
            continue
        low, high = PLAUSIBLE[field]
        value = parse_number(text, "m" if field.endswith("_m") else "°")
        if value is not None and low <= value <= high:
            found[field] = value
        else:
            dropped.append(f"XMP {name} {quote(text)} is no number from {low:g} to {high:g}")
    return found


def _altitude(exif: Mapping[int, Value]) -> float | None:
    """Return the height above the sea or the ellipsoid in metres, negative below it, or None."""
    height_m = number_of(exif, GPS_ALTITUDE)
    if height_m is None:
        return None
    return -height_m if number_of(exif, GPS_ALTITUDE_REF) in BELOW else height_m


def _film_equivalent_mm(exif: Mapping[int, Value]) -> float | None:
    """Return the focal length of the same view on film, or None, as under digital zoom."""
    zoomed = (number_of(exif, DIGITAL_ZOOM) or 1.0) != 1.0  # 0 says that it was not used
    return None if zoomed else number_of(exif, FILM_EQUIVALENT) or None


def _time(exif: Mapping[int, Value], dropped: list[str]) -> datetime | None:
    """Return the time of exposure, else that of the file, with its zone where a good one is said; or None."""
    for tag in (TIME_ORIGINAL, TIME):
        text = text_of(exif, tag) or ""
        if not text.strip(" :0-"):  # blanks and zeros say that the clock was not set
            continue
        try:  # EXIF asks for 2022:09:02; some cameras write 2022-09-02 or 2022/09/02
            taken_at = datetime.fromisoformat(re.sub("[:/]", "-", text[:10]) + text[10:])
            if not text[10:].strip():
                raise ValueError("a day without a time")
        except ValueError:
            dropped.append(f"EXIF {TAGS[tag]} {quote(text)} is no time")
            continue
        return taken_at if taken_at.tzinfo else taken_at.replace(tzinfo=_zone(exif, dropped))
    return None


def _zone(exif: Mapping[int, Value], dropped: list[str]) -> timezone | None:
    """Return the zone of the time of exposure, else of the file's; None where none is said or it cannot be."""
    for tag in (ZONE_ORIGINAL, ZONE):
        text = text_of(exif, tag) or ""
        if not text.strip(" :"):
            continue
        if text.upper() in ("Z", "UTC", "GMT"):
            return UTC
        parts = ZONE_TEXT.fullmatch(text)
        if parts and int(parts[2]) <= MAX_ZONE_H and int(parts[3] or 0) < 60:
            offset = timedelta(hours=int(parts[2]), minutes=int(parts[3] or 0))
            return timezone(-offset if parts[1] == "-" else offset)
        dropped.append(f"EXIF {TAGS[tag]} {quote(text)} is no time zone")
    return None
