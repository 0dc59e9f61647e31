"""The ground of a station, or its roof or water: colour and temperature under the tables."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.land import MAP_M, MARGIN_M
from dd_livm_core.fleet.layout import Layout, generator
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster import Window, wrapped
from dd_livm_core.fleet.sun import Sun, cast_shadows
from dd_livm_core.fleet.surfaces import ground_texture
from dd_livm_core.fleet.thermal import Conditions

Floats = NDArray[np.float32]
_BUILDING_HEIGHT_M = 1.4
_SHADED_LIGHT = (0.22, 0.25, 0.33)
"""Skylight over sunlight, per colour: shadows are blue."""


class Ground:
    """Draws what lies around and between the tables.

    Parameters
    ----------
    profile, layout
        Surfaces, maps of their mixture, buildings.
    conditions, sun
        The mission's weather.
    seed
        Of the fleet.
    """

    def __init__(
        self, profile: Profile, layout: Layout, conditions: Conditions, sun: Sun, seed: int
    ) -> None:
        self.profile, self.layout, self.conditions, self.sun = profile, layout, conditions, sun
        terrain = profile.terrain
        rng = generator(seed, profile.site_id, "ground")
        step = layout.step_m[0]
        self._first = ground_texture(terrain.surface, terrain.rgb, step, rng)
        self._second = ground_texture(terrain.second_surface, terrain.second_rgb, step, rng)
        count = len(layout.land.buildings_px)
        self._building_grey = rng.integers(90, 245, count)
        self._building_k = rng.uniform(-2, 16, count)

    def _map(self, values: Floats, window: Window) -> Floats:
        """Read one of the layout's coarse maps over a window."""
        sx, sy = (s / MAP_M for s in self.layout.step_m)
        origin = MARGIN_M / MAP_M
        warp = np.array([[sx, 0, window.x * sx + origin], [0, sy, window.y * sy + origin]])
        size, flags = (window.width, window.height), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        read: Floats = np.asarray(
            cv2.warpAffine(values, warp, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        )
        return read

    def _shadow(self, window: Window, soft_px: float) -> Floats:
        """Return the share of sunlight taken by tables and buildings, 0..1."""
        canvas = np.zeros((window.height, window.width), np.uint8)
        rows, step, layout = self.profile.rows, self.layout.step_m, self.layout
        up_m = self.profile.module_up_m * rows.modules_up
        rise_m = 0.0 if rows.flush else up_m * float(np.sin(np.radians(rows.tilt_deg)))
        top_m = rows.clearance_m + rise_m
        cast_shadows(
            layout.tables_px, (top_m, rows.clearance_m), self.sun, step, window, canvas, False
        )
        height = (_BUILDING_HEIGHT_M, _BUILDING_HEIGHT_M)
        cast_shadows(layout.land.buildings_px, height, self.sun, step, window, canvas, True)
        blurred = cv2.GaussianBlur(canvas, (0, 0), soft_px)
        shadow: Floats = blurred.astype(np.float32) * np.float32(1 / 255)
        return shadow

    def draw_colour(self, window: Window) -> NDArray[np.uint8]:
        """Draw a window in sunlight: (h, w, 3) uint8."""
        share, shade = (
            self._map(m, window) for m in (self.layout.land.second_share, self.layout.land.shade)
        )
        first, second = (wrapped(texture[0], window) for texture in (self._first, self._second))
        mixed = cv2.blendLinear(first, second, (1 - share) * shade, share * shade)
        ground = np.asarray(mixed, dtype=np.uint8)
        if self.layout.land.puddles is not None:
            wet = self._map(self.layout.land.puddles, window) * np.float32(0.85)
            sky = np.full_like(ground, (70, 84, 100))
            ground = np.asarray(cv2.blendLinear(ground, sky, 1 - wet, wet), np.uint8)
        self._draw_pads(ground, window)
        weight = self._shadow(window, 0.8)
        levels = np.arange(256, dtype=np.float32)[None, :, None]
        dark = cv2.LUT(ground, (levels * np.array(_SHADED_LIGHT, np.float32)).astype(np.uint8))
        image = np.asarray(cv2.blendLinear(ground, dark, 1 - weight, weight), dtype=np.uint8)
        for box, grey in zip(self._boxes(window), self._building_grey, strict=True):
            corners = (int(box[0]), int(box[1])), (int(box[2]), int(box[3]))
            lower = (int(box[0]), int(box[1] + box[3]) // 2)
            cv2.rectangle(image, *corners, (int(grey),) * 3, -1)
            cv2.rectangle(image, lower, corners[1], (int(grey * 0.86),) * 3, -1)
            cv2.rectangle(image, *corners, (int(grey * 0.6),) * 3, 1, cv2.LINE_AA)
        return image

    def _boxes(self, window: Window) -> NDArray[np.int32]:
        return self.layout.land.buildings_px - np.tile(window.origin, 2)

    def _pads(self, window: Window) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Return the floats or plinths that tables stand on, if any."""
        rows = self.profile.rows
        if rows.base_rgb is None:
            return []
        margin = [round(rows.base_margin_m / s) for s in self.layout.step_m] * 2
        tables = self.layout.tables_px[window.touches(self.layout.tables_px, max(margin))]
        grown = tables - np.tile(window.origin, 2) + np.array([-1, -1, 1, 1]) * margin
        return [((int(a), int(b)), (int(c), int(d))) for a, b, c, d in grown]

    def _draw_pads(self, image: NDArray[np.uint8], window: Window) -> None:
        colour = self.profile.rows.base_rgb or (0, 0, 0)
        for first, last in self._pads(window):
            cv2.rectangle(image, first, last, colour, -1)
            cv2.rectangle(image, first, last, tuple(int(c * 0.6) for c in colour), 1)

    def draw_thermal(self, window: Window) -> Floats:
        """Return surface temperatures of a window, (h, w) float32 in °C."""
        terrain, conditions = self.profile.terrain, self.conditions
        # Dry surfaces follow the sun, and lose a tenth per m/s of wind.
        sun = np.float32(conditions.irradiance_w_m2 / 1000 * 1.1 / (1 + 0.1 * conditions.wind_m_s))
        share, shade = (
            self._map(m, window) for m in (self.layout.land.second_share, self.layout.land.shade)
        )
        first, second = (wrapped(texture[1], window) for texture in (self._first, self._second))
        heat = terrain.heating_k + (terrain.second_heating_k - terrain.heating_k) * share
        texture = (first + (second - first) * share) * np.float32(terrain.texture_k)
        # Darker ground takes more sun.
        surface: Floats = texture + heat * (np.float32(1.15) - np.float32(0.15) * shade)
        if self.layout.land.puddles is not None:
            surface -= self._map(self.layout.land.puddles, window) * (surface + np.float32(3))
        for corners in self._pads(window):
            cv2.rectangle(surface, *corners, (float(terrain.heating_k + 9.0),), -1)
        surface *= sun
        # Ground in shadow falls below the air: it still sees the cold sky.
        # What is left of the texture is height and moisture.
        lost = heat * np.float32(0.9) + texture * np.float32(0.5)
        surface -= self._shadow(window, 2.5) * (lost * sun + np.float32(4))
        surface += np.float32(conditions.ambient_c)
        for box, warm in zip(self._boxes(window), self._building_k, strict=True):
            corners = (int(box[0]), int(box[1])), (int(box[2]), int(box[3]))
            cv2.rectangle(surface, *corners, (float(conditions.ambient_c + warm * sun),), -1)
        return surface
