"""The face of PV modules: what a healthy one looks like in colour and in kelvin."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import PvModule

Floats = NDArray[np.float32]
_FRAME_COOLER_K = 5.0


def _lines(size: int, number: int, width: float, sub: int) -> NDArray[np.bool_]:
    """Return where gaps between ``number`` cells lie on an axis of ``size`` tile pixels."""
    x = (np.arange(size * sub) + 0.5) / (size * sub) * number
    return np.abs(x - np.round(x)) < width / 2


def module_texture(
    pv_module: PvModule, tile_px: tuple[int, int], variants: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Draw the face of a PV module in several tints: frame, cells, gaps, busbars.

    Returns
    -------
    faces
        (variants, h, w, 3) uint8.
    """
    sub = 6
    w, h = tile_px
    nx, ny = pv_module.cells_across, pv_module.cells_along
    if pv_module.landscape:
        nx, ny = ny, nx
    along_m = pv_module.height_m if pv_module.landscape else pv_module.width_m
    up_m = pv_module.width_m if pv_module.landscape else pv_module.height_m
    thin = pv_module.technology == "thin_film"
    gap_x, gap_y = (
        (0.003 / along_m * nx, 0.003 / up_m * ny) if not thin else (0.0006 / along_m * nx,) * 2
    )
    face = np.empty((h * sub, w * sub, 3), np.float32)
    face[:] = pv_module.cell_rgb
    bar = _lines(h, ny * 4, 0.055, sub)[:, None] if pv_module.landscape else _lines(w, nx * 4, 0.055, sub)[None, :]  # fmt: skip
    if not thin:
        face += bar[..., None] * np.float32(38)
    gaps = _lines(w, nx, gap_x, sub)[None, :] | (_lines(h, ny, gap_y, sub)[:, None] & (not thin))
    if pv_module.technology in ("mono", "half_cell"):
        x = (np.arange(w * sub) + 0.5) / (w * sub) * nx
        y = (np.arange(h * sub) + 0.5) / (h * sub) * ny
        corner = np.abs(x - np.round(x))[None, :] + np.abs(y - np.round(y))[:, None] < 0.13
        gaps = gaps | corner
    if pv_module.technology == "half_cell":
        middle = np.abs(np.linspace(-1, 1, w * sub if pv_module.landscape else h * sub)) < 0.011
        gaps = gaps | (middle[None, :] if pv_module.landscape else middle[:, None])
    face[np.broadcast_to(gaps, face.shape[:2])] = pv_module.backsheet_rgb
    fx, fy = (
        max(1, round(pv_module.frame_width_m / s * n * sub)) for s, n in ((along_m, w), (up_m, h))
    )
    if pv_module.frame_width_m > 0:
        for edge in (face[:fy], face[-fy:], face[:, :fx], face[:, -fx:]):
            edge[:] = pv_module.frame_rgb
    small = cv2.resize(face, (w, h), interpolation=cv2.INTER_AREA)
    faces = []
    for _ in range(variants):
        grain = 1 + rng.normal(0, 0.05 if pv_module.technology == "poly" else 0.015, (ny, nx, 1))
        cells = cv2.resize(np.broadcast_to(grain, (ny, nx, 3)).astype(np.float32), (w, h), interpolation=cv2.INTER_NEAREST)  # fmt: skip
        tint = rng.normal(1, pv_module.tint_spread) * (
            1 + rng.normal(0, pv_module.tint_spread / 2, 3)
        )
        faces.append(np.clip(small * cells * tint.astype(np.float32), 0, 255).astype(np.uint8))
    return np.stack(faces)


def module_warmth(pv_module: PvModule, tile_px: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return a healthy PV module's own pattern.

    Returns
    -------
    pattern
        (h, w) in kelvin: warmer in the middle and at the upper edge, frame cooler.
    junction_box
        (h, w), 1 at the box: to be scaled by its warmth.
    """
    w, h = tile_px
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    pattern = 0.5 - 0.45 * (x**4 + y**4) - 0.25 * y
    at = (-0.82, 0.0) if not pv_module.landscape else (0.0, -0.82)
    short = min(w, h)
    box = np.exp(-(((y - at[0]) * h / short) ** 2 + ((x - at[1]) * w / short) ** 2) / 0.02)
    f = max(1, round(pv_module.frame_width_m / pv_module.width_m * short))
    edge = np.ones((h, w), bool)
    edge[f : h - f, f : w - f] = False
    pattern[edge] -= _FRAME_COOLER_K if pv_module.frame_width_m > 0 else 0.5
    return pattern.astype(np.float32), box.astype(np.float32)
