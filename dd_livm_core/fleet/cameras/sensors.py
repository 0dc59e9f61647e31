"""Turns the scene into what the cameras store: optics, pixels, noise, gain control, exposure."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from dd_livm_core.fleet.cameras.flight import draw_uniform
from dd_livm_core.fleet.cameras.views import NODE_PX, View
from dd_livm_core.fleet.profile import InfraredCamera, VisibleCamera
from dd_livm_core.fleet.raster.raster import Window

Floats = NDArray[np.float32]
_SKYLIGHT = (0.62, 0.68, 0.75)
"""Colour of haze, linear red, green and blue: chosen, bluish grey."""
_GAMMA = 2.2
"""Of the visible image, close to sRGB's curve."""
_BILINEAR_VARIANCE = 1 / 6
"""What linear interpolation between raster pixels adds, at most, to the point spread."""
_WINDOW_MARGIN_PX = 6
"""Raster pixels around a view, for interpolation and for the sampling maps' error."""
_GATHERED_DEVIATIONS = 4
"""Of the point spread: less than 1e-3 of its light comes from farther."""
_SHADING_MEAN, _SHADING_DEVIATION = -0.4, 0.25
"""Of the lens shading from centre to edge, as shares of the camera's drift: chosen, colder corners."""
_GREY_PERCENTILES = (0.5, 99.8)
_GREY_START, _GREY_RANGE, _LEAST_RANGE_K = 0.07, 0.75, 3.0
_DETAIL_SIGMA_PX, _DETAIL_GAIN = 2.0, 0.8
"""Of the gain control: chosen after the grey levels of real pairs; `python -m benchmarks.fleet_looks` compares them."""
_SHARPENING_SIGMA_PX = 1.1
_ACROSS_MOTION_SIGMA_PX = 0.35
_LEAST_MOTION_PX = 0.3
"""Less motion blur is not worth its time."""


def view_window(
    view: View, step_m: tuple[float, float], margin_px: int = _WINDOW_MARGIN_PX
) -> Window:
    """Return the part of the raster that a camera sees, with a margin in raster pixels."""
    raster = view.footprint() / np.asarray(step_m)
    low = np.floor(raster.min(axis=0)).astype(int) - margin_px
    high = np.ceil(raster.max(axis=0)).astype(int) + margin_px
    return Window(int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def blur_reach_px(view: View, step_m: tuple[float, float], blur_px: float) -> int:
    """Return how far beyond the frame the point spread gathers light, in raster pixels."""
    pixel_m = np.linalg.norm(np.diff(view.nodes_m, axis=1), axis=-1).max() / NODE_PX
    # A square pixel of side p blurs like a point spread of variance p²/12.
    deviation = np.sqrt(blur_px**2 + 1 / 12) * pixel_m / min(step_m)
    return int(_GATHERED_DEVIATIONS * deviation) + _WINDOW_MARGIN_PX


class InfraredSampler:
    """Samples raster layers at the infrared pixels, through point spread, pixel area and lens.

    Parameters
    ----------
    view
        Camera and pose.
    step_m, window
        Raster spacing in metres along and across the row, and the part of the raster that the layers show.
    blur_px
        Point spread of the optics, standard deviation in infrared pixels.
    """

    def __init__(
        self, view: View, step_m: tuple[float, float], window: Window, blur_px: float
    ) -> None:
        self._maps = view.sampling_maps(step_m, (window.x, window.y))
        pixel = np.median(np.hypot(*(np.diff(axis_map, axis=1) for axis_map in self._maps)))
        variance = (blur_px * pixel) ** 2 + max(pixel**2 / 12 - _BILINEAR_VARIANCE, 0)
        self._sigma = float(np.sqrt(variance))

    def sample(self, layer: Floats) -> Floats:
        """Return a float32 layer (h, w), blurred by optics and pixel area, at the infrared pixels (512, 640)."""
        blurred = cv2.GaussianBlur(layer, (0, 0), self._sigma) if self._sigma > 0.2 else layer
        border = cv2.BORDER_REPLICATE
        return np.asarray(
            cv2.remap(blurred, *self._maps, cv2.INTER_LINEAR, borderMode=border), np.float32
        )

    def nearest(self, layer: NDArray[np.uint8] | NDArray[np.uint16]) -> NDArray[np.int32]:
        """Return a layer's nearest values at the infrared pixels, (512, 640) int32."""
        return np.asarray(cv2.remap(layer, *self._maps, cv2.INTER_NEAREST), np.int32)


def infrared_noise(
    camera: InfraredCamera, drift_k: float, fixed_pattern: Floats, rng: np.random.Generator
) -> Floats:
    """Return one frame's noise in kelvin, (h, w): temporal, fixed pattern, slow drift, lens shading.

    ``fixed_pattern`` (h, w) has unit deviation and is the mission's.
    """
    shape = fixed_pattern.shape
    noise = rng.standard_normal(shape, dtype=np.float32) * np.float32(camera.noise_k)
    noise += fixed_pattern * np.float32(camera.fixed_pattern_k)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    shading_k = rng.normal(_SHADING_MEAN, _SHADING_DEVIATION) * camera.drift_k
    # About zero in the mean of the frame.
    noise += (x * x + y * y - np.float32(0.7)) * np.float32(shading_k) + np.float32(drift_k)
    return noise


def to_grey(temperature_c: Floats) -> NDArray[np.uint8]:
    """Return the grey image (h, w) uint8 of a camera that stores no temperature.

    Its gain control maps the frame's percentiles to grey levels and raises local contrast.
    """
    low, high = np.percentile(temperature_c[::4, ::4], _GREY_PERCENTILES)
    scaled = _GREY_START + _GREY_RANGE * (temperature_c - low) / max(high - low, _LEAST_RANGE_K)
    detail = scaled - cv2.GaussianBlur(scaled, (0, 0), _DETAIL_SIGMA_PX)
    raised = np.clip(scaled + _DETAIL_GAIN * detail, 0, 1)
    grey: NDArray[np.uint8] = (raised * 255 + 0.5).astype(np.uint8)
    return grey


def expose(
    seen: NDArray[np.uint8],
    camera: VisibleCamera,
    haze: float,
    light: float,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the photograph (h, w, 3) uint8 of what the lens shows, (h, w, 3).

    Motion blur and sharpening come first, then exposure, white balance, haze and gamma in one table
    per colour, then noise. ``haze`` is the share of skylight, 0..1; ``light`` scales the exposure.
    """
    image: NDArray[Any] = seen
    blur = draw_uniform(camera.motion_blur_px, rng)
    if blur > _LEAST_MOTION_PX:
        image = cv2.GaussianBlur(image, (0, 0), sigmaX=blur / 2, sigmaY=_ACROSS_MOTION_SIGMA_PX)
    if camera.sharpening > 0:
        soft = cv2.GaussianBlur(image, (0, 0), _SHARPENING_SIGMA_PX)
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
    """Return the image with grey noise of normal distribution, cut at three deviations."""
    half = round(3 * deviation)
    levels = np.clip(deviation * ndtri((np.arange(256) + 0.5) / 256), -half, half)
    table = (levels + half + 0.5).astype(np.uint8)
    evenly = np.frombuffer(rng.bytes(image.shape[0] * image.shape[1]), np.uint8)
    grain = cv2.LUT(evenly.reshape(image.shape[:2]), table)
    raised = cv2.add(image, cv2.merge([grain] * 3))
    return np.asarray(cv2.subtract(raised, (half, half, half, 0)), np.uint8)  # type: ignore[call-overload]
