"""A station under one mission's weather, drawn on a raster of the plane of the PV modules."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.defects import DefectLook, Workshop
from dd_livm_core.fleet.layout import Layout, generator
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.surfaces import TILE_PX, ground_texture, module_texture, module_warmth
from dd_livm_core.fleet.thermal import Conditions, Sheet, faiman_rise_k, physical_losses_w_m2k
from dd_livm_core.records import DEFECT_CLASSES

Floats = NDArray[np.float32]
_VARIANTS = 12


@dataclass(frozen=True)
class Window:
    """A part of the raster: index of its first column and row, width and height."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Sun:
    """Direction of sunlight in the raster's axes."""

    shadow_per_m: tuple[float, float]
    """Where the shadow of one metre of height falls: metres along and across the row."""


def sun_over(profile: Profile, elevation_deg: float, azimuth_deg: float) -> Sun:
    """Return how shadows fall; azimuth from north, clockwise."""
    azimuth, turn = np.radians(azimuth_deg), np.radians(profile.rows.azimuth_deg)
    east, south = -np.sin(azimuth), np.cos(azimuth)
    along = east * np.cos(turn) + south * np.sin(turn)
    across = -east * np.sin(turn) + south * np.cos(turn)
    length = 1 / np.tan(np.radians(max(elevation_deg, 8.0)))
    return Sun((float(along * length), float(across * length)))


