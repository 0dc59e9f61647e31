"""Excess over the healthy panel: slopes, shadows, warm rows, bad input."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.panels.baseline import robust_spread
from dd_livm_core.panels.excess import excess_temperature
from tests.panel_rows import add, row_of_panels


def _row(mask: np.ndarray, number: int) -> np.ndarray:
    """Return the pixels of one of the rows that begin every 45 px."""
    rows = np.zeros(mask.shape, bool)
    rows[20 + 45 * number : 50 + 45 * number] = True
    return rows & mask


class TestExcess:
    def test_is_zero_on_healthy_panels_and_the_defect_s_kelvin_on_it(self):
        image, mask = row_of_panels()
        add(image, 0, 3, "block", 8.0)
        excess = excess_temperature(image, mask, True)
        assert excess.dtype == np.float32
        assert abs(np.median(excess[mask])) < 0.05
        assert np.median(excess[25:65, 115:135]) == pytest.approx(8.0, abs=0.15)
        assert not excess[~mask].any()

    def test_a_row_that_is_warm_as_a_whole_stands_out_of_many(self):
        rng = np.random.default_rng(3)
        image = np.full((300, 400), 20.0)
        mask = np.zeros(image.shape, bool)
        for k in range(6):
            mask[20 + 45 * k : 50 + 45 * k, 20:380] = True
        image[mask] = 40.0
        image += rng.normal(0, 0.2, image.shape)
        string = excess_temperature(np.where(mask, image, 20) + 3.0 * _row(mask, 2), mask, True)
        assert np.median(string[_row(mask, 2)]) == pytest.approx(3.0, abs=0.1)
        half = sum(_row(mask, k) for k in (0, 1, 2)) > 0  # one side of a roof
        roof = excess_temperature(np.where(mask, image, 20) + 3.0 * half, mask, True)
        assert abs(np.median(roof[half])) < 0.1

    def test_a_warm_row_stands_out_of_levels_that_rise_over_the_frame(self):
        rng = np.random.default_rng(4)
        image, mask = np.full((400, 300), 20.0), np.zeros((400, 300), bool)
        for k in range(8):
            mask[20 + 45 * k : 50 + 45 * k, 20:280] = True
        image[mask] = 40.0
        image += 0.008 * np.arange(400)[:, None] + rng.normal(0, 0.5, image.shape)
        warm = excess_temperature(image + 2.5 * _row(mask, 1), mask, True)
        assert np.median(warm[_row(mask, 1)]) == pytest.approx(2.5, abs=0.3)
        assert abs(np.median(warm[_row(mask, 6)])) < 0.2

    def test_each_row_has_its_own_level(self):
        image, mask = row_of_panels()
        image[100:] += 6
        excess = excess_temperature(image, mask, True)
        for rows in (slice(20, 71), slice(110, 161)):
            assert abs(np.median(excess[rows][mask[rows]])) < 0.1

    def test_a_slope_over_the_frame_is_no_excess(self):
        image, mask = row_of_panels()
        y, x = np.mgrid[:180, :280]
        sloped = image + (0.02 * x - 0.01 * y).astype(np.float32)
        excess = excess_temperature(sloped, mask, True)
        assert np.percentile(np.abs(excess[30:60, 25:45]), 50) < 0.4
        assert abs(np.median(excess[30:60, 25:45]) - np.median(excess[30:60, 235:255])) < 0.4

    def test_a_third_of_the_row_open_does_not_move_the_baseline(self):
        image, mask = row_of_panels()
        for column in (1, 2, 5):
            add(image, 0, column, "block", 6.0)
        excess = excess_temperature(image, mask, True)
        assert np.median(excess[25:65, 175:195]) == pytest.approx(6.0, abs=0.4)

    def test_an_open_string_along_most_of_the_only_row_is_what_is_warm(self):
        image, mask = row_of_panels()
        mask[100:] = False
        for column in range(3, 8):
            add(image, 0, column, "block", 3.5)
        excess = excess_temperature(image, mask, True)
        assert np.median(excess[25:65, 175:195]) == pytest.approx(3.5, abs=0.5)
        assert abs(np.median(excess[25:65, 55:75])) < 0.5

    @pytest.mark.parametrize("between", [20.0, np.nan])
    def test_gaps_between_panels_are_not_their_healthy_part(self, between):
        rng = np.random.default_rng(6)
        image, mask = np.full((256, 320), between), np.zeros((256, 320), bool)
        for top in range(10, 246, 28):
            mask[top : top + 24, 5:315] = True
        image[mask] = 40 + rng.normal(0, 0.1, mask.sum())
        excess = excess_temperature(image, mask, True)
        assert abs(np.median(excess[mask])) < 0.05

    def test_a_shadow_over_a_part_of_one_row_does_not_make_the_rest_warm(self):
        image, mask = row_of_panels()
        image[20:71, 20:110] -= 4.0
        excess = excess_temperature(image, mask, True)
        assert abs(np.median(excess[25:65, 175:195])) < 0.5
        assert np.median(excess[25:65, 55:75]) == pytest.approx(-4.0, abs=0.5)

    @pytest.mark.parametrize("offset", [-25.0, 0.0, 60.0])
    def test_does_not_depend_on_the_level_also_below_zero(self, offset):
        image, mask = row_of_panels()
        add(image, 0, 3, "point")
        shifted = excess_temperature(image + np.float32(offset - 40), mask, True)
        np.testing.assert_allclose(shifted, excess_temperature(image, mask, True), atol=2e-3)

    def test_relative_units_ignore_gain_and_level(self):
        image, mask = row_of_panels()
        add(image, 0, 3, "block")
        one = excess_temperature(3 * image, mask, False)
        np.testing.assert_allclose(excess_temperature(9 * image + 20, mask, False), one, atol=0.02)
        assert robust_spread(one[mask]) == pytest.approx(1.0, abs=0.01)

    @pytest.mark.parametrize("radiometric", [True, False])
    def test_constant_empty_and_nan(self, radiometric):
        flat = np.full((40, 50), 31.0, np.float32)
        everywhere, nowhere = np.ones(flat.shape, bool), np.zeros(flat.shape, bool)
        assert np.abs(excess_temperature(flat, everywhere, radiometric)).max() < 1e-4
        assert not excess_temperature(flat, nowhere, radiometric).any()
        assert not excess_temperature(np.full_like(flat, np.nan), everywhere, radiometric).any()
        image, mask = row_of_panels()
        image[30, 40] = np.nan
        assert np.isfinite(excess_temperature(image, mask, radiometric)).all()
        assert excess_temperature(image, mask, radiometric)[30, 40] == 0

    def test_one_pixel_of_panel(self):
        mask = np.zeros((9, 9), bool)
        mask[4, 4] = True
        assert not excess_temperature(np.ones((9, 9), np.float32), mask, True).any()

    def test_shapes_must_agree(self):
        with pytest.raises(InputError, match="same shape"):
            excess_temperature(np.zeros((4, 5), np.float32), np.ones((5, 4), bool), True)


@pytest.mark.real_data
@pytest.mark.skipif("DD_LIVM_REAL_DATA" not in os.environ, reason="DD_LIVM_REAL_DATA is not set")
def test_real_panels_are_flat_in_relative_units():
    frames = sorted((Path(os.environ["DD_LIVM_REAL_DATA"]) / "pv_pairs" / "T").glob("*.JPG"))[::20]
    assert frames
    for path in frames:
        grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert grey is not None
        # Panels are the largest bright, smooth areas: enough to look at their level.
        bright = (cv2.GaussianBlur(grey, (0, 0), 3) > 150).astype(np.uint8)
        panels = cv2.erode(bright, np.ones((9, 9), np.uint8)).astype(bool)
        if panels.sum() < 5000:
            continue
        excess = excess_temperature(grey.astype(np.float32), panels, False)
        assert np.isfinite(excess).all()
        assert abs(np.median(excess[panels])) < 0.3
        assert robust_spread(excess[panels]) == pytest.approx(1.0, abs=0.05)
