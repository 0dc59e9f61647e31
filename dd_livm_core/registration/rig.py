"""The rig's geometry (scale, rotation, lens term) and how images are resampled with it.

The rig is the two cameras on one drone: what belongs to it is the same for all pairs of a mission.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.images import grey
from dd_livm_core.registration.orientation import known_pixels

Floats = NDArray[np.float64]
Image = NDArray[np.float32]

BLUR_SHRINK, BLUR_SIGMA = 1.3, 0.35
"""An image shrunk by more than the first factor is blurred before it is sampled, by a Gaussian whose sigma in px is the
second number times the factor. Common choices against aliasing, not measured on their own."""
LARGE_SHRINK, SHRINK_LEFT = 3.0, 1.5
"""An image shrunk by more than the first factor is averaged down until about the second is left, then blurred: that is
faster than blurring the whole image."""
LEAST_RADIAL = 1e-6
"""A smaller radial term moves no pixel of a frame 640 px wide by 0.001 px: the faster affine resampling serves."""
FULLY_KNOWN = 0.999
"""Share of known pixels from which an averaged pixel counts as known: all of them, but for rounding."""


@dataclass(frozen=True)
class RigGeometry:
    """The map from infrared to visible positions, but for the offset t of each pair.

    visible = scale · R(rotation) · d(infrared) + t, with d(x) = x + radial · r² · (x - c), where c is the infrared
    frame's centre and r the distance from c in half diagonals.

    Attributes
    ----------
    scale
        Visible pixels per infrared pixel.
    radial
        Difference of the two lenses' radial distortions, first order; positive moves corners outwards.
    """

    scale: float
    rotation_deg: float
    radial: float = 0.0

    def linear(self) -> Floats:
        """Return scale times rotation matrix, (2, 2)."""
        angle = np.radians(self.rotation_deg)
        c, s = np.cos(angle), np.sin(angle)
        return self.scale * np.array([[c, -s], [s, c]])

    def mean_linear(self, shape: tuple[int, ...]) -> Floats:
        """Return the (2, 2) map that comes nearest to this one over a frame of shape (H, W) without the radial term.

        Least squares over evenly spread points: the scale is larger by radial · E[r⁴] / E[r²].
        """
        x, y = np.square(frame_centre(shape)) / float(np.sum(frame_centre(shape) ** 2))
        fourth = (x * x + y * y) / 5 + 2 * x * y / 9
        return np.asarray(self.linear() * (1 + self.radial * fourth / ((x + y) / 3)))


@dataclass(frozen=True)
class VisibleFrame:
    """A visible image in grey, float32 (H, W), and which of its pixels the camera saw, bool (H, W) (None: all).

    The others are a flat border, as undistorting or turning an image leaves it.
    """

    image: Image
    known: NDArray[np.bool_] | None

    @classmethod
    def from_rgb(cls, visible: NDArray[np.uint8]) -> "VisibleFrame":
        """Make a frame of a visible image, uint8 (H, W, 3) RGB."""
        image = grey(visible)
        return cls(image, known_pixels(image))

    @property
    def shape(self) -> tuple[int, int]:
        """Return (H, W)."""
        return self.image.shape[0], self.image.shape[1]

    def mark_inside(self, matrix: Floats, size_px: tuple[int, int]) -> NDArray[np.bool_]:
        """Mark the pixels of a (width, height) infrared grid that the visible camera saw, bool (height, width).

        ``matrix`` (3, 3) maps infrared to visible pixels.
        """
        if self.known is None:
            return _mark_inside(self.shape, matrix, size_px)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(self.known.astype(np.uint8) * 255, matrix[:2], size_px, flags=flags)
        return np.asarray(seen == 255)

    def resize(self, size_px: tuple[int, int]) -> "VisibleFrame":
        """Return the frame averaged down to (width, height) pixels."""
        image = np.asarray(
            cv2.resize(self.image, size_px, interpolation=cv2.INTER_AREA), np.float32
        )
        if self.known is None:
            return VisibleFrame(image, None)
        share = cv2.resize(self.known.astype(np.float32), size_px, interpolation=cv2.INTER_AREA)
        return VisibleFrame(image, np.asarray(share > FULLY_KNOWN))


def frame_centre(shape: tuple[int, ...]) -> Floats:
    """Return the centre (x, y) of a frame of shape (H, W) in pixels, float64 (2,)."""
    return np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])


def distort(points_px: Floats, radial: float, shape: tuple[int, ...]) -> Floats:
    """Return infrared positions (..., 2), in px of a frame of shape (H, W), moved by the radial term."""
    away = points_px - frame_centre(shape)
    squared = np.sum(away**2, axis=-1, keepdims=True) / float(np.sum(frame_centre(shape) ** 2))
    return np.asarray(points_px + radial * squared * away)


def centred_matrix(linear: Floats, centre_px: Floats, infrared_shape: tuple[int, ...]) -> Floats:
    """Return the matrix (3, 3) with this linear part (2, 2) that maps the infrared frame's centre to ``centre_px``.

    ``centre_px`` (2,) is in visible pixels.
    """
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre_px - linear @ frame_centre(infrared_shape)
    return matrix


def shrink(image: NDArray[np.generic], step: int) -> tuple[NDArray[np.generic], Floats]:
    """Return an image averaged down by a whole number, and the (3, 3) matrix from its pixels to the original's."""
    width, height = image.shape[1] // step, image.shape[0] // step
    whole = np.asarray(image)[: height * step, : width * step]
    grown = np.diag([step, step, 1.0])
    grown[:2, 2] = (step - 1) / 2
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)), grown


