"""One rendered pair with its truth, and the image files it is written to."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.cameras.file_writers import Shot, write_jpeg, write_radiometric_tiff
from dd_livm_core.fleet.cameras.flight import Exposure
from dd_livm_core.fleet.missions.truth import TrueHotspot
from dd_livm_core.fleet.profile import Profile

_JPEG_QUALITY_INFRARED = 92


@dataclass(frozen=True)
class RenderedPair:
    """One pair and its truth.

    Parameters
    ----------
    pair_id
        As ``DJI_0001``.
    infrared
        (512, 640): float32 in °C, or uint8 grey if the camera stores no temperature.
    visible
        (1024, 1280, 3) uint8 RGB.
    shots
        What the drone writes into the infrared and the visible file.
    exposure
        Poses of both cameras.
    homography, homography_residual_px
        (3, 3) infrared to visible pixels, and its largest error by lens distortion, in infrared pixels.
    panel_mask, temperature_c, excess_k
        (512, 640): PV modules, noise-free apparent temperature, and what the defects add to it.
    hotspots
        The labels.
    module_px
        Size of a PV module along and across the row, in infrared pixels.
    warmth
        Excess over the air as a share of that under a steady clear sky; below 1 under clouds.
    sources
        Class and heat source, in words, by number of the defect.
    """

    pair_id: str
    infrared: NDArray[np.float32] | NDArray[np.uint8]
    visible: NDArray[np.uint8]
    shots: tuple[Shot, Shot]
    exposure: Exposure
    homography: NDArray[np.float64]
    homography_residual_px: float
    panel_mask: NDArray[np.bool_]
    temperature_c: NDArray[np.float32]
    excess_k: NDArray[np.float32]
    hotspots: list[TrueHotspot]
    module_px: tuple[float, float]
    warmth: float
    sources: dict[int, tuple[str, str]] = field(default_factory=dict)


def write_images(pair: RenderedPair, profile: Profile, folder: Path) -> None:
    """Write a pair's two images into ``infrared`` and ``visible`` of the mission's folder."""
    camera = profile.infrared_camera
    target = folder / f"infrared/{pair.pair_id}.{camera.file_suffix}"
    if camera.radiometric:
        write_radiometric_tiff(target, pair.infrared.astype(np.float32), pair.shots[0])
    else:
        grey = pair.infrared.astype(np.uint8)
        write_jpeg(target, grey, pair.shots[0], _JPEG_QUALITY_INFRARED)
    quality = profile.visible_camera.jpeg_quality
    write_jpeg(folder / f"visible/{pair.pair_id}.jpg", pair.visible, pair.shots[1], quality)