class Station:
    """Draws any part of a station, in colour and in °C.

    Parameters
    ----------
    profile, layout
        What stands where.
    conditions, sun
        The mission's weather.
    seed, mission_id
        Source of randomness; defects depend on the site only, so that every mission sees them.
    """

    def __init__(
        self, profile: Profile, layout: Layout, conditions: Conditions, sun: Sun, seed: int,
        mission_id: str,
    ) -> None:  # fmt: skip
        self.profile, self.layout, self.conditions, self.sun = profile, layout, conditions, sun
        self._seed = seed
        rng = generator(seed, profile.site_id, "looks")
        terrain, module = profile.terrain, profile.pv_module
        self._first = ground_texture(terrain.surface, terrain.rgb, layout.step_m[0], rng)
        self._second = ground_texture(
            terrain.second_surface, terrain.second_rgb, layout.step_m[0], rng
        )
        self._faces = module_texture(module, layout.tile_px, _VARIANTS, rng)
        self._warmth = module_warmth(module, layout.tile_px, rng.uniform(profile.look_alikes.junction_box_k.low, profile.look_alikes.junction_box_k.high))  # fmt: skip
        self._variant = rng.integers(0, _VARIANTS, len(layout.corner_px))
        self._module_k = rng.normal(0, module.temperature_spread_k, len(layout.corner_px))
        self._harmless = (rng.random(len(layout.corner_px)) < profile.defects.harmless_share) & (layout.defect < 0)  # fmt: skip
        self.sheet = Sheet(module, physical_losses_w_m2k(module, conditions.wind_m_s))
        self.workshop = Workshop(module, self.sheet, conditions.irradiance_w_m2, layout.tile_px)
        self.panel_c = conditions.ambient_c + faiman_rise_k(conditions)
        self._cached_look = lru_cache(maxsize=256)(self._look)

    # --- what is where ------------------------------------------------------------------------

    def modules_in(self, window: Window) -> NDArray[np.intp]:
        """Return the PV modules that touch a window."""
        (w, h), corner, pad = self.layout.tile_px, self.layout.corner_px, self.workshop.pad
        inside = (corner[:, 0] + w + pad > window.x) & (
            corner[:, 0] - pad < window.x + window.width
        )
        inside &= (corner[:, 1] + h + pad > window.y) & (
            corner[:, 1] - pad < window.y + window.height
        )
        return np.flatnonzero(inside)

    def look(self, index: int) -> DefectLook | None:
        """Return the defect, or the harmless dirt, of one PV module."""
        if self.layout.defect[index] < 0 and not self._harmless[index]:
            return None
        return self._cached_look(index)

    def _look(self, index: int) -> DefectLook:
        defect = int(self.layout.defect[index])
        if defect < 0:
            return self.workshop.harmless(
                generator(self._seed, self.profile.site_id, "dirt", index)
            )
        rng = generator(self._seed, self.profile.site_id, "defect", defect)
        return self.workshop.make(DEFECT_CLASSES[self.layout.defect_class[defect]], rng)

    # --- ground -------------------------------------------------------------------------------

    def _map(self, values: Floats, window: Window) -> Floats:
        """Read one of the layout's coarse maps over a window."""
        layout = self.layout
        sx, sy = (s / layout.map_step_m for s in layout.step_m)
        origin = layout.margin_m / layout.map_step_m
        warp = np.array([[sx, 0, window.x * sx + origin], [0, sy, window.y * sy + origin]])
        size = (window.width, window.height)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        read: Floats = cv2.warpAffine(
            values, warp, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        return read

    def _shadow(self, window: Window) -> NDArray[np.uint8]:
        """Return the shadow of tables and buildings on the ground, 0..255."""
        shadow = np.zeros((window.height, window.width), np.uint8)
        rows, step = self.profile.rows, np.asarray(self.layout.step_m)
        along_up = self.profile.pv_module.width_m if self.profile.pv_module.landscape else self.profile.pv_module.height_m  # fmt: skip
        top_m = rows.clearance_m + along_up * rows.modules_up * np.sin(np.radians(rows.tilt_deg))
        fall = np.asarray(self.sun.shadow_per_m) / step
        reach = np.abs(fall).max() * max(top_m, 3.0)
        shift = np.array([window.x, window.y])
        for boxes, low, high in ((self.layout.tables_px, rows.clearance_m, top_m), (self.layout.buildings_px, 1.2, 1.2)):  # fmt: skip
            near = (boxes[:, 0] - reach < window.x + window.width) & (
                boxes[:, 2] + reach > window.x
            )
            near &= (boxes[:, 1] - reach < window.y + window.height) & (
                boxes[:, 3] + reach > window.y
            )
            for left, top, right, bottom in boxes[near]:
                quad = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)
                drop = quad + fall * np.array([[high], [high], [low], [low]])
                hull = cv2.convexHull(((np.vstack([drop, quad] if low == high else [drop]) - shift) * 16).astype(np.int32))  # fmt: skip
                cv2.fillConvexPoly(shadow, hull, 255, cv2.LINE_AA, 4)
        return shadow

    def draw_colour(self, window: Window) -> NDArray[np.uint8]:
        """Draw a window in colour, in sunlight before the camera: (h, w, 3) uint8."""
        share = self._map(self.layout.second_share, window)
        shade = self._map(self.layout.shade, window)
        first, second = (_wrapped(t[0], window) for t in (self._first, self._second))
        ground = cv2.blendLinear(first, second, (1 - share) * shade, share * shade)
        shadow = cv2.GaussianBlur(self._shadow(window), (0, 0), 0.8)
        dark = cv2.multiply(ground, (0.24, 0.27, 0.35, 0))
        weight = shadow.astype(np.float32) * np.float32(1 / 255)
        image = cv2.blendLinear(ground, dark, 1 - weight, weight)
        self._draw_buildings(image, window)
        index = self.modules_in(window)
        for i in index:
            _paste(image, self._faces[self._variant[i]], self.layout.corner_px[i], window)
        for i in index:
            look = self.look(int(i))
            if look is not None:
                _blend(image, look.paint, self.layout.corner_px[i] - self.workshop.pad, window)
        return image

    def _draw_buildings(self, image: NDArray[np.uint8], window: Window) -> None:
        for number, box in enumerate(self.layout.buildings_px - np.tile([window.x, window.y], 2)):
            colour = generator(self._seed, self.profile.site_id, "building", number).integers(
                90, 245
            )
            x0, y0, x1, y1 = (int(v) for v in box)
            cv2.rectangle(image, (x0, y0), (x1, y1), [int(colour)] * 3, -1)
            ridge = (y0 + y1) // 2
            cv2.rectangle(image, (x0, ridge), (x1, y1), [int(colour * 0.86)] * 3, -1)
            cv2.rectangle(image, (x0, y0), (x1, y1), [int(colour * 0.6)] * 3, 1, cv2.LINE_AA)

    def draw_thermal(self, window: Window) -> tuple[Floats, Floats, NDArray[np.uint8], NDArray[np.int16]]:  # fmt: skip
        """Draw a window as the infrared camera's scene.

        Returns
        -------
        surface_c
            (h, w) float32: surface temperature.
        excess_k
            (h, w) float32: what the defects add to it.
        panel_mask
            (h, w) uint8: 1 on PV modules.
        owner
            (h, w) int16: index of the defect the pixel's PV module has, or -1.
        """
        terrain, conditions = self.profile.terrain, self.conditions
        sun = conditions.irradiance_w_m2 / 1000 * 1.1 / (1 + 0.1 * conditions.wind_m_s)
        share = self._map(self.layout.second_share, window)
        first, second = (_wrapped(t[1], window) * np.float32(terrain.texture_k) for t in (self._first, self._second))  # fmt: skip
        surface = first + (second - first) * share
        surface += (terrain.heating_k + (terrain.second_heating_k - terrain.heating_k) * share) * np.float32(sun)  # fmt: skip
        surface *= 1.0 - self._map(self.layout.shade, window) * np.float32(-0.15) - np.float32(0.15)
        shadow = cv2.GaussianBlur(self._shadow(window), (0, 0), 3.0).astype(np.float32) * np.float32(0.8 / 255)  # fmt: skip
        surface -= shadow * (np.maximum(surface, 0) + np.float32(1.5))
        surface += np.float32(conditions.ambient_c)
        for number, box in enumerate(self.layout.buildings_px - np.tile([window.x, window.y], 2)):
            warm = generator(self._seed, self.profile.site_id, "roof", number).uniform(-2, 16) * sun
            cv2.rectangle(surface, (int(box[0]), int(box[1])), (int(box[2]), int(box[3])), conditions.ambient_c + warm, -1)  # fmt: skip
        return self._add_modules(surface, window)

    def _add_modules(self, surface: Floats, window: Window) -> tuple[Floats, Floats, NDArray[np.uint8], NDArray[np.int16]]:  # fmt: skip
        excess = np.zeros_like(surface)
        mask = np.zeros(surface.shape, np.uint8)
        owner = np.full(surface.shape, -1, np.int16)
        one = np.ones(self.layout.tile_px[::-1], np.uint8)
        index = self.modules_in(window)
        for i in index:
            at = self.layout.corner_px[i]
            _paste(surface, self._warmth + np.float32(self.panel_c + self._module_k[i]), at, window)
            _paste(mask, one, at, window)
        plant_c = np.float32(self.conditions.ambient_c + 3.0)
        for i in index:
            look = self.look(int(i))
            if look is None:
                continue
            at = self.layout.corner_px[i]
            _paste(excess, look.excess_k, at, window)
            if self.layout.defect[i] >= 0:
                _paste(owner, one.astype(np.int16) * np.int16(self.layout.defect[i]), at, window)
            target, source = _overlap(
                surface.shape, look.cover.shape, at - self.workshop.pad, window
            )
            if target is not None:
                cover = look.cover[source]
                surface[target] += excess[target] * 0
                surface[target] = surface[target] * (1 - cover) + plant_c * cover
                excess[target] *= 1 - cover
        return surface + excess, excess, mask, owner


