"""Draws a station under one mission's weather on a raster of the plane of the PV modules."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.physics.sun import Sun
from dd_livm_core.fleet.physics.thermal import (
    Conditions,
    Sheet,
    faiman_rise_k,
    physical_losses_w_m2k,
)
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.mosaic import LruCache, Mosaic
from dd_livm_core.fleet.raster.raster import Window, blend, overlap, paste
from dd_livm_core.fleet.station.defects import DefectLook, Workshop
from dd_livm_core.fleet.station.faces import module_texture, module_warmth
from dd_livm_core.fleet.station.ground import Ground
from dd_livm_core.fleet.station.layout import Layout, generator
from dd_livm_core.fleet.station.look_alikes import Markings
from dd_livm_core.records import DEFECT_CLASSES

Floats = NDArray[np.float32]
_VARIANTS = 12
"""Different faces of PV modules: chosen, so that a frame shows no repetition."""
_COLOUR_MARGIN_PX = 4
"""How far sampling reaches beyond a frame, in raster pixels."""
_COLOUR_BLOCKS, _THERMAL_BLOCKS, _LOOKS = 320, 160, 256
"""How many are kept: those of the neighbouring line of flight, in about 150 MiB."""
_PLANT_OVER_AMBIENT_K = 3.0
"""Leaves evaporate and stay near the air: chosen."""


class Station:
    """Draws any part of a station, in colour and in °C.

    Parameters
    ----------
    profile, layout
        What stands where, and how it looks.
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
        self._warmth, self._box = module_warmth(module, layout.tile_px, _VARIANTS, rng)
        junction = profile.look_alikes.junction_box_k
        self._junction_k = rng.uniform(junction.low, junction.high, count).astype(np.float32)
        self._variant = rng.integers(0, _VARIANTS, count)
        self._module_k = rng.normal(0, module.temperature_spread_k, count).astype(np.float32)
        self._harmless = rng.random(count) < profile.defects.harmless_share
        self.faulty = np.flatnonzero(layout.defect >= 0)
        self._members = np.bincount(layout.defect[self.faulty], minlength=1)
        self.sheet = Sheet(module, physical_losses_w_m2k(module, conditions))
        self.workshop = Workshop(module, self.sheet, conditions, layout.tile_px)
        self.panel_c = conditions.ambient_c + faiman_rise_k(conditions)
        similar = profile.look_alikes
        marks = generator(seed, profile.site_id, "markings")
        self._markings = Markings(layout, similar.cables, similar.painted_numbers, marks)
        self._looks: LruCache[DefectLook] = LruCache(_LOOKS)
        self._colour = Mosaic([(np.uint8, (3,)), (np.uint8, ())], _COLOUR_BLOCKS)
        self._thermal = Mosaic(
            [(np.float32, ()), (np.uint8, ()), (np.float32, ()), (np.uint16, ())], _THERMAL_BLOCKS
        )

    def modules_in(self, window: Window) -> NDArray[np.intp]:
        """Return the numbers of the PV modules that touch a window, plants over their edges included."""
        corner = self.layout.corner_px
        boxes = np.hstack([corner, corner + np.asarray(self.layout.tile_px, np.int32)])
        return np.flatnonzero(window.touches(boxes, self.workshop.pad))

    def look(self, index: int) -> DefectLook | None:
        """Return the defect or the harmless dirt of one PV module, None for a clean healthy one."""
        if self.layout.defect[index] < 0 and not self._harmless[index]:
            return None
        return self._looks.get(index, lambda: self._make_look(index))

    def _make_look(self, index: int) -> DefectLook:
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
        self, window: Window, outline_px: NDArray[np.float64]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return a window in sunlight, before the camera; black beyond the outline and a margin.

        ``outline_px`` (n, 2) is the convex part that is needed, in raster pixels.

        Returns
        -------
        colour
            (h, w, 3) uint8.
        glass
            (h, w) uint8, 0..255: share of the pixel that is uncovered glass and mirrors the sun.
        """
        drawn = self._colour.read(window, outline_px, _COLOUR_MARGIN_PX, self._colour_block)
        shape = (window.height, window.width)
        colour, glass = drawn
        colour = np.zeros((*shape, 3), np.uint8) if colour is None else colour
        return colour, np.zeros(shape, np.uint8) if glass is None else glass

    def _colour_block(self, window: Window) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """Return colour and glass of a window as `draw_colour` does, None for no glass."""
        image = self._ground.draw_colour(window)
        index = self.modules_in(window)
        glass = self._draw_panel_mask(window, index)
        for i in index:
            paste(image, self.faces[self._variant[i]], self.layout.corner_px[i], window)
        for i in index:
            look = self.look(int(i))
            if look is not None:
                corner = self.layout.corner_px[i] - self.workshop.pad
                blend(image, look.paint, corner, window)
                target, source = overlap(glass.shape, look.paint.shape, corner, window)
                if target is not None:
                    bare = cv2.bitwise_not(look.paint[source][..., 3])
                    glass[target] = cv2.multiply(glass[target], bare, scale=1 / 255)
        self._markings.draw(image, window)
        return image, glass if len(index) else None

    def _draw_panel_mask(self, window: Window, index: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return 255 on the PV modules of these numbers, (h, w)."""
        mask = np.zeros((window.height, window.width), np.uint8)
        corner = self.layout.corner_px[index] - window.origin
        first = np.maximum(corner, 0)
        last = np.maximum(corner + np.asarray(self.layout.tile_px, np.int32), 0)
        for (x0, y0), (x1, y1) in zip(first.tolist(), last.tolist(), strict=True):
            mask[y0:y1, x0:x1] = 255
        return mask

    # --- heat ---------------------------------------------------------------------------------

    def draw_thermal(
        self, window: Window, outline_px: NDArray[np.float64], margin_px: float
    ) -> tuple[Floats, NDArray[np.uint8], Floats | None, NDArray[np.uint16] | None]:
        """Return a window as the infrared camera's scene; zero beyond the outline and a margin.

        ``outline_px`` (n, 2) is the convex part that is needed, in raster pixels as ``margin_px``.

        Returns
        -------
        surface_c
            (h, w) float32: surface temperature, heat of the defects included.
        panel_mask
            (h, w) uint8: 255 on PV modules.
        excess_k
            (h, w) float32 in kelvin: surface temperature over that of the same PV module without its defect,
            below 0 where plants hide it; None if there is no defect.
        owner
            (h, w) uint16: one plus the place in ``faulty`` of the PV module whose laminate it is,
            0 elsewhere; None if none is faulty.
        """
        drawn = self._thermal.read(window, outline_px, margin_px, self._thermal_block)
        surface, mask, excess, owner = drawn
        shape = (window.height, window.width)
        surface = np.zeros(shape, np.float32) if surface is None else surface
        return surface, np.zeros(shape, np.uint8) if mask is None else mask, excess, owner

    def _thermal_block(
        self, window: Window
    ) -> tuple[Floats, NDArray[np.uint8] | None, Floats | None, NDArray[np.uint16] | None]:
        """Return the layers of a window as `draw_thermal` does, None for those that are zero."""
        surface = self._ground.draw_thermal(window)
        index = self.modules_in(window)
        if not len(index):
            return surface, None, None, None
        level_k = self._module_k + np.float32(self.panel_c)
        for i in index:
            tile = self._warmth[self._variant[i]] + (self._box * self._junction_k[i] + level_k[i])
            paste(surface, tile, self.layout.corner_px[i], window)
        looks = [(i, look) for i in index if (look := self.look(int(i))) is not None]
        mask = self._draw_panel_mask(window, index)
        if not looks:
            return surface, mask, None, None
        healthy = surface.copy()
        excess, owner = self._draw_defects(surface, window, looks)
        surface += excess
        # Truth is what can be seen: heat under an opaque leaf is not.
        return surface, mask, np.where(mask > 0, surface - healthy, excess), owner

    def _draw_defects(
        self, surface: Floats, window: Window, looks: list[tuple[np.intp, DefectLook]]
    ) -> tuple[Floats, NDArray[np.uint16]]:
        """Return excess and owner as `draw_thermal` does; draw plants and dirt onto the surface, in place."""
        excess = np.zeros_like(surface)
        owner = np.zeros(surface.shape, np.uint16)
        width, height = self.layout.tile_px
        frame = self.workshop.frame_px
        laminate = np.zeros((height, width), np.uint16)
        laminate[frame : height - frame, frame : width - frame] = 1
        leaf_c = np.float32(self.conditions.ambient_c + _PLANT_OVER_AMBIENT_K)
        for i, look in looks:
            corner = self.layout.corner_px[i]
            paste(excess, look.excess_k, corner, window)
            if self.layout.defect[i] >= 0:
                number = np.searchsorted(self.faulty, i) + 1
                paste(owner, laminate * np.uint16(number), corner, window)
        for i, look in looks:
            corner = self.layout.corner_px[i] - self.workshop.pad
            target, source = overlap(surface.shape, look.cover.shape, corner, window)
            if target is not None:
                cover = look.cover[source]
                surface[target] = surface[target] * (1 - cover) + leaf_c * cover
                excess[target] *= 1 - cover
        return excess, owner
