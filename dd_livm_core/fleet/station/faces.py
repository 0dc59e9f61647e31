"""Faces of healthy PV modules: in colour, and as a pattern of temperature.

Numbers of the drawings are chosen; `python -m benchmarks.fleet_looks` compares frames with real ones.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import PvModule

Floats = NDArray[np.float32]
_SUPER = 6
"""Drawn points per raster pixel and axis: frames are narrower than a raster pixel."""
_FRAME_COOLER_K = 5.0
_CELL_SPREAD = 0.7
"""Between cells, as a share of the spread between PV modules."""
_CELL_GAP_M, _SCRIBE_M = 0.003, 0.0006
"""Between cells (as `physics.thermal` conducts them), and between the strips of thin film."""
_CUT_CORNER = 0.13
"""Of a mono cell, as a share of its side."""
_HALVES_GAP = 0.011
"""Between the halves of a half-cell PV module, as a share of its length."""
_BUSBARS_PER_CELL, _BUSBAR_WIDTH = 4, 0.055
"""Width as a share of their spacing."""
_BUSBAR_LIGHTER = 60.0
"""Grey levels over the cell's colour."""
_GRAIN_POLY, _GRAIN_OTHERS = 0.05, 0.015
"""Deviation of brightness between the cells of one PV module."""
_BOX_PLACE = 0.82
"""Of the junction box, from the middle (0) to the edge (1)."""
_BOX_SIZE2 = 0.02
"""Of the Gaussian around it, in halves of the short side, squared."""


def _line_coverage(size: int, number: float, width: float) -> Floats:
    """Return how much of each of ``size`` points is covered by the lines between ``number`` equal parts.

    ``width`` is a share of a part. Lines are thinner than points: whether the middle of a point hits one is chance.
    """
    edge = np.arange(size + 1) / size * number
    nearest = np.round(edge)
    covered = width * nearest + np.clip(edge - nearest, -width / 2, width / 2)
    return (np.diff(covered) * size / number).astype(np.float32)


def _cell_gaps(pv_module: PvModule, shape: tuple[int, int]) -> Floats:
    """Return the share of backsheet (h, w), 0..1, for a PV module drawn upright (long side down)."""
    h, w = shape
    nx, ny = pv_module.cells_across, pv_module.cells_along
    if pv_module.technology == "thin_film":
        scribes = _line_coverage(h, ny, _SCRIBE_M / pv_module.height_m * ny)
        return np.repeat(scribes[:, None], w, axis=1)
    across = _line_coverage(w, nx, _CELL_GAP_M / pv_module.width_m * nx)[None, :]
    along = _line_coverage(h, ny, _CELL_GAP_M / pv_module.height_m * ny)[:, None]
    gaps = 1 - (1 - across) * (1 - along)
    if pv_module.technology in ("mono", "half_cell"):
        # Cells of single crystals are cut from round bars: their corners are missing.
        x, y = (np.arange(w) + 0.5) / w * nx, (np.arange(h) + 0.5) / h * ny
        corner = np.abs(x - np.round(x))[None, :] + np.abs(y - np.round(y))[:, None] < _CUT_CORNER
        gaps = np.maximum(gaps, corner)
    if pv_module.technology == "half_cell":
        gaps = np.maximum(gaps, (np.abs(np.linspace(-1, 1, h)) < _HALVES_GAP)[:, None])
    return np.asarray(gaps, dtype=np.float32)


