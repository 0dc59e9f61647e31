"""Make the network's input: excess temperature, never raw grey or palette; colour relative to the panels.

`prepare` is the one way into the network. Training augments between its two halves, `resize_to_input` and `encode`.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

EXCESS_SCALE_K = 3.0
"""asinh(excess / 3 K) is nearly linear below and logarithmic above: severity shows, and the hottest cells do not dwarf
warm ones. Chosen, not measured."""
INFRARED_RANGE = (-3.0, 4.0)
"""The flattened excess is clipped to this: -30 to 82 K, more than panels show."""
ENOUGH_PANEL_PX = 200
"""With up to so many panel pixels the reference for colour is the whole frame. Chosen."""
MEDIAN_STEP = 4
"""Every fourth pixel of the reference enters its median: enough for it, and quicker."""
LEAST_SPREAD = 6.0
"""Grey levels added to the panels' spread, so that noise on even panels is not blown up. Chosen."""
SPREADS = 3.0
"""A colour this many spreads from the panels' median becomes 1. Chosen."""
COLOUR_RANGE = (-3.0, 5.0)
"""Colours in that unit are clipped to this: wide enough for white cracks or droppings to differ from dust."""


@dataclass(frozen=True)
class PairPixels:
    """One pair at the network's input size.

    Attributes
    ----------
    excess
        (h, w) float32 in K; multiples of the panels' spread where the file holds no temperatures.
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
    visible: NDArray[np.uint8] | None,
    panel_mask: NDArray[np.bool_],
    size_px: tuple[int, int],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one pair's input, float32 infrared (2, h, w) and visible (3, h, w).

    Parameters
    ----------
    excess
        (H, W) in K; multiples of the panels' spread where the file holds no temperatures.
    visible
        (H, W, 3) uint8 RGB on the same grid. None gives what one of a single colour gives, 0 everywhere: colours are
        relative to the panels' median.
    panel_mask
        (H, W) bool.
    size_px
        Width w and height h of the network's input.
    """
    if visible is None:
        visible = np.zeros((*np.shape(panel_mask), 3), np.uint8)
    return encode(resize_to_input(excess, visible, panel_mask, size_px))


def resize_to_input(
    excess: NDArray[np.floating],
    visible: NDArray[np.uint8],
    panel_mask: NDArray[np.bool_],
    size_px: tuple[int, int],
) -> PairPixels:
    """Return one pair resized to the network's input by averaging areas; parameters as of `prepare`.

    A pixel is panel where more than half of its area is.
    """
    share = _resize(np.asarray(panel_mask, np.float32), size_px)
    return PairPixels(
        np.asarray(_resize(np.asarray(excess, np.float32), size_px), np.float32),
        np.asarray(_resize(np.asarray(visible), size_px), np.uint8),
        share > 0.5,
    )


def encode(pixels: PairPixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the network's input of a resized pair: float32 infrared (2, h, w) and visible (3, h, w)."""
    return (
        _encode_infrared(pixels.excess, pixels.panel_mask),
        _encode_visible(pixels.visible, pixels.panel_mask),
    )


def _encode_infrared(
    excess: NDArray[np.float32], panel_mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return float32 (2, h, w): the flattened excess, 0 off panels; and the panel mask, 0 or 1."""
    flattened = np.clip(np.arcsinh(excess / EXCESS_SCALE_K), *INFRARED_RANGE)
    return np.stack([np.where(panel_mask, flattened, 0), panel_mask]).astype(np.float32)


def _encode_visible(
    visible: NDArray[np.uint8], panel_mask: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return colour relative to the panels' median and spread, float32 (3, h, w).

    Exposure and white balance differ between sites and cameras; the panels are a reference in every frame.
    """
    colour = np.asarray(visible, np.float32)
    on_panels = panel_mask.sum() > ENOUGH_PANEL_PX
    reference = (colour[panel_mask] if on_panels else colour.reshape(-1, 3))[::MEDIAN_STEP]
    middle = np.median(reference, axis=0)
    spread = float(np.median(np.abs(reference - middle))) + LEAST_SPREAD
    relative = np.clip((colour - middle) / (SPREADS * spread), *COLOUR_RANGE)
    return np.ascontiguousarray(relative.transpose(2, 0, 1), np.float32)


def _resize(image: NDArray[Any], size_px: tuple[int, int]) -> NDArray[Any]:
    """Return an image resized to width and height by averaging areas."""
    return np.asarray(cv2.resize(image, size_px, interpolation=cv2.INTER_AREA))
