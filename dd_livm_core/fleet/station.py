"""A station under one mission's weather, drawn on a raster of the plane of the PV modules."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.defects import DefectLook, Workshop
from dd_livm_core.fleet.faces import module_texture, module_warmth
from dd_livm_core.fleet.ground import Ground
from dd_livm_core.fleet.layout import Layout, generator
from dd_livm_core.fleet.look_alikes import draw_bird, draw_cables, draw_numbers
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster import Window, blend, overlap, paste
from dd_livm_core.fleet.sun import Sun, mirrored_light
from dd_livm_core.fleet.thermal import Conditions, Sheet, faiman_rise_k, physical_losses_w_m2k
from dd_livm_core.records import DEFECT_CLASSES

Floats = NDArray[np.float32]
_VARIANTS = 12
_GLINT_DEG, _SHEEN_DEG = 1.5, 20.0
"""Width of the mirrored sun, scattered by the glass, and of the bright sky around it."""
_PLANT_OVER_AMBIENT_K = 3.0


class Station:
    """Draws any part of a station, in colour and in °C.

    Parameters
    ----------
    profile, layout
        What stands where.
    conditions, sun
        The mission's weather.
    seed
        Of the fleet. Looks and defects depend on the site only: every mission sees the same.
    """

    def __init__(
        self, profile: Profile, layout: Layout, conditions: Conditions, sun: Sun, seed: int
    ) -> None:
        self.profile, self.layout, self.conditions, self.sun = profile, layout, conditions, sun
        self._seed = seed
        rng = generator(seed, profile.site_id, "looks")
        module, count = profile.pv_module, len(layout.corner_px)
        self._ground = Ground(profile, layout, conditions, sun, seed)
        self.faces = module_texture(module, layout.tile_px, _VARIANTS, rng)
        self._warmth, self._box = module_warmth(module, layout.tile_px)
        junction = profile.look_alikes.junction_box_k
        self._junction_k = rng.uniform(junction.low, junction.high, count).astype(np.float32)
        self._variant = rng.integers(0, _VARIANTS, count)
        self._module_k = rng.normal(0, module.temperature_spread_k, count).astype(np.float32)
        self._harmless = rng.random(count) < profile.defects.harmless_share
        self._members = np.bincount(layout.defect[layout.defect >= 0], minlength=1)
        self.sheet = Sheet(module, physical_losses_w_m2k(module, conditions))
        self.workshop = Workshop(module, self.sheet, conditions, layout.tile_px)
        self.panel_c = conditions.ambient_c + faiman_rise_k(conditions)
        self._cached_look = lru_cache(maxsize=256)(self._look)

    def modules_in(self, window: Window) -> NDArray[np.intp]:
        """Return the PV modules that touch a window, with what grows over their edges."""
        corner = self.layout.corner_px
        boxes = np.hstack([corner, corner + np.asarray(self.layout.tile_px, np.int32)])
        return np.flatnonzero(window.touches(boxes, self.workshop.pad))

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
        kind = DEFECT_CLASSES[self.layout.defect_class[defect]]
        return self.workshop.make(kind, rng, string=bool(self._members[defect] > 1))

    # --- colour -------------------------------------------------------------------------------

    def draw_colour(
        self, window: Window, camera_m: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Draw a window in colour, in sunlight before the camera: (h, w, 3) uint8."""
        image = self._ground.draw_colour(window)
        index = self.modules_in(window)
        for i in index:
            paste(image, self.faces[self._variant[i]], self.layout.corner_px[i], window)
        image = self._mirror_sun(image, window, camera_m, index)
        for i in index:
            look = self.look(int(i))
            if look is not None:
                blend(image, look.paint, self.layout.corner_px[i] - self.workshop.pad, window)
        similar = self.profile.look_alikes
        chooser = (self._seed, self.profile.site_id)
        draw_cables(image, self.layout, window, similar.cables, generator(*chooser, "cables"))
        draw_numbers(
            image, self.layout, window, similar.painted_numbers, generator(*chooser, "numbers")
        )
        if rng.random() < similar.birds:
            draw_bird(image, self.layout.step_m, self.sun, rng)
        return image

    def _panels(self, window: Window, index: NDArray[np.intp]) -> NDArray[np.uint8]:
        mask = np.zeros((window.height, window.width), np.uint8)
        one = np.ones(self.layout.tile_px[::-1], np.uint8)
        for i in index:
            paste(mask, one, self.layout.corner_px[i], window)
        return mask

    def _mirrored(
        self, window: Window, camera_m: NDArray[np.float64], lobes: tuple[tuple[float, float], ...]
    ) -> Floats | None:
        tilt, step = self.profile.rows.tilt_deg, self.layout.step_m
        return mirrored_light(self.sun, tilt, camera_m, step, window, lobes)

    def _mirror_sun(
        self, image: NDArray[np.uint8], window: Window, camera_m: NDArray[np.float64],
        index: NDArray[np.intp],
    ) -> NDArray[np.uint8]:  # fmt: skip
        """Add the sun and the bright sky around it where the glass mirrors them."""
        light = self._mirrored(window, camera_m, ((0.75, _GLINT_DEG), (0.2, _SHEEN_DEG)))
        if light is None:
            return image
        weight = light * self._panels(window, index)
        white = np.full_like(image, 250)
        return np.asarray(cv2.blendLinear(image, white, 1 - weight, weight), dtype=np.uint8)

    # --- heat ---------------------------------------------------------------------------------

    def draw_thermal(
        self, window: Window, camera_m: NDArray[np.float64]
    ) -> tuple[Floats, Floats, NDArray[np.uint8], NDArray[np.float32]]:
        """Draw a window as the infrared camera's scene.

        Returns
        -------
        surface_c
            (h, w) float32: surface temperature, and the sun where the glass mirrors it.
        excess_k
            (h, w) float32: what the defects add to it.
        panel_mask
            (h, w) uint8: 1 on PV modules.
        owner
            (h, w) float32: index of the defect the pixel's PV module has, or -1.
        """
        surface = self._ground.draw_thermal(window)
        index = self.modules_in(window)
        for i in index:
            tile = (
                self._warmth + self._box * self._junction_k[i] + (self._module_k[i] + self.panel_c)
            )
            paste(surface, tile.astype(np.float32), self.layout.corner_px[i], window)
        mask = self._panels(window, index)
        glint_k = self._mirrored(
            window, camera_m, ((self.profile.look_alikes.glint_k, _GLINT_DEG),)
        )
        if glint_k is not None:
            surface += glint_k * mask
        excess, owner = self._heat(surface, window, index)
        return surface + excess, excess, mask, owner

    def _heat(
        self, surface: Floats, window: Window, index: NDArray[np.intp]
    ) -> tuple[Floats, NDArray[np.float32]]:
        """Return the defects' heat and owners; cover the surface with plants and dirt."""
        excess = np.zeros_like(surface)
        owner = np.full(surface.shape, -1, np.float32)
        one = np.ones(self.layout.tile_px[::-1], np.float32)
        leaf_c = np.float32(self.conditions.ambient_c + _PLANT_OVER_AMBIENT_K)
        looks = [(i, look) for i in index if (look := self.look(int(i))) is not None]
        for i, look in looks:
            paste(excess, look.excess_k, self.layout.corner_px[i], window)
            if self.layout.defect[i] >= 0:
                paste(
                    owner, one * np.float32(self.layout.defect[i]), self.layout.corner_px[i], window
                )
        for i, look in looks:
            corner = self.layout.corner_px[i] - self.workshop.pad
            target, source = overlap(surface.shape, look.cover.shape, corner, window)
            if target is not None:
                cover = look.cover[source]
                surface[target] = surface[target] * (1 - cover) + leaf_c * cover
                excess[target] *= 1 - cover
        return excess, owner
