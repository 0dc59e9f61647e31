"""The rig: scale, rotation and lens from infrared to visible, which a mission's pairs share."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.images import grey
from dd_livm_core.registration.orientation import known_part

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

LARGE_SHRINK = 3.0
"""From here on an image is averaged down before it is blurred and resampled: blurring it whole would take longer."""


@dataclass(frozen=True)
class RigGeometry:
    """How infrared positions become visible ones, but for the offset.

    visible = scale · R(rotation) · d(infrared) + t, with d(x) = x + radial · r² · (x - c): c is the frame's centre
    and r the distance from it in half diagonals. ``radial`` is what the two lenses' distortions leave between them.
    """

    scale: float
    rotation_deg: float
    radial: float = 0.0

    def linear(self) -> Floats:
        """Return scale times rotation, (2, 2)."""
        angle = np.radians(self.rotation_deg)
        c, s = np.cos(angle), np.sin(angle)
        return self.scale * np.array([[c, -s], [s, c]])


@dataclass(frozen=True)
class Scene:
    """A visible frame to look in: grey float32 (H, W), and which of its pixels the camera saw (None: all)."""

    image: Image
    known: NDArray[np.bool_] | None

    @classmethod
    def of(cls, visible: NDArray[np.uint8]) -> "Scene":
        """Make a scene of a visible image, uint8 (H, W, 3) RGB."""
        image = grey(visible)
        return cls(image, known_part(image))

    @property
    def shape(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.image.shape[0], self.image.shape[1]

    def inside(self, matrix: Floats, size_px: tuple[int, int]) -> NDArray[np.bool_]:
        """Mark the pixels of a (width, height) infrared grid where the visible camera saw something."""
        if self.known is None:
            return inside_on_infrared_grid(self.shape, matrix, size_px)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(self.known.astype(np.uint8) * 255, matrix[:2], size_px, flags=flags)
        return np.asarray(seen == 255)

    def shrunk(self, size_px: tuple[int, int]) -> "Scene":
        """Return the scene in fewer pixels (width, height)."""
        image = np.asarray(
            cv2.resize(self.image, size_px, interpolation=cv2.INTER_AREA), np.float32
        )
        if self.known is None:
            return Scene(image, None)
        share = cv2.resize(self.known.astype(np.float32), size_px, interpolation=cv2.INTER_AREA)
        return Scene(image, np.asarray(share > 0.999))


def middle(shape: tuple[int, ...]) -> Floats:
    """Return the centre (x, y) of a frame of shape (H, W)."""
    return np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])


def bend(points_px: Floats, radial: float, shape: tuple[int, ...]) -> Floats:
    """Apply the radial term to infrared positions (..., 2) of a frame of shape (H, W)."""
    away = points_px - middle(shape)
    squared = np.sum(away**2, axis=-1, keepdims=True) / float(np.sum(middle(shape) ** 2))
    return np.asarray(points_px + radial * squared * away)


def similarity(
    rig: RigGeometry, centre_in_visible: Floats, infrared_shape: tuple[int, ...]
) -> Floats:
    """Return the (3, 3) matrix that sends the infrared frame's centre to a visible point."""
    matrix = np.eye(3)
    matrix[:2, :2] = rig.linear()
    matrix[:2, 2] = centre_in_visible - rig.linear() @ middle(infrared_shape)
    return matrix


def shrunk_by(image: NDArray[np.generic], step: int) -> tuple[NDArray[np.generic], Floats]:
    """Average an image down by a whole number; return it and the (3, 3) matrix from its pixels to the original's."""
    width, height = image.shape[1] // step, image.shape[0] // step
    whole = np.asarray(image)[: height * step, : width * step]
    grown = np.diag([step, step, 1.0])
    grown[:2, 2] = (step - 1) / 2
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)), grown


def on_infrared_grid(
    visible: NDArray[np.generic],
    matrix: Floats,
    size_px: tuple[int, int],
    radial: float = 0.0,
) -> NDArray[np.generic]:
    """Resample a visible image at the pixels of a (width, height) infrared grid; area-averaged when shrinking.

    Black where the visible image has no pixels.
    """
    shrink = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if shrink >= LARGE_SHRINK:
        step = int(shrink / 1.5)
        smaller, grown = shrunk_by(visible, step)
        back = np.asarray(np.linalg.solve(grown, matrix), np.float64)
        return on_infrared_grid(smaller, back, size_px, radial)
    source = np.asarray(visible)
    if shrink > 1.3:
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.35 * shrink))
    if abs(radial) < 1e-6:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(source, matrix[:2], size_px, flags=flags))
    maps = cv2.transform(_bent_grid(size_px, radial), matrix[:2].astype(np.float32))
    return np.asarray(cv2.remap(source, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR))


@lru_cache(maxsize=2)
def _bent_grid(size_px: tuple[int, int], radial: float) -> Image:
    """Return the bent positions of every pixel of a (width, height) grid, float32 (h, w, 2): a mission shares them."""
    grid = np.stack(np.meshgrid(np.arange(size_px[0]), np.arange(size_px[1])), axis=-1)
    return bend(grid.astype(np.float64), radial, size_px[::-1]).astype(np.float32)


def inside_on_infrared_grid(
    visible_shape: tuple[int, ...], matrix: Floats, size_px: tuple[int, int]
) -> NDArray[np.bool_]:
    """Mark the pixels of a (width, height) infrared grid that fall inside the visible frame, bool (h, w)."""
    height, width = visible_shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
    back = np.linalg.inv(matrix)
    outline = corners @ back[:2, :2].T + back[:2, 2]
    seen = np.zeros(size_px[::-1], np.uint8)
    cv2.fillConvexPoly(seen, np.rint(outline).astype(np.int32), 1)
    return seen > 0