def resample_to_infrared_grid(
    visible: NDArray[np.generic],
    matrix: Floats,
    size_px: tuple[int, int],
    radial: float = 0.0,
) -> NDArray[np.generic]:
    """Return a visible image resampled at the pixels of a (width, height) infrared grid, in its own dtype.

    ``matrix`` (3, 3) maps infrared to visible pixels, after the radial term. Where it shrinks the image, pixels are
    averaged first, so that fine texture does not alias. The result is black where the visible image has no pixels.
    """
    factor = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    if factor >= LARGE_SHRINK:
        step = int(factor / SHRINK_LEFT)
        smaller, grown = shrink(visible, step)
        back = np.asarray(np.linalg.solve(grown, matrix), np.float64)
        return resample_to_infrared_grid(smaller, back, size_px, radial)
    source = np.asarray(visible)
    if factor > BLUR_SHRINK:
        source = np.asarray(cv2.GaussianBlur(source, (0, 0), BLUR_SIGMA * factor))
    if abs(radial) < LEAST_RADIAL:
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(source, matrix[:2], size_px, flags=flags))
    maps = cv2.transform(_distorted_grid(size_px, radial), matrix[:2].astype(np.float32))
    return np.asarray(cv2.remap(source, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR))


@lru_cache(maxsize=2)
def _distorted_grid(size_px: tuple[int, int], radial: float) -> Image:
    """Return every pixel's position on a (width, height) grid after the radial term, float32 (height, width, 2).

    Cached: all pairs of a mission share it.
    """
    grid = np.stack(np.meshgrid(np.arange(size_px[0]), np.arange(size_px[1])), axis=-1)
    return distort(grid.astype(np.float64), radial, size_px[::-1]).astype(np.float32)


def _mark_inside(
    visible_shape: tuple[int, ...], matrix: Floats, size_px: tuple[int, int]
) -> NDArray[np.bool_]:
    """Mark the pixels of a (width, height) infrared grid that fall inside the visible frame, bool (height, width)."""
    height, width = visible_shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
    back = np.linalg.inv(matrix)
    outline = corners @ back[:2, :2].T + back[:2, 2]
    seen = np.zeros(size_px[::-1], np.uint8)
    cv2.fillConvexPoly(seen, np.rint(outline).astype(np.int32), 1)
    return seen > 0
