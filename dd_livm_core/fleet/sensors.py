"""What the cameras make of the scene: optics, pixels, noise, exposure, file values."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.rig import View
from dd_livm_core.fleet.raster import Window

Floats = NDArray[np.float32]


def window_of(view: View, step_m: tuple[float, float], margin_px: int = 6) -> Window:
    """Return the part of the raster that a camera sees, with a margin."""
    raster = view.footprint() / np.asarray(step_m)
    low = np.floor(raster.min(axis=0)).astype(int) - margin_px
    high = np.ceil(raster.max(axis=0)).astype(int) + margin_px
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


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
        dx = np.median(np.hypot(np.diff(self._maps[0], axis=1), np.diff(self._maps[1], axis=1)))
        self._pixel = float(dx)
        self._sigma = blur_px * self._pixel

    def sample(self, layer: Floats) -> Floats:
        """Blur by optics and pixel area, then sample; (h, w) float32 → infrared frame."""
        # A square pixel of side p has the variance p²/12; bilinear sampling adds about 1/6.
        sigma = np.sqrt(self._sigma**2 + max(self._pixel**2 / 12 - 1 / 6, 0))
        blurred = cv2.GaussianBlur(layer, (0, 0), sigma) if sigma > 0.2 else layer
        sampled: Floats = cv2.remap(
            blurred, *self._maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return sampled

    def nearest(self, layer: NDArray[np.int16] | NDArray[np.uint8]) -> NDArray[np.int16]:
        """Sample without mixing values."""
        picked: NDArray[np.int16] = cv2.remap(layer, *self._maps, cv2.INTER_NEAREST)
        return picked


def infrared_noise(shape: tuple[int, int], profile: Profile, drift_k: float, rng: np.random.Generator, fixed_pattern: Floats) -> Floats:  # fmt: skip
    """Return noise of one frame in kelvin: temporal, fixed pattern, slow drift, lens shading."""
    camera = profile.infrared_camera
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(camera.noise_k)
    noise += fixed_pattern * np.float32(camera.fixed_pattern_k) + np.float32(drift_k)
    y, x = np.meshgrid(np.linspace(-1, 1, shape[0]), np.linspace(-1, 1, shape[1]), indexing="ij")
    noise += ((x * x + y * y - 0.7) * rng.normal(-0.15, 0.1)).astype(np.float32)
    return noise


def to_grey(temperature_c: Floats) -> NDArray[np.uint8]:
    """Apply the gain control of a camera that stores no temperature: (h, w) uint8."""
    low, high = np.percentile(temperature_c[::4, ::4], [0.5, 99.8])
    scaled = 0.07 + 0.83 * (temperature_c - low) / max(high - low, 3.0)
    detail = scaled - cv2.GaussianBlur(scaled, (0, 0), 2.0)
    grey: NDArray[np.uint8] = (np.clip(scaled + 0.8 * detail, 0, 1) * 255 + 0.5).astype(np.uint8)
    return grey


def expose(
    scene: NDArray[np.uint8], view: View, step_m: tuple[float, float], window: Window,
    profile: Profile, haze: float, rng: np.random.Generator,
) -> NDArray[np.uint8]:  # fmt: skip
    """Photograph a drawn scene in colour: lens, blur, haze, exposure, white balance, noise."""
    camera = profile.visible_camera
    maps = view.sampling_maps(step_m, (window.x, window.y))
    image = cv2.remap(scene, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    blur = rng.uniform(camera.motion_blur_px.low, camera.motion_blur_px.high)
    if blur > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), sigmaX=blur / 2, sigmaY=0.35)
    if camera.sharpening > 0:
        soft = cv2.GaussianBlur(image, (0, 0), 1.1)
        image = cv2.addWeighted(image, 1 + camera.sharpening, soft, -camera.sharpening, 0)
    gain = rng.uniform(camera.exposure.low, camera.exposure.high)
    warmth = rng.uniform(camera.warmth.low, camera.warmth.high)
    value = np.arange(256, dtype=np.float32) / 255
    table = np.empty((1, 256, 3), np.uint8)
    for channel, balance in enumerate((1 + warmth, 1.0, 1 - warmth)):
        lit = value**2.2 * gain * balance
        seen = lit * (1 - haze) + haze * (0.62, 0.68, 0.75)[channel]
        table[0, :, channel] = np.clip(seen ** (1 / 2.2), 0, 1) * 255
    image = cv2.LUT(image, table)
    if camera.noise > 0:
        small = rng.integers(0, 256, (image.shape[0], image.shape[1], 1), dtype=np.uint8)
        grain = (small.astype(np.int16) - 128) * np.float32(camera.noise / 74)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    return np.asarray(image, dtype=np.uint8)
