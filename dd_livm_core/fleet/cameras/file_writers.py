"""The files of a simulated mission: images with EXIF and XMP as a drone leaves them."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from dd_livm_core.files import atomic

CENTIKELVIN = {"unit": "centikelvin"}
"""Declared in the TIFF tag ImageDescription: stored value / 100 = kelvin."""


@dataclass(frozen=True)
class Shot:
    """Where, when and with what one image was taken."""

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


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    whole = int(degrees)
    minutes = (degrees - whole) * 60
    return float(whole), float(int(minutes)), round((minutes - int(minutes)) * 60, 6)


def _exif(shot: Shot, size: tuple[int, int]) -> Image.Exif:
    exif = Image.Exif()
    stamp = shot.taken_at.strftime("%Y:%m:%d %H:%M:%S")
    exif[271], exif[272], exif[306], exif[305] = (
        "simulated",
        shot.camera_model,
        stamp,
        "dd-livm fleet",
    )
    detail = exif.get_ifd(0x8769)
    detail[36867], detail[36868] = stamp, stamp
    detail[37386] = IFDRational(round(shot.focal_length_mm * 1000), 1000)
    detail[40962], detail[40963] = size
    detail[41989] = round(shot.focal_length_35mm)
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N" if shot.latitude_deg >= 0 else "S", _sexagesimal(abs(shot.latitude_deg))
    gps[3], gps[4] = "E" if shot.longitude_deg >= 0 else "W", _sexagesimal(abs(shot.longitude_deg))
    gps[5], gps[6] = b"\x00", shot.altitude_m
    return exif


def _xmp(shot: Shot) -> bytes:
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
    """Write a JPEG, (h, w, 3) RGB or (h, w) grey in three channels, with EXIF and XMP."""
    picture = Image.fromarray(image).convert("RGB")
    exif, xmp = _exif(shot, picture.size), _xmp(shot)
    with atomic(path) as to:
        picture.save(to, "JPEG", quality=quality, subsampling=2, exif=exif, xmp=xmp)


def write_radiometric_tiff(path: Path, temperature_c: NDArray[np.float32], shot: Shot) -> None:
    """Write temperatures as 16-bit centikelvin with EXIF and XMP."""
    stored = np.clip((temperature_c + 273.15) * 100 + 0.5, 0, 65535).astype(np.uint16)
    picture = Image.fromarray(stored)
    exif = _exif(shot, picture.size)
    exif[270] = json.dumps(CENTIKELVIN)
    exif[700] = _xmp(shot)
    with atomic(path) as to:
        # As bytes: an Exif object loses its GPS and detail tables on the way into a TIFF.
        picture.save(to, "TIFF", exif=exif.tobytes())
