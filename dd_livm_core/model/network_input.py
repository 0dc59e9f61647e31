"""What the network sees: excess temperature, never raw grey or palette; colour relative to the panels."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

EXCESS_SCALE_K = 3.0
"""Excess at which the response starts to flatten: severity matters, but a fire must not drown a warm cell."""


def infrared_input(excess: NDArray[np.generic], mask: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return (2, H, W): compressed excess inside the panels, and the panel mask.

    Parameters
    ----------
    excess
        (H, W) in K, or in robust units of the panels where the file holds no temperature.
    mask
        (H, W), 1 on panels.
    """
    inside = np.asarray(mask, np.float32)
    compressed = np.arcsinh(np.asarray(excess, np.float32) / EXCESS_SCALE_K)
    return np.stack([np.clip(compressed, -3, 4), inside])


def visible_input(visible: NDArray[np.generic], mask: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return (3, H, W): colour relative to the panels' own median and spread.

    Exposure and white balance differ between sites and cameras; the healthy panel is the reference in view.
    """
    colour = np.asarray(visible, np.float32)
    inside = np.asarray(mask) > 0.5
    reference = colour[inside] if inside.sum() > 200 else colour.reshape(-1, 3)
    middle = np.median(reference[::4], axis=0)
    spread = float(np.median(np.abs(reference[::4] - middle))) + 6.0
    return np.ascontiguousarray(
        np.clip((colour - middle) / (3 * spread), -3, 5).transpose(2, 0, 1), np.float32
    )


def prepare(
    excess: NDArray[np.floating],
    visible: NDArray[np.uint8],
    panel_mask: NDArray[np.bool_],
    size_px: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one pair's input, float32 infrared (2, h, w) and visible (3, h, w).

    Parameters
    ----------
    excess
        (H, W) in K, or in robust units of the panels.
    visible
        (H, W, 3) RGB on the same grid.
    panel_mask
        (H, W).
    size_px
        Width and height that the network sees.
    """
    mask = resize(np.asarray(panel_mask, np.float32), size_px)
    return (
        infrared_input(resize(np.asarray(excess, np.float32), size_px), mask),
        visible_input(resize(np.asarray(visible), size_px), mask),
    )


def resize(image: NDArray[Any], size_px: tuple[int, int]) -> NDArray[Any]:
    """Return an image at (width, height), averaged over areas."""
    return np.asarray(cv2.resize(image, size_px, interpolation=cv2.INTER_AREA))
