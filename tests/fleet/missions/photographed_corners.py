"""Corners of PV modules as both simulated cameras photograph them, against the stored truth."""

import cv2
import numpy as np

from dd_livm_core.fleet.cameras.sensors import InfraredSampler, view_window
from dd_livm_core.fleet.cameras.views import apply_homography
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.truth_files import geometry_row

_REACH_PX = 6
"""Half the side of the square in which a dot's centre is sought."""


def map_by_stored_truth(row: dict[str, object], infrared_px: np.ndarray) -> np.ndarray:
    """Map infrared pixels (n, 2) to visible ones with nothing but a row of ``truth.parquet``."""
    views = {}
    for name in ("infrared", "visible"):
        centre = np.array([row[f"{name}_cx_px"], row[f"{name}_cy_px"]])
        matrix = np.array(row[f"{name}_plane_homography"]).reshape(3, 3)
        views[name] = centre, row[f"{name}_focal_px"], row[f"{name}_k1"], matrix
    centre, focal, k1, matrix = views["infrared"]
    camera = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1]])
    lens = np.array([k1, 0, 0, 0, 0])
    criteria = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 100, 1e-12)
    ideal = cv2.undistortPoints(
        infrared_px[:, None], camera, lens, R=np.eye(3), P=camera, criteria=criteria
    )
    plane = apply_homography(np.linalg.inv(matrix), ideal[:, 0].astype(float))
    centre, focal, k1, matrix = views["visible"]
    ray = (apply_homography(matrix, plane) - centre) / focal
    return centre + focal * ray * (1 + k1 * (ray**2).sum(axis=1, keepdims=True))


def find_dot_centres(image: np.ndarray, near: np.ndarray, reach: int) -> np.ndarray:
    """Return the centre (n, 2) of the dot next to each point."""
    found = []
    for x, y in np.round(near).astype(int):
        part = np.clip(image[y - reach : y + reach + 1, x - reach : x + reach + 1], 0, None)
        offset = np.arange(-reach, reach + 1)
        weight = max(part.sum(), 1e-9)
        found.append((x + (part.sum(0) @ offset) / weight, y + (part.sum(1) @ offset) / weight))
    return np.array(found)


def _keep_far_apart(points: np.ndarray, distance: float) -> np.ndarray:
    """Keep one point in each second cell of a grid, so that no dot touches another."""
    cell = np.floor(points / distance).astype(int)
    _, first = np.unique(cell, axis=0, return_index=True)
    return points[first[(cell[first] % 2 == 0).all(axis=1)]]


def measure_corner_errors_px(mission: SimulatedMission, pair: RenderedPair) -> np.ndarray:
    """Return how far the stored truth brings each photographed corner from where it should, in infrared pixels: (n,).

    Dots at corners of PV modules pass through the very sampling that makes the images; the stored truth must bring
    the infrared dots onto the visible ones. Empty where no corner is in both views.
    """
    step = mission.layout.step_m
    infrared, visible = pair.exposure.infrared, pair.exposure.visible
    window = view_window(visible, step, margin_px=20)
    corners = np.unique(mission.layout.corner_px, axis=0) - window.origin
    inside = ((corners > 20) & (corners < [window.width - 20, window.height - 20])).all(axis=1)
    pixel = pair.module_px[0] / mission.layout.tile_px[0]
    corners = _keep_far_apart(corners[inside], (3 * _REACH_PX) / pixel)
    layer = np.zeros((window.height, window.width), np.float32)
    layer[corners[:, 1], corners[:, 0]] = 1
    layer = cv2.GaussianBlur(layer, (0, 0), 1.6) * 1000
    seen = InfraredSampler(infrared, step, window, 0.4).sample(layer)
    maps = visible.sampling_maps(step, (window.x, window.y))
    photographed = cv2.remap(layer, *maps, cv2.INTER_LINEAR)
    places = (corners + window.origin) * np.array(step)
    expected = infrared.project(places)
    reach = _REACH_PX
    keep = ((expected > reach + 2) & (expected < np.array([640, 512]) - reach - 3)).all(axis=1)
    if not keep.any():
        return np.empty(0)
    row = geometry_row(pair)
    measured = find_dot_centres(seen, expected[keep], reach)
    target = find_dot_centres(photographed, visible.project(places)[keep], reach)
    error = np.linalg.norm(map_by_stored_truth(row, measured) - target, axis=1)
    return np.asarray(error / float(row["scale"]))  # type: ignore[arg-type]
