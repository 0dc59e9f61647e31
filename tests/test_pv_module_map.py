"""PV modules told apart by their frames, and hotspots looked at PV module by PV module."""

import cv2
import numpy as np
import pytest

from dd_livm_core.hotspots import find_hotspots
from dd_livm_core.pv_module_map import over_own_level, pv_module_map

WIDTH, HEIGHT = 24, 40


def table(rows: int = 2, columns: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return excess and mask of a table of portrait PV modules with cold frames, noise and their own levels."""
    rng = np.random.default_rng(5)
    shape = (rows * HEIGHT + 40, columns * WIDTH + 40)
    excess, mask = np.zeros(shape, np.float32), np.zeros(shape, bool)
    mask[20 : 20 + rows * HEIGHT, 20 : 20 + columns * WIDTH] = True
    for i in range(rows):
        for k in range(columns):
            place = inside(i, k, 0)
            excess[place] = rng.normal(0, 0.3)
            excess[place][[0, -1]] = excess[place][:, [0, -1]] = -4
    excess += rng.normal(0, 0.1, shape).astype(np.float32)
    return np.where(mask, excess, 0).astype(np.float32), mask


def inside(row: int, column: int, frame: int = 1) -> tuple[slice, slice]:
    top, left = 20 + row * HEIGHT, 20 + column * WIDTH
    return slice(top + frame, top + HEIGHT - frame), slice(left + frame, left + WIDTH - frame)


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
    modules = pv_module_map(
        turned(excess, angle_deg), turned(mask, angle_deg) >= 0.5, (WIDTH, HEIGHT)
    )
    size = np.bincount(modules.ravel())[1:]
    assert len(size) == 14
    assert (np.abs(size / (WIDTH * HEIGHT) - 1) < 0.25).all()


def test_without_frames_the_panels_are_one():
    mask = table()[1]
    noise = np.random.default_rng(0).normal(0, 0.2, mask.shape).astype(np.float32)
    for excess in (noise * mask, np.zeros(mask.shape, np.float32)):
        assert set(np.unique(pv_module_map(excess, mask, (WIDTH, HEIGHT)))) == {0, 1}
    assert not pv_module_map(noise, np.zeros_like(mask), (WIDTH, HEIGHT)).any()


def test_a_pv_module_s_own_level_goes_unless_it_is_warm_as_a_whole():
    excess, mask = table()
    excess[inside(0, 2)] += 1.0
    excess[inside(1, 4)] += 4.0
    modules = pv_module_map(excess, mask, (WIDTH, HEIGHT))
    own, spread = over_own_level(excess, modules, mask, 1.5)
    assert abs(np.median(own[inside(0, 2)])) < 0.1
    assert np.median(own[inside(1, 4)]) == pytest.approx(4.0, abs=0.8)
    assert spread == pytest.approx(0.1, rel=0.5)


def test_hotspots_of_neighbours_stay_apart_and_an_open_string_is_one():
    excess, mask = table()
    excess[inside(0, 2)] += 6.0
    excess[25:31, 20 + 3 * WIDTH + 1 : 20 + 3 * WIDTH + 6] += 6.0  # beside it, behind the frame
    found = find_hotspots(excess, mask, WIDTH, pv_module_height_px=HEIGHT)
    assert sorted(hotspot.shape for hotspot in found) == ["block", "point"]
    excess, mask = table()
    for column in (3, 4, 5):
        excess[inside(1, column)] += 6.0
    (string,) = find_hotspots(excess, mask, WIDTH, pv_module_height_px=HEIGHT)
    assert string.shape == "block"
    assert string.box_xywh_px[2] > 2.7 * WIDTH


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("angle_deg", [0, 20, 45, 75])
def test_shapes_hold_when_the_image_is_scaled_and_turned(scale, angle_deg):
    excess, mask = table()
    excess[inside(0, 1)] += 5.0
    excess[21 + HEIGHT : 19 + 2 * HEIGHT, 20 + 3 * WIDTH + 1 : 20 + 3 * WIDTH + 8] += 5.0
    excess[30:35, 20 + 5 * WIDTH + 9 : 20 + 5 * WIDTH + 14] += 8.0
    seen, panel = turned(excess, angle_deg, scale), turned(mask, angle_deg, scale) >= 0.5
    found = find_hotspots(seen * panel, panel, WIDTH * scale, pv_module_height_px=HEIGHT * scale)
    assert sorted(hotspot.shape for hotspot in found) == ["block", "point", "stripe"]
