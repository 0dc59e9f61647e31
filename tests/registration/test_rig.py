"""The rig's geometry, and images resampled with it."""

import cv2
import numpy as np
import pytest

from dd_livm_core.registration.rig import (
    RigGeometry,
    VisibleFrame,
    centred_matrix,
    distort,
    frame_centre,
    resample_to_infrared_grid,
    shrink,
)

SHAPE = (64, 80)


def test_the_rig_scales_and_turns() -> None:
    linear = RigGeometry(2.0, 90.0).linear()
    np.testing.assert_allclose(linear @ [1, 0], [0, 2], atol=1e-12)


def test_the_centre_of_the_infrared_frame_goes_where_it_is_said() -> None:
    matrix = centred_matrix(RigGeometry(1.7, 3.0).linear(), np.array([200.0, 150.0]), SHAPE)
    np.testing.assert_allclose(matrix @ [*frame_centre(SHAPE), 1], [200, 150, 1])


def test_the_lens_term_moves_corners_by_its_share_and_the_centre_not_at_all() -> None:
    corner, centre = np.zeros(2), frame_centre(SHAPE)
    np.testing.assert_allclose(distort(corner, 0.01, SHAPE) - centre, 1.01 * (corner - centre))
    np.testing.assert_allclose(distort(centre, 0.01, SHAPE), centre)


def test_shrinking_keeps_positions() -> None:
    """A ramp tells where each pixel of the smaller image lies in the original."""
    ramp = np.tile(np.arange(83, dtype=np.float32), (50, 1))
    smaller, grown = shrink(ramp, 4)
    assert smaller.shape == (12, 20)
    x, _, _ = grown @ [7, 3, 1]
    assert smaller[3, 7] == pytest.approx(x)


@pytest.mark.parametrize("scale", [0.8, 1.25, 2.0, 5.0])
@pytest.mark.parametrize("radial", [0.0, 0.02])
def test_resampling_reads_where_the_matrix_points(scale: float, radial: float) -> None:
    side = int(80 * scale * 1.4)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    matrix = centred_matrix(RigGeometry(scale, 2.0).linear(), frame_centre((side, side)), SHAPE)
    points = np.array([[40, 30], [20, 15], [60, 50]])
    moved = distort(points.astype(float), radial, SHAPE) @ matrix[:2, :2].T + matrix[:2, 2]
    for image, expected in ((x, moved[:, 0]), (y, moved[:, 1])):
        grid = resample_to_infrared_grid(image, matrix, SHAPE[::-1], radial)
        assert grid.shape == SHAPE
        np.testing.assert_allclose(grid[points[:, 1], points[:, 0]], expected, atol=0.05 * scale)


def test_pixels_off_the_visible_frame_are_not_inside() -> None:
    seen = np.random.default_rng(1).integers(1, 255, (100, 100, 3), np.uint8)
    shifted = np.array([[1.0, 0, -20], [0, 1, 0], [0, 0, 1]])
    inside = VisibleFrame.from_rgb(seen).mark_inside(shifted, (80, 64))
    assert not inside[:, :20].any()
    assert inside[:, 20:].all()


def test_a_border_from_turning_is_not_inside() -> None:
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(120, 60, (120, 120)), (0, 0), 2)
    turned = cv2.warpAffine(
        np.clip(texture, 1, 255).astype(np.uint8),
        cv2.getRotationMatrix2D((59.5, 59.5), 10, 1.0),
        (120, 120),
    )
    inside = VisibleFrame.from_rgb(np.repeat(turned[..., None], 3, 2)).mark_inside(
        np.eye(3), (120, 120)
    )
    assert not inside[:3, :3].any()
    assert inside[40:80, 40:80].all()
