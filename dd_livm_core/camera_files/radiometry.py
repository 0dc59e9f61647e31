"""Reads an infrared file as temperatures, or as grey values where it holds none.

Temperatures come from 16-bit and float TIFF with a declared unit, from FLIR radiometric JPEG (also DJI's XT2
and XT R), and from DJI R-JPEG where the machine has a reader of them. Every other image gives shape only.
Nothing is guessed: a scale that is not declared is not used.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.dji import holds_dji_counts, read_dji
from dd_livm_core.camera_files.doubtful_pixels import describe_lone_pixels, describe_zeros
from dd_livm_core.camera_files.flir import read_flir
from dd_livm_core.camera_files.images import (
    TIFF_STARTS,
    checked_thumbnail,
    read_bytes,
    upright_pixels,
)
from dd_livm_core.camera_files.orientation import orientation_of, turn_upright, upright_size_px
from dd_livm_core.camera_files.palette_values import surely_has_values
from dd_livm_core.camera_files.picture_values import NO_TEMPERATURE, read_colours
from dd_livm_core.camera_files.thermogram import InfraredContent, Thermogram
from dd_livm_core.camera_files.tiff import UNITS_TO_C, TiffFrame, read_tiff_frame
from dd_livm_core.errors import InputError
from dd_livm_core.records import FROM_FILE, DeclaredUnit, MeasurementParameters

PLAUSIBLE_C = (-100.0, 2000.0)
"""Of every pixel; wider than the ranges of thermal drone cameras."""
PLAUSIBLE_MEDIAN_C = (-60.0, 150.0)
"""Of a frame of declared unit: °C declared for kelvin shows here and nowhere else."""
GREY_PERCENTILES = (0.5, 99.5)
"""Become black and white where a TIFF has no unit, so that single dead pixels take no contrast."""

EIGHT_BITS = "an 8-bit picture holds no temperatures"
UNDECLARED = (
    'the TIFF declares no unit: its ImageDescription should hold e.g. {"unit": "centikelvin"} or '
    '{"unit": "kelvin", "scale": 0.04}, or give --infrared-unit (and --infrared-scale) when ingesting'
)


def read_visible(path: Path) -> NDArray[np.uint8]:
    """Return a visible image upright, uint8 (H, W, 3) RGB.

    Raises
    ------
    InputError
        It is no image, too large or truncated.
    """
    return visible_from_bytes(read_bytes(path), path)


def visible_from_bytes(content: bytes, path: Path) -> NDArray[np.uint8]:
    """Return a visible image from its bytes, as `read_visible`; ``path`` is only named in errors."""
    return upright_pixels(content, path)


def read_infrared(
    path: Path,
    *,
    declared: DeclaredUnit | None = None,
    parameters: MeasurementParameters = FROM_FILE,
    require_temperature: bool = False,
    dji_library: Path | None = None,
) -> Thermogram:
    """Return an infrared image as temperatures in °C, or as grey values where it holds none.

    Parameters
    ----------
    declared
        The unit of a TIFF's values, as the mission's record says; not needed where the file says it.
    parameters
        Take the place of those in FLIR's and DJI's files, where they are not None.
    require_temperature
        Refuse a file without temperatures instead of returning grey values.
    dji_library
        DJI's ``libdirp``; by default what the variable ``DD_LIVM_DJI_SDK`` names.

    Raises
    ------
    InputError
        It is no image, too large or truncated; a unit does not fit the values or the file's own; temperatures are
        required and missing; or it is saved with an unknown palette whose order its colours do not tell.
    """
    thermogram = infrared_from_bytes(
        read_bytes(path), path, declared=declared, parameters=parameters, dji_library=dji_library
    )
    if require_temperature and not thermogram.radiometric:
        raise InputError("temperatures", thermogram.reason or "none", path, NO_TEMPERATURE)
    return thermogram


def infrared_from_bytes(
    content: bytes,
    path: Path,
    *,
    declared: DeclaredUnit | None = None,
    parameters: MeasurementParameters = FROM_FILE,
    dji_library: Path | None = None,
) -> Thermogram:
    """Return an infrared image from its bytes, as `read_infrared`; ``path`` is only named in errors."""
    if content[:4] in TIFF_STARTS:
        return _read_tiff(content, path, declared)
    picture = upright_pixels(content, path)
    found = _embedded_temperatures(content, path, parameters, dji_library)
    if isinstance(found, Thermogram):
        return replace(found, values=turn_upright(found.values, orientation_of(content)))
    return read_colours(picture, path, found)


def examine_infrared(
    content: bytes,
    path: Path,
    declared: DeclaredUnit | None = None,
    parameters: MeasurementParameters = FROM_FILE,
) -> InfraredContent:
    """Return what an infrared image holds, checked whole; accepts what `infrared_from_bytes` does, pictures faster."""
    if content[:4] in TIFF_STARTS:
        found: Thermogram | str = _read_tiff(content, path, declared)
    else:
        (width, height), thumbnail = checked_thumbnail(content, path)
        found = _embedded_temperatures(content, path, parameters, None)
        if isinstance(found, str) and not surely_has_values(thumbnail):
            read_colours(upright_pixels(content, path), path, found)
    if isinstance(found, Thermogram):
        height, width = found.values.shape
        if content[:4] not in TIFF_STARTS:
            width, height = upright_size_px((width, height), orientation_of(content))
        held = InfraredContent(
            width, height, found.radiometric, found.stored_dtype, remark=found.remark
        )
        if not found.radiometric:
            return held
        median_c, max_c = float(np.median(found.values)), float(found.values.max())
        return replace(held, median_c=median_c, max_c=max_c, camera=found.camera)
    return InfraredContent(width, height, False, "uint8")


def _embedded_temperatures(
    content: bytes, path: Path, parameters: MeasurementParameters, dji_library: Path | None
) -> Thermogram | str:
    """Return the temperatures embedded in a JPEG, or the reason why there are none."""
    flir = read_flir(content, path, parameters)
    if flir is not None:
        return _require_plausible(
            Thermogram(
                values=flir.temperature_c,
                radiometric=True,
                stored_dtype="uint16",
                emissivity=flir.emissivity,
                reflected_c=flir.reflected_c,
                distance_m=flir.distance_m,
                relative_humidity=flir.relative_humidity,
                camera=flir.camera,
                remark=flir.remark,
            ),
            path,
        )
    if not holds_dji_counts(content):
        return EIGHT_BITS
    dji = read_dji(content, path, parameters, dji_library)
    if isinstance(dji, str):
        return dji
    return _require_plausible(
        Thermogram(dji.temperature_c, True, "uint16", **vars(dji.parameters), remark=dji.remark),
        path,
    )


def _require_plausible(thermogram: Thermogram, path: Path) -> Thermogram:
    """Return the thermogram with a remark on pixels that no scene has.

    Raises
    ------
    InputError
        A temperature lies outside `PLAUSIBLE_C`.
    """
    low, high = float(np.min(thermogram.values)), float(np.max(thermogram.values))
    if not PLAUSIBLE_C[0] <= low <= high <= PLAUSIBLE_C[1]:  # false for NaN, too
        raise InputError(
            f"temperatures from {PLAUSIBLE_C[0]:g} to {PLAUSIBLE_C[1]:g} °C",
            f"{low:.0f} to {high:.0f} °C",
            path,
            "The unit or the constants in the file do not fit its values.",
        )
    remarks = (thermogram.remark, describe_lone_pixels(thermogram.values))
    return replace(thermogram, remark="; ".join(filter(None, remarks)) or None)


def _read_tiff(content: bytes, path: Path, declared: DeclaredUnit | None) -> Thermogram:
    """Return a TIFF's frame: °C where the file or the mission declares the unit, else grey values."""
    frame = read_tiff_frame(content, path)
    values, unit = frame.values, _agreed_unit(frame, declared, path)
    if values.ndim == 2 and frame.stored_dtype in ("uint8", "int8"):
        return _stretch_to_grey(frame, EIGHT_BITS)
    if unit is None and frame.stored_dtype == "uint8" and values.shape[2] >= 3:
        coloured = read_colours(values[..., :3].astype(np.uint8), path, EIGHT_BITS)
        if coloured.palette != "grey":
            return coloured
    if unit is None:
        return _stretch_to_grey(frame, UNDECLARED)
    if values.ndim != 2:
        raise InputError(
            f"one channel of {unit}",
            f"{values.shape[2]} channels",
            path,
            "Export frames, not pictures.",
        )
    gain, offset = UNITS_TO_C[unit.unit]
    celsius = values * (gain * unit.scale) + gain * unit.offset + offset
    median = float(np.median(celsius))
    if not PLAUSIBLE_MEDIAN_C[0] <= median <= PLAUSIBLE_MEDIAN_C[1]:
        raise InputError(
            f"a median of {PLAUSIBLE_MEDIAN_C[0]:g} to {PLAUSIBLE_MEDIAN_C[1]:g} °C",
            f"{median:.0f} °C when read as {unit}",
            path,
            "The declared unit does not fit the values.",
        )
    missing = f"{frame.missing:.1%} of the pixels hold no data" if frame.missing else None
    zeros = describe_zeros(values) if frame.stored_dtype.startswith("float") else None
    remark = "; ".join(filter(None, (missing, zeros))) or None
    thermogram = Thermogram(celsius.astype(np.float32), True, frame.stored_dtype, remark=remark)
    return _require_plausible(thermogram, path)


