"""The lattice of PV modules: known periods come back, whatever the contrast, the turn or a hotspot."""

import cv2
import numpy as np
import pytest

from dd_livm_core.panels.lattice import panel_lattice
from tests.panels.tables import PERIOD_PX, tables


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


def test_too_small_a_mask_has_no_lattice() -> None:
    image, _ = tables()
    assert panel_lattice(image, np.zeros(image.shape, bool)) is None
