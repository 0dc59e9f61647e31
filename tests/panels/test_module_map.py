"""PV modules separated by their frames, and hotspots looked at PV module by PV module."""

import cv2
import numpy as np
import pytest

from dd_livm_core.hotspots.segmentation import find_hotspots
from dd_livm_core.panels.module_map import pv_module_map
from dd_livm_core.panels.pv_module_px import PvModulePx
from tests.pv_module_table import HEIGHT, PV_MODULE, WIDTH, inside, table


def turned(
    image: np.ndarray, angle_deg: float, scale: float = 1.0, flags: int = cv2.INTER_LINEAR
) -> np.ndarray:
    side = int(scale * np.hypot(*image.shape)) + 2
    turn = cv2.getRotationMatrix2D(
        ((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2), angle_deg, scale
    )
    turn[:, 2] += ((side - image.shape[1]) / 2, (side - image.shape[0]) / 2)
    return cv2.warpAffine(image.astype(np.float32), turn, (side, side), flags=flags)


@pytest.mark.parametrize("angle_deg", [0, 17, 45, 90])
def test_every_pv_module_has_its_number(angle_deg):
    excess, mask = table()
    modules = pv_module_map(turned(excess, angle_deg), turned(mask, angle_deg) >= 0.5, PV_MODULE)
    size = np.bincount(modules.ravel())[1:]
    assert len(size) == 14
    assert (np.abs(size / (WIDTH * HEIGHT) - 1) < 0.25).all()


def test_without_frames_the_panels_are_one():
    mask = table()[1]
    noise = np.random.default_rng(0).normal(0, 0.2, mask.shape).astype(np.float32)
    for excess in (noise * mask, np.zeros(mask.shape, np.float32)):
        assert set(np.unique(pv_module_map(excess, mask, PV_MODULE))) == {0, 1}
    assert not pv_module_map(noise, np.zeros_like(mask), PV_MODULE).any()


def test_every_pv_module_has_hotspots_of_its_own():
    excess, mask = table()
    excess[inside(0, 2)] += 6.0
    excess[25:31, 20 + 3 * WIDTH + 1 : 20 + 3 * WIDTH + 6] += 6.0  # beside it, behind the frame
    found = find_hotspots(excess, mask, PV_MODULE)
    assert sorted(hotspot.shape for hotspot in found) == ["block", "point"]
    excess, mask = table()
    for column in (3, 4, 5):
        excess[inside(1, column)] += 6.0
    string = find_hotspots(excess, mask, PV_MODULE)
    assert [hotspot.shape for hotspot in string] == ["block"] * 3
    assert all(hotspot.box_xywh_px[2] <= WIDTH for hotspot in string)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("angle_deg", [0, 20, 45, 75])
def test_shapes_hold_when_the_image_is_scaled_and_turned(scale, angle_deg):
    excess, mask = table()
    excess[inside(0, 1)] += 5.0
    excess[21 + HEIGHT : 19 + 2 * HEIGHT, 20 + 3 * WIDTH + 1 : 20 + 3 * WIDTH + 8] += 5.0
    excess[30:35, 20 + 5 * WIDTH + 9 : 20 + 5 * WIDTH + 14] += 8.0
    seen, panel = turned(excess, angle_deg, scale), turned(mask, angle_deg, scale) >= 0.5
    found = find_hotspots(seen * panel, panel, PvModulePx(WIDTH * scale, HEIGHT * scale))
    assert sorted(hotspot.shape for hotspot in found) == ["block", "point", "stripe"]
