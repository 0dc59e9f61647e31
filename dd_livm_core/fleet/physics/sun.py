"""Sunlight over a station: direction, shadows, and mirror images of the sun on tilted glass."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.raster import Window

_FAINT = 0.01
"""Mirrored light below this is not worth drawing: under 3 of 255 grey levels."""
_LOWEST_SUN_DEG = 8.0
"""A lower sun is taken as this high, as its shadows would grow without end."""
_SUBPIXEL_BITS = 4
"""OpenCV draws polygons in fixed point: 1/16 px."""


@dataclass(frozen=True)
class Sun:
    """Direction of sunlight in the raster's axes: metres along and across per metre of height."""

    shadow_per_m: tuple[float, float]

    def towards(self) -> NDArray[np.float64]:
        """Return the unit vector (3,) to the sun: along, across, up."""
        vector = np.array([-self.shadow_per_m[0], -self.shadow_per_m[1], 1.0])
        unit: NDArray[np.float64] = vector / np.linalg.norm(vector)
        return unit


def sun_over(profile: Profile, elevation_deg: float, azimuth_deg: float) -> Sun:
    """Return the sun over a station.

    Parameters
    ----------
    profile
        Its rows' azimuth turns the raster's axes.
    elevation_deg
        Over the horizon; below 8° taken as 8°.
    azimuth_deg
        From north, clockwise.
    """
    azimuth, turn = np.radians(azimuth_deg), np.radians(profile.rows.azimuth_deg)
    east, south = -np.sin(azimuth), np.cos(azimuth)
    along = east * np.cos(turn) + south * np.sin(turn)
    across = -east * np.sin(turn) + south * np.cos(turn)
    # North is up in the raster: a sun in the south throws shadows to smaller row indices.
    length = 1 / np.tan(np.radians(max(elevation_deg, _LOWEST_SUN_DEG)))
    return Sun((float(along * length), float(across * length)))


def mirrored_light(
    sun: Sun, tilt_deg: float, camera_m: NDArray[np.float64], plane_m: NDArray[np.float64],
    lobes: Sequence[tuple[float, float]],
) -> NDArray[np.float64] | None:  # fmt: skip
    """Return the sunlight that each place on the plane would mirror into the camera, if it were glass.

    PV modules are taken as flat mirrors that lean towards growing row indices.

    Parameters
    ----------
    camera_m
        (3,): along the row, across it, height over the plane.
    plane_m
        (h, w, 2): places along and across the row.
    lobes
        (strength, width in degrees) of Gaussians around the direction of the mirror image: the
        sun itself, scattered by the glass, and the bright sky around it.

    Returns
    -------
    light
        (h, w) float64, in the unit of the strengths; None if it stays below 0.01 everywhere.
    """
    ray = np.concatenate([plane_m, np.zeros((*plane_m.shape[:2], 1))], axis=-1) - camera_m
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    tilt = np.radians(tilt_deg)
    normal = np.array([0.0, np.sin(tilt), np.cos(tilt)])
    mirrored = ray - 2 * (ray @ normal)[..., None] * normal
    missed_deg = np.degrees(np.arccos(np.clip(mirrored @ sun.towards(), -1, 1)))
    light = np.zeros(missed_deg.shape)
    for strength, width_deg in lobes:
        light += strength * np.exp(-((missed_deg / width_deg) ** 2))
    return None if light.max() < _FAINT else light


@dataclass(frozen=True)
class ShadowCasters:
    """Boxes that throw shadows onto flat ground.

    Parameters
    ----------
    boxes_px
        (n, 4) int32 raster pixels: left, top, right, bottom.
    top_m
        Height of the upper and of the lower edge over the ground.
    on_ground
        Whether the boxes stand on the ground, so that a shadow starts at the foot; else they hover as tables do.
    """

    boxes_px: NDArray[np.int32]
    top_m: tuple[float, float]
    on_ground: bool


def cast_shadows(
    casters: ShadowCasters, sun: Sun, step_m: tuple[float, float], window: Window,
    canvas: NDArray[np.uint8],
) -> None:  # fmt: skip
    """Draw the shadows as 255 into the canvas (h, w) of a window, in place.

    ``step_m`` is metres per raster pixel, along and across the row.
    """
    fall = np.asarray(sun.shadow_per_m) / np.asarray(step_m)
    upper_m, lower_m = casters.top_m
    drop = fall * np.array([upper_m, upper_m, lower_m, lower_m])[:, None]
    near = window.touches(casters.boxes_px, float(np.abs(drop).max()))
    for left, top, right, bottom in casters.boxes_px[near] - np.tile(window.origin, 2):
        foot = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
        outline = np.vstack([foot + drop, foot]) if casters.on_ground else foot + drop
        hull = cv2.convexHull((outline * 2**_SUBPIXEL_BITS).astype(np.int32))
        cv2.fillConvexPoly(canvas, hull, (255,), cv2.LINE_AA, _SUBPIXEL_BITS)
