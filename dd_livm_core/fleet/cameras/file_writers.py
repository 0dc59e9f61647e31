"""Writes a simulated mission's image files, with EXIF and XMP as a drone writes them."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from dd_livm_core.files import atomic

Tag, GpsTag = ExifTags.Base, ExifTags.GPS
_XMP_TAG = 700
_ABOVE_SEA_LEVEL = b"\x00"
_CHROMA_SUBSAMPLING = 2
"""4:2:0 in Pillow's numbering, usual for cameras."""

CENTIKELVIN = {"unit": "centikelvin"}
"""Written into the TIFF tag ImageDescription: stored value / 100 is kelvin."""


@dataclass(frozen=True)
class Shot:
    """When, where and with which camera one image was taken; altitudes above sea level and above the start.

    Gimbal pitch is -90 straight down; yaw runs from north, clockwise.
    """

    taken_at: datetime
    latitude_deg: float
    longitude_deg: float
    altitude_m: float
    relative_altitude_m: float
    gimbal_pitch_deg: float
    gimbal_yaw_deg: float
    gimbal_roll_deg: float
    camera_model: str
    focal_length_mm: float
    focal_length_35mm: float


def _degrees_minutes_seconds(degrees: float) -> tuple[float, float, float]:
    whole = int(degrees)
    minutes = (degrees - whole) * 60
    return float(whole), float(int(minutes)), round((minutes - int(minutes)) * 60, 6)


def _exif(shot: Shot, size: tuple[int, int]) -> Image.Exif:
    """Return the EXIF of an image of (width, height) pixels."""
    exif = Image.Exif()
    stamp = shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    exif[Tag.Make], exif[Tag.Model] = "simulated", shot.camera_model
    exif[Tag.DateTime], exif[Tag.Software] = stamp, "dd-livm fleet"
    detail = exif.get_ifd(ExifTags.IFD.Exif)
    detail[Tag.DateTimeOriginal], detail[Tag.DateTimeDigitized] = stamp, stamp
    detail[Tag.FocalLength] = IFDRational(round(shot.focal_length_mm * 1000), 1000)
    detail[Tag.ExifImageWidth], detail[Tag.ExifImageHeight] = size
    detail[Tag.FocalLengthIn35mmFilm] = round(shot.focal_length_35mm)
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[GpsTag.GPSLatitudeRef] = "N" if shot.latitude_deg >= 0 else "S"
    gps[GpsTag.GPSLatitude] = _degrees_minutes_seconds(abs(shot.latitude_deg))
    gps[GpsTag.GPSLongitudeRef] = "E" if shot.longitude_deg >= 0 else "W"
    gps[GpsTag.GPSLongitude] = _degrees_minutes_seconds(abs(shot.longitude_deg))
    gps[GpsTag.GPSAltitudeRef], gps[GpsTag.GPSAltitude] = _ABOVE_SEA_LEVEL, shot.altitude_m
    return exif


def _xmp(shot: Shot) -> bytes:
    """Return an XMP packet with DJI's keys."""
    values = {
        "AbsoluteAltitude": shot.altitude_m,
        "RelativeAltitude": shot.relative_altitude_m,
        "GimbalPitchDegree": shot.gimbal_pitch_deg,
        "GimbalYawDegree": shot.gimbal_yaw_deg,
        "GimbalRollDegree": shot.gimbal_roll_deg,
        "GpsLatitude": shot.latitude_deg,
        "GpsLongitude": shot.longitude_deg,
    }
    digits = {"GpsLatitude": 8, "GpsLongitude": 8}
    attributes = "\n".join(
        f'   drone-dji:{k}="{v:+.{digits.get(k, 2)}f}"' for k, v in values.items()
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        '  <rdf:Description rdf:about="DJI Meta Data"\n'
        '   xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"\n'
        f"{attributes}/>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="w"?>'
    ).encode()


def write_jpeg(path: Path, image: NDArray[np.uint8], shot: Shot, quality: int) -> None:
    """Write a JPEG of three channels from (h, w, 3) RGB or (h, w) grey uint8, with EXIF and XMP."""
    picture = Image.fromarray(image).convert("RGB")
    exif, xmp = _exif(shot, picture.size), _xmp(shot)
    with atomic(path) as to:
        picture.save(
            to, "JPEG", quality=quality, subsampling=_CHROMA_SUBSAMPLING, exif=exif, xmp=xmp
        )


def write_radiometric_tiff(path: Path, temperature_c: NDArray[np.float32], shot: Shot) -> None:
    """Write temperatures (h, w) in °C as a TIFF of uint16 centikelvin, with EXIF and XMP."""
    stored = np.clip((temperature_c + 273.15) * 100 + 0.5, 0, 65535).astype(np.uint16)
    picture = Image.fromarray(stored)
    exif = _exif(shot, picture.size)
    exif[Tag.ImageDescription] = json.dumps(CENTIKELVIN)
    exif[_XMP_TAG] = _xmp(shot)
    with atomic(path) as to:
        # As bytes: an Exif object loses its GPS and detail tables on the way into a TIFF.
        picture.save(to, "TIFF", exif=exif.tobytes())