def _agreed_unit(
    frame: TiffFrame, declared: DeclaredUnit | None, path: Path
) -> DeclaredUnit | None:
    """Return the unit of a TIFF's numbers, which the file, the mission or both together declare; or None.

    A file that names a scale and no unit takes the mission's unit; the mission may then leave the scale out.
    """
    own = frame.unit
    if frame.scaling is not None and declared is not None:
        scale, offset = frame.scaling
        own = DeclaredUnit(unit=declared.unit, scale=scale, offset=offset)
        if declared == DeclaredUnit(unit=declared.unit):
            return own
    if own is not None and declared is not None and own != declared:
        raise InputError(
            f"the mission's unit ({declared})", f"{own} in the file", path, "Mend mission.json."
        )
    return own or declared


def _stretch_to_grey(frame: TiffFrame, reason: str) -> Thermogram:
    """Return a frame's numbers as grey 0 to 255, stretched between two of their percentiles."""
    grey = frame.values if frame.values.ndim == 2 else frame.values[..., :3].mean(axis=-1)
    low, high = (float(v) for v in np.percentile(grey, GREY_PERCENTILES))
    grey = np.clip((grey - low) / max(high - low, 1e-6) * 255, 0, 255)
    return Thermogram(grey.astype(np.float32), False, frame.stored_dtype, reason=reason)
