"""What infrared and visible images share: where edges run, whatever their sign, palette or strength.

Each pixel gets a complex number: its angle is twice the gradient's angle, so that an edge from dark to bright
and one from bright to dark count as the same; its length is the edge's strength, saturated so that a hotspot or
a white roof weighs no more than a panel's frame.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from dd_livm_core.panels.frame_direction import typical_gradient
from dd_livm_core.panels.lattice import parabola_vertex

Complex = NDArray[np.complex64]
LEAST_BORDER = 0.004
FLAT = 1e-3


def known_part(image: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Mark the pixels that a camera saw, bool (H, W): not a flat border, as undistorting or turning leaves it.

    A border is what is flat at the image's lowest value, touches the frame's edge and covers ``LEAST_BORDER`` of
    it. None where there is no such border.
    """
    lowest = (image <= np.float32(np.min(image) + FLAT)).astype(np.uint8)
    rim = np.concatenate([lowest[0], lowest[-1], lowest[:, 0], lowest[:, -1]])
    if rim.mean() < LEAST_BORDER:
        return None
    _, regions, stats, _ = cv2.connectedComponentsWithStats(lowest, connectivity=4)
    touching = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
    large = [n for n in touching if n and stats[n, cv2.CC_STAT_AREA] >= LEAST_BORDER * image.size]
    return ~np.isin(regions, large) if large else None


def orientation_field(
    image: NDArray[np.float32], sigma_px: float = 1.0, inside: NDArray[np.bool_] | None = None
) -> Complex:
    """Return the saturated double-angle gradient of a (H, W) image, complex64 (H, W), length 0 to 1.

    With z the complex gradient and m its typical length, the field is z² / (|z|² + m²): z² has twice the angle.
    It is 0 outside ``inside``, and along the border, where the smoothing has no pixels to look at.

    Source: double-angle representation of local orientation, Granlund & Knutsson, Signal Processing for
    Computer Vision (1995), ch. 6; orientation correlation, Fitch et al., BMVC 2002.
    """
    smooth = cv2.GaussianBlur(image, (0, 0), sigma_px)
    gx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    energy = gx * gx + gy * gy
    sample = energy.ravel()[::7]
    sample = np.sqrt(sample if inside is None else sample[inside.ravel()[::7]])
    typical = typical_gradient(sample)
    field = np.zeros(image.shape, np.complex64)
    if not np.isfinite(typical) or typical <= 1e-6:
        return field
    weight = 1 / (energy + np.float32(typical**2))
    edge = max(2, round(2 * sigma_px))
    usable = np.zeros(image.shape, np.uint8)
    usable[edge:-edge, edge:-edge] = 1 if inside is None else inside[edge:-edge, edge:-edge]
    if inside is not None:
        usable = np.asarray(cv2.erode(usable, np.ones((2 * edge + 1, 2 * edge + 1), np.uint8)))
    weight *= usable
    field.real = (gx * gx - gy * gy) * weight
    field.imag = 2 * gx * gy * weight
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
        (H, W), at least as large; 0 where it has no pixels.
    inside
        (H, W), 1 where the scene has pixels.

    Returns
    -------
    float32 (H - h + 1, W - w + 1); entry (y, x) is the template's upper left corner at scene pixel (x, y).
    """
    height, width = scene.shape
    h, w = template.shape
    shape = (fft.next_fast_len(height), fft.next_fast_len(width))
    rows, columns = height - h + 1, width - w + 1
    product = fft.ifft2(fft.fft2(scene, shape) * np.conj(fft.fft2(template, shape)))
    # the part of the template's energy that meets scene pixels, and the scene's under the template
    strength = fft.rfft2((template.real**2 + template.imag**2).astype(np.float32), shape)
    energy = fft.irfft2(fft.rfft2(inside, shape) * np.conj(strength), shape)[:rows, :columns]
    summed = cv2.integral((scene.real**2 + scene.imag**2).astype(np.float32), sdepth=cv2.CV_64F)
    power = summed[h:, w:] - summed[h:, :columns] - summed[:rows, w:] + summed[:rows, :columns]
    norm = np.sqrt(np.maximum(power, 1e-3) * np.maximum(energy, 1e-3))
    return np.asarray(product[:rows, :columns].real / np.maximum(norm, 1.0), np.float32)


def peaks(
    score: NDArray[np.float32], count: int, apart_px: int
) -> list[tuple[float, float, float]]:
    """Return the highest local maxima as (x, y, score), sub-pixel by a parabola, best first."""
    size = 2 * apart_px + 1
    highest = cv2.dilate(score, np.ones((size, size), np.uint8))
    ys, xs = np.nonzero((score >= highest) & (score > 0))
    order = np.argsort(-score[ys, xs], kind="stable")[:count]
    found = []
    for y, x in zip(ys[order], xs[order], strict=True):
        found.append(
            (
                x + parabola_vertex(score[y], x),
                y + parabola_vertex(score[:, x], y),
                float(score[y, x]),
            )
        )
    return found
