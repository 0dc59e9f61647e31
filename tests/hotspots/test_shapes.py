"""Names of shapes hold at any scale and rotation, and under leaves."""

import cv2
import numpy as np
import pytest

from dd_livm_core.hotspots.shapes import hotspot_shape
from dd_livm_core.panels.pv_module_px import PvModulePx

WIDTH, HEIGHT = 30, 51
"""Short and long side of a PV module, in pixels."""
PV_MODULE = PvModulePx(WIDTH, HEIGHT)


def drawn(shape: str, scale: float, rotation_deg: float) -> np.ndarray:
    """Return the mask of a shape on a PV module of 30 by 51 px, scaled and rotated."""
    w, h = WIDTH * scale, HEIGHT * scale
    boxes = {
        "point": [(0, 0, w / 6, h / 10)],
        "stripe": [(0, 0, w / 3, h)],
        "block": [(0, 0, w, h)],
        "patch": [(-w / 4, -h / 8, w / 2.5, h / 3), (w / 8, h / 8, w / 3.5, h / 4)],
    }[shape]
    side = int(2.6 * h)
    canvas = np.zeros((side, side), np.uint8)
    for x, y, a, b in boxes:
        corners = cv2.boxPoints(((x, y), (a, b), 0))
        turn = cv2.getRotationMatrix2D((0, 0), rotation_deg, 1)[:, :2]
        points = np.rint((corners @ turn.T + side / 2) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [points], 1, shift=4)
    return canvas.astype(bool)


@pytest.mark.parametrize("shape", ["point", "stripe", "block", "patch"])
@pytest.mark.parametrize("scale", [0.7, 1.0, 1.3, 2.5])
def test_shape_holds_at_any_scale_and_rotation(shape, scale):
    for rotation_deg in range(0, 180, 15):
        mask = drawn(shape, scale, rotation_deg)
        assert hotspot_shape(mask, PvModulePx(WIDTH * scale, HEIGHT * scale)) == shape, rotation_deg


def test_two_of_three_substrings_are_a_block():
    mask = np.ones((HEIGHT, WIDTH * 2 // 3), bool)
    assert hotspot_shape(mask, PV_MODULE) == "block"


def test_a_string_of_pv_modules_is_a_block():
    assert hotspot_shape(np.ones((HEIGHT, 7 * WIDTH), bool), PV_MODULE) == "block"


def test_a_leaf_over_a_stripe_does_not_change_its_name():
    mask = np.ones((60, 12), bool)
    leaf = np.zeros(mask.shape, bool)
    leaf[8:40, 1:] = True
    seen = mask & ~leaf
    assert hotspot_shape(seen, PvModulePx(36, 60), hidden=leaf) == "stripe"
    assert hotspot_shape(seen, PvModulePx(36, 60)) != "stripe"
