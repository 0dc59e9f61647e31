"""Textures made from statistics: ground, roofs, water, and the face of PV modules."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import PvModule, Rgb, Surface

Floats = NDArray[np.float32]
TILE_PX = 1024


def _periodic(rng: np.random.Generator, exponent: float, stretch: float = 1.0) -> Floats:
    """Return periodic noise with a power-law spectrum, zero mean, unit deviation."""
    fy = np.fft.fftfreq(TILE_PX)[:, None] * stretch
    fx = np.fft.rfftfreq(TILE_PX)[None, :]
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1.0
    white = np.fft.rfft2(rng.standard_normal((TILE_PX, TILE_PX)))
    field = np.fft.irfft2(white * radius ** (-exponent / 2), s=(TILE_PX, TILE_PX))
    result: Floats = ((field - field.mean()) / field.std()).astype(np.float32)
    return result


def _spots(rng: np.random.Generator, number: int, radius_px: tuple[float, float]) -> Floats:
    """Return a periodic map of soft spots, 0..1, as stones or tufts."""
    canvas = np.zeros((TILE_PX, TILE_PX), np.uint8)
    for x, y in rng.integers(0, TILE_PX, (number, 2)):
        r = rng.uniform(*radius_px)
        axes = (int(r * 4), int(r * 4 * rng.uniform(0.6, 1)))
        at = (int(x) * 4, int(y) * 4)
        cv2.ellipse(canvas, (at[0] // 4, at[1] // 4), (max(axes[0] // 4, 1), max(axes[1] // 4, 1)), rng.uniform(0, 180), 0, 360, int(rng.integers(120, 256)), -1)  # fmt: skip
    return cv2.GaussianBlur(canvas, (0, 0), 0.7).astype(np.float32) / 255


def ground_texture(
    surface: Surface, rgb: Rgb, step_m: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Floats]:
    """Make one periodic tile of a surface.

    Parameters
    ----------
    surface
        Recipe.
    rgb
        Mean colour in sunlight.
    step_m
        Metres per pixel.

    Returns
    -------
    colour
        (1024, 1024, 3) uint8.
    warmth
        (1024, 1024) float32, zero mean, about unit deviation: temperature texture.
    """
    fine, middle = _periodic(rng, 0.7), _periodic(rng, 1.8)
    warm = 0.5 * middle + 0.5 * _periodic(rng, 1.4)
    light = np.zeros_like(fine)
    tint = np.zeros((TILE_PX, TILE_PX, 3), np.float32)
    if surface in ("grass", "scrub"):
        light = 0.3 * fine + 0.1 * middle
        dry = np.clip(_periodic(rng, 2.2) * 0.5 + 0.2, 0, 1)[..., None]
        tint = dry * np.array([38, 14, 6], np.float32)
        if surface == "scrub":
            tuft = _spots(rng, 260, (0.1 / step_m, 0.45 / step_m))
            light -= 0.35 * tuft
            tint -= tuft[..., None] * np.array([45, 5, 25], np.float32)
            warm = warm - 3.0 * tuft
    elif surface in ("sand", "gravel"):
        stones = _spots(rng, 2600, (0.02 / step_m, 0.09 / step_m))
        light = (0.16 if surface == "gravel" else 0.08) * fine + 0.05 * middle
        light += (0.22 if surface == "gravel" else 0.14) * (stones - stones.mean()) * np.sign(fine)
        warm = warm + 1.2 * (stones - stones.mean())
    elif surface == "concrete":
        light = 0.04 * fine + 0.06 * middle
        joint = np.arange(TILE_PX) % (TILE_PX // max(1, round(TILE_PX * step_m / 3.0)))
        light[joint < 2, :] -= 0.2
        light[:, joint < 2] -= 0.2
    elif surface == "metal":
        ridges = TILE_PX // max(1, round(TILE_PX * step_m / 0.42))
        phase = (np.arange(TILE_PX) % ridges) / ridges
        profile = np.where(phase < 0.16, 0.16, np.where(phase < 0.28, -0.22, 0.0)).astype(
            np.float32
        )
        light = profile[None, :] + 0.02 * fine + 0.05 * middle
        warm = 0.4 * warm - 4.0 * profile[None, :]
    elif surface == "tile":
        phase_x = (np.arange(TILE_PX) % (TILE_PX // max(1, round(TILE_PX * step_m / 0.24)))) * step_m / 0.24  # fmt: skip
        phase_y = (np.arange(TILE_PX) % (TILE_PX // max(1, round(TILE_PX * step_m / 0.33)))) * step_m / 0.33  # fmt: skip
        light = (0.16 * np.sin(2 * np.pi * phase_x)[None, :] - 0.22 * (phase_y < 0.12)[:, None]).astype(np.float32)  # fmt: skip
        light = light + 0.05 * fine + 0.06 * middle
    elif surface == "water":
        waves = _periodic(rng, 1.6, stretch=0.35)
        light = 0.06 * waves + 0.02 * fine
        glitter = np.clip(waves - 2.4, 0, 1) * 1.2
        light = light + glitter
        warm = 0.25 * _periodic(rng, 2.4)
    colour = np.asarray(rgb, np.float32) * (1 + light[..., None]) + tint
    return np.clip(colour, 0, 255).astype(np.uint8), warm.astype(np.float32)


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


def module_warmth(pv_module: PvModule, tile_px: tuple[int, int], junction_k: float) -> Floats:
    """Return a healthy PV module's own pattern (h, w) in kelvin: cooler frame, warm middle, box."""
    w, h = tile_px
    y, x = np.meshgrid(np.linspace(-1, 1, h), np.linspace(-1, 1, w), indexing="ij")
    pattern = 0.5 - 0.45 * (x**4 + y**4) - 0.25 * y
    at = (-0.82, 0.0) if not pv_module.landscape else (0.0, -0.82)
    short = min(w, h)
    box = ((y - at[0]) * h / short) ** 2 + ((x - at[1]) * w / short) ** 2
    pattern += junction_k * np.exp(-box / 0.02)
    f = max(1, round(pv_module.frame_width_m / pv_module.width_m * short))
    edge = np.ones((h, w), bool)
    edge[f : h - f, f : w - f] = False
    pattern[edge] -= 5.0 if pv_module.frame_width_m > 0 else 0.5
    return pattern.astype(np.float32)
