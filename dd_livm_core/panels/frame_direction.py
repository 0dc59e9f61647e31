"""Direction of the frames of PV modules in an image, and the image turned so that they stand upright.

Frames run in two perpendicular directions. In the mean of exp(4iθ) over gradient directions θ both add up, and so
do the two flanks of one frame.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gradient = NDArray[np.complexfloating[Any, Any]]


def fourfold_mean(gradient: Gradient) -> complex:
    """Return the mean of exp(4iθ) over gradients, weighted by their strength; 0 where there is none.

    Its angle is four times the frames' direction; its length is 0 for grass and near 1 for clean frames.

    Parameters
    ----------
    gradient
        Complex, any shape: derivative along x plus i times that along y.

    Source: structure tensors of fourfold symmetry, Bigün, "Optimal orientation detection of linear symmetry",
    ICCV 1987, with the angle doubled once more.
    """
    strength = np.abs(gradient)
    total = float(strength.sum())
    if total <= 0:
        return 0j
    return complex((gradient**4 / np.maximum(strength**3, 1e-9)).sum() / total)


def direction_deg(gradient: Gradient) -> float:
    """Return the direction of the frames, -45 to 45 degrees clockwise from the x axis; 0 without gradients.

    Parameters
    ----------
    gradient
        As of :func:`fourfold_mean`.
    """
    return float(np.degrees(np.angle(fourfold_mean(gradient))) / 4)


def typical_gradient(strength: NDArray[np.floating[Any]]) -> float:
    """Return the gradient strength above which an edge stands out, in the unit of ``strength``; 0 for no pixels.

    Twice the median lies above the noise where most pixels are flat. A quarter of the mean is added for images of few
    grey levels, where most pixels are exactly flat and the median is 0.
    """
    return 2 * float(np.median(strength)) + 0.25 * float(strength.mean()) if strength.size else 0.0


def upright_turn(shape: tuple[int, int], turn_deg: float) -> tuple[NDArray[np.float64], int]:
    """Return the affine map, float64 (2, 3), that turns an image about its middle, and the side of the square it fills.

    Parameters
    ----------
    shape
        Height and width of the image in pixels.
    turn_deg
        As from :func:`direction_deg`: frames then run along x and y.
    """
    height, width = shape
    side = int(np.ceil(np.hypot(height, width)))
    middle = ((width - 1) / 2, (height - 1) / 2)
    turn = np.asarray(cv2.getRotationMatrix2D(middle, turn_deg, 1.0), np.float64)
    turn[:, 2] += np.array([side - width, side - height]) / 2
    return turn, side
