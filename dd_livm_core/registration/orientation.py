"""Orientation fields: the directions of edges, which infrared and visible images share, and their correlation.

Each pixel gets a complex number. Its angle is twice the gradient's angle, so that edges from dark to bright and from
bright to dark count as the same. Its length is the edge's strength, saturated, so that a hotspot or a white roof weighs
no more than a panel's frame.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from dd_livm_core.panels.frame_direction import typical_gradient
from dd_livm_core.panels.lattice import parabola_vertex

Complex = NDArray[np.complex64]
LEAST_BORDER = 0.004
"""Share of the frame's edge, and of its area, from which a flat region is a border; less may be a dead pixel or deep
shadow. Chosen on turned and undistorted images."""
FLAT = 1e-3
"""Grey values or °C that a pixel of a border may differ from the image's lowest value: rounding only."""
TYPICAL_STEP = 7
"""Every so many pixels count for the typical gradient: enough for its median and mean, and faster."""
LEAST_GRADIENT = 1e-6
"""An image whose typical gradient is smaller is flat."""
LEAST_ENERGY, LEAST_NORM = 1e-3, 1.0
"""Least energy of either field, and least norm, that a correlation is divided by: where hardly any edge meets another,
noise would correlate perfectly."""


def known_pixels(image: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Mark the pixels of a (H, W) image that a camera saw, bool (H, W), or return None where it saw all.

    The others are a border, as undistorting or turning an image leaves it: flat at the image's lowest value, touching
    the frame's edge, and at least ``LEAST_BORDER`` of the frame.
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

    With z the complex gradient of the image smoothed by ``sigma_px``, and m the typical |z|, the field is
    z² / (|z|² + m²): z² has twice the angle. It is 0 outside ``inside`` (None: all is inside), along the edge of the
    frame and of ``inside``, where the smoothing lacks pixels, and everywhere in a flat image.

    Source: double-angle representation of local orientation, Granlund & Knutsson, Signal Processing for
    Computer Vision (1995), ch. 6; orientation correlation, Fitch et al., BMVC 2002.
    """
    smooth = cv2.GaussianBlur(image, (0, 0), sigma_px)
    gx = cv2.Scharr(smooth, cv2.CV_32F, 1, 0)
    gy = cv2.Scharr(smooth, cv2.CV_32F, 0, 1)
    energy = gx * gx + gy * gy
    sample = energy.ravel()[::TYPICAL_STEP]
    sample = np.sqrt(sample if inside is None else sample[inside.ravel()[::TYPICAL_STEP]])
    typical = typical_gradient(sample)
    field = np.zeros(image.shape, np.complex64)
    if not np.isfinite(typical) or typical <= LEAST_GRADIENT:
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
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the correlation of two orientation fields at every shift, and how much of the template it rests on.

    Parameters
    ----------
    template
        complex64 (h, w).
    scene
        complex64 (H, W), at least as large; 0 where it has no pixels.
    inside
        float32 (H, W), 1 where the scene has pixels, else 0.

    Returns
    -------
    Two float32 arrays (H - h + 1, W - w + 1). Entry (y, x) has the template's upper left corner at scene pixel (x, y).
    The correlation, -1 to 1, counts only the part of the template that meets scene pixels in its norm; the second array
    is that part's share of the template's energy, 0 to 1.

    Source: Fitch et al., Orientation correlation, BMVC 2002; normalisation by running sums as in Lewis, Fast
    normalized cross-correlation, 1995.
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
    norm = np.sqrt(np.maximum(power, LEAST_ENERGY) * np.maximum(energy, LEAST_ENERGY))
    score = np.asarray(product[:rows, :columns].real / np.maximum(norm, LEAST_NORM), np.float32)
    whole = max(float((template.real**2 + template.imag**2).sum()), LEAST_ENERGY)
    return score, np.asarray(np.clip(energy / whole, 0, 1), np.float32)


def peaks(
    score: NDArray[np.float32], count: int, apart_px: int
) -> list[tuple[float, float, float]]:
    """Return up to ``count`` of the highest positive local maxima as (x, y, score), best first.

    A maximum is the highest within ``apart_px`` in x and y; x and y are sub-pixel, by a parabola through neighbours.
    """
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
