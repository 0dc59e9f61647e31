"""What is drawn on a crop becomes maps: a peak and sides at each centre, and nothing where it is doubtful."""

import numpy as np

from dd_livm_core.base_model.targets import UNIT_PX, dense_targets

NONE = np.zeros((0, 4))
PANEL, FREE = np.ones((64, 64), bool), np.zeros((64, 64), bool)


def test_a_sure_box_has_one_peak_and_its_sides_there() -> None:
    targets = dense_targets(PANEL, FREE, np.array([[20.0, 30, 12, 8]]), NONE, 0.1)
    assert (targets.centre == 1).sum() == 1
    down, across = np.argwhere(targets.centre == 1)[0]
    assert (2 * across + 1, 2 * down + 1) == (25, 33) or (2 * across + 1, 2 * down + 1) == (27, 35)
    assert np.allclose(np.exp(targets.log_sides[:, down, across]) * UNIT_PX, (12, 8))
    assert targets.sides_weight[down, across] == 1
    assert targets.hot.sum() == 6 * 4
    assert targets.hotspot_weight.all()


def test_nothing_is_learnt_of_a_doubtful_box_but_all_around() -> None:
    targets = dense_targets(PANEL, FREE, NONE, np.array([[20.0, 30, 12, 8]]), 0.0)
    assert not targets.centre.any()
    assert (targets.hotspot_weight == 0).sum() == 8 * 6  # with 2 px on each side
    assert targets.panel_weight.all()


def test_nothing_is_learnt_in_an_ignored_part() -> None:
    ignored = FREE.copy()
    ignored[:, :32] = True
    targets = dense_targets(PANEL, ignored, np.array([[50.0, 10, 6, 6]]), NONE, 0.0)
    assert not targets.panel_weight[:, :16].any()
    assert not targets.hotspot_weight[:, :16].any()
    assert targets.hotspot_weight[:, 16:].all()


def test_a_box_whose_centre_is_off_the_crop_has_no_peak() -> None:
    targets = dense_targets(PANEL, FREE, np.array([[60.0, 10, 20, 6]]), NONE, np.nan)
    assert not (targets.centre == 1).any()
    assert targets.hot[5:8, 30:].all()
    assert np.isnan(targets.log_module)
