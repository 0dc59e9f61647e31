"""Draws the ground, roof or water of a station: colour and temperature."""

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
_BUILDING_GREYS, _BUILDING_OVER_AMBIENT_K = (90, 245), (-2, 16)
"""Chosen; the warmth at 1000 W/m² and 1 m/s."""
_FULL_LIGHT = 128
"""Level of full sunlight in uint8, so that brighter ground still fits."""
_SHARP, _SOFT = (3, 1), (5, 3)
"""Means (width in raster pixels, times) over the edges of shadows in colour and in temperature, where heat spreads."""
_WET_RGB, _WET_OPACITY = (82, 92, 104), 0.85
"""Puddles mirror the sky."""
_WET_COOLER_K = 3.0
_LAND_STEP_PX = 4
"""The maps are so coarse (0.25 m) that every fourth raster pixel holds all they say."""
_FRINGE_EXPONENT = 1.2
"""Of the noise along borders of two surfaces (`surfaces.power_noise`): chosen."""
_SHADED_LIGHT = (0.36, 0.39, 0.46)
"""Skylight over sunlight in red, green and blue, as grey levels: shadows are blue; real ones measured 0.4."""
_UNDER_TABLES = 0.5
"""Share of the skylight that tables keep from the ground right under them: chosen."""
_BASE_OVER_GROUND_K = 9.0
"""Floats and plinths against the first surface: chosen."""
_EDGE_DARKER = 0.6
"""Of floats and buildings."""


class Ground:
    """Draws what lies around, between and under the tables.

    Parameters
    ----------
    profile, layout
        Give the surfaces, the maps of their mixture, and buildings.
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
        self._fringe = power_noise(rng, _FRINGE_EXPONENT)
        land = layout.land
        maps = [land.second_share, land.shade]
        self._land_maps = cv2.merge(maps if land.puddles is None else [*maps, land.puddles])
        count = len(land.buildings_px)
        self._building_grey = rng.integers(*_BUILDING_GREYS, count)
        self._building_k = rng.uniform(*_BUILDING_OVER_AMBIENT_K, count)

    def _read_land(self, window: Window) -> list[Floats]:
        """Return the land's maps over a window, (h, w) each: share of the second surface, shade, puddles if any."""
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
        """Return the share of sunlight that tables and buildings take, (h, w) 0..255; softness as `_SHARP`."""
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
        """Return how much of the sky tables hide from the ground, (h, w) 0..255."""
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
        """Return a window in sunlight, (h, w, 3) uint8."""
        share, shade, *puddles = self._read_land(window)
        first, second = (
            cut_periodic(texture[0], window) for texture in (self._first, self._second)
        )
        ground = mix(first, second, to_byte(share))
        for wet in puddles:
            sky = np.full_like(ground, _WET_RGB)
            ground = mix(ground, sky, to_byte(wet * np.float32(_WET_OPACITY)))
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
            cv2.rectangle(image, *corners, (int(grey * _EDGE_DARKER),) * 3, 1, cv2.LINE_AA)
        return image

    def _buildings(
        self, window: Window, values: NDArray[Any]
    ) -> Iterator[tuple[NDArray[np.int32], float]]:
        """Yield box (left, top, right, bottom, in the window) and value of the buildings that touch it."""
        boxes = self.layout.land.buildings_px
        for index in np.flatnonzero(window.touches(boxes, 2)):
            yield boxes[index] - np.tile(window.origin, 2), float(values[index])

    def _base_boxes(self, window: Window) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Return upper left and lower right corners of the floats or plinths under tables, if any, in the window."""
        rows = self.profile.rows
        if rows.base_rgb is None:
            return []
        margin = [round(rows.base_margin_m / s) for s in self.layout.step_m] * 2
        tables = self.layout.tables_px[window.touches(self.layout.tables_px, max(margin))]
        grown = tables - np.tile(window.origin, 2) + np.array([-1, -1, 1, 1]) * margin
        return [((int(a), int(b)), (int(c), int(d))) for a, b, c, d in grown]

    def _draw_bases(self, image: NDArray[np.uint8], window: Window) -> None:
        """Draw floats or plinths, in place."""
        colour = self.profile.rows.base_rgb or (0, 0, 0)
        for first, last in self._base_boxes(window):
            cv2.rectangle(image, first, last, colour, -1)
            cv2.rectangle(image, first, last, tuple(int(c * _EDGE_DARKER) for c in colour), 1)

    def draw_thermal(self, window: Window) -> Floats:
        """Return surface temperatures of a window, (h, w) float32 in °C."""
        terrain, conditions = self.profile.terrain, self.conditions
        # Ground is heated in proportion to sunlight, and cooled by wind: as `heating_k` says at 1000 W/m² and 1 m/s.
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
            surface -= wet * (surface + np.float32(_WET_COOLER_K))
        for corners in self._base_boxes(window):
            cv2.rectangle(surface, *corners, (float(terrain.heating_k + _BASE_OVER_GROUND_K),), -1)
        surface *= sun
        # In shadow, dry ground falls below the air, as it still sees the cold sky; plants stay near it.
        # Half of the texture stays: that of height and moisture.
        lost = heat * np.float32(0.9) + texture * np.float32(0.5)
        below_k = np.clip(heat * np.float32(1 / 4), 0, 4)
        taken = self._draw_shadow(window, _SOFT).astype(np.float32) * np.float32(1 / 255)
        surface -= taken * (lost * sun + below_k)
        surface += np.float32(conditions.ambient_c)
        for box, warm in self._buildings(window, self._building_k):
            corners = (int(box[0]), int(box[1])), (int(box[2]), int(box[3]))
            cv2.rectangle(surface, *corners, (float(conditions.ambient_c + warm * sun),), -1)
        return surface
