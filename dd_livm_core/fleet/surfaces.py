"""Textures of ground, roofs and water, made from statistics."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, rfft2

from dd_livm_core.fleet.profile import Rgb, Surface

Floats = NDArray[np.float32]
TILE_PX = 1024

Recipe = tuple[Floats, Floats, Floats | None]
"""Relative light (h, w), warmth (h, w), and what is added to the colour (h, w, 3)."""


def power_noise(rng: np.random.Generator, exponent: float, stretch: float = 1.0) -> Floats:
    """Return periodic noise whose power falls as frequency^-exponent: zero mean, deviation 1."""
    fy = np.fft.fftfreq(TILE_PX).astype(np.float32)[:, None] * np.float32(stretch)
    fx = np.fft.rfftfreq(TILE_PX).astype(np.float32)[None, :]
    radius2 = np.maximum(fx * fx + fy * fy, np.float32((2 / TILE_PX) ** 2))
    white = rfft2(rng.standard_normal((TILE_PX, TILE_PX), dtype=np.float32))
    white[0, 0] = 0
    field = irfft2(white * radius2 ** np.float32(-exponent / 4), s=(TILE_PX, TILE_PX))
    return np.asarray(field / field.std(), dtype=np.float32)


def _skewed(field: Floats, amount: float) -> Floats:
    """Give noise a tail to the bright side, as sunlit bare spots do; zero mean, deviation 1."""
    bent = field + np.float32(amount) * (field * field - 1)
    return np.asarray(bent / bent.std(), dtype=np.float32)


def _spots(rng: np.random.Generator, number: int, radius_px: tuple[float, float]) -> Floats:
    """Return a map of stones or tufts, 0..1."""
    canvas = np.zeros((TILE_PX, TILE_PX), np.uint8)
    for x, y in rng.integers(0, TILE_PX, (number, 2)):
        radius = rng.uniform(*radius_px)
        axes = (max(int(radius), 1), max(int(radius * rng.uniform(0.6, 1)), 1))
        level = int(rng.integers(120, 256))
        cv2.ellipse(canvas, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, level, -1)
    return np.asarray(np.asarray(cv2.GaussianBlur(canvas, (0, 0), 0.7)) / 255, dtype=np.float32)


def _phase(period_m: float, step_m: float) -> Floats:
    """Return the phase (0..1) of a pattern that repeats a whole number of times on the tile."""
    repeats = max(1, round(TILE_PX * step_m / period_m))
    return np.asarray(((np.arange(TILE_PX) + 0.5) * repeats / TILE_PX) % 1, dtype=np.float32)


def _vegetation(rng: np.random.Generator, step_m: float, tufts: int) -> Recipe:
    light = 0.36 * power_noise(rng, 0.7) + 0.14 * power_noise(rng, 1.8)
    dry = np.clip(0.5 * power_noise(rng, 2.2) + 0.2, 0, 1)[..., None]
    tint = dry * np.array([24, 8, 3], np.float32)
    warm = 0.8 * _skewed(power_noise(rng, 1.3), 0.35) + 0.5 * power_noise(rng, 2.6)
    if tufts:
        tuft = _spots(rng, tufts, (0.1 / step_m, 0.45 / step_m))
        light -= 0.35 * tuft
        tint = tint - tuft[..., None] * np.array([45, 5, 25], np.float32)
        warm -= 3.0 * tuft
    return light, warm, tint


def _grass(rng: np.random.Generator, step_m: float) -> Recipe:
    return _vegetation(rng, step_m, 0)


def _scrub(rng: np.random.Generator, step_m: float) -> Recipe:
    return _vegetation(rng, step_m, 260)


def _stony(rng: np.random.Generator, step_m: float, roughness: float) -> Recipe:
    stones = _spots(rng, 2600, (0.02 / step_m, 0.09 / step_m))
    stones -= stones.mean()
    fine = power_noise(rng, 0.3)
    light = roughness * (fine + 1.2 * stones * np.sign(fine)) + 0.07 * power_noise(rng, 2.0)
    warm = 0.9 * _skewed(power_noise(rng, 1.0), 0.3) + 0.5 * power_noise(rng, 2.4) + stones
    return light, warm, None


def _sand(rng: np.random.Generator, step_m: float) -> Recipe:
    return _stony(rng, step_m, 0.1)


def _gravel(rng: np.random.Generator, step_m: float) -> Recipe:
    return _stony(rng, step_m, 0.2)


def _concrete(rng: np.random.Generator, step_m: float) -> Recipe:
    stains = power_noise(rng, 2.6)
    light = 0.05 * power_noise(rng, 0.6) + 0.07 * stains
    joint = _phase(3.0, step_m) < 0.03 / 3.0 + step_m / 3.0
    light[joint, :] -= 0.2
    light[:, joint] -= 0.2
    return light, 0.5 * power_noise(rng, 1.5) - 0.6 * stains, None


def _metal(rng: np.random.Generator, step_m: float) -> Recipe:
    phase = _phase(0.42, step_m)
    ribs = np.where(phase < 0.16, 0.16, np.where(phase < 0.28, -0.22, 0.0)).astype(np.float32)
    light = ribs[None, :] + 0.02 * power_noise(rng, 0.7) + 0.06 * power_noise(rng, 2.4)
    return light, 0.4 * power_noise(rng, 2.2) - 4.0 * ribs[None, :], None


def _tile(rng: np.random.Generator, step_m: float) -> Recipe:
    wave = 0.16 * np.sin(2 * np.pi * _phase(0.24, step_m))[None, :]
    lip = 0.22 * (_phase(0.33, step_m) < 0.12)[:, None]
    light = (wave - lip).astype(np.float32)
    warm = 4.0 * light + 0.6 * power_noise(rng, 1.8)
    return light + 0.06 * power_noise(rng, 0.7) + 0.08 * power_noise(rng, 2.0), warm, None


def _water(rng: np.random.Generator, step_m: float) -> Recipe:
    waves = power_noise(rng, 1.6, stretch=0.35)
    glitter = 1.2 * np.clip(waves - 2.4, 0, 1)
    return 0.08 * waves + glitter, 0.25 * power_noise(rng, 2.4), None


_RECIPES: dict[Surface, Callable[[np.random.Generator, float], Recipe]] = {
    "grass": _grass, "scrub": _scrub, "sand": _sand, "gravel": _gravel,
    "concrete": _concrete, "metal": _metal, "tile": _tile, "water": _water,
}  # fmt: skip


def ground_texture(
    surface: Surface, rgb: Rgb, step_m: float, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], Floats]:
    """Make one periodic tile of a surface.

    Parameters
    ----------
    surface
        Recipe. Its spectra and contrasts follow real drone images (see docs/fleet.md).
    rgb
        Mean colour in sunlight.
    step_m
        Metres per pixel.

    Returns
    -------
    colour
        (1024, 1024, 3) uint8.
    warmth
        (1024, 1024) float32, about unit deviation: temperature texture.
    """
    light, warm, tint = _RECIPES[surface](rng, step_m)
    colour = np.asarray(rgb, np.float32) * (1 + light[..., None])
    if tint is not None:
        colour = colour + tint
    return np.clip(colour, 0, 255).astype(np.uint8), (warm - warm.mean()).astype(np.float32)
