"""Orientation fields: edges count by direction alone, and correlate where they lie on each other."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dd_livm_core.registration.orientation import (
    correlate,
    known_pixels,
    orientation_field,
    peaks,
)


def make_image(seed: int = 0, shape: tuple[int, int] = (90, 120)) -> NDArray[np.float32]:
    noise = np.random.default_rng(seed).normal(0, 40, shape).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(noise, (0, 0), 2) + 100, np.float32)


@pytest.mark.parametrize("change", ["inverted", "stronger", "offset"])
def test_sign_and_strength_of_contrast_drop_out(change: str) -> None:
    image = make_image()
    other = {"inverted": 255 - image, "stronger": 3 * image, "offset": image + 50}[change]
    np.testing.assert_allclose(
        orientation_field(other.astype(np.float32)), orientation_field(image), atol=2e-4
    )


def test_perpendicular_edges_are_opposite() -> None:
    """Twice the angle: edges across each other differ by half a turn in the field."""
    ramp = np.tile(np.arange(40, dtype=np.float32), (40, 1))
    across, down = orientation_field(ramp)[20, 20], orientation_field(ramp.T.copy())[20, 20]
    assert across.real > 0
    assert down == pytest.approx(-across, abs=1e-6)


def test_a_hotspot_weighs_no_more_than_a_frame() -> None:
    image = make_image()
    image[40:50, 60:70] += 1000
    assert np.abs(orientation_field(image)).max() <= 1


def test_a_flat_image_has_no_edges() -> None:
    assert not orientation_field(np.full((40, 50), 20.0, np.float32)).any()


def test_a_part_correlates_best_where_it_was_cut_out() -> None:
    field = orientation_field(make_image())
    score = correlate(field[30:70, 25:85].copy(), field, np.ones(field.shape, np.float32))[0]
    assert np.unravel_index(np.argmax(score), score.shape) == (30, 25)
    assert score.max() == pytest.approx(1, abs=1e-3)
    assert np.sort(score.ravel())[-200] < 0.6


def test_a_flat_border_is_not_known_and_a_dark_spot_inside_is() -> None:
    image = make_image()
    assert known_pixels(image) is None
    image[:, :15] = image[50:60, 60:75] = 0
    known = known_pixels(image)
    assert known is not None
    assert not known[:, :15].any()
    assert known[:, 15:].all()


def test_peaks_are_sub_pixel_and_apart() -> None:
    y, x = np.mgrid[:40, :60].astype(np.float32)
    score = np.zeros((40, 60), np.float32)
    for centre_x, centre_y, height in ((20.3, 15.4, 1.0), (23.0, 15.0, 0.7), (45.0, 30.0, 0.5)):
        distance = (x - centre_x) ** 2 + (y - centre_y) ** 2
        score = np.maximum(score, height * np.exp(-distance / 8))
    (x0, y0, first), (x1, y1, second) = peaks(score, 5, 6)
    assert (x0, y0) == pytest.approx((20.3, 15.4), abs=0.1)
    assert (x1, y1) == pytest.approx((45, 30), abs=0.1)
    assert first > second
    assert len(peaks(score, 1, 6)) == 1
