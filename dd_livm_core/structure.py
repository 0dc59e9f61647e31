"""What infrared and visible images share: where edges run, whatever their sign, palette or strength.

Each pixel gets a complex number: its angle is twice the gradient's angle, so that an edge from dark to bright
and one from bright to dark count as the same; its length is the edge's strength, saturated so that a hotspot or
a white roof weighs no more than a panel's frame.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

Complex = NDArray[np.complex64]


def grey(image: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return float32 (H, W) of an infrared (H, W) or visible (H, W, 3) image."""
    if image.ndim == 3:
        return np.asarray(cv2.cvtColor(image.astype(np.uint8), cv2.COLOR_RGB2GRAY), np.float32)
    return np.asarray(image, np.float32)


def orientation_field(image: NDArray[np.float32], sigma_px: float = 1.0) -> Complex:
    """Return the saturated double-angle gradient of a (H, W) image, complex64 (H, W), length 0 to 1.

    Source: double-angle representation of local orientation, Granlund & Knutsson, Signal Processing for
    Computer Vision (1995), ch. 6; orientation correlation, Fitch et al., BMVC 2002.
    """
    smooth = cv2.GaussianBlur(image, (0, 0), sigma_px)
    gx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    gradient = gx + 1j * gy
    strength = np.abs(gradient)
    typical = float(np.median(strength)) * 2 + 0.25 * float(np.mean(strength))
    if not np.isfinite(typical) or typical <= 1e-6:
        return np.zeros(image.shape, np.complex64)
    doubled = np.where(strength > 0, gradient**2 / np.maximum(strength**2, 1e-12), 0)
    weight = strength**2 / (strength**2 + typical**2)
    field = (weight * doubled).astype(np.complex64)
    edge = max(2, round(2 * sigma_px))
    field[:edge] = field[-edge:] = 0
    field[:, :edge] = field[:, -edge:] = 0
    return field


def correlate(
    template: Complex, scene: Complex, inside: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Correlate two orientation fields at every shift, normalised to -1..1.

    Parameters
    ----------
    template
        (h, w).
    scene
        (H, W), at least as large.
    inside
        (H, W), 1 where the scene has pixels.

    Returns
    -------
    float32 (H - h + 1, W - w + 1); entry (y, x) is the template's upper left corner at scene pixel (x, y).
    """
    height, width = scene.shape
    h, w = template.shape
    shape = (fft.next_fast_len(height), fft.next_fast_len(width))
    ft = np.conj(fft.fft2(template, shape))
    product = fft.ifft2(fft.fft2(scene, shape) * ft).real
    power = _windowed(np.abs(scene) ** 2, np.abs(template) > 0, shape)
    energy = _windowed(inside, np.abs(template) ** 2, shape)
    valid = (slice(0, height - h + 1), slice(0, width - w + 1))
    norm = np.sqrt(np.maximum(power[valid], 1e-3) * np.maximum(energy[valid], 1e-3))
    return np.asarray(product[valid] / np.maximum(norm, 1.0), np.float32)


def _windowed(
    scene: NDArray[np.floating], window: NDArray[np.generic], shape: tuple[int, int]
) -> NDArray[np.float32]:
    first = fft.rfft2(np.asarray(scene, np.float32), shape)
    second = np.conj(fft.rfft2(np.asarray(window, np.float32), shape))
    return np.asarray(fft.irfft2(first * second, shape), np.float32)


def peaks(
    score: NDArray[np.float32], count: int, apart_px: int
) -> list[tuple[float, float, float]]:
    """Return the highest local maxima as (x, y, score), sub-pixel by a parabola, best first."""
    size = 2 * apart_px + 1
    highest = cv2.dilate(score, np.ones((size, size), np.uint8))
    ys, xs = np.nonzero((score >= highest) & (score > 0))
    order = np.argsort(-score[ys, xs])[:count]
    found = []
    for y, x in zip(ys[order], xs[order], strict=True):
        found.append((x + _vertex(score[y], x), y + _vertex(score[:, x], y), float(score[y, x])))
    return found


def _vertex(line: NDArray[np.float32], at: int) -> float:
    if not 0 < at < len(line) - 1:
        return 0.0
    left, middle, right = (float(line[at + step]) for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-9 else 0.0
