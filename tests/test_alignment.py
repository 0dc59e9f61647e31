"""Registration on a lattice with known transform: the answer moves as the input moves."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dd_livm_core.alignment import PairView, mission_consensus, register_pair, resample_visible
from dd_livm_core.panels import panel_mask_infrared
from dd_livm_core.rig import RigGeometry

SHAPE = (256, 320)
CENTRE = np.array([159.5, 127.5])


def scene(seed: int = 3, size: int = 640) -> NDArray[np.float32]:
    """A simulated field: rows of panels with frames, ends in view, on rough ground."""
    rng = np.random.default_rng(seed)
    field = cv2.GaussianBlur(rng.normal(0, 30, (size, size)).astype(np.float32), (0, 0), 2) + 60
    for top in range(40, size - 90, 110):
        left, right = int(rng.integers(20, 160)), int(rng.integers(480, 620))
        field[top : top + 60, left:right] = 150
        field[top : top + 60, left:right:34] = 90
        field[top + 29 : top + 31, left:right] = 90
    return cv2.GaussianBlur(field, (0, 0), 1.0)


def seen(
    field: NDArray[np.float32], matrix: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Photograph the field: ``matrix`` sends picture pixels to field pixels."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(field, matrix[:2], size, flags=flags), np.float32)


def pair(
    shift: tuple[float, float] = (0.0, 0.0), seed: int = 3, invert: bool = False
) -> tuple[PairView, NDArray[np.float64]]:
    """Return a pair with scale 1.25 and rotation 0.5°, and the true infrared → visible matrix."""
    field = scene(seed)
    visible_to_field = np.array([[1.0, 0, 80], [0, 1.0, 60], [0, 0, 1]])
    rig = RigGeometry(1.25, 0.5)
    truth = np.eye(3)
    truth[:2, :2] = rig.linear()
    truth[:2, 2] = np.array([240.0, 240.0]) + shift - rig.linear() @ CENTRE
    infrared = seen(field, visible_to_field @ truth, SHAPE[::-1])
    visible = np.repeat(np.clip(seen(field, visible_to_field, (480, 480)), 0, 255)[..., None], 3, 2)
    return PairView(
        "p", 255 - infrared if invert else infrared, visible.astype(np.uint8), False
    ), truth


def error_px(matrix: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    corners = np.array([[0, 0, 1], [319, 0, 1], [0, 255, 1], [319, 255, 1]], float)
    return float(np.abs((corners @ (matrix - truth).T)[:, :2]).max() / 1.25)


RIG = RigGeometry(1.25, 0.5)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (6.0, -4.0), (-11.3, 7.6)])
def test_the_answer_moves_with_the_input(shift: tuple[float, float]) -> None:
    view, truth = pair(shift)
    (alignment,) = mission_consensus([register_pair(view, RIG)])
    assert alignment.status == "aligned"
    assert error_px(alignment.matrix, truth) < 0.5


def test_palette_and_sign_of_contrast_do_not_matter() -> None:
    (plain,) = mission_consensus([register_pair(pair()[0], RIG)])
    (inverted,) = mission_consensus([register_pair(pair(invert=True)[0], RIG)])
    assert error_px(plain.matrix, inverted.matrix) < 0.1


def test_hotspots_do_not_move_the_answer() -> None:
    view, _ = pair()
    hot = view.infrared.copy()
    hot[100:112, 150:170] += 300
    (with_hotspot,) = mission_consensus(
        [register_pair(PairView("p", hot, view.visible, False), RIG)]
    )
    (without,) = mission_consensus([register_pair(view, RIG)])
    assert error_px(with_hotspot.matrix, without.matrix) < 0.1


def test_the_order_of_a_mission_does_not_matter() -> None:
    pairs = [register_pair(pair((2.0 * n, -n))[0], RIG) for n in range(4)]
    forward = mission_consensus(pairs)
    backward = mission_consensus(pairs[::-1])[::-1]
    for one, other in zip(forward, backward, strict=True):
        assert np.array_equal(one.matrix, other.matrix)
        assert one.status == other.status


def test_a_blank_image_fails_with_its_reason() -> None:
    view, _ = pair()
    blank = PairView("p", np.full(SHAPE, 20.0, np.float32), view.visible, False)
    (alignment,) = mission_consensus([register_pair(blank, RIG)])
    assert alignment.status == "failed"
    assert "blank" in alignment.reason


def test_resampling_by_the_true_matrix_shows_the_infrared_scene() -> None:
    view, truth = pair()
    brought = resample_visible(view.visible, truth, SHAPE)[..., 0].astype(float)
    inner = (slice(20, -20), slice(20, -20))
    assert np.corrcoef(brought[inner].ravel(), view.infrared[inner].ravel())[0, 1] > 0.99


def test_panels_are_found_among_rough_ground() -> None:
    field = scene()
    mask = panel_mask_infrared(field)
    truth = (
        cv2.morphologyEx(
            (np.abs(field - 150) < 8).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((9, 9))
        )
        > 0
    )
    assert (mask & truth).sum() / (mask | truth).sum() > 0.75


def test_no_panels_give_an_empty_mask() -> None:
    assert not panel_mask_infrared(np.full((120, 160), 25.0, np.float32)).any()
