"""What the network sees: excess temperature, never raw grey or palette; colour relative to the panels.

`prepare` is the one way into the network. Training changes pixels between its two halves, `at_input_size` and
`encode`.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

EXCESS_SCALE_K = 3.0
"""Excess at which the response starts to flatten: severity matters, but a fire must not drown a warm cell."""
INFRARED_RANGE = (-3.0, 4.0)
"""Of the flattened excess: -30 to 82 K, more than panels show."""
ENOUGH_PANEL_PX = 200
"""Panel pixels from which their colour is a reference; with fewer the whole frame is."""
EVERY = 4
"""Of the reference's pixels one in so many is looked at: its median needs no more."""
LEAST_SPREAD = 6.0
"""Grey levels added to the panels' spread, so that noise of even panels is not blown up."""
SPREADS = 3.0
"""Spreads of the panels that become 1."""
COLOUR_RANGE = (-3.0, 5.0)
"""Of the colour in that unit: a white crack or droppings stay apart from dust."""


@dataclass(frozen=True)
class PairPixels:
    """One pair at the network's input size.

    Attributes
    ----------
    excess
        (h, w) float32 in K, or in robust units of the panels.
    visible
        (h, w, 3) uint8 RGB.
    panel_mask
        (h, w) bool.
    """

    excess: NDArray[np.float32]
    visible: NDArray[np.uint8]
    panel_mask: NDArray[np.bool_]


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
        (H, W) in K, or in robust units of the panels where the file holds no temperature.
    visible
        (H, W, 3) RGB on the same grid.
    panel_mask
        (H, W).
    size_px
        Width and height that the network sees.
    """
    return encode(at_input_size(excess, visible, panel_mask, size_px))


def at_input_size(
    excess: NDArray[np.floating],
    visible: NDArray[np.uint8],
    panel_mask: NDArray[np.bool_],
    size_px: tuple[int, int],
) -> PairPixels:
    """Return one pair at the network's input size, averaged over areas; parameters as of `prepare`.

    A pixel is panel where more than half of its area is.
    """
    share = _resize(np.asarray(panel_mask, np.float32), size_px)
    return PairPixels(
        np.asarray(_resize(np.asarray(excess, np.float32), size_px), np.float32),
        np.asarray(_resize(np.asarray(visible), size_px), np.uint8),
        share > 0.5,
    )


def encode(pixels: PairPixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the input of a pair at the network's size: float32 infrared (2, h, w) and visible (3, h, w)."""
    return (
        _encode_infrared(pixels.excess, pixels.panel_mask),
        _encode_visible(pixels.visible, pixels.panel_mask),
    )


def _encode_infrared(
    excess: NDArray[np.float32], panel_mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return (2, h, w): flattened excess on the panels and 0 elsewhere; the panel mask."""
    flattened = np.clip(np.arcsinh(excess / EXCESS_SCALE_K), *INFRARED_RANGE)
    return np.stack([np.where(panel_mask, flattened, 0), panel_mask]).astype(np.float32)


def _encode_visible(
    visible: NDArray[np.uint8], panel_mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return (3, h, w): colour relative to the panels' own median and spread.

    Exposure and white balance differ between sites and cameras; the healthy panel is the reference in view.
    """
    colour = np.asarray(visible, np.float32)
    on_panels = panel_mask.sum() > ENOUGH_PANEL_PX
    reference = (colour[panel_mask] if on_panels else colour.reshape(-1, 3))[::EVERY]
    middle = np.median(reference, axis=0)
    spread = float(np.median(np.abs(reference - middle))) + LEAST_SPREAD
    relative = np.clip((colour - middle) / (SPREADS * spread), *COLOUR_RANGE)
    return np.ascontiguousarray(relative.transpose(2, 0, 1), np.float32)


def _resize(image: NDArray[Any], size_px: tuple[int, int]) -> NDArray[Any]:
    return np.asarray(cv2.resize(image, size_px, interpolation=cv2.INTER_AREA))
