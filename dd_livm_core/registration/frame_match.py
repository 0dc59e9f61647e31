"""Where an infrared frame fits in a visible one, at a given scale and rotation.

The constants were chosen on simulated missions (other seeds than the benchmark's) and on the real pairs;
``python -m benchmarks.alignment`` measures what they lead to.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.orientation import (
    Complex,
    correlate,
    known_pixels,
    orientation_field,
    peaks,
)
from dd_livm_core.registration.rig import (
    Floats,
    Image,
    RigGeometry,
    VisibleFrame,
    frame_centre,
    resample_to_infrared_grid,
)

COARSE_WIDTH_PX, COARSE_SIGMA_PX = 320, 1.8
"""Width to which the infrared frame is brought before it is searched for, and smoothing there: frames of PV modules are
still visible."""
PEAKS, PEAKS_APART = 24, 80
"""Candidate positions of a pair, and how far apart they lie: the frame's width over this (at least 3 px)."""
MARGIN, LEAST_MARGIN_PX = 0.2, 8
"""Share of the infrared frame by which it may stick out of the visible one, and how much larger than the infrared frame
the searched area is at least."""


def coarse_peaks(
    infrared: Image, visible: VisibleFrame, rig: RigGeometry, *, count: int = PEAKS
) -> list[tuple[Floats, float]]:
    """Return candidate positions (2,) of the infrared frame's centre in visible px, with scores, best first.

    ``infrared`` is float32 (H, W); it is searched for at ``COARSE_WIDTH_PX``.
    """
    template = make_template(infrared, COARSE_WIDTH_PX, COARSE_SIGMA_PX)
    step = infrared.shape[1] / COARSE_WIDTH_PX
    score, _, to_visible = match(
        template, visible, rig.mean_linear(infrared.shape) * step, COARSE_SIGMA_PX
    )
    corner = frame_centre(template.shape)
    return [
        (to_visible[:2, :2] @ (np.array([x, y]) + corner) + to_visible[:2, 2], value)
        for x, y, value in peaks(score, count, max(3, COARSE_WIDTH_PX // PEAKS_APART))
    ]


def make_template(infrared: Image, width_px: int, sigma_px: float) -> Complex:
    """Return the orientation field of an infrared frame (H, W) brought to ``width_px``, complex64 (h, width_px)."""
    size = (width_px, round(infrared.shape[0] * width_px / infrared.shape[1]))
    small = np.asarray(cv2.resize(infrared, size, interpolation=cv2.INTER_AREA), np.float32)
    return orientation_field(small, sigma_px, known_pixels(small))


def match(
    template: Complex, visible: VisibleFrame, linear: Floats, sigma_px: float
) -> tuple[Image, Image, Floats]:
    """Return the correlation of an infrared frame with a visible one at every shift.

    Parameters
    ----------
    template
        The infrared frame's orientation field.
    linear
        (2, 2), pixels of the template to visible pixels.

    Returns
    -------
    The correlation, float32 (h, w), -1 to 1; the share of the infrared frame's energy that it rests on, float32 (h, w);
    and the (3, 3) matrix from their pixels, where the template's upper left corner lies, to visible pixels.
    """
    size = (template.shape[1], template.shape[0])
    field, inside, to_visible = _visible_field(visible, linear, size, sigma_px)
    score, share = correlate(template, field, inside)
    return score, share, to_visible


def _visible_field(
    visible: VisibleFrame, linear: Floats, size: tuple[int, int], sigma_px: float
) -> tuple[Complex, NDArray[np.float32], Floats]:
    """Return the orientation field of the visible frame as the infrared camera's pixels would show it.

    Parameters
    ----------
    linear
        (2, 2), pixels of the field to visible pixels.
    size
        (width, height) of the infrared frame that is searched for; the field is larger by a margin.

    Returns
    -------
    The field (h, w), 1 where the visible camera saw something, float32 (h, w), and the (3, 3) matrix to visible pixels.
    """
    height, width = visible.shape
    extent = np.abs(np.linalg.inv(linear)) @ np.array([width, height])
    least = np.array(size) + LEAST_MARGIN_PX
    out = np.maximum(np.ceil(extent + 2 * MARGIN * np.array(size)), least).astype(int)
    to_visible = np.eye(3)
    to_visible[:2, :2] = linear
    to_visible[:2, 2] = frame_centre(visible.shape) - linear @ ((out - 1) / 2)
    frame = (int(out[0]), int(out[1]))
    resampled = resample_to_infrared_grid(visible.image, to_visible, frame)
    inside = visible.mark_inside(to_visible, frame)
    field = orientation_field(np.asarray(resampled, np.float32), sigma_px, inside)
    return field, inside.astype(np.float32), to_visible
