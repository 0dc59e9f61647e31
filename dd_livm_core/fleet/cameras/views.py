"""Geometry of two cameras on one drone: poses, projection, and the map of infrared to visible pixels."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NODE_PX = 16
"""Spacing of the points where maps are exact; linear between, they err by under 0.04 raster px (tests hold it)."""
_NEWTON_STEPS = 12
"""For k1 up to ±0.3, projecting a point and mapping it back agree to 1e-6 m (tests hold it)."""


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with one radial distortion term; pixel centres lie at integers.

    Parameters
    ----------
    centre_px
        Principal point (x, y).
    k1
        A ray at radius r (in focal lengths) is seen at r·(1 + k1·r²).
    """

    width_px: int
    height_px: int
    focal_px: float
    centre_px: tuple[float, float]
    k1: float = 0.0

    @property
    def matrix(self) -> Array:
        """Return the camera matrix (3, 3), in pixels."""
        (x, y), f = self.centre_px, self.focal_px
        return np.array([[f, 0, x], [0, f, y], [0, 0, 1.0]])


@dataclass(frozen=True)
class View:
    """A camera that looks at the plane of the PV modules.

    Parameters
    ----------
    camera
        Intrinsics and distortion.
    homography
        (3, 3): plane in metres (along the row, across it) → pixels before lens distortion.
    position_m
        (3,): along the row, across it, height over the plane.
    """

    camera: Camera
    homography: Array
    position_m: Array

    def project(self, plane_m: Array) -> Array:
        """Map points (n, 2) of the plane, in metres, to pixels (n, 2), distortion included."""
        return self.distort(apply_homography(self.homography, plane_m))

    def distort(self, ideal_px: Array) -> Array:
        """Map pixels (n, 2) of an ideal pinhole to those behind the lens."""
        centre = np.asarray(self.camera.centre_px)
        ray = (ideal_px - centre) / self.camera.focal_px
        radius2 = np.sum(ray**2, axis=-1, keepdims=True)
        distorted: Array = centre + (ideal_px - centre) * (1 + self.camera.k1 * radius2)
        return distorted

    def undistort(self, image_px: Array) -> Array:
        """Map pixels (n, 2) behind the lens to those of an ideal pinhole, by Newton's method on the radius."""
        centre = np.asarray(self.camera.centre_px)
        seen = (image_px - centre) / self.camera.focal_px
        radius_seen = np.linalg.norm(seen, axis=-1, keepdims=True)
        k1, radius = self.camera.k1, radius_seen.copy()
        for _ in range(_NEWTON_STEPS):
            excess = radius * (1 + k1 * radius**2) - radius_seen
            radius -= excess / np.maximum(1 + 3 * k1 * radius**2, 0.05)
        ideal: Array = centre + (image_px - centre) / (1 + k1 * radius**2)
        return ideal

    def plane(self, image_px: Array) -> Array:
        """Map image pixels (n, 2) to points (n, 2) of the plane, in metres."""
        back: Array = np.asarray(np.linalg.inv(self.homography), dtype=np.float64)
        return apply_homography(back, self.undistort(image_px))

    def footprint(self) -> Array:
        """Return the border of the image on the plane, (68, 2) in metres, in no order."""
        w, h = self.camera.width_px, self.camera.height_px
        x, y = np.linspace(-0.5, w - 0.5, 17), np.linspace(-0.5, h - 0.5, 17)
        border = [(a, b) for a in x for b in (y[0], y[-1])] + [
            (a, b) for a in (x[0], x[-1]) for b in y
        ]
        return self.plane(np.array(border))

    def sampling_maps(
        self, step_m: tuple[float, float], origin_px: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return where each image pixel lies in a raster of the plane: x and y, (h, w) each, for ``cv2.remap``.

        The maps are exact at the nodes and linear between them.

        Parameters
        ----------
        step_m
            Raster spacing along and across the row, in metres.
        origin_px
            Raster index of the raster's first column and row.
        """
        raster = self.nodes_m / np.asarray(step_m) - np.asarray(origin_px)
        return self.between_nodes(raster[..., 0]), self.between_nodes(raster[..., 1])

    @cached_property
    def nodes_m(self) -> Array:
        """Return the nodes on the plane, (rows, columns, 2) in metres: image points 16 px apart, border included."""
        w, h = self.camera.width_px, self.camera.height_px
        x = (np.arange(-1, w // NODE_PX + 2) + 0.5) * NODE_PX - 0.5
        y = (np.arange(-1, h // NODE_PX + 2) + 0.5) * NODE_PX - 0.5
        nodes = np.stack(np.meshgrid(x, y), axis=-1)
        return self.plane(nodes.reshape(-1, 2)).reshape(nodes.shape)

    def between_nodes(self, values: Array) -> NDArray[np.float32]:
        """Interpolate values at the nodes (rows, columns) linearly to every pixel of the image (h, w)."""
        w, h = self.camera.width_px, self.camera.height_px
        size = (values.shape[1] * NODE_PX, values.shape[0] * NODE_PX)
        fine = np.asarray(cv2.resize(values.astype(np.float32), size), dtype=np.float32)
        return np.ascontiguousarray(fine[NODE_PX : NODE_PX + h, NODE_PX : NODE_PX + w])


def apply_homography(homography: Array, points: Array) -> Array:
    """Map points (n, 2) by a (3, 3) homography."""
    lifted = points @ homography[:, :2].T + homography[:, 2]
    mapped: Array = lifted[..., :2] / lifted[..., 2:]
    return mapped


def look_down(
    camera: Camera, centre_m: Array, heading_deg: float, pitch_deg: float, roll_deg: float
) -> View:
    """Return the view of a camera placed over the plane.

    Parameters
    ----------
    camera
        Intrinsics.
    centre_m
        (3,): along the row, across it, and height over the plane, in metres.
    heading_deg, pitch_deg, roll_deg
        Rotation about the optical axis, and its lean about the image's x and y axis.
    """
    heading, pitch, roll = np.radians([heading_deg, pitch_deg, roll_deg])
    c, s = np.cos(heading), np.sin(heading)
    yaw = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])
    lean_x = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    lean_y = np.array(
        [[np.cos(roll), 0, np.sin(roll)], [0, 1, 0], [-np.sin(roll), 0, np.cos(roll)]]
    )
    rotation = lean_x @ lean_y @ yaw
    centre = np.array([centre_m[0], centre_m[1], -centre_m[2]])
    outer = np.column_stack([rotation[:, 0], rotation[:, 1], -rotation @ centre])
    return View(camera, camera.matrix @ outer, np.asarray(centre_m, dtype=np.float64))


def infrared_to_visible(infrared: View, visible: View) -> tuple[Array, float]:
    """Return the homography (3, 3) from infrared to visible pixels, and its largest error in infrared pixels.

    It holds on the plane of the PV modules: exactly where neither lens distorts, else as the
    least-squares fit over the infrared frame.
    """
    w, h = infrared.camera.width_px, infrared.camera.height_px
    grid = np.stack(np.meshgrid(np.linspace(0, w - 1, 17), np.linspace(0, h - 1, 13)), axis=-1)
    seen = grid.reshape(-1, 2)
    target = visible.project(infrared.plane(seen))
    exact = visible.homography @ np.linalg.inv(infrared.homography)
    exact = exact / exact[2, 2]
    if infrared.camera.k1 or visible.camera.k1:
        exact = np.asarray(cv2.findHomography(seen, target, 0)[0], dtype=np.float64)
    scale = similarity(exact, (w / 2, h / 2))[0]
    residual = np.linalg.norm(apply_homography(exact, seen) - target, axis=1).max() / scale
    return exact, float(residual)


def similarity(homography: Array, at_px: tuple[float, float]) -> tuple[float, float]:
    """Return a homography's scale, and its rotation in degrees, at one point."""
    point = np.array([at_px])
    step = np.array([[0.5, 0], [0, 0.5]])
    jacobian = (
        apply_homography(homography, point + step) - apply_homography(homography, point - step)
    ).T
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    turn = np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])
    return scale, float(np.degrees(turn))
