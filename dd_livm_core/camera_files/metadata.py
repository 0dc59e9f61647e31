"""Reads what a drone wrote beside the pixels: position, height, gimbal, time, camera."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dd_livm_core.camera_files.exif import Value, exif_values
from dd_livm_core.camera_files.images import open_image, read_bytes, shown_size_px

# EXIF tags, by the numbers of the EXIF standard (CIPA DC-008)
MODEL, TIME, TIME_ORIGINAL, ZONE, ZONE_ORIGINAL = 0x0110, 0x0132, 0x9003, 0x9010, 0x9011
FOCAL_LENGTH, DIGITAL_ZOOM, FILM_EQUIVALENT = 0x920A, 0xA404, 0xA405
GPS_LATITUDE_REF, GPS_LATITUDE, GPS_LONGITUDE_REF, GPS_LONGITUDE = 1, 2, 3, 4
GPS_ALTITUDE_REF, GPS_ALTITUDE = 5, 6
TAGS = {
    MODEL,
    TIME,
    TIME_ORIGINAL,
    ZONE,
    ZONE_ORIGINAL,
    FOCAL_LENGTH,
    DIGITAL_ZOOM,
    FILM_EQUIVALENT,
} | set(range(1, 7))
MAX_XMP_BYTES = 2**20
"""Hundreds of times a drone's packet."""
XMP_FIELDS = {
    "AbsoluteAltitude": "altitude_m",
    "RelativeAltitude": "relative_altitude_m",
    "GimbalPitchDegree": "gimbal_pitch_deg",
    "GimbalYawDegree": "gimbal_yaw_deg",
    "GimbalRollDegree": "gimbal_roll_deg",
    "GpsLatitude": "latitude_deg",
    "GpsLongitude": "longitude_deg",
    "GpsLongtitude": "longitude_deg",  # sic, by the firmware of several DJI cameras
}
PLAUSIBLE = {
    "altitude_m": (-500.0, 20_000.0),
    "relative_altitude_m": (-1000.0, 20_000.0),
    "gimbal_pitch_deg": (-360.0, 360.0),
    "gimbal_yaw_deg": (-360.0, 360.0),
    "gimbal_roll_deg": (-360.0, 360.0),
    "latitude_deg": (-90.0, 90.0),
    "longitude_deg": (-180.0, 180.0),
}
"""Bounds on what XMP says; a number outside is left out as if it were absent."""

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


def read_metadata(path: Path) -> ImageMetadata:
    """Return the metadata in an image's EXIF and XMP; broken metadata of a good image is left out.

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
    exif = exif_values(content, TAGS)
    latitude_deg = _coordinate(exif, GPS_LATITUDE, GPS_LATITUDE_REF, "S", 90)
    longitude_deg = _coordinate(exif, GPS_LONGITUDE, GPS_LONGITUDE_REF, "W", 180)
    metadata = ImageMetadata(
        *size_px,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        altitude_m=_altitude(exif),
        taken_at=_time(exif),
        camera_model=_text(exif, MODEL),
        focal_length_mm=_number(exif, FOCAL_LENGTH) or None,
        focal_length_35mm_mm=_film_equivalent_mm(exif),
    )
    found: dict[str, Any] = {
        k: v
        for k, v in xmp_values(content, XMP_FIELDS).items()
        if PLAUSIBLE[k][0] <= v <= PLAUSIBLE[k][1]
        and (k not in ("latitude_deg", "longitude_deg") or getattr(metadata, k) is None)
    }
    return _drop_null_island(replace(metadata, **found))


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


def _drop_null_island(metadata: ImageMetadata) -> ImageMetadata:
    """Return the metadata without a position of 0° N 0° E, which drones write before their first fix."""
    if (metadata.latitude_deg, metadata.longitude_deg) != (0, 0):
        return metadata
    return replace(metadata, latitude_deg=None, longitude_deg=None)


def _values(exif: Mapping[int, Value], tag: int) -> tuple[float, ...]:
    """Return a tag's numbers; none where it is absent or a text."""
    values = exif.get(tag, ())
    return () if isinstance(values, str) else values


def _number(exif: Mapping[int, Value], tag: int) -> float | None:
    """Return a tag's number, or None where it has none or several."""
    values = _values(exif, tag)
    return float(values[0]) if len(values) == 1 else None


def _text(exif: Mapping[int, Value], tag: int) -> str | None:
    """Return at most 64 characters of a tag's text, or None."""
    text = exif.get(tag)
    return text[:64] or None if isinstance(text, str) else None


def _coordinate(
    exif: Mapping[int, Value], tag: int, reference: int, negative: str, limit: float
) -> float | None:
    """Return a latitude or longitude in degrees from EXIF's degrees, minutes and seconds, or None."""
    values, side = _values(exif, tag), _text(exif, reference)
    if len(values) != 3 or side is None:
        return None
    degrees = values[0] + values[1] / 60 + values[2] / 3600
    if not 0 <= degrees <= limit:
        return None
    return -degrees if side.upper() == negative else degrees


def _altitude(exif: Mapping[int, Value]) -> float | None:
    """Return the height above the sea in metres, negative below it, or None."""
    height_m = _number(exif, GPS_ALTITUDE)
    if height_m is None:
        return None
    below_sea = _values(exif, GPS_ALTITUDE_REF) == (1,)
    return -height_m if below_sea else height_m


def _film_equivalent_mm(exif: Mapping[int, Value]) -> float | None:
    """Return the focal length of the same view on film, or None, as under digital zoom."""
    zoomed = (_number(exif, DIGITAL_ZOOM) or 1.0) != 1.0  # 0 says that it was not used
    return None if zoomed else _number(exif, FILM_EQUIVALENT) or None


def _time(exif: Mapping[int, Value]) -> datetime | None:
    """Return the time of exposure, else that of the file, with its zone where one is said; or None."""
    text = _text(exif, TIME_ORIGINAL) or _text(exif, TIME)
    if text is None:
        return None
    zone = _text(exif, ZONE_ORIGINAL) or _text(exif, ZONE) or ""
    try:  # EXIF asks for 2022:09:02; some H20T write 2022-09-02
        return datetime.fromisoformat(text[:10].replace(":", "-") + text[10:] + zone)
    except ValueError:
        return None


def xmp_values(content: bytes, fields: Mapping[str, str]) -> dict[str, float]:
    """Return the finite numbers of some fields of an image's XMP packet.

    Parameters
    ----------
    fields
        Name in XMP, without its namespace → name in the result.
    """
    start = content.find(b"<x:xmpmeta")
    end = content.find(b"</x:xmpmeta>", start)
    if start < 0 or end < 0 or end - start > MAX_XMP_BYTES:
        return {}
    try:
        root = fromstring(content[start : end + 12])
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return {}
    found: dict[str, float] = {}
    for element in root.iter():
        pairs = [(element.tag, element.text or ""), *element.attrib.items()]
        for name, text in pairs:
            field = fields.get(str(name).rpartition("}")[2])
            if field is None:
                continue
            try:
                value = float(text)
            except ValueError:
                continue
            if math.isfinite(value):
                found[field] = value
    return found
