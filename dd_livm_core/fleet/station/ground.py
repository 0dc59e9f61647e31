"""The ground of a station, or its roof or water: colour and temperature under the tables."""

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.physics.sun import ShadowCasters, Sun, cast_shadows
from dd_livm_core.fleet.physics.thermal import Conditions
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.raster import Window, cut_periodic, mix, to_byte
from dd_livm_core.fleet.station.land import MAP_M, MARGIN_M
from dd_livm_core.fleet.station.layout import Layout, generator
from dd_livm_core.fleet.station.surfaces import ground_texture, power_noise

Floats = NDArray[np.float32]
_BUILDING_HEIGHT_M = 1.4
_FULL_LIGHT = 128
_SHARP, _SOFT = (3, 1), (5, 3)
"""Running means (width in raster pixels, number) over the edges of shadows, seen and felt."""
_WET_RGB = (82, 92, 104)
_LAND_STEP_PX = 4
_SHADED_LIGHT = (0.36, 0.39, 0.46)
"""Skylight over sunlight, per colour and in grey levels: shadows are blue, and a real one is 0.4."""
_UNDER_TABLES = 0.5
"""Share of the skylight that tables keep from the ground right under them."""


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
        fall = (sun.shadow_per_m[0] / layout.step_m[0], sun.shadow_per_m[1] / layout.step_m[1])
        self._first = ground_texture(terrain.surface, terrain.rgb, step, fall, rng)
        self._second = ground_texture(terrain.second_surface, terrain.second_rgb, step, fall, rng)
        self._fringe = power_noise(rng, 1.2)
        land = layout.land
        maps = [land.second_share, land.shade]
        self._land_maps = cv2.merge(maps if land.puddles is None else [*maps, land.puddles])
        count = len(land.buildings_px)
        self._building_grey = rng.integers(90, 245, count)
        self._building_k = rng.uniform(-2, 16, count)

    def _read_land(self, window: Window) -> list[Floats]:
        """Read the layout's coarse maps over a window: share, shade, and puddles if any."""
        # The maps are so coarse that every fourth raster pixel holds all they say.
        coarse = (window.width // _LAND_STEP_PX + 2, window.height // _LAND_STEP_PX + 2)
        sx, sy = (_LAND_STEP_PX * s / MAP_M for s in self.layout.step_m)
        first = (window.origin - (_LAND_STEP_PX + 1) / 2) * self.layout.step_m / MAP_M
        x, y = first + MARGIN_M / MAP_M
        warp = np.array([[sx, 0, x], [0, sy, y]])
        flags, border = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REFLECT_101
        read = cv2.warpAffine(self._land_maps, warp, coarse, flags=flags, borderMode=border)
        fine = cv2.resize(read, (coarse[0] * _LAND_STEP_PX, coarse[1] * _LAND_STEP_PX))
        edge = _LAND_STEP_PX
        cut = fine[edge : edge + window.height, edge : edge + window.width]
        share, *others = (np.asarray(layer, dtype=np.float32) for layer in cv2.split(cut))
        # One surface does not fade into another: tufts and stones of both lie along the border.
        border = share * (1 - share) * cut_periodic(self._fringe, window)
        ragged = np.clip((share - np.float32(0.5)) * 2 + np.float32(0.5) + 2 * border, 0, 1)
        shade, *wet = others
        # Standing water ends at a line.
        return [ragged, shade, *(np.clip(w * 5 - np.float32(1.5), 0, 1) for w in wet)]

    def _draw_shadow(self, inner: Window, softness: tuple[int, int]) -> NDArray[np.uint8]:
        """Return the share of sunlight taken by tables and buildings, 0..255.

        ``softness`` is width and number of the running means that blur the edges.
        """
        width, times = softness
        margin = width * times
        window = inner.grow(margin)
        canvas = np.zeros((window.height, window.width), np.uint8)
        rows, step, layout = self.profile.rows, self.layout.step_m, self.layout
        up_m = self.profile.module_up_m * rows.modules_up
        rise_m = 0.0 if rows.flush else up_m * float(np.sin(np.radians(rows.tilt_deg)))
        top_m = rows.clearance_m + rise_m
        tables = ShadowCasters(layout.tables_px, (top_m, rows.clearance_m), on_ground=False)
        height = (_BUILDING_HEIGHT_M, _BUILDING_HEIGHT_M)
        buildings = ShadowCasters(layout.land.buildings_px, height, on_ground=True)
        for casters in (tables, buildings):
            cast_shadows(casters, self.sun, step, window, canvas)
        for _ in range(times):
            canvas = np.asarray(cv2.blur(canvas, (width, width)), dtype=np.uint8)
        return canvas[margin:-margin, margin:-margin]

    def _hidden_sky(self, window: Window) -> NDArray[np.uint8]:
        """Return how much of the sky tables hide from the ground, 0..255."""
        width = round(max(self.profile.rows.clearance_m, 0.2) / self.layout.step_m[0]) | 1
        wide = window.grow(width)
        canvas = np.zeros((wide.height, wide.width), np.uint8)
        tables = self.layout.tables_px[wide.touches(self.layout.tables_px)]
        for left, top, right, bottom in (tables - np.tile(wide.origin, 2)).tolist():
            cv2.rectangle(canvas, (left, top), (right, bottom), (255,), -1)
        for _ in range(2):
            canvas = np.asarray(cv2.blur(canvas, (width, width)), dtype=np.uint8)
        return canvas[width:-width, width:-width]

    def draw_colour(self, window: Window) -> NDArray[np.uint8]:
        """Draw a window in sunlight: (h, w, 3) uint8."""
        share, shade, *puddles = self._read_land(window)
        first, second = (
            cut_periodic(texture[0], window) for texture in (self._first, self._second)
        )
        ground = mix(first, second, to_byte(share))
        for wet in puddles:
            sky = np.full_like(ground, _WET_RGB)
            ground = mix(ground, sky, to_byte(wet * np.float32(0.85)))
        self._draw_bases(ground, window)
        taken = self._draw_shadow(window, _SHARP)
        # Sunlight as a share of _FULL_LIGHT: brightness of the ground, and less in shadow.
        light = shade * np.float32(_FULL_LIGHT)
        open_sky = 255 - np.float32(_UNDER_TABLES) * self._hidden_sky(window)
        per_colour = [
            light * (1 - taken * (1 - open_sky * np.float32(kept / 255)) * np.float32(1 / 255))
            for kept in _SHADED_LIGHT
        ]
        lit = cv2.merge([np.clip(c + 0.5, 0, 255).astype(np.uint8) for c in per_colour])
        image = np.asarray(cv2.multiply(ground, lit, scale=1 / _FULL_LIGHT), dtype=np.uint8)
        for box, grey in self._buildings(window, self._building_grey):
            corners = (int(box[0]), int(box[1])), (int(box[2]), int(box[3]))
            lower = (int(box[0]), int(box[1] + box[3]) // 2)
            cv2.rectangle(image, *corners, (int(grey),) * 3, -1)
            cv2.rectangle(image, lower, corners[1], (int(grey * 0.86),) * 3, -1)
            cv2.rectangle(image, *corners, (int(grey * 0.6),) * 3, 1, cv2.LINE_AA)
        return image

    def _buildings(
        self, window: Window, values: NDArray[Any]
    ) -> Iterator[tuple[NDArray[np.int32], float]]:
        """Yield box and value of the buildings that touch the window."""
        boxes = self.layout.land.buildings_px
        for index in np.flatnonzero(window.touches(boxes, 2)):
            yield boxes[index] - np.tile(window.origin, 2), float(values[index])

    def _base_boxes(self, window: Window) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Return the floats or plinths that tables stand on, if any."""
        rows = self.profile.rows
        if rows.base_rgb is None:
            return []
        margin = [round(rows.base_margin_m / s) for s in self.layout.step_m] * 2
        tables = self.layout.tables_px[window.touches(self.layout.tables_px, max(margin))]
        grown = tables - np.tile(window.origin, 2) + np.array([-1, -1, 1, 1]) * margin
        return [((int(a), int(b)), (int(c), int(d))) for a, b, c, d in grown]

    def _draw_bases(self, image: NDArray[np.uint8], window: Window) -> None:
        colour = self.profile.rows.base_rgb or (0, 0, 0)
        for first, last in self._base_boxes(window):
            cv2.rectangle(image, first, last, colour, -1)
            cv2.rectangle(image, first, last, tuple(int(c * 0.6) for c in colour), 1)

    def draw_thermal(self, window: Window) -> Floats:
        """Return surface temperatures of a window, (h, w) float32 in °C."""
        terrain, conditions = self.profile.terrain, self.conditions
        # Dry surfaces follow the sun, and lose a tenth per m/s of wind.
        sun = np.float32(conditions.irradiance_w_m2 / 1000 * 1.1 / (1 + 0.1 * conditions.wind_m_s))
        share, shade, *puddles = self._read_land(window)
        first, second = (
            cut_periodic(texture[1], window) for texture in (self._first, self._second)
        )
        heat = terrain.heating_k + (terrain.second_heating_k - terrain.heating_k) * share
        texture = (first + (second - first) * share) * np.float32(terrain.texture_k)
        # Darker ground takes more sun.
        surface: Floats = texture + heat * (np.float32(1.15) - np.float32(0.15) * shade)
        for wet in puddles:
            surface -= wet * (surface + np.float32(3))
        for corners in self._base_boxes(window):
            cv2.rectangle(surface, *corners, (float(terrain.heating_k + 9.0),), -1)
        surface *= sun
        # Dry ground in shadow falls below the air: it still sees the cold sky. Plants stay near it.
        # What is left of the texture is height and moisture.
        lost = heat * np.float32(0.9) + texture * np.float32(0.5)
        below_k = np.clip(heat * np.float32(1 / 4), 0, 4)
        taken = self._draw_shadow(window, _SOFT).astype(np.float32) * np.float32(1 / 255)
        surface -= taken * (lost * sun + below_k)
        surface += np.float32(conditions.ambient_c)
        for box, warm in self._buildings(window, self._building_k):
            corners = (int(box[0]), int(box[1])), (int(box[2]), int(box[3]))
            cv2.rectangle(surface, *corners, (float(conditions.ambient_c + warm * sun),), -1)
        return surface
