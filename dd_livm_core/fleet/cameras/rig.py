"""Two cameras on one drone: poses, projection, and the exact infrared → visible map."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NODE_PX = 16


@dataclass(frozen=True)
class Camera:
    """A pinhole with one radial term; principal point in pixels, pixel centres at integers."""

    width_px: int
    height_px: int
    focal_px: float
    centre_px: tuple[float, float]
    k1: float = 0.0

    @property
    def matrix(self) -> Array:
        """Return the camera matrix (3, 3)."""
        (x, y), f = self.centre_px, self.focal_px
        return np.array([[f, 0, x], [0, f, y], [0, 0, 1.0]])


@dataclass(frozen=True)
class View:
    """A camera looking at the plane of the PV modules.

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
        """Apply the lens to ideal pixels (n, 2)."""
        centre = np.asarray(self.camera.centre_px)
        ray = (ideal_px - centre) / self.camera.focal_px
        radius2 = np.sum(ray**2, axis=-1, keepdims=True)
        distorted: Array = centre + (ideal_px - centre) * (1 + self.camera.k1 * radius2)
        return distorted

    def undistort(self, image_px: Array) -> Array:
        """Take the lens out of pixels (n, 2), by Newton's method on the radius."""
        centre = np.asarray(self.camera.centre_px)
        seen = (image_px - centre) / self.camera.focal_px
        radius_seen = np.linalg.norm(seen, axis=-1, keepdims=True)
        k1, radius = self.camera.k1, radius_seen.copy()
        for _ in range(12):
            excess = radius * (1 + k1 * radius**2) - radius_seen
            radius -= excess / np.maximum(1 + 3 * k1 * radius**2, 0.05)
        ideal: Array = centre + (image_px - centre) / (1 + k1 * radius**2)
        return ideal

    def plane(self, image_px: Array) -> Array:
        """Map image pixels (n, 2) back onto the plane, in metres."""
        back: Array = np.asarray(np.linalg.inv(self.homography), dtype=np.float64)
        return apply_homography(back, self.undistort(image_px))

    def footprint(self) -> Array:
        """Return the image border on the plane (n, 2), in metres."""
        w, h = self.camera.width_px, self.camera.height_px
        x, y = np.linspace(-0.5, w - 0.5, 17), np.linspace(-0.5, h - 0.5, 17)
        border = [(a, b) for a in x for b in (y[0], y[-1])] + [
            (a, b) for a in (x[0], x[-1]) for b in y
        ]
        return self.plane(np.array(border))

    def sampling_maps(
        self, step_m: tuple[float, float], origin_px: tuple[int, int]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return where each image pixel lies in a raster of the plane, for ``cv2.remap``.

        The map is exact on a 16-pixel grid and linear between, which costs under 0.04 raster px.

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
        """Where image points 16 px apart, border included, lie on the plane: (rows, columns, 2)."""
        w, h = self.camera.width_px, self.camera.height_px
        x = (np.arange(-1, w // NODE_PX + 2) + 0.5) * NODE_PX - 0.5
        y = (np.arange(-1, h // NODE_PX + 2) + 0.5) * NODE_PX - 0.5
        nodes = np.stack(np.meshgrid(x, y), axis=-1)
        return self.plane(nodes.reshape(-1, 2)).reshape(nodes.shape)

    def between_nodes(self, values: Array) -> NDArray[np.float32]:
        """Bring values at the nodes (rows, columns) onto every pixel of the image (h, w)."""
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
    """Place a camera over the plane.

    Parameters
    ----------
    camera
        Intrinsics.
    centre_m
        (3,): along the row, across it, and height over the plane, in metres.
    heading_deg, pitch_deg, roll_deg
        Rotation about the optical axis, and the axis' lean about image x and y.
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
    """Return the homography (3, 3) that best maps infrared to visible pixels, and its residual.

    Without lens distortion it is exact on the plane of the PV modules. With distortion it is the
    least-squares fit over the infrared frame; the second value is what that leaves, at most, in
    infrared pixels.
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
    """Return scale and rotation in degrees of a homography at one point."""
    point = np.array([at_px])
    step = np.array([[0.5, 0], [0, 0.5]])
    jacobian = (
        apply_homography(homography, point + step) - apply_homography(homography, point - step)
    ).T
    scale = float(np.sqrt(abs(np.linalg.det(jacobian))))
    turn = np.arctan2(jacobian[1, 0] - jacobian[0, 1], jacobian[0, 0] + jacobian[1, 1])
    return scale, float(np.degrees(turn))