Slices = tuple[slice, slice]


def _overlap(
    canvas: tuple[int, ...], tile: tuple[int, ...], corner: NDArray[np.int32], window: Window
) -> tuple[Slices, Slices] | tuple[None, None]:
    """Return where a tile lies on the canvas, and which part of the tile that is."""
    x, y = int(corner[0]) - window.x, int(corner[1]) - window.y
    x0, y0 = max(x, 0), max(y, 0)
    x1, y1 = min(x + tile[1], canvas[1]), min(y + tile[0], canvas[0])
    if x0 >= x1 or y0 >= y1:
        return None, None
    return np.s_[y0:y1, x0:x1], np.s_[y0 - y : y1 - y, x0 - x : x1 - x]


def _paste(canvas: NDArray, tile: NDArray, corner: NDArray[np.int32], window: Window) -> None:  # type: ignore[type-arg]
    target, source = _overlap(canvas.shape, tile.shape, corner, window)
    if target is not None:
        canvas[target] = tile[source]


def _blend(image: NDArray[np.uint8], paint: NDArray[np.uint8], corner: NDArray[np.int32], window: Window) -> None:  # fmt: skip
    target, source = _overlap(image.shape, paint.shape, corner, window)
    if target is not None:
        part = paint[source].astype(np.float32)
        alpha = part[..., 3:] / 255
        image[target] = image[target] * (1 - alpha) + part[..., :3] * alpha


def _wrapped(tile: NDArray, window: Window) -> NDArray:  # type: ignore[type-arg]
    """Cut a window out of a periodic tile."""
    rows = (np.arange(window.height) + window.y) % TILE_PX
    columns = (np.arange(window.width) + window.x) % TILE_PX
    return np.take(np.take(tile, rows, axis=0), columns, axis=1)
