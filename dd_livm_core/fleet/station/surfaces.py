"""Textures of ground, roofs and water, drawn from noise, stones, plants and patterns.

Numbers of the recipes are chosen so that spectra and contrasts come near those of real drone images;
`python -m benchmarks.fleet_looks` compares them.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2

from dd_livm_core.fleet.profile import Rgb, Surface

Floats = NDArray[np.float32]
TILE_PX = 1024
"""Width and height of a texture in raster pixels: it repeats after 20 to 30 m."""

Recipe = tuple[Floats, Floats, Floats | None]
"""Light as a share added to 1 (h, w), warmth (h, w), and grey levels added to the colour (h, w, 3) or None."""
Fall = tuple[float, float]
"""Where a shadow falls: pixels along and across the row, per metre of height."""


def power_noise(rng: np.random.Generator, exponent: float, stretch: float = 1.0) -> Floats:
    """Return periodic noise (1024, 1024) of zero mean and deviation 1 whose power falls as frequency^-exponent.

    ``stretch`` below 1 draws it out across the row.
    """
    fy = np.fft.fftfreq(TILE_PX).astype(np.float32)[:, None] * np.float32(stretch)
    fx = np.fft.rfftfreq(TILE_PX).astype(np.float32)[None, :]
    radius2 = np.maximum(fx * fx + fy * fy, np.float32((2 / TILE_PX) ** 2))
    white = rfft2(rng.standard_normal((TILE_PX, TILE_PX), dtype=np.float32))
    white[0, 0] = 0
    field = irfft2(white * radius2 ** np.float32(-exponent / 4), s=(TILE_PX, TILE_PX))
    return np.asarray(field / field.std(), dtype=np.float32)


def _skew(field: Floats, amount: float) -> Floats:
    """Return noise with a tail to the bright side, as of sunlit bare spots; zero mean, deviation 1."""
    bent = field + np.float32(amount) * (field * field - 1)
    return np.asarray(bent / bent.std(), dtype=np.float32)


def _draw_ellipses(places: NDArray[Any], axes: NDArray[Any], rng: np.random.Generator) -> Floats:
    """Return a map (1024, 1024), 0..1, of ellipses at places (n, 2) with half axes (n, 2) in pixels.

    Turn and brightness are random.
    """
    canvas = np.zeros((TILE_PX, TILE_PX), np.uint8)
    turn, level = rng.uniform(0, 180, len(places)), rng.integers(115, 256, len(places))
    whole = np.maximum(axes, 1).astype(int).tolist()
    for at, size, angle, grey in zip(places.astype(int).tolist(), whole, turn, level, strict=True):
        cv2.ellipse(canvas, at, size, float(angle), 0, 360, int(grey), -1)
    return np.asarray(np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.7)) / 255, dtype=np.float32)


def _draw_stones(rng: np.random.Generator, number: int, radius_px: tuple[float, float]) -> Floats:
    """Return a map of stones, (1024, 1024), 0..1."""
    radius = rng.uniform(*radius_px, (number, 1)) * rng.uniform([1, 0.6], [1, 1], (number, 2))
    return _draw_ellipses(rng.integers(0, TILE_PX, (number, 2)), radius, rng)


def _draw_plants(rng: np.random.Generator, number: int, radius_px: tuple[float, float]) -> Floats:
    """Return a map of plants, (1024, 1024), 0..1: each is six leaves around its root."""
    root = rng.uniform(0, TILE_PX, (number, 1, 2))
    radius = rng.uniform(*radius_px, (number, 1, 1))
    leaves = root + 0.5 * radius * rng.standard_normal((number, 6, 2))
    axes = radius * rng.uniform([0.3, 0.25], [0.7, 0.35], (number, 6, 2))
    return _draw_ellipses(leaves.reshape(-1, 2), axes.reshape(-1, 2), rng)


def _relief_light(height: Floats, fall_px: Fall) -> Floats:
    """Return the light on the slopes of a bumpy surface: bright towards the sun, deviation 1."""
    along, across = np.asarray(fall_px) / max(float(np.hypot(*fall_px)), 1e-6)
    slope = float(along) * (np.roll(height, -1, axis=1) - np.roll(height, 1, axis=1))
    slope += float(across) * (np.roll(height, -1, axis=0) - np.roll(height, 1, axis=0))
    return np.asarray(slope / max(float(slope.std()), 1e-6), dtype=np.float32)


def _shadow_beside(standing: Floats, height_m: float, fall_px: Fall) -> Floats:
    """Return the shadow, 0..1, that a map of stones or tufts of one height throws beside itself."""
    shadow = np.zeros_like(standing)
    for share in (0.35, 0.7, 1.0):
        shift = tuple(round(share * height_m * f) for f in fall_px[::-1])
        shadow = np.maximum(shadow, np.roll(standing, shift, axis=(0, 1)))
    return np.asarray(np.clip(shadow - standing, 0, 1), dtype=np.float32)


def _repetition_phase(period_m: float, step_m: float) -> Floats:
    """Return each pixel's phase (1024,), 0..1, in a pattern that repeats a whole number of times on the tile."""
    repeats = max(1, round(TILE_PX * step_m / period_m))
    return np.asarray(((np.arange(TILE_PX) + 0.5) * repeats / TILE_PX) % 1, dtype=np.float32)


