"""Pairs of a simulated field under a known transform, for tests of registration."""

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.rig import RigGeometry

SHAPE = (256, 320)
CENTRE = np.array([159.5, 127.5])


def render_field(seed: int = 3, size: int = 640) -> NDArray[np.float32]:
    """Render a simulated field: rows of panels with frames, ends in view, on rough ground."""
    rng = np.random.default_rng(seed)
    field = cv2.GaussianBlur(rng.normal(0, 30, (size, size)).astype(np.float32), (0, 0), 2) + 60
    for top in range(40, size - 90, 110):
        left, right = int(rng.integers(20, 160)), int(rng.integers(480, 620))
        field[top : top + 60, left:right] = 150
        field[top : top + 60, left:right:34] = 90
        field[top + 29 : top + 31, left:right] = 90
    return cv2.GaussianBlur(field, (0, 0), 1.0)


def photograph(
    field: NDArray[np.float32], matrix: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Photograph the field: ``matrix`` sends picture pixels to field pixels."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(field, matrix[:2], size, flags=flags), np.float32)


def make_pair(
    shift: tuple[float, float] = (0.0, 0.0), seed: int = 3, invert: bool = False
) -> tuple[PairView, NDArray[np.float64]]:
    """Return a pair with scale 1.25 and rotation 0.5°, and the true infrared → visible matrix."""
    field = render_field(seed)
    visible_to_field = np.array([[1.0, 0, 80], [0, 1.0, 60], [0, 0, 1]])
    rig = RigGeometry(1.25, 0.5)
    truth = np.eye(3)
    truth[:2, :2] = rig.linear()
    truth[:2, 2] = np.array([240.0, 240.0]) + shift - rig.linear() @ CENTRE
    infrared = photograph(field, visible_to_field @ truth, SHAPE[::-1])
    visible = np.repeat(
        np.clip(photograph(field, visible_to_field, (480, 480)), 0, 255)[..., None], 3, 2
    )
    return PairView(
        "p", 255 - infrared if invert else infrared, visible.astype(np.uint8), False
    ), truth
