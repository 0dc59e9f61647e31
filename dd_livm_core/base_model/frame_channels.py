"""Makes the base model's input of an infrared frame: what it shows, whatever the camera's unit, gain and palette."""

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

MODULE_PX = 28.0
"""Short side of a PV module on the grid that hotspots are looked for on, px. Chosen: a cell is 4 to 5 px there."""
PERCENTILES = (1.0, 50.0, 99.0)
"""The frame's range and middle; few hot or cold pixels do not move them."""
LEAST_RANGE = 1e-4
"""As a share of the level and in its unit: less is rounding."""
LEAST_SHARE_OF_RANGE = 0.01
"""Of the frame's range, added to local spreads, so that noise on even ground is not blown up."""


def frame_channels(values: Floats) -> Floats:
    """Return a frame's three channels, float32 (3, H, W), each about -3 to 3.

    Level in the frame; contrast within half a PV module, in local spreads; and fine contrast of a few pixels. None of
    them changes when the values are scaled or shifted.

    Parameters
    ----------
    values
        float32 (H, W), °C or grey, on the grid of `MODULE_PX`.
    """
    low, middle, high = (float(value) for value in np.percentile(values, PERCENTILES))
    span = max(high - low, LEAST_RANGE * abs(middle), LEAST_RANGE)
    level = 2 * np.clip((values - middle) / span, -1.5, 1.5)
    wide = _local_contrast(values, values, MODULE_PX / 2, span)
    smooth = np.asarray(cv2.GaussianBlur(values, (0, 0), 1.0), np.float32)
    fine = _local_contrast(smooth, values, MODULE_PX / 7, span)
    return np.stack([level, 0.6 * wide, 0.5 * fine]).astype(np.float32)


def _local_contrast(signal: Floats, values: Floats, sigma_px: float, span: float) -> Floats:
    """Return how far a signal stands above the mean of a neighbourhood, in spreads of two PV modules around."""
    above = signal - cv2.GaussianBlur(values, (0, 0), sigma_px)
    spread = np.sqrt(cv2.GaussianBlur(above * above, (0, 0), 2 * MODULE_PX))
    return np.asarray(np.clip(above / (spread + LEAST_SHARE_OF_RANGE * span), -6, 6), np.float32)
