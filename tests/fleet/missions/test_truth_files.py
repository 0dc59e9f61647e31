"""Corresponding points of both images, where the lenses bend: against OpenCV's camera model."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.fleet.cameras.views import View, apply_homography
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.truth_files import (
    read_correspondences,
    read_truth_arrays,
    read_views,
)
from dd_livm_core.fleet.missions.writing import FLEET_SIZES, write_fleet
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.station.layout import lay_out
from tests.fleet.missions.photographed_corners import measure_corner_errors_px

PAIR = "DJI_0002"


@pytest.fixture(scope="module")
def bent(profile: Profile) -> Profile:
    """The small station under two lenses that distort by several pixels."""
    return profile.model_copy(
        update={
            "infrared_camera": profile.infrared_camera.model_copy(update={"k1": -0.09}),
            "visible_camera": profile.visible_camera.model_copy(update={"k1": 0.05}),
        }
    )


@pytest.fixture(scope="module")
def truth_dir(bent: Profile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bent")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FLEET_SIZES, "tiny", 2)
        write_fleet(root / "data", profiles=[bent], seed=5, truth_root=root / "truth")
    return root / "truth/test_plain/flight01"


def photographed(view: View, plane_m: np.ndarray) -> np.ndarray:
    """Project points of the plane with OpenCV, from the pose that the homography holds."""
    camera = view.camera
    pose = np.linalg.inv(camera.matrix) @ view.homography
    pose /= np.linalg.norm(pose[:, 0])
    turn = np.column_stack([pose[:, 0], pose[:, 1], np.cross(pose[:, 0], pose[:, 1])])
    points = np.column_stack([plane_m, np.zeros(len(plane_m))])
    lens = np.array([camera.k1, 0, 0, 0, 0])
    seen, _ = cv2.projectPoints(points, cv2.Rodrigues(turn)[0], pose[:, 2], camera.matrix, lens)
    return seen.reshape(-1, 2)


def test_module_corners_reproject_within_a_tenth_of_a_pixel_under_the_stored_cameras(
    truth_dir: Path, bent: Profile
) -> None:
    infrared, visible = read_views(truth_dir, PAIR)
    layout = lay_out(bent, 5)
    corners = layout.corner_px * np.array(layout.step_m)
    seen = photographed(infrared, corners)
    inside = ((seen > 0) & (seen < [639, 511])).all(axis=1)
    assert inside.sum() > 20
    mapped = visible.project(infrared.plane(seen[inside]))
    exact = photographed(visible, corners[inside])
    assert np.abs(mapped - exact).max() < 1e-3
    row = pd.read_parquet(truth_dir / "truth.parquet").iloc[1]
    matrix = row[[f"h{i}{j}" for i in range(3) for j in range(3)]].to_numpy(float).reshape(3, 3)
    fitted = np.linalg.norm(apply_homography(matrix, seen[inside]) - exact, axis=1)
    assert fitted.max() > 1  # why the homography alone is no truth here


def test_photographed_corners_lie_where_the_stored_truth_says(
    mission: SimulatedMission, pair: RenderedPair, bent: Profile
) -> None:
    bent_mission = SimulatedMission(bent, 0, 4, seed=5)
    for flown, seen in ((mission, pair), (bent_mission, bent_mission.render(1))):
        errors_px = measure_corner_errors_px(flown, seen)
        assert len(errors_px) > 10
        assert errors_px.max() < 0.1


def test_correspondences_are_the_same_places_on_pv_modules_in_both_images(truth_dir: Path) -> None:
    seen, target = read_correspondences(truth_dir, PAIR)
    assert seen.shape == target.shape
    assert len(seen) >= 50
    assert np.ptp(seen, axis=0).min() > 200
    mask, _, _ = read_truth_arrays(truth_dir / f"{PAIR}.npz")
    assert mask[seen[:, 1].astype(int), seen[:, 0].astype(int)].all()
    infrared, visible = read_views(truth_dir, PAIR)
    places = infrared.plane(seen)
    assert np.abs(photographed(infrared, places) - seen).max() < 0.1
    assert np.abs(photographed(visible, places) - target).max() < 0.1
    assert (target >= 0).all()
    assert (target <= [1279, 1023]).all()


def test_a_pair_without_truth_is_refused(truth_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="DJI_0099"):
        read_correspondences(truth_dir, "DJI_0099")
    with pytest.raises(InputError, match=r"truth\.parquet"):
        read_correspondences(tmp_path, PAIR)
