"""The lattice of PV modules: known periods come back, whatever the contrast, the turn or a hotspot."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dd_livm_core.panels.lattice import panel_lattice
from dd_livm_core.panels.mask import panel_mask_infrared

PERIOD_PX = (42.0, 25.0)


def tables(turn_deg: float = 0.0) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Two tables of modules with dark frames on plain ground, out of step with each other."""
    image = np.full((300, 420), 10.0, np.float32)
    mask = np.zeros(image.shape, bool)
    for top, left in ((40, 30), (170, 47)):
        mask[top : top + 100, left : left + 336] = True
        image[top : top + 100, left : left + 336] = 40
        for line in np.arange(0, 337, PERIOD_PX[0]):
            image[top : top + 100, left + int(line) : left + int(line) + 2] = 32
        for line in np.arange(0, 101, PERIOD_PX[1]):
            image[top + int(line) : top + int(line) + 2, left : left + 336] = 32
    turn = cv2.getRotationMatrix2D((209.5, 149.5), -turn_deg, 1.0)
    turned = cv2.warpAffine(image, turn, (420, 300), borderValue=10)
    inside = cv2.warpAffine(mask.astype(np.uint8), turn, (420, 300)) > 0
    return np.asarray(turned, np.float32), np.asarray(inside)


@pytest.mark.parametrize("turn_deg", [0.0, 7.0, -20.0])
@pytest.mark.parametrize("contrast", [1.0, -3.0])
def test_known_periods_come_back(turn_deg: float, contrast: float) -> None:
    image, mask = tables(turn_deg)
    lattice = panel_lattice(image * contrast, mask)
    assert lattice is not None
    assert lattice.direction_deg == pytest.approx(turn_deg, abs=0.5)
    assert lattice.along_px == pytest.approx(PERIOD_PX[0], abs=0.4)
    assert lattice.across_px == pytest.approx(PERIOD_PX[1], abs=0.4)
    assert lattice.short_px == lattice.across_px


def test_a_hotspot_does_not_change_the_periods() -> None:
    image, mask = tables()
    image[60:75, 90:110] += 200
    lattice = panel_lattice(image, mask)
    assert lattice is not None
    assert lattice.along_px == pytest.approx(PERIOD_PX[0], abs=0.4)


def test_ground_without_frames_has_no_period() -> None:
    rng = np.random.default_rng(1)
    ground = cv2.GaussianBlur(rng.normal(0, 1, (300, 420)).astype(np.float32), (0, 0), 3)
    lattice = panel_lattice(ground, np.ones(ground.shape, bool))
    assert lattice is None or lattice.short_px is None


def test_too_small_a_mask_tells_nothing() -> None:
    image, _ = tables()
    assert panel_lattice(image, np.zeros(image.shape, bool)) is None


def test_ground_as_warm_as_panels_is_told_by_the_visible_image() -> None:
    infrared, mask = tables()
    rng = np.random.default_rng(2)
    ground = cv2.GaussianBlur(rng.normal(40, 120, mask.shape).astype(np.float32), (0, 0), 6)
    infrared = np.where(mask, infrared, ground).astype(np.float32)
    visible = np.where(mask[..., None], (25, 45, 100), (170, 150, 110)).astype(np.uint8)
    found = panel_mask_infrared(infrared, visible)
    assert (found & mask).sum() / (found | mask).sum() > 0.9
