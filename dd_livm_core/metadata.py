"""What a drone wrote beside the pixels: position, height, gimbal, time, camera. Absent stays None."""

import io
import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import exifread
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dd_livm_core.image_files import open_image, read_bytes

logging.getLogger("exifread").setLevel(logging.CRITICAL)

MAX_XMP_BYTES = 2**20
XMP_FIELDS = {
    "AbsoluteAltitude": "altitude_m",
    "RelativeAltitude": "relative_altitude_m",
    "GimbalPitchDegree": "gimbal_pitch_deg",
    "GimbalYawDegree": "gimbal_yaw_deg",
    "GimbalRollDegree": "gimbal_roll_deg",
    "GpsLatitude": "latitude_deg",
    "GpsLongitude": "longitude_deg",
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


@dataclass(frozen=True)
class ImageMetadata:
    """Metadata of one image; whatever the file does not say is None.

    ``focal_length_35mm_mm`` is the focal length of the same view on 36 mm x 24 mm film; None under digital zoom.
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
    """Read EXIF and XMP of an image.

    Raises
    ------
    InputError
        The file is no image. Broken metadata in a good image is left out, not an error.
    """
    content = read_bytes(path)
    return metadata_from_bytes(content, open_image(content, path).size)


def metadata_from_bytes(content: bytes, size_px: tuple[int, int]) -> ImageMetadata:
    """Read EXIF and XMP from the bytes of an image of known (width, height)."""
    exif = _exif(content)
    metadata = ImageMetadata(
        *size_px,
        latitude_deg=_coordinate(exif, "GPS GPSLatitude", "GPS GPSLatitudeRef", "S", 90),
        longitude_deg=_coordinate(exif, "GPS GPSLongitude", "GPS GPSLongitudeRef", "W", 180),
        altitude_m=_altitude(exif),
        taken_at=_time(exif),
        camera_model=_text(exif, "Image Model"),
        focal_length_mm=_number(exif, "EXIF FocalLength") or None,
        focal_length_35mm_mm=_film_equivalent_mm(exif),
    )
    found: dict[str, Any] = {
        k: v
        for k, v in xmp_values(content, XMP_FIELDS).items()
        if k in PLAUSIBLE
        and PLAUSIBLE[k][0] <= v <= PLAUSIBLE[k][1]
        and (not k.startswith("l") or getattr(metadata, k) is None)
    }
    return replace(metadata, **found)


def _exif(content: bytes) -> dict[str, Any]:
    try:
        return dict(exifread.process_file(io.BytesIO(content), details=False))
    except Exception:  # the reader raises whatever a broken file makes it raise
        return {}


def _values(exif: dict[str, Any], tag: str) -> list[float]:
    try:
        return [float(value) for value in exif[tag].values]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, AttributeError, OverflowError):
        return []


def _number(exif: dict[str, Any], tag: str) -> float | None:
    values = _values(exif, tag)
    return values[0] if len(values) == 1 and math.isfinite(values[0]) else None


def _text(exif: dict[str, Any], tag: str) -> str | None:
    try:
        text = str(exif[tag].values).split("\0")[0].strip()
    except (KeyError, AttributeError):
        return None
    return text[:64] or None


def _coordinate(
    exif: dict[str, Any], tag: str, reference: str, negative: str, limit: float
) -> float | None:
    values = _values(exif, tag)
    if len(values) != 3 or reference not in exif:
        return None
    degrees = values[0] + values[1] / 60 + values[2] / 3600
    if not math.isfinite(degrees) or not 0 <= degrees <= limit:
        return None
    return -degrees if str(exif[reference].values).strip().upper() == negative else degrees


def _altitude(exif: dict[str, Any]) -> float | None:
    height_m = _number(exif, "GPS GPSAltitude")
    if height_m is None:
        return None
    below_sea = _values(exif, "GPS GPSAltitudeRef") == [1.0]
    return -height_m if below_sea else height_m


def _film_equivalent_mm(exif: dict[str, Any]) -> float | None:
    zoomed = (_number(exif, "EXIF DigitalZoomRatio") or 1.0) != 1.0  # 0 says that it was not used
    return None if zoomed else _number(exif, "EXIF FocalLengthIn35mmFilm") or None


def _time(exif: dict[str, Any]) -> datetime | None:
    text = _text(exif, "EXIF DateTimeOriginal") or _text(exif, "Image DateTime")
    if text is None:
        return None
    zone = _text(exif, "EXIF OffsetTimeOriginal") or _text(exif, "EXIF OffsetTime") or ""
    try:  # EXIF asks for 2022:09:02; some H20T write 2022-09-02
        return datetime.fromisoformat(text[:10].replace(":", "-") + text[10:] + zone)
    except ValueError:
        return None


def xmp_values(content: bytes, fields: Mapping[str, str]) -> dict[str, float]:
    """Return the numbers that the XMP packet holds under the given names, by their new names."""
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
            field = fields.get(re.sub(r"^\{.*\}", "", str(name)))
            try:
                value = float(text)
            except ValueError:
                continue
            if field and math.isfinite(value):
                found[field] = value
    return found
