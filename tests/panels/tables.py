"""Two tables of PV modules with dark frames, for tests of masks, directions and lattices."""

import cv2
import numpy as np
from numpy.typing import NDArray

PERIOD_PX = (42.0, 25.0)


def tables(turn_deg: float = 0.0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return image and mask of two tables on plain ground, out of step with each other, turned clockwise."""
    image = np.full((300, 420), 10.0, np.float32)
    mask = np.zeros(image.shape, bool)
    for top, left in ((40, 30), (170, 47)):
        mask[top : top + 100, left : left + 336] = True
        image[top : top + 100, left : left + 336] = 40
        for line in np.arange(0, 337, PERIOD_PX[0]):
            image[top : top + 100, left + int(line) : left + int(line) + 2] = 32
        for line in np.arange(0, 101, PERIOD_PX[1]):
            image[top + int(line) : top + int(line) + 2, left : left + 336] = 32
    turn = cv2.getRotationMatrix2D((209.5, 149.5), -turn_deg, 1.0)
    turned = cv2.warpAffine(image, turn, (420, 300), borderValue=10)
    inside = cv2.warpAffine(mask.astype(np.uint8), turn, (420, 300)) > 0
    return np.asarray(turned, np.float32), np.asarray(inside)
