"""The face of PV modules: what a healthy one looks like in colour and in kelvin."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import PvModule

Floats = NDArray[np.float32]
_SUPER = 6
_FRAME_COOLER_K = 5.0
_CELL_SPREAD = 0.7
"""Between cells, as a share of the spread between PV modules."""
_CELL_GAP_M, _SCRIBE_M = 0.003, 0.0006
_BUSBAR_LIGHTER = 60.0


def _line_coverage(size: int, number: float, width: float) -> Floats:
    """Return how much of each of ``size`` points the lines between ``number`` equal parts cover.

    Lines are far thinner than points: whether a point's middle lies on one would be chance.
    """
    edge = np.arange(size + 1) / size * number
    nearest = np.round(edge)
    covered = width * nearest + np.clip(edge - nearest, -width / 2, width / 2)
    return (np.diff(covered) * size / number).astype(np.float32)


def _cell_gaps(pv_module: PvModule, shape: tuple[int, int]) -> Floats:
    """Return the share of backsheet, for a PV module drawn upright (long side down)."""
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
        corner = np.abs(x - np.round(x))[None, :] + np.abs(y - np.round(y))[:, None] < 0.13
        gaps = np.maximum(gaps, corner)
    if pv_module.technology == "half_cell":
        gaps = np.maximum(gaps, (np.abs(np.linspace(-1, 1, h)) < 0.011)[:, None])
    return np.asarray(gaps, dtype=np.float32)


def module_texture(
    pv_module: PvModule, tile_px: tuple[int, int], variants: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw the face of a PV module in several tints: frame, cells, gaps, busbars.

    Returns
    -------
    faces
        (variants, h, w, 3) uint8.
    """
    w, h = tile_px[::-1] if pv_module.landscape else tile_px
    face = np.empty((h * _SUPER, w * _SUPER, 3), np.float32)
    face[:] = pv_module.cell_rgb
    if pv_module.technology != "thin_film":
        ribbons = _line_coverage(w * _SUPER, pv_module.cells_across * 4, 0.055)
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
    """Vary colour between cells (crystals) and between PV modules (batches)."""
    grain = 0.05 if pv_module.technology == "poly" else 0.015
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
    """Return the pattern of healthy PV modules.

    Returns
    -------
    pattern
        (variants, h, w) in kelvin: warmer in the middle and at the upper edge, frame cooler,
        cells unlike each other.
    junction_box
        (h, w), 1 at the box: to be scaled by its warmth.
    """
    w, h = tile_px
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    pattern = 0.5 - 0.45 * (x**4 + y**4) - 0.25 * y
    box_y, box_x = (0.0, -0.82) if pv_module.landscape else (-0.82, 0.0)
    short = min(w, h)
    distance2 = ((y - box_y) * h / short) ** 2 + ((x - box_x) * w / short) ** 2
    patterns = np.stack([pattern + _cell_warmth(pv_module, tile_px, rng) for _ in range(variants)])
    if pv_module.frame_width_m > 0:
        f = max(1, round(pv_module.frame_width_m / pv_module.width_m * short))
        edge = np.ones((h, w), bool)
        edge[f : h - f, f : w - f] = False
        patterns[:, edge] = pattern[edge] - _FRAME_COOLER_K
    return patterns.astype(np.float32), np.exp(-distance2 / 0.02).astype(np.float32)


def _cell_warmth(pv_module: PvModule, tile_px: tuple[int, int], rng: np.random.Generator) -> Floats:
    """Return what the cells' unlike currents and ribbons add, in kelvin; zero mean."""
    shape = (pv_module.cells_along, pv_module.cells_across)
    spread_k = _CELL_SPREAD * pv_module.temperature_spread_k
    if pv_module.technology == "thin_film":
        spread_k = 0.0
    cells = rng.normal(0, spread_k, shape[::-1] if pv_module.landscape else shape)
    drawn = cv2.resize(cells.astype(np.float32), tile_px, interpolation=cv2.INTER_NEAREST)
    return np.asarray(drawn, dtype=np.float32)
