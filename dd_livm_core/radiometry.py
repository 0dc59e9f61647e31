"""From an infrared file to temperatures, or to grey values where the file holds no temperature.

Temperatures come from 16-bit and float TIFF with a declared unit, from FLIR radiometric JPEG (also DJI's XT2
and XT R), and from DJI R-JPEG where the user names DJI's Thermal SDK. Every other image gives shape only.
Nothing is guessed: a scale that is not declared is not used.
"""

import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from dd_livm_core.dji_sdk import TODO as DJI_TODO
from dd_livm_core.dji_sdk import holds_dji_counts, read_dji, sdk_path
from dd_livm_core.errors import InputError
from dd_livm_core.flir_radiometry import read_flir
from dd_livm_core.image_files import MAX_PIXELS, decode, open_image, read_bytes
from dd_livm_core.metadata import xmp_values

UNITS_TO_C = {
    "celsius": (1.0, 0.0),
    "kelvin": (1.0, -273.15),
    "centikelvin": (0.01, -273.15),
    "decikelvin": (0.1, -273.15),
}
"""Declared unit to (gain, offset) that give °C."""
ZERO_C_K = 273.15
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
    return visible_from_bytes(read_bytes(path), path)


def visible_from_bytes(content: bytes, path: Path) -> NDArray[np.uint8]:
    """Decode a visible image; ``path`` is only named in errors."""
    return decode(open_image(content, path), "RGB", path)


def read_infrared(
    path: Path, *, require_temperature: bool = False, dji_library: Path | None = None
) -> Thermogram:
    """Read an infrared image as temperatures in °C, or as grey values where it holds none.

    Parameters
    ----------
    require_temperature
        Refuse a file without temperatures instead of returning its shape.
    dji_library
        DJI's ``libdirp``; by default what the variable ``DD_LIVM_DJI_SDK`` names.

    Raises
    ------
    InputError
        Not an image, too large, truncated, temperatures outside anything physical, or none where required.
    """
    thermogram = infrared_from_bytes(read_bytes(path), path, dji_library=dji_library)
    if require_temperature and not thermogram.radiometric:
        raise InputError("temperatures", thermogram.reason or "none", path, NO_TEMPERATURE)
    return thermogram


NO_TEMPERATURE = "Give the camera's radiometric file (16-bit TIFF, FLIR or DJI R-JPEG)."


def infrared_from_bytes(
    content: bytes, path: Path, *, dji_library: Path | None = None
) -> Thermogram:
    """Decode an infrared image; ``path`` is only named in errors. See `read_infrared`."""
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        thermogram = _read_tiff(content, path)
    else:
        thermogram = _read_jpeg(content, path, dji_library)
    if thermogram.radiometric:
        low, high = float(np.min(thermogram.values)), float(np.max(thermogram.values))
        if not (PLAUSIBLE_C[0] <= low <= high <= PLAUSIBLE_C[1]):
            raise InputError(
                f"temperatures from {PLAUSIBLE_C[0]:g} to {PLAUSIBLE_C[1]:g} °C",
                f"{low:.0f} to {high:.0f} °C",
                path,
                "The unit or the constants in the file do not fit its values.",
            )
    return thermogram


def _read_jpeg(content: bytes, path: Path, dji_library: Path | None) -> Thermogram:
    rgb = decode(open_image(content, path), "RGB", path)
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
    reason = "an 8-bit picture holds no temperatures"
    if holds_dji_counts(content):
        library = sdk_path(dji_library)
        if library is not None:
            dji = read_dji(content, path, library)
            return Thermogram(
                values=dji.temperature_c,
                radiometric=True,
                emissivity=dji.emissivity,
                reflected_c=dji.reflected_c,
                distance_m=dji.distance_m,
                relative_humidity=dji.relative_humidity,
            )
        reason = f"a DJI R-JPEG gives its temperatures only to DJI's own SDK. {DJI_TODO}"
    # Luminance is monotone along the common palettes (iron, inferno, grey); it gives shape, never a ΔT.
    luminance = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return Thermogram(luminance, False, reason=reason)


def _read_tiff(content: bytes, path: Path) -> Thermogram:
    values, description = _tiff_page(content, path)
    scale = _declared_scale(description, content)
    if scale is None:
        finite = values[np.isfinite(values)]
        if not finite.size:
            raise InputError("finite values", "none", path, "Export the frame anew.")
        low, high = (float(v) for v in np.percentile(finite, (0.5, 99.5)))
        grey = np.clip((values - low) / max(high - low, 1e-6) * 255, 0, 255)
        return Thermogram(np.nan_to_num(grey).astype(np.float32), False, reason=UNDECLARED)
    gain, offset = scale
    celsius = (values * gain + offset).astype(np.float32)
    if not np.isfinite(celsius).all():
        raise InputError("finite temperatures", "some that are not", path, "Export it anew.")
    return Thermogram(celsius, True)


UNDECLARED = (
    'the TIFF declares no unit: ImageDescription should hold e.g. {"unit": "centikelvin"}, '
    'or {"unit": "kelvin", "scale": 0.04}'
)


def _tiff_page(content: bytes, path: Path) -> tuple[NDArray[np.float64], str]:
    """Return the first page as float64 (H, W) and its description; its size is checked before decoding."""
    try:
        with tifffile.TiffFile(io.BytesIO(content)) as tiff:
            page = tiff.pages[0]
            shape, kind = page.shape, np.dtype(page.dtype)
            samples = shape[2] if len(shape) == 3 else 1
            if not 2 <= len(shape) <= 3 or samples > 4 or kind.kind not in "uif":
                raise InputError("a one-channel TIFF", f"{shape}, {kind}", path, "Export frames.")
            if math.prod(shape) > MAX_PIXELS or min(shape[:2]) < 8:
                raise InputError("a drone camera's frame", f"{shape}", path, "Export frames.")
            description = str(getattr(page, "description", "") or "")
            values = np.asarray(page.asarray())
    except InputError:
        raise
    except Exception as error:  # tifffile raises many kinds on broken files
        found = f"{type(error).__name__}: {error}"[:200]
        raise InputError("a whole TIFF", found, path, "Copy it anew.") from error
    if values.shape != shape:
        raise InputError(f"a TIFF of {shape}", f"{values.shape}", path, "Copy it anew.")
    return (values[..., 0] if values.ndim == 3 else values).astype(np.float64), description


def _declared_scale(description: str, content: bytes) -> tuple[float, float] | None:
    """Return (gain, offset) to °C from the description's JSON, else from FLIR's TLinear tag, else None."""
    try:
        declared = json.loads(description)
    except (ValueError, RecursionError):
        declared = None
    if isinstance(declared, dict) and declared.get("unit") in UNITS_TO_C:
        gain, offset = UNITS_TO_C[declared["unit"]]
        scale = declared.get("scale", 1.0)
        if isinstance(scale, int | float) and 0 < scale < 1e3:
            return gain * float(scale), offset
        return None
    gain_k = xmp_values(content, {"TlinearGain": "gain_k"}).get("gain_k", 0.0)
    return (gain_k, -ZERO_C_K) if 0 < gain_k <= 1 else None
