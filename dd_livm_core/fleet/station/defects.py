"""Defects of one PV module: what covers it, what it looks like, and the heat it makes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.physics.thermal import Conditions, Sheet, open_circuit_source_w_m2
from dd_livm_core.fleet.profile import PvModule
from dd_livm_core.fleet.raster.canvas import Canvas
from dd_livm_core.fleet.station.defect_drawings import (
    draw_band,
    draw_colour,
    draw_cracks,
    draw_plant,
    draw_spots,
)
from dd_livm_core.fleet.station.heat_sources import cell_grid
from dd_livm_core.records import DefectClass

Array = NDArray[np.float64]
_FRAME_SHARE_OF_EDGE = 0.33
_BYPASS_FROM = 0.35
"""Covered share of a cell from which the bypass diode can take over."""


@dataclass(frozen=True)
class DefectLook:
    """One defective PV module.

    Parameters
    ----------
    paint
        (h + 2 pad, w + 2 pad, 4) uint8: colour and opacity over the tile; opacity 0 = unseen.
    cover
        Same size, float32: share hidden from the infrared camera (leaves, thick dirt).
    excess_k
        (h, w) float32 on the tile: excess temperature of the laminate.
    heat_w_m2
        (rows, columns) float64: the heat of each cell that makes it.
    source
        What heats, in words.
    """

    paint: NDArray[np.uint8]
    cover: NDArray[np.float32]
    excess_k: NDArray[np.float32]
    heat_w_m2: Array
    source: str


class Workshop:
    """Makes defects for one kind of PV module under one weather.

    Parameters
    ----------
    pv_module, sheet
        What is heated.
    conditions
        The mission's weather.
    tile_px
        Width and height of the tile on the raster.
    """

    def __init__(
        self, pv_module: PvModule, sheet: Sheet, conditions: Conditions, tile_px: tuple[int, int]
    ) -> None:
        self.pv_module, self.sheet, self.tile_px = pv_module, sheet, tile_px
        self.pad = max(4, min(tile_px) // 4)
        share = pv_module.frame_width_m / pv_module.width_m
        self.frame_px = max(1, round(share * min(tile_px))) if share > 0 else 0
        self.open_w_m2 = open_circuit_source_w_m2(pv_module, conditions)
        self.grid = cell_grid(pv_module, sheet)
        self._suns = conditions.irradiance_w_m2 / 1000

    def make(
        self, defect_class: DefectClass, rng: np.random.Generator, *, string: bool = False
    ) -> DefectLook:
        """Draw one defect; a ``string`` of PV modules is open as a whole."""
        if string:
            return self._open_module(rng)
        makers: dict[DefectClass, Callable[[np.random.Generator], DefectLook]] = {
            "weeds": self._weeds,
            "dust": self._dust,
            "breakage": self._breakage,
            "open_circuit": self._open_circuit,
            "diode_failure": self._diode_failure,
        }
        return makers[defect_class](rng)

    def harmless(self, rng: np.random.Generator) -> DefectLook:
        """Draw plants or dirt that leave no heat: a look-alike."""
        look = (self._weeds if rng.random() < 0.5 else self._dust)(rng, scale=0.35)
        excess_k, heat_w_m2 = np.zeros_like(look.excess_k), np.zeros_like(look.heat_w_m2)
        return replace(look, excess_k=excess_k, heat_w_m2=heat_w_m2, source="none")

    # --- external -----------------------------------------------------------------------------

    def _weeds(self, rng: np.random.Generator, scale: float = 1.0) -> DefectLook:
        canvas = Canvas(self.tile_px, self.pad)
        side = int(rng.choice(4, p=[0.55, 0.17, 0.17, 0.11]))
        base = rng.uniform(0.05, 0.95)
        reach = rng.gamma(3.0, 0.085) * scale + 0.06
        draw_plant(canvas, side, base, reach, scale, rng)
        heat, source = self._shaded(canvas, rng)
        # leaves are opaque in the thermal infrared
        return self._finish(canvas, heat, f"shading by plants: {source}", hides=1.0)

    def _dust(self, rng: np.random.Generator, scale: float = 1.0) -> DefectLook:
        canvas = Canvas(self.tile_px, self.pad)
        kind = str(rng.choice(["band", "patch", "droppings"], p=[0.35, 0.3, 0.35]))
        canvas.colour[:] = draw_colour((120, 100, 75), (185, 165, 135), rng)
        size = 0.5 + scale / 2
        if kind == "band":
            draw_band(canvas, size, rng)
        elif kind == "patch":
            draw_spots(
                canvas,
                int(rng.integers(8, 26)),
                rng.uniform(0.05, 0.14),
                (0.03 * size, 0.1 * size),
                rng,
            )
            canvas.alpha[:] = cv2.GaussianBlur(
                canvas.alpha, (0, 0), canvas.short * 0.025
            ) * rng.uniform(0.6, 0.95)
        else:
            draw_spots(canvas, int(rng.integers(2, 9)), 0.3, (0.012 * size, 0.05 * size), rng)
            canvas.colour[:] = draw_colour((205, 205, 195), (245, 245, 240), rng)
        heat, source = self._shaded(canvas, rng)
        # a thin layer takes the temperature of its glass
        return self._finish(canvas, heat, f"soiling ({kind}): {source}", hides=0.05)

    def _breakage(self, rng: np.random.Generator) -> DefectLook:
        canvas = Canvas(self.tile_px, self.pad)
        canvas.colour[:] = draw_colour((175, 185, 190), (225, 232, 238), rng)
        whole = bool(rng.random() < 0.3)
        centre = rng.uniform(0.1, 0.9, 2)
        reach = 1.6 if whole else rng.uniform(0.15, 0.55)
        draw_cracks(canvas, centre, reach, rng)
        if whole:
            # Apart from the rest, which then does not depend on the drawing's size.
            glass = np.random.default_rng(rng.integers(2**32))
            shards = (glass.random(canvas.alpha.shape) < 0.18).astype(np.uint8) * 150
            canvas.alpha[:] = np.maximum(canvas.alpha, shards)
        canvas.clip_to_module()
        ny, nx = self.sheet.cells
        y, x = np.meshgrid((np.arange(ny) + 0.5) / ny, (np.arange(nx) + 0.5) / nx, indexing="ij")
        distance2 = (x - centre[0]) ** 2 + (
            (y - centre[1]) * self.tile_px[1] / self.tile_px[0]
        ) ** 2
        near = np.exp(-distance2 / (0.35 * reach) ** 2)
        heat = near * rng.uniform(30, 140) * rng.uniform(0.3, 1, near.shape) * self._suns
        if whole:
            heat = heat + rng.uniform(0.3, 0.95) * self.open_w_m2
        likely = (near * rng.uniform(0.5, 1, near.shape)).ravel()
        hot = np.argsort(likely)[-int(rng.integers(1, 4)) :]
        heat.ravel()[hot] += rng.uniform(150, 700, len(hot)) * self._suns**1.4
        return self._finish(canvas, heat, "cracked glass and cells", hides=0.1)

    # --- internal -----------------------------------------------------------------------------

    def _open_circuit(self, rng: np.random.Generator) -> DefectLook:
        if rng.random() >= 0.25:
            return self._open_module(rng)
        ny, nx = self.sheet.cells
        heat = np.zeros((ny, nx))
        y, x = int(rng.integers(ny)), int(rng.integers(nx))
        heat[y, x] = rng.uniform(250, 900) * self._suns**1.6
        if rng.random() < 0.4:
            heat[min(y + 1, ny - 1), x] += heat[y, x] * rng.uniform(0.3, 0.8)
        return self._unseen(heat, "resistive connection")

    def _open_module(self, rng: np.random.Generator) -> DefectLook:
        heat = self.open_w_m2 * rng.uniform(0.92, 1.0) * np.ones(self.sheet.cells)
        return self._unseen(heat, "open circuit")

    def _diode_failure(self, rng: np.random.Generator) -> DefectLook:
        index = int(rng.integers(self.pv_module.substrings))
        member = self._substring(index).astype(np.float64)
        if rng.random() < 0.15:
            member = np.maximum(member, self._substring((index + 1) % self.pv_module.substrings))
        heat = member * self.open_w_m2 * rng.uniform(0.9, 1.0)
        if rng.random() < 0.3:
            heat = heat + member * rng.uniform(0, 60, member.shape)
        return self._unseen(heat, "substring bypassed")

    # --- heat ---------------------------------------------------------------------------------

    def _substring(self, index: int) -> NDArray[np.bool_]:
        """Return the cells (rows, columns) of one bypass diode."""
        return np.asarray(self.grid.substring == index)

    def _shaded(self, canvas: Canvas, rng: np.random.Generator) -> tuple[Array, str]:
        """Return the heat of covered cells in W/m² per cell, and what makes it.

        A covered cell carries less current than its string drives: it is reverse-biased and
        turns (1 − f) of it into heat, up to 235 to 940 W/m²; where the cover is deep enough the
        bypass diode takes over, and the whole substring keeps its electrical power as heat.
        """
        f = canvas.covered(self.sheet.cells)
        strength = rng.uniform(235, 940) * rng.uniform(0.6, 1.0, f.shape)
        strength *= self._suns ** rng.uniform(1.0, 1.8)
        heat = np.clip((f - 0.04) / 0.2, 0, 1) * (1 - f) * strength
        source = "reverse-biased cells"
        for index in range(self.pv_module.substrings):
            member = self._substring(index)
            if f[member].max(initial=0) > _BYPASS_FROM and rng.random() < 0.45:
                heat = heat + member * self.open_w_m2 * rng.uniform(0.8, 1.0)
                source = "reverse-biased cells, bypass active"
        return heat, source

    def _unseen(self, heat_w_m2: Array, source: str) -> DefectLook:
        return self._finish(Canvas(self.tile_px, self.pad), heat_w_m2, source, hides=0)

    def _finish(self, canvas: Canvas, heat_w_m2: Array, source: str, hides: float) -> DefectLook:
        """Solve for the heat of cells (rows, columns) and bring all onto the tile."""
        per_cell = [n // m for n, m in zip(self.sheet.shape, heat_w_m2.shape, strict=True)]
        source_w_m2 = np.asarray(np.kron(heat_w_m2, np.ones(per_cell)), dtype=np.float64)
        excess = self.sheet.excess_k(source_w_m2)
        paint = canvas.paint()
        cover = paint[..., 3].astype(np.float32) * np.float32(hides / 255)
        return DefectLook(paint, cover, self._on_tile(excess), heat_w_m2, source)

    def _on_tile(self, excess: Array) -> NDArray[np.float32]:
        """Bring the laminate onto the tile; the frame takes a part of the edge's heat."""
        (w, h), f = self.tile_px, self.frame_px
        size = (w - 2 * f, h - 2 * f)
        inner = cv2.resize(excess.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        tile = np.asarray(cv2.copyMakeBorder(inner, f, f, f, f, cv2.BORDER_REPLICATE), np.float32)
        share = np.full((h, w), _FRAME_SHARE_OF_EDGE, np.float32)
        share[f : h - f, f : w - f] = 1
        return tile * share
