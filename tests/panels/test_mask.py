"""Panels are found by brightness, straight edges and, where needed, by the visible image."""

import cv2
import numpy as np

from dd_livm_core.panels.mask import panel_mask_infrared
from tests.panels.tables import tables


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def test_tables_are_found_warmer_and_colder_than_the_ground() -> None:
    infrared, mask = tables(turn_deg=7.0)
    assert iou(panel_mask_infrared(infrared), mask) > 0.9
    assert iou(panel_mask_infrared(-infrared), mask) > 0.9


def test_the_scale_of_the_camera_does_not_matter() -> None:
    infrared, _ = tables()
    found = panel_mask_infrared(infrared)
    np.testing.assert_array_equal(panel_mask_infrared(4 * infrared + 100), found)


def test_a_hotspot_belongs_to_its_panel() -> None:
    infrared, _ = tables()
    infrared[65:72, 90:97] += 40
    assert panel_mask_infrared(infrared)[65:72, 90:97].all()


def test_flat_images_and_rough_ground_hold_no_panels() -> None:
    assert not panel_mask_infrared(np.full((120, 160), 30, np.float32)).any()
    rng = np.random.default_rng(1)
    grass = cv2.GaussianBlur(rng.normal(20, 5, (300, 420)).astype(np.float32), (0, 0), 1)
    assert not panel_mask_infrared(grass).any()


def test_ground_as_warm_as_panels_is_left_out_by_the_visible_image() -> None:
    infrared, mask = tables()
    rng = np.random.default_rng(2)
    ground = cv2.GaussianBlur(rng.normal(40, 120, mask.shape).astype(np.float32), (0, 0), 6)
    infrared = np.where(mask, infrared, ground).astype(np.float32)
    visible = np.where(mask[..., None], (25, 45, 100), (170, 150, 110)).astype(np.uint8)
    found = panel_mask_infrared(infrared, visible)
    assert iou(found, mask) > 0.9
