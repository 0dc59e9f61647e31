"""Sunlight over a station: shadows, and mirror images of the sun on tilted glass."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.raster import Window

_FAINT = 0.01


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
    """Return how shadows fall; azimuth from north, clockwise."""
    azimuth, turn = np.radians(azimuth_deg), np.radians(profile.rows.azimuth_deg)
    east, south = -np.sin(azimuth), np.cos(azimuth)
    along = east * np.cos(turn) + south * np.sin(turn)
    across = -east * np.sin(turn) + south * np.cos(turn)
    # North is up in the raster: a sun in the south throws shadows to smaller row indices.
    length = 1 / np.tan(np.radians(max(elevation_deg, 8.0)))
    return Sun((float(along * length), float(across * length)))


def mirrored_light(
    sun: Sun, tilt_deg: float, camera_m: NDArray[np.float64], plane_m: NDArray[np.float64],
    lobes: Sequence[tuple[float, float]],
) -> NDArray[np.float64] | None:  # fmt: skip
    """Return how much of the sun each place on the plane would mirror into the camera, (h, w).

    PV modules are flat mirrors tilted towards growing row indices.

    Parameters
    ----------
    camera_m
        (3,): along the row, across it, height over the plane.
    plane_m
        (h, w, 2): places, along and across the row.
    lobes
        (strength, width in degrees) of Gaussians around the direction of the mirror image: the
        sun itself, scattered by the glass, and the bright sky around it.

    Returns
    -------
    None where nothing above a hundredth is mirrored.
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


def cast_shadows(
    boxes_px: NDArray[np.int32], top_m: tuple[float, float], sun: Sun, step_m: tuple[float, float],
    window: Window, canvas: NDArray[np.uint8], solid: bool,
) -> None:  # fmt: skip
    """Draw the shadows of boxes on flat ground, in place.

    Parameters
    ----------
    boxes_px
        (n, 4): left, top, right, bottom.
    top_m
        Height of the upper and of the lower edge over the ground.
    solid
        Whether the box stands on the ground, so that its shadow starts at its foot.
    """
    fall = np.asarray(sun.shadow_per_m) / np.asarray(step_m)
    drop = fall * np.array([top_m[0], top_m[0], top_m[1], top_m[1]])[:, None]
    near = window.touches(boxes_px, float(np.abs(drop).max()))
    for left, top, right, bottom in boxes_px[near] - np.tile(window.origin, 2):
        foot = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
        outline = np.vstack([foot + drop, foot]) if solid else foot + drop
        hull = cv2.convexHull((outline * 16).astype(np.int32))
        cv2.fillConvexPoly(canvas, hull, (255,), cv2.LINE_AA, 4)
