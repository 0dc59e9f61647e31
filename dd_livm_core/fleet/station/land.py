"""Coarse maps of a station's land: mixture of surfaces, brightness, puddles, buildings.

Numbers of the drawings are chosen; `python -m benchmarks.fleet_looks` compares frames with real ones.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import Profile, Terrain

Floats = NDArray[np.float32]
MAP_M = 0.25
"""Spacing of the maps in metres."""
MARGIN_M = 30.0
"""How far the maps reach around the station, in metres."""
_OCTAVES = 4
_PUDDLE_M = 2.5
_TRIES_PER_BUILDING = 12


@dataclass(frozen=True)
class Land:
    """Maps (h, w) with a cell every ``MAP_M``; the first cell lies ``MARGIN_M`` before the first PV module.

    Parameters
    ----------
    second_share
        float32, 0..1: share of the second surface.
    shade
        float32 around 1: brightness.
    puddles
        float32, 0..1: standing water; None where the profile has none.
    buildings_px
        (b, 4) int32 in raster pixels: left, top, right, bottom.
    """

    second_share: Floats
    shade: Floats
    puddles: Floats | None
    buildings_px: NDArray[np.int32]


def smooth_noise(
    shape: tuple[int, int], scale_px: float, rng: np.random.Generator, finer: float = 0.6
) -> Floats:
    """Return a random field (h, w) float32 of zero mean and unit deviation: four octaves, from ``scale_px`` down.

    ``finer`` is the strength of each octave against the one before: larger is more ragged.
    """
    field = np.zeros(shape, np.float32)
    for octave in range(_OCTAVES):
        size = max(scale_px / 2**octave, 1.0)
        small = (int(shape[0] / size) + 3, int(shape[1] / size) + 3)
        noise = rng.standard_normal(small, dtype=np.float32)
        field += (
            np.asarray(cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC))
            * finer**octave
        )
    field -= field.mean()
    result: Floats = field / max(float(field.std()), 1e-6)
    return result


def draw_land(
    profile: Profile, size_px: tuple[int, int], step_m: tuple[float, float],
    tables_px: NDArray[np.int32], rng: np.random.Generator,
) -> Land:  # fmt: skip
    """Return the land of a station.

    Parameters
    ----------
    profile
        Gives the terrain, and how far trackers reach when they lie flat.
    size_px
        Width and height of the station in raster pixels of ``step_m``.
    tables_px
        (t, 4): left, top, right, bottom; no building stands there.
    rng
        The same numbers give the same land.
    """
    terrain = profile.terrain
    extent_m = np.array(size_px) * np.array(step_m) + 2 * MARGIN_M
    columns, rows = (int(extent / MAP_M) + 1 for extent in extent_m)
    shape = (rows, columns)
    share = _draw_patches(shape, terrain.second_share, terrain.patch_m, rng)
    shade = (1 + 0.06 * smooth_noise(shape, 24, rng)).astype(np.float32)
    _draw_tracks(share, shade, terrain, rng)
    share = np.asarray(cv2.GaussianBlur(share, (0, 0), 1.0))
    puddles = (
        _draw_patches(shape, terrain.puddles, _PUDDLE_M, rng, 0.05) if terrain.puddles > 0 else None
    )
    # Mowers and wheels go along the rows.
    (streaky,) = rng.spawn(1)
    narrow = smooth_noise((rows, max(columns // 16, 4)), 5, streaky)
    shade += 0.045 * np.asarray(cv2.resize(narrow, (columns, rows), interpolation=cv2.INTER_CUBIC))
    # Trackers that lie flatter in another mission reach further down.
    flattest = profile.with_tilt(max(profile.rows.tilt_deg - profile.rows.tracker_swing_deg, 0.0))
    more_m = profile.rows.modules_up * (flattest.module_size_m[1] - profile.module_size_m[1])
    reach = tables_px + np.array([0, 0, 0, int(np.ceil(more_m / step_m[1]))], np.int32)
    return Land(share, shade, puddles, _place_buildings(terrain, reach, size_px, step_m, rng))


def _draw_patches(
    shape: tuple[int, int], share: float, scale_m: float, rng: np.random.Generator,
    softness: float = 0.12,
) -> Floats:  # fmt: skip
    """Return soft-edged patches, (h, w) 0..1, that cover a share of the area; ``softness`` in deviations of noise."""
    field = smooth_noise(shape, scale_m / MAP_M, rng, finer=0.75)
    level = np.quantile(field, 1 - share)
    patches: Floats = (0.5 + 0.5 * np.tanh((field - level) / (2 * softness))).astype(np.float32)
    return patches


def _draw_tracks(share: Floats, shade: Floats, terrain: Terrain, rng: np.random.Generator) -> None:
    """Draw service tracks along or across the rows, in place; half of them at the station's edge.

    Wheels wear two darker ruts into them, and the first surface stays in the middle.
    """
    for _ in range(terrain.tracks):
        across = rng.random() < 0.5
        canvas, light = (share.T, shade.T) if across else (share, shade)
        length, width = canvas.shape
        near_edge = rng.random() < 0.5
        middle = rng.uniform(12, MARGIN_M - 2) if near_edge else rng.uniform(0, width * MAP_M)
        wobble = smooth_noise((1, length), 80, rng)[0] * 0.6
        distance = np.abs(np.arange(width)[None, :] * MAP_M - middle - wobble[:, None])
        canvas[distance < terrain.track_width_m / 2] = 0.97
        canvas[distance < min(0.3, terrain.track_width_m / 8)] = 0.6
        light[np.abs(distance - min(0.85, terrain.track_width_m / 4)) < 0.2] *= 0.88


def _place_buildings(
    terrain: Terrain, tables_px: NDArray[np.int32], size_px: tuple[int, int],
    step_m: tuple[float, float], rng: np.random.Generator,
) -> NDArray[np.int32]:  # fmt: skip
    """Return boxes (b, 4) of cabins and vents at random places where no table stands."""
    placed: list[tuple[int, int, int, int]] = []
    border = 8 / np.asarray(step_m)
    for _ in range(terrain.buildings * _TRIES_PER_BUILDING):
        wide = terrain.building_m * rng.uniform([0.6, 0.4], [1.6, 1.0]) / np.asarray(step_m)
        at = rng.uniform(-border, np.asarray(size_px) + border)
        left, top, right, bottom = (int(v) for v in (*at, *(at + wide)))
        clear = (tables_px[:, 0] > right) | (tables_px[:, 2] < left)
        clear |= (tables_px[:, 1] > bottom) | (tables_px[:, 3] < top)
        if clear.all() and len(placed) < terrain.buildings:
            placed.append((left, top, right, bottom))
    return np.array(placed, dtype=np.int32).reshape(-1, 4)
