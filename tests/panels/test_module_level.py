"""What is normal for a PV module is no hotspot: its own level, and the rims of sharpening."""

import cv2
import numpy as np
import pytest

from dd_livm_core.augmentation.signal import separate
from dd_livm_core.hotspots.segmentation import find_hotspots
from dd_livm_core.panels.excess import excess_temperature
from dd_livm_core.panels.module_level import subtract_module_level, subtract_sharpening_rims
from dd_livm_core.panels.module_map import pv_module_map
from tests.pv_module_table import PV_MODULE, WIDTH, inside, table


def test_a_pv_module_s_own_level_goes_unless_it_is_warm_as_a_whole():
    excess, mask = table()
    excess[inside(0, 2)] += 1.0
    excess[inside(1, 4)] += 4.0
    modules = pv_module_map(excess, mask, PV_MODULE)
    own, left, spread = subtract_module_level(excess, modules, mask, 1.5)
    assert abs(np.median(own[inside(0, 2)])) < 0.1
    assert np.median(own[inside(1, 4)]) == pytest.approx(4.0, abs=0.8)
    assert np.median(left[inside(0, 2)]) == 0
    assert np.median((own - left)[inside(1, 4)]) == pytest.approx(0.0, abs=0.1)
    assert spread == pytest.approx(0.1, rel=0.5)


def test_the_excess_is_over_the_level_of_a_cooler_pv_module():
    excess, mask = table()
    excess[inside(0, 3)] -= 1.5
    y, x = (place.start for place in inside(0, 3))
    excess[y + 10 : y + 16, x + 8 : x + 14] += 5.0
    (found,) = find_hotspots(excess, mask, PV_MODULE)
    assert found.mean_excess_k == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize("warm", [5, 7, 9])
def test_an_open_string_of_half_the_pv_modules_and_more_is_found(warm):
    excess, mask = table()
    for number in range(warm):
        excess[inside(number % 2, number // 2)] += 4.0
    found = find_hotspots(excess, mask, PV_MODULE)
    assert [hotspot.shape for hotspot in found] == ["block"] * warm


def sharpened(image: np.ndarray, amount: float) -> np.ndarray:
    return (image + amount * (image - cv2.GaussianBlur(image, (0, 0), 2.0))).astype(np.float32)


@pytest.mark.parametrize("amount", [0.0, 0.4, 0.8])
def test_rims_of_sharpening_are_no_hotspots_but_hot_edges_are(amount):
    excess, mask = table(rows=3, columns=8)
    grey = np.where(mask, 100 + 8 * excess, 30).astype(np.float32)
    seen = excess_temperature(sharpened(grey, amount), mask, False)
    assert find_hotspots(seen, mask, PV_MODULE, radiometric=False) == []
    top, left = inside(1, 3)
    grey[top, left.start : left.start + 8] += 40
    grey[inside(2, 6)[0].start :][:6, inside(2, 6)[1].start :][:, :6] += 60
    seen = excess_temperature(sharpened(grey, amount), mask, False)
    found = find_hotspots(seen, mask, PV_MODULE, radiometric=False)
    assert sorted(hotspot.shape for hotspot in found) == ["point", "stripe"]


def test_few_pv_modules_show_no_typical_rim():
    excess, mask = table(rows=1, columns=3)
    modules = pv_module_map(excess, mask, PV_MODULE)
    hot = excess + 5.0
    np.testing.assert_array_equal(
        subtract_sharpening_rims(hot, modules, np.zeros_like(hot), WIDTH), hot
    )
    nothing = np.zeros(mask.shape, np.int32)
    np.testing.assert_array_equal(
        subtract_sharpening_rims(hot, nothing, np.zeros_like(hot), WIDTH), hot
    )


def test_the_augmentation_does_not_take_rims_for_heat():
    excess, mask = table(rows=3, columns=8)
    grey = np.where(mask, 100 + 8 * excess, 30).astype(np.float32)
    seen = excess_temperature(sharpened(grey, 0.8), mask, False)
    separated = separate(seen, mask, PV_MODULE, radiometric=False)
    assert separated.hotspots == ()
    assert not separated.signal.any()
