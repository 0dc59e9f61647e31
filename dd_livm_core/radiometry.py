"""From an infrared file to temperatures, or to grey values where the file holds no temperature.

Temperatures come from 16-bit and float TIFF with a declared unit, and from FLIR radiometric JPEG (also DJI's
XT2 and XT R). Every other 8-bit image gives shape only. Nothing is guessed: a scale that is not declared is
not used.
"""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.flir_radiometry import read_flir
from dd_livm_core.image_files import MAX_PIXELS, decode, open_image, read_bytes

UNITS_TO_C = {
    "celsius": (1.0, 0.0),
    "kelvin": (1.0, -273.15),
    "centikelvin": (0.01, -273.15),
    "decikelvin": (0.1, -273.15),
}
"""Declared unit to (gain, offset) that give °C."""
PLAUSIBLE_C = (-100.0, 2000.0)


@dataclass(frozen=True)
class Thermogram:
    """An infrared image.

    Attributes
    ----------
    values
        float32 (H, W): °C where ``radiometric``, else grey 0 to 255.
    reason
        Why there is no temperature, or None.
    """

    values: NDArray[np.float32]
    radiometric: bool
    emissivity: float | None = None
    reflected_c: float | None = None
    distance_m: float | None = None
    relative_humidity: float | None = None
    camera: str | None = None
    reason: str | None = None


def read_visible(path: Path) -> NDArray[np.uint8]:
    """Read a visible image as uint8 (H, W, 3) RGB.

    Raises
    ------
    InputError
        Not an image, too large, or truncated.
    """
    return decode(open_image(read_bytes(path), path), "RGB", path)


def read_infrared(path: Path) -> Thermogram:
    """Read an infrared image as temperatures in °C, or as grey values where it holds none.

    Raises
    ------
    InputError
        Not an image, too large, truncated, or temperatures outside anything physical.
    """
    content = read_bytes(path)
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        thermogram = _read_tiff(content, path)
    else:
        thermogram = _read_jpeg(content, path)
    if thermogram.radiometric:
        low, high = float(np.nanmin(thermogram.values)), float(np.nanmax(thermogram.values))
        if not (PLAUSIBLE_C[0] <= low <= high <= PLAUSIBLE_C[1]):
            raise InputError(
                f"temperatures from {PLAUSIBLE_C[0]:g} to {PLAUSIBLE_C[1]:g} °C",
                f"{low:.0f} to {high:.0f} °C",
                path,
                "The declared unit does not fit the values.",
            )
    return thermogram


def _read_jpeg(content: bytes, path: Path) -> Thermogram:
    image = open_image(content, path)
    grey = decode(image, "RGB", path)
    flir = read_flir(content, path)
    if flir is not None:
        return Thermogram(
            values=flir.temperature_c,
            radiometric=True,
            emissivity=flir.emissivity,
            reflected_c=flir.reflected_c,
            distance_m=flir.distance_m,
            relative_humidity=flir.relative_humidity,
            camera=flir.camera,
        )
    # Luminance is monotone along the common palettes (iron, inferno, grey); it gives shape, never a ΔT.
    luminance = grey.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return Thermogram(luminance, False, reason="an 8-bit picture holds no temperatures")


def _read_tiff(content: bytes, path: Path) -> Thermogram:
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            page = tiff.pages[0]
            shape = page.shape
            if len(shape) > 3 or int(np.prod(shape)) > MAX_PIXELS or min(shape[:2]) < 8:
                raise InputError(
                    "one image of a drone camera", f"shape {shape}", path, "Export single frames."
                )
            description = str(getattr(page, "description", "") or "")
            values = np.asarray(page.asarray())
    except InputError:
        raise
    except Exception as error:  # tifffile raises many kinds on broken files
        raise InputError(
            "a whole TIFF", f"{type(error).__name__}: {error}"[:200], path, "Copy it anew."
        ) from error
    if values.ndim == 3:
        values = values[..., 0]
    unit = _declared_unit(description)
    if unit is None:
        scaled = values.astype(np.float32)
        low, high = np.nanpercentile(scaled, (0.5, 99.5))
        grey = np.clip((scaled - low) / max(float(high - low), 1e-6) * 255, 0, 255)
        return Thermogram(
            np.nan_to_num(grey).astype(np.float32),
            False,
            reason='the TIFF declares no unit: ImageDescription should hold e.g. {"unit": "centikelvin"}',
        )
    gain, offset = UNITS_TO_C[unit]
    celsius = (values.astype(np.float64) * gain + offset).astype(np.float32)
    if not np.isfinite(celsius).any():
        raise InputError("finite temperatures", "none", path, "Export the frame anew.")
    return Thermogram(np.where(np.isfinite(celsius), celsius, np.nanmedian(celsius)), True)


def _declared_unit(description: str) -> str | None:
    try:
        declared = json.loads(description)
    except ValueError:
        return None
    unit = declared.get("unit") if isinstance(declared, dict) else None
    return unit if unit in UNITS_TO_C else None