def module_texture(
    pv_module: PvModule, tile_px: tuple[int, int], variants: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw the face of a PV module, with frame, cells, gaps and busbars, in several tints.

    Returns
    -------
    faces
        (variants, h, w, 3) uint8.
    """
    w, h = tile_px[::-1] if pv_module.landscape else tile_px
    face = np.empty((h * _SUPER, w * _SUPER, 3), np.float32)
    face[:] = pv_module.cell_rgb
    if pv_module.technology != "thin_film":
        ribbons = _line_coverage(
            w * _SUPER, pv_module.cells_across * _BUSBARS_PER_CELL, _BUSBAR_WIDTH
        )
        face += _BUSBAR_LIGHTER * ribbons[None, :, None]
    gaps = _cell_gaps(pv_module, face.shape[:2])[..., None]
    face += gaps * (np.asarray(pv_module.backsheet_rgb, np.float32) - face)
    fx = round(pv_module.frame_width_m / pv_module.width_m * w * _SUPER)
    fy = round(pv_module.frame_width_m / pv_module.height_m * h * _SUPER)
    inner = np.zeros(face.shape[:2], bool)
    inner[fy : h * _SUPER - fy, fx : w * _SUPER - fx] = True
    face[~inner] = pv_module.frame_rgb
    if pv_module.landscape:
        face = np.ascontiguousarray(face.transpose(1, 0, 2))
    small = np.asarray(cv2.resize(face, tile_px, interpolation=cv2.INTER_AREA), dtype=np.float32)
    return np.stack([_vary_tint(small, pv_module, rng) for _ in range(variants)])


def _vary_tint(face: Floats, pv_module: PvModule, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the face (h, w, 3) uint8 with colour varied between cells (crystals) and PV modules (batches)."""
    grain = _GRAIN_POLY if pv_module.technology == "poly" else _GRAIN_OTHERS
    nx, ny = pv_module.cells_across, pv_module.cells_along
    cells = 1 + rng.normal(0, grain, (nx, ny) if pv_module.landscape else (ny, nx))
    size, flags = (face.shape[1], face.shape[0]), cv2.INTER_NEAREST
    varied = np.asarray(cv2.resize(cells.astype(np.float32), size, interpolation=flags))
    spread = pv_module.tint_spread
    hue = spread / 4 if pv_module.technology == "poly" else spread / 10
    tint = rng.normal(1, spread) * (1 + rng.normal(0, hue, 3))
    return np.clip(face * varied[..., None] * tint, 0, 255).astype(np.uint8)


def module_warmth(
    pv_module: PvModule, tile_px: tuple[int, int], variants: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return how healthy PV modules differ from their mean temperature.

    Returns
    -------
    pattern
        (variants, h, w) float32 in kelvin: the middle and the upper edge are warmer, the frame is cooler,
        and cells differ.
    junction_box
        (h, w) float32, 1 at the junction box: to be multiplied by its warmth in kelvin.
    """
    w, h = tile_px
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    pattern = 0.5 - 0.45 * (x**4 + y**4) - 0.25 * y
    box_y, box_x = (0.0, -_BOX_PLACE) if pv_module.landscape else (-_BOX_PLACE, 0.0)
    short = min(w, h)
    distance2 = ((y - box_y) * h / short) ** 2 + ((x - box_x) * w / short) ** 2
    patterns = np.stack([pattern + _cell_warmth(pv_module, tile_px, rng) for _ in range(variants)])
    if pv_module.frame_width_m > 0:
        f = max(1, round(pv_module.frame_width_m / pv_module.width_m * short))
        edge = np.ones((h, w), bool)
        edge[f : h - f, f : w - f] = False
        patterns[:, edge] = pattern[edge] - _FRAME_COOLER_K
    return patterns.astype(np.float32), np.exp(-distance2 / _BOX_SIZE2).astype(np.float32)


def _cell_warmth(pv_module: PvModule, tile_px: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return how the cells differ in temperature by their currents and ribbons, (h, w) in kelvin; zero mean."""
    shape = (pv_module.cells_along, pv_module.cells_across)
    spread_k = _CELL_SPREAD * pv_module.temperature_spread_k
    if pv_module.technology == "thin_film":
        spread_k = 0.0
    cells = rng.normal(0, spread_k, shape[::-1] if pv_module.landscape else shape)
    drawn = cv2.resize(cells.astype(np.float32), tile_px, interpolation=cv2.INTER_NEAREST)
    return np.asarray(drawn, dtype=np.float32)