def _repetition_index(period_m: float, step_m: float) -> NDArray[np.intp]:
    """Return the number (1024,) of the repetition that each pixel belongs to."""
    repeats = max(1, round(TILE_PX * step_m / period_m))
    return np.asarray((np.arange(TILE_PX) * repeats) // TILE_PX, dtype=np.intp)


def _vegetation(rng: np.random.Generator, step_m: float, fall_px: Fall, tufts: int) -> Recipe:
    # Less grows where it is dry; hummocks are lit by the sun, and warmer.
    thirst, hummocks, grown = (power_noise(rng, e) for e in (2.4, 2.6, 1.3))
    lush = np.clip(1 - 0.3 * thirst, 0.4, 1.8)
    light = lush * (0.27 * power_noise(rng, 0.6) + 0.14 * _relief_light(hummocks, fall_px))
    light += 0.13 * power_noise(rng, 1.9)
    tint = np.clip(0.5 * thirst + 0.2, 0, 1)[..., None] * np.array([18, 8, 5], np.float32)
    warm = 0.8 * _skew(grown, 0.35) + 0.5 * hummocks
    clump = _draw_plants(rng, 500, (0.04 / step_m, 0.18 / step_m))
    light -= 0.16 * clump + 0.3 * _shadow_beside(clump, 0.15, fall_px)
    tint = tint - clump[..., None] * np.array([16, 2, 12], np.float32)
    if tufts:
        bush = _draw_plants(rng, tufts, (0.1 / step_m, 0.4 / step_m))
        light -= 0.22 * bush * (1 - 0.8 * grown) + 0.5 * _shadow_beside(bush, 0.5, fall_px)
        tint = tint - bush[..., None] * np.array([34, 8, 22], np.float32)
        warm -= 3.0 * bush
    return light, warm, tint


def _grass(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    return _vegetation(rng, step_m, fall_px, 0)


def _scrub(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    return _vegetation(rng, step_m, fall_px, 220)


def _stony(rng: np.random.Generator, step_m: float, fall_px: Fall, roughness: float) -> Recipe:
    fine, coarse, bumps = (power_noise(rng, e) for e in (0.3, 2.0, 2.4))
    pebbles = _draw_stones(rng, 2600, (0.02 / step_m, 0.09 / step_m))
    pebbles -= pebbles.mean()
    light = roughness * (fine + 1.2 * pebbles * np.sign(fine)) + 0.07 * coarse
    light += 0.6 * roughness * _relief_light(bumps, fall_px)
    rocks = _draw_stones(rng, 110, (0.04 / step_m, 0.14 / step_m))
    light += rocks * (0.5 * roughness + 0.1 * coarse)
    light -= 0.55 * _shadow_beside(rocks, 0.14, fall_px)
    plants = _draw_plants(rng, 16, (0.06 / step_m, 0.22 / step_m))
    light -= 0.3 * plants + 0.5 * _shadow_beside(plants, 0.3, fall_px)
    tint = -plants[..., None] * np.array([28, 10, 30], np.float32)
    warm = 0.9 * _skew(power_noise(rng, 1.0), 0.3) + 0.5 * bumps + pebbles
    return light, warm - 2.0 * plants, tint


def _sand(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    return _stony(rng, step_m, fall_px, 0.1)


def _gravel(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    return _stony(rng, step_m, fall_px, 0.18)


def _concrete(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    stains = power_noise(rng, 2.6)
    light = 0.05 * power_noise(rng, 0.6) + 0.07 * stains
    slabs = _repetition_index(3.0, step_m)
    light += rng.normal(0, 0.03, (slabs.max() + 1,) * 2)[slabs[:, None], slabs].astype(np.float32)
    joint = _repetition_phase(3.0, step_m) < 0.03 / 3.0 + step_m / 3.0
    light[joint, :] -= 0.2
    light[:, joint] -= 0.2
    litter = _draw_stones(rng, 60, (0.01 / step_m, 0.06 / step_m))
    light -= 0.3 * litter + 0.3 * _shadow_beside(litter, 0.06, fall_px)
    return light, 0.5 * power_noise(rng, 1.5) - 0.6 * stains, None


def _metal(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    phase = _repetition_phase(0.42, step_m)
    # Ribs are bright towards the sun and dark away from it.
    ribs = np.where(phase < 0.16, 0.16, np.where(phase < 0.28, -0.22, 0.0)).astype(np.float32)
    ribs = ribs[:: 1 if fall_px[0] >= 0 else -1]
    sheets = _repetition_index(1.05, step_m)
    light = ribs[None, :] + 0.02 * power_noise(rng, 0.7) + 0.05 * power_noise(rng, 2.4)
    light += rng.normal(0, 0.035, sheets.max() + 1)[sheets].astype(np.float32)[None, :]
    rust = np.clip(power_noise(rng, 2.2, stretch=0.2) - 1.6, 0, 1)[..., None]
    return (
        light, 0.4 * power_noise(rng, 2.2) - 4.0 * ribs[None, :],
        -rust * np.array([10, 30, 45], np.float32),
    )  # fmt: skip


def _tile(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    wave = 0.16 * np.sin(2 * np.pi * _repetition_phase(0.24, step_m))[None, :]
    lip = 0.22 * (_repetition_phase(0.33, step_m) < 0.12)[:, None]
    light = (wave - lip).astype(np.float32)
    warm = 4.0 * light + 0.6 * power_noise(rng, 1.8)
    down, along = _repetition_index(0.33, step_m), _repetition_index(0.24, step_m)
    # Tiles differ in colour by their firing.
    fired = rng.normal(0, 1, (down.max() + 1, along.max() + 1)).astype(np.float32)
    each = fired[down[:, None], along]
    moss = np.clip(power_noise(rng, 1.9) - 0.9, 0, 1.2)[..., None]
    tint = each[..., None] * np.array([4, 6, 7], np.float32)
    tint = tint - moss * np.array([52, 18, 14], np.float32)
    light = light + 0.05 * each + 0.06 * power_noise(rng, 0.7) + 0.08 * power_noise(rng, 2.0)
    return light, warm, tint


def _water(rng: np.random.Generator, step_m: float, fall_px: Fall) -> Recipe:
    waves = power_noise(rng, 1.6, stretch=0.35)
    glitter = 1.2 * np.clip(waves - 2.4, 0, 1)
    return 0.08 * waves + glitter, 0.25 * power_noise(rng, 2.4), None


_RECIPES: dict[Surface, Callable[[np.random.Generator, float, Fall], Recipe]] = {
    "grass": _grass, "scrub": _scrub, "sand": _sand, "gravel": _gravel,
    "concrete": _concrete, "metal": _metal, "tile": _tile, "water": _water,
}  # fmt: skip


def ground_texture(
    surface: Surface, rgb: Rgb, step_m: float, fall_px: Fall, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Floats]:
    """Return one periodic tile of a surface.

    Parameters
    ----------
    surface
        Chooses the recipe.
    rgb
        Mean colour in sunlight.
    step_m
        Metres per pixel.
    fall_px
        Direction and length of shadows, which tufts and stones throw and slopes turn to or from.

    Returns
    -------
    colour
        (1024, 1024, 3) uint8.
    warmth
        (1024, 1024) float32 of zero mean and about unit deviation: texture of the temperature.
    """
    light, warm, tint = _RECIPES[surface](rng, step_m, fall_px)
    colour = np.asarray(rgb, np.float32) * (1 + light[..., None])
    if tint is not None:
        colour = colour + tint
    return np.clip(colour, 0, 255).astype(np.uint8), (warm - warm.mean()).astype(np.float32)
