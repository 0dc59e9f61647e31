"""Defects of one PV module: what covers it, what it looks like, and the heat it makes."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import PvModule
from dd_livm_core.fleet.thermal import Sheet, open_circuit_source_w_m2
from dd_livm_core.records import DefectClass

Array = NDArray[np.float64]
_SUPER = 3


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
    source
        What heats, in words.
    """

    paint: NDArray[np.uint8]
    cover: NDArray[np.float32]
    excess_k: NDArray[np.float32]
    source: str


class Workshop:
    """Makes defects for one kind of PV module under one weather.

    Parameters
    ----------
    pv_module, sheet
        What is heated.
    irradiance_w_m2
        Sun on the PV module.
    tile_px
        Width and height of the tile on the raster.
    """

    def __init__(
        self, pv_module: PvModule, sheet: Sheet, irradiance_w_m2: float, tile_px: tuple[int, int]
    ) -> None:
        self.pv_module, self.sheet, self.irradiance_w_m2 = pv_module, sheet, irradiance_w_m2
        self.tile_px = tile_px
        self.pad = max(4, min(tile_px) // 4)
        self.open_w_m2 = open_circuit_source_w_m2(pv_module, irradiance_w_m2)

    def make(
        self, defect_class: DefectClass, rng: np.random.Generator, *, string: bool = False
    ) -> DefectLook:
        """Draw one defect; a ``string`` of PV modules is open as a whole."""
        if string:
            return self._open_module(rng)
        makers: dict[DefectClass, Callable[[np.random.Generator], DefectLook]] = {
            "weeds": self._weeds, "dust": self._dust, "breakage": self._breakage,
            "open_circuit": self._open_circuit, "diode_failure": self._diode_failure,
        }  # fmt: skip
        return makers[defect_class](rng)

    def harmless(self, rng: np.random.Generator) -> DefectLook:
        """Draw plants or dirt that leave no heat: a look-alike."""
        look = (self._weeds if rng.random() < 0.5 else self._dust)(rng, scale=0.35)
        return DefectLook(look.paint, look.cover, np.zeros_like(look.excess_k), "none")

    # --- canvases -----------------------------------------------------------------------------

    def _canvas(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        w, h = ((s + 2 * self.pad) * _SUPER for s in self.tile_px)
        return np.zeros((h, w, 3), np.uint8), np.zeros((h, w), np.uint8)

    def _point(self, x: float, y: float) -> tuple[int, int]:
        """Map a place in the PV module (0..1, 0..1) to the canvas."""
        w, h = self.tile_px
        return int((self.pad + x * w) * _SUPER), int((self.pad + y * h) * _SUPER)

    def _finish(
        self, colour: NDArray[np.uint8], alpha: NDArray[np.uint8], source_w_m2: Array, source: str,
        hides: float,
    ) -> DefectLook:  # fmt: skip
        w, h = (s + 2 * self.pad for s in self.tile_px)
        small_alpha = cv2.resize(alpha, (w, h), interpolation=cv2.INTER_AREA)
        weight = np.maximum(cv2.resize(alpha.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA), 1e-3)  # fmt: skip
        weighted = cv2.resize(
            colour.astype(np.float32) * alpha[..., None], (w, h), interpolation=cv2.INTER_AREA
        )
        paint = np.dstack([np.clip(weighted / weight[..., None], 0, 255), small_alpha])
        return DefectLook(
            paint.astype(np.uint8), small_alpha.astype(np.float32) / 255 * np.float32(hides),
            self._to_tile(self.sheet.excess_k(source_w_m2)), source,
        )  # fmt: skip

    def _to_tile(self, excess: Array) -> NDArray[np.float32]:
        """Bring the laminate onto the tile; the frame around it takes a third of the edge."""
        w, h = self.tile_px
        f = max(1, round(self.pv_module.frame_width_m / self.pv_module.width_m * min(w, h)))
        inner = cv2.resize(
            excess.astype(np.float32), (w - 2 * f, h - 2 * f), interpolation=cv2.INTER_AREA
        )
        tile = cv2.copyMakeBorder(inner, f, f, f, f, cv2.BORDER_REPLICATE)
        edge = np.ones((h, w), bool)
        edge[f : h - f, f : w - f] = False
        tile[edge] *= np.float32(0.33)
        return np.asarray(tile, dtype=np.float32)

    def _nothing(self, source_w_m2: Array, source: str) -> DefectLook:
        return self._finish(*self._canvas(), source_w_m2, source, 0.0)

    # --- electricity --------------------------------------------------------------------------

    def _by_cell(self, per_cell: Array) -> Array:
        """Spread one value per cell over the sheet's grid."""
        ny, nx = self.sheet.shape[0] // per_cell.shape[0], self.sheet.shape[1] // per_cell.shape[1]
        return np.kron(per_cell, np.ones((ny, nx)))

    def _substring(self, index: int) -> NDArray[np.bool_]:
        """Return the cells of one bypass diode."""
        ny, nx = self.sheet.cells
        count = self.pv_module.substrings
        if self.pv_module.landscape:
            member = (np.arange(ny) * count // ny == index)[:, None]
        else:
            member = (np.arange(nx) * count // nx == index)[None, :]
        return np.broadcast_to(member, (ny, nx))

    def _shaded(self, alpha: NDArray[np.uint8], rng: np.random.Generator) -> tuple[Array, str]:
        """Return the heat of partly covered cells, as W/m² on the grid.

        A covered cell carries less current than its string drives: it is reverse-biased and
        turns (1 − f) of it into heat, up to 235 to 940 W/m²; where the cover is deep enough the
        bypass diode takes over, and the whole substring keeps its electrical power as heat.
        """
        ny, nx = self.sheet.cells
        w, h = (s * _SUPER for s in self.tile_px)
        pad = self.pad * _SUPER
        covered = alpha[pad : pad + h, pad : pad + w].astype(np.float32) / 255
        f = cv2.resize(covered, (nx, ny), interpolation=cv2.INTER_AREA).astype(np.float64)
        ramp = np.clip((f - 0.04) / 0.2, 0, 1)
        strength = rng.uniform(235, 940) * rng.uniform(0.6, 1.0, f.shape)
        heat = ramp * (1 - f) * strength * (self.irradiance_w_m2 / 1000) ** rng.uniform(1.0, 1.8)
        source = "reverse-biased cells"
        for index in range(self.pv_module.substrings):
            member = self._substring(index)
            if f[member].max() > 0.35 and rng.random() < 0.45:
                heat = heat + member * self.open_w_m2 * rng.uniform(0.8, 1.0)
                source = "reverse-biased cells, bypass active"
        return self._by_cell(heat), source

    # --- the five classes ---------------------------------------------------------------------

    def _weeds(self, rng: np.random.Generator, scale: float = 1.0) -> DefectLook:
        colour, alpha = self._canvas()
        side = rng.choice(["low", "left", "right", "up"], p=[0.55, 0.17, 0.17, 0.11])
        base = rng.uniform(0.05, 0.95)
        reach = rng.gamma(3.0, 0.085) * scale + 0.06
        hue = rng.uniform([40, 85, 20], [110, 150, 60])
        short = min(self.tile_px) * _SUPER
        for _ in range(int(rng.integers(14, 70) * scale) + 6):
            off, depth = rng.normal(0, reach * 0.55), rng.normal(reach * 0.35, reach * 0.4) - 0.05
            a, b = np.clip(base + off, -0.2, 1.2), depth
            x, y = {"low": (a, 1 - b), "up": (a, b), "left": (b, a), "right": (1 - b, a)}[str(side)]
            size = short * rng.uniform(0.015, 0.06)
            leaf = hue * rng.uniform(0.55, 1.25) + rng.normal(0, 8, 3)
            ellipse = (
                self._point(x, y),
                (int(size * rng.uniform(1, 2.6)) + 1, int(size * 0.6) + 1),
            )
            turn = rng.uniform(0, 180)
            cv2.ellipse(colour, *ellipse, turn, 0, 360, [int(v) for v in np.clip(leaf, 0, 255)], -1)
            cv2.ellipse(alpha, *ellipse, turn, 0, 360, 255, -1)
        heat, source = self._shaded(alpha, rng)
        return self._finish(colour, alpha, heat, f"shading by plants: {source}", 0.9)

    def _dust(self, rng: np.random.Generator, scale: float = 1.0) -> DefectLook:
        colour, alpha = self._canvas()
        kind = rng.choice(["band", "patch", "droppings"], p=[0.35, 0.3, 0.35])
        brown = rng.uniform([120, 100, 75], [185, 165, 135])
        colour[:] = brown
        short = min(self.tile_px) * _SUPER
        if kind == "band":
            y = np.arange(alpha.shape[0])[:, None] / _SUPER - self.pad
            depth = self.tile_px[1] * rng.uniform(0.06, 0.2) * (0.5 + scale / 2)
            wave = 1 + 0.35 * np.sin(np.arange(alpha.shape[1]) / short * rng.uniform(2, 6) + rng.uniform(0, 6))  # fmt: skip
            strength = np.clip(1 - (self.tile_px[1] - y) / (depth * wave), 0, 1) * rng.uniform(
                0.7, 1.0
            )
            inside = (y >= 0) & (y < self.tile_px[1])
            alpha[:] = (strength * 255 * inside).astype(np.uint8)
            alpha[:, : self.pad * _SUPER] = alpha[:, -self.pad * _SUPER :] = 0
        else:
            number = int(rng.integers(2, 9)) if kind == "droppings" else int(rng.integers(8, 26))
            middle = rng.uniform(0.15, 0.85, 2)
            spread = 0.3 if kind == "droppings" else rng.uniform(0.05, 0.14)
            for _ in range(number):
                x, y2 = np.clip(middle + rng.normal(0, spread, 2), 0.02, 0.98)
                size = short * (rng.uniform(0.012, 0.05) if kind == "droppings" else rng.uniform(0.03, 0.1))  # fmt: skip
                size *= 0.5 + scale / 2
                axes = (int(size) + 1, int(size * rng.uniform(0.8, 2.2)) + 1)
                cv2.ellipse(alpha, self._point(x, y2), axes, rng.uniform(-25, 25), 0, 360, 255, -1)
            if kind == "droppings":
                colour[:] = rng.uniform([205, 205, 195], [245, 245, 240])
            else:
                alpha = cv2.GaussianBlur(alpha, (0, 0), short * 0.025)
                alpha = (alpha * rng.uniform(0.6, 0.95)).astype(np.uint8)
        heat, source = self._shaded(alpha, rng)
        return self._finish(colour, alpha, heat, f"soiling ({kind}): {source}", 0.3)

    def _breakage(self, rng: np.random.Generator) -> DefectLook:
        colour, alpha = self._canvas()
        colour[:] = rng.uniform([175, 185, 190], [225, 232, 238])
        whole = rng.random() < 0.3
        centre = rng.uniform(0.1, 0.9, 2)
        reach = 1.6 if whole else rng.uniform(0.15, 0.55)
        aspect = self.tile_px[0] / self.tile_px[1]
        angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(7, 17))))
        rings = [0.0, *np.cumsum(rng.uniform(0.12, 0.3, 6))]
        clip = np.zeros_like(alpha)
        cv2.rectangle(clip, self._point(0, 0), self._point(1, 1), 255, -1)
        for angle in angles:
            radius = reach * rng.uniform(0.5, 1.0) * np.arange(0, 1.01, 0.2)
            bend = angle + np.cumsum(rng.normal(0, 0.1, len(radius)))
            points = [self._point(centre[0] + r * np.cos(t), centre[1] + r * np.sin(t) * aspect) for r, t in zip(radius, bend, strict=True)]  # fmt: skip
            cv2.polylines(alpha, [np.array(points)], False, int(rng.integers(150, 256)), int(rng.integers(2, 4)))  # fmt: skip
        for ring in rings[1:4]:
            points = [self._point(centre[0] + reach * ring * np.cos(t), centre[1] + reach * ring * np.sin(t) * aspect) for t in angles]  # fmt: skip
            cv2.polylines(
                alpha, [np.array(points)], rng.random() < 0.5, int(rng.integers(110, 220)), 2
            )
        cv2.circle(alpha, self._point(*centre), int(min(self.tile_px) * _SUPER * rng.uniform(0.02, 0.06)), 230, -1)  # fmt: skip
        if whole:
            alpha = np.maximum(alpha, (rng.random(alpha.shape) < 0.18).astype(np.uint8) * 150)
        alpha = np.minimum(alpha, clip)
        ny, nx = self.sheet.cells
        y, x = np.meshgrid((np.arange(ny) + 0.5) / ny, (np.arange(nx) + 0.5) / nx, indexing="ij")
        near = np.exp(
            -((x - centre[0]) ** 2 + ((y - centre[1]) / aspect) ** 2) / (0.35 * reach) ** 2
        )
        scale = self.irradiance_w_m2 / 1000
        heat = near * rng.uniform(30, 140) * rng.uniform(0.3, 1, near.shape) * scale
        if whole:
            heat = heat + rng.uniform(0.3, 0.95) * self.open_w_m2
        hot = np.argsort((near * rng.uniform(0.5, 1, near.shape)).ravel())[
            -int(rng.integers(1, 4)) :
        ]
        heat.ravel()[hot] += rng.uniform(150, 700, len(hot)) * scale**1.4
        return self._finish(colour, alpha, self._by_cell(heat), "cracked glass and cells", 0.1)

    def _open_circuit(self, rng: np.random.Generator) -> DefectLook:
        ny, nx = self.sheet.cells
        if rng.random() < 0.25:
            heat = np.zeros((ny, nx))
            y, x = int(rng.integers(ny)), int(rng.integers(nx))
            heat[y, x] = rng.uniform(250, 900) * (self.irradiance_w_m2 / 1000) ** 1.6
            if rng.random() < 0.4:
                heat[min(y + 1, ny - 1), x] += heat[y, x] * rng.uniform(0.3, 0.8)
            return self._nothing(self._by_cell(heat), "resistive connection")
        return self._open_module(rng)

    def _open_module(self, rng: np.random.Generator) -> DefectLook:
        heat = self.open_w_m2 * rng.uniform(0.92, 1.0) * np.ones(self.sheet.cells)
        return self._nothing(self._by_cell(heat), "open circuit")

    def _diode_failure(self, rng: np.random.Generator) -> DefectLook:
        index = int(rng.integers(self.pv_module.substrings))
        member = self._substring(index).astype(np.float64)
        if rng.random() < 0.15:
            member = np.maximum(member, self._substring((index + 1) % self.pv_module.substrings))
        heat = member * self.open_w_m2 * rng.uniform(0.9, 1.0)
        if rng.random() < 0.3:
            heat = heat + member * rng.uniform(0, 60, member.shape)
        return self._nothing(self._by_cell(heat), "substring bypassed")
