"""What the cameras make of the scene: optics, pixels, noise, exposure, file values."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dd_livm_core.fleet.cameras.flight import draw_uniform
from dd_livm_core.fleet.cameras.rig import NODE_PX, View
from dd_livm_core.fleet.profile import InfraredCamera, VisibleCamera
from dd_livm_core.fleet.raster.raster import Window

Floats = NDArray[np.float32]
_SKYLIGHT = (0.62, 0.68, 0.75)
_GAMMA = 2.2
_BILINEAR_VARIANCE = 1 / 6
"""What linear interpolation between raster pixels adds, at most, to the point spread."""


def view_window(view: View, step_m: tuple[float, float], margin_px: int = 6) -> Window:
    """Return the part of the raster that a camera sees, with a margin."""
    raster = view.footprint() / np.asarray(step_m)
    low = np.floor(raster.min(axis=0)).astype(int) - margin_px
    high = np.ceil(raster.max(axis=0)).astype(int) + margin_px
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def blur_reach_px(view: View, step_m: tuple[float, float], blur_px: float) -> int:
    """Return how far beyond the frame the point spread gathers light, in raster pixels."""
    pixel_m = np.linalg.norm(np.diff(view.nodes_m, axis=1), axis=-1).max() / NODE_PX
    deviation = np.sqrt(blur_px**2 + 1 / 12) * pixel_m / min(step_m)
    return int(4 * deviation) + 6


class InfraredSampler:
    """Brings raster layers onto the infrared pixels: point spread, pixel area, lens.

    Parameters
    ----------
    view
        Camera and pose.
    step_m, window
        Raster spacing, and the part that was drawn.
    blur_px
        Point spread of the optics, standard deviation in infrared pixels.
    """

    def __init__(
        self, view: View, step_m: tuple[float, float], window: Window, blur_px: float
    ) -> None:
        self._maps = view.sampling_maps(step_m, (window.x, window.y))
        pixel = np.median(np.hypot(*(np.diff(axis_map, axis=1) for axis_map in self._maps)))
        # A square pixel of side p has the variance p²/12.
        variance = (blur_px * pixel) ** 2 + max(pixel**2 / 12 - _BILINEAR_VARIANCE, 0)
        self._sigma = float(np.sqrt(variance))

    def sample(self, layer: Floats) -> Floats:
        """Blur by optics and pixel area, then sample; (h, w) float32 → infrared frame."""
        blurred = cv2.GaussianBlur(layer, (0, 0), self._sigma) if self._sigma > 0.2 else layer
        border = cv2.BORDER_REPLICATE
        return np.asarray(
            cv2.remap(blurred, *self._maps, cv2.INTER_LINEAR, borderMode=border), np.float32
        )

    def nearest(self, layer: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.int32]:
        """Sample without mixing values."""
        return np.asarray(cv2.remap(layer, *self._maps, cv2.INTER_NEAREST), np.int32)


def infrared_noise(
    camera: InfraredCamera, drift_k: float, fixed_pattern: Floats, rng: np.random.Generator
) -> Floats:
    """Return noise of one frame in kelvin: temporal, fixed pattern, slow drift, lens shading."""
    shape = fixed_pattern.shape
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(camera.noise_k)
    noise += fixed_pattern * np.float32(camera.fixed_pattern_k)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    shading_k = rng.normal(-0.4, 0.25) * camera.drift_k
    noise += (x * x + y * y - np.float32(0.7)) * np.float32(shading_k) + np.float32(drift_k)
    return noise


def to_grey(temperature_c: Floats) -> NDArray[np.uint8]:
    """Apply the gain control of a camera that stores no temperature: (h, w) uint8.

    Percentiles to grey levels, and local contrast, as the grey display of such cameras shows.
    """
    low, high = np.percentile(temperature_c[::4, ::4], [0.5, 99.8])
    scaled = 0.07 + 0.75 * (temperature_c - low) / max(high - low, 3.0)
    detail = scaled - cv2.GaussianBlur(scaled, (0, 0), 2.0)
    grey: NDArray[np.uint8] = (np.clip(scaled + 0.8 * detail, 0, 1) * 255 + 0.5).astype(np.uint8)
    return grey


def expose(
    seen: NDArray[np.uint8],
    camera: VisibleCamera,
    haze: float,
    light: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Turn what the lens shows, (h, w, 3), into a photograph.

    ``light`` scales the exposure. Motion blur, sharpening, then exposure, white balance, haze and
    gamma in one table per colour, then noise.
    """
    image: NDArray[Any] = seen
    blur = draw_uniform(camera.motion_blur_px, rng)
    if blur > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), sigmaX=blur / 2, sigmaY=0.35)
    if camera.sharpening > 0:
        soft = cv2.GaussianBlur(image, (0, 0), 1.1)
        image = cv2.addWeighted(image, 1 + camera.sharpening, soft, -camera.sharpening, 0)
    gain, warmth = draw_uniform(camera.exposure, rng), draw_uniform(camera.warmth, rng)
    balance = np.array([1 + warmth, 1.0, 1 - warmth])
    lit = (np.arange(256)[:, None] / 255) ** _GAMMA * gain * light * balance
    hazy = lit * (1 - haze) + haze * np.array(_SKYLIGHT)
    table = (np.clip(hazy, 0, 1) ** (1 / _GAMMA) * 255).astype(np.uint8)
    planes = zip(cv2.split(image), table.T, strict=True)
    image = cv2.merge([cv2.LUT(plane, np.ascontiguousarray(levels)) for plane, levels in planes])
    if camera.noise > 0:
        image = _add_grain(image, camera.noise, rng)
    return np.asarray(image, dtype=np.uint8)


def _add_grain(
    image: NDArray[Any], deviation: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Add grey noise of normal distribution, cut at three deviations."""
    half = round(3 * deviation)
    levels = np.clip(deviation * ndtri((np.arange(256) + 0.5) / 256), -half, half)
    table = (levels + half + 0.5).astype(np.uint8)
    evenly = np.frombuffer(rng.bytes(image.shape[0] * image.shape[1]), np.uint8)
    grain = cv2.LUT(evenly.reshape(image.shape[:2]), table)
    raised = cv2.add(image, cv2.merge([grain] * 3))
    return np.asarray(cv2.subtract(raised, (half, half, half, 0)), np.uint8)  # type: ignore[call-overload]
