"""The truth of geometry, against OpenCV's own camera model."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dd_livm_core.fleet.cameras.views import (
    Camera,
    View,
    apply_homography,
    infrared_to_visible,
    look_down,
    similarity,
)
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair

CORNERS_M = np.array([[3.0, 4.0], [4.0, 4.0], [4.0, 5.6], [-2.0, 7.0], [8.0, -3.0]])


def projected_by_opencv(view: View, plane_m: np.ndarray) -> np.ndarray:
    """Project with cv2.projectPoints from the pose that cv2.solvePnP finds on its own."""
    camera = view.camera
    dense = np.stack(np.meshgrid(np.linspace(-9, 9, 7), np.linspace(-7, 7, 7)), -1).reshape(-1, 2)
    dense += view.position_m[:2]
    lifted = np.column_stack([dense, np.zeros(len(dense))])
    ideal = apply_homography(view.homography, dense)
    _, turn, shift = cv2.solvePnP(lifted, ideal, camera.matrix, None)
    points = np.column_stack([plane_m, np.zeros(len(plane_m))])
    lens = np.array([camera.k1, 0, 0, 0, 0])
    seen, _ = cv2.projectPoints(points, turn, shift, camera.matrix, lens)
    centre = -cv2.Rodrigues(turn)[0].T @ shift.ravel()
    np.testing.assert_allclose(centre * [1, 1, -1], view.position_m, atol=1e-4)
    return seen.reshape(-1, 2)


@settings(max_examples=25, deadline=None)
@given(
    heading=st.floats(-180, 180),
    pitch=st.floats(-12, 12),
    roll=st.floats(-5, 5),
    k1=st.floats(-0.3, 0.3),
)
def test_projection_agrees_with_opencv(
    heading: float, pitch: float, roll: float, k1: float
) -> None:
    camera = Camera(640, 512, 900, (319.5, 255.5), k1)
    view = look_down(camera, np.array([2.0, 3.0, 30.0]), heading, pitch, roll)
    np.testing.assert_allclose(
        view.project(CORNERS_M), projected_by_opencv(view, CORNERS_M), atol=2e-3
    )
    np.testing.assert_allclose(view.plane(view.project(CORNERS_M)), CORNERS_M, atol=1e-6)


def test_module_corners_reproject_within_a_tenth_of_a_pixel(
    mission: SimulatedMission, pair: RenderedPair
) -> None:
    step = np.array(mission.layout.step_m)
    corners = mission.layout.corner_px * step
    infrared, visible = pair.exposure.infrared, pair.exposure.visible
    seen = projected_by_opencv(infrared, corners)
    target = projected_by_opencv(visible, corners)
    mapped = apply_homography(pair.homography, seen)
    inside = ((seen > 0) & (seen < [640, 512])).all(axis=1)
    assert inside.sum() > 20
    assert np.abs(mapped - target)[inside].max() < 0.1


def test_scale_is_the_ratio_of_focal_lengths_and_rotation_the_rigs() -> None:
    infrared = Camera(640, 512, 900, (319.5, 255.5))
    visible = Camera(1280, 1024, 1260, (650.0, 500.0))
    place = np.array([0.0, 0.0, 30.0])
    homography, residual = infrared_to_visible(
        look_down(infrared, place, 20, 0, 0),
        look_down(visible, place + np.array([0.3, 0, 0]), 21.5, 0, 0),
    )
    scale, rotation = similarity(homography, (319.5, 255.5))
    assert scale == pytest.approx(1.4, rel=1e-9)
    assert rotation == pytest.approx(-1.5, abs=1e-6)
    assert residual < 1e-6


def test_what_the_lens_leaves_of_the_homography_is_stated() -> None:
    infrared = Camera(640, 512, 900, (319.5, 255.5), k1=-0.03)
    visible = Camera(1280, 1024, 1260, (639.5, 511.5), k1=0.0)
    place = np.array([0.0, 0.0, 30.0])
    views = look_down(infrared, place, 0, 0, 0), look_down(visible, place, 0, 0, 0)
    homography, residual = infrared_to_visible(*views)
    corner = np.array([[0.0, 0.0]])
    exact = views[1].project(views[0].plane(corner))
    left = np.linalg.norm(apply_homography(homography, corner) - exact) / 1.4
    assert 0.1 < left <= residual * 1.01


def test_the_sampling_map_is_exact_between_its_nodes() -> None:
    camera = Camera(640, 512, 900, (319.5, 255.5), k1=-0.03)
    view = look_down(camera, np.array([2.0, 3.0, 30.0]), 33, 11, 2)
    step = (0.02, 0.021)
    x, y = view.sampling_maps(step, (-40, 17))
    pixels = np.random.default_rng(0).integers(0, [640, 512], (400, 2))
    exact = view.plane(pixels.astype(float)) / step - [-40, 17]
    mapped = np.column_stack([x[pixels[:, 1], pixels[:, 0]], y[pixels[:, 1], pixels[:, 0]]])
    assert np.abs(mapped - exact).max() < 0.04


@settings(max_examples=25, deadline=None)
@given(heading=st.floats(-180, 180), pitch=st.floats(-25, 25), k1=st.floats(-0.2, 0.2))
def test_the_footprint_holds_every_pixel(heading: float, pitch: float, k1: float) -> None:
    """To a few raster pixels, the margin that the scenery is drawn with."""
    view = look_down(
        Camera(1280, 1024, 1000, (650.0, 500.0), k1), np.array([2.0, 3.0, 30.0]), heading, pitch, 2
    )
    step = 30 / 1000
    hull = cv2.convexHull((view.footprint() / step).astype(np.float32))
    x, y = view.sampling_maps((step, step), (0, 0))
    border = np.r_[0:1280:7, 1279]
    rim = [(x[j, i], y[j, i]) for i in border for j in (0, 1023)]
    rim += [(x[j, i], y[j, i]) for j in range(0, 1024, 7) for i in (0, 1279)]
    assert min(cv2.pointPolygonTest(hull, (float(a), float(b)), True) for a, b in rim) > -2
