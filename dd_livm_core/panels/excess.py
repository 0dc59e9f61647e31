"""Excess temperature: how much warmer than the healthy panel every panel pixel is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.errors import InputError
from dd_livm_core.panels.baseline import healthy_baseline, robust_spread

Floats = NDArray[np.floating[Any]]
_GREY_STEP_SPREAD = 0.5
"""Least spread in grey levels: below it a panel is flat and only the step of 8 bits shows."""


def excess_temperature(
    infrared: Floats, panel_mask: NDArray[np.bool_], radiometric: bool
) -> NDArray[np.float32]:
    """Return how much warmer than the healthy panel every panel pixel is.

    The healthy panel is what :func:`dd_livm_core.panels.baseline.healthy_baseline` returns: one level for each row of
    connected panels, and a shading common to the frame.

    Parameters
    ----------
    infrared
        (H, W) float: °C, or grey values.
    panel_mask
        (H, W) bool.
    radiometric
        Whether ``infrared`` is in °C.

    Returns
    -------
    (H, W) float32: kelvin when radiometric, otherwise multiples of the panels' robust spread (at least half a grey
    level). 0 off the panels and on NaN; 0 everywhere when the panels are constant or absent.

    Raises
    ------
    InputError
        Shapes differ.
    """
    values = np.asarray(infrared, np.float32)
    require_same_shape(values, panel_mask, "excess_temperature")
    valid = np.asarray(panel_mask, bool) & np.isfinite(values)
    excess = np.zeros(values.shape, np.float32)
    if not valid.any():
        return excess
    filled = np.where(valid, values, np.float32(0))
    excess[valid] = (filled - healthy_baseline(filled, valid))[valid]
    if not radiometric:
        excess /= np.float32(max(robust_spread(excess[valid]), _GREY_STEP_SPREAD))
    return excess


def require_same_shape(values: Floats, mask: NDArray[np.bool_], where: str) -> None:
    """Refuse an image and a mask that are not (H, W) of one shape; ``where`` is the function that was called.

    Raises
    ------
    InputError
        The shapes differ or are not two-dimensional.
    """
    if values.ndim != 2 or values.shape != np.shape(mask):
        raise InputError(
            "an image (H, W) and a mask of the same shape",
            f"{values.shape} and {np.shape(mask)}",
            where,
            "Pass one infrared frame and its panel mask.",
        )
