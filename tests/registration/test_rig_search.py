"""The search over scales: climbing steps over small dips and stays within its bounds."""

import numpy as np
import pytest

from dd_livm_core.registration.rig import RigGeometry, VisibleFrame, frame_centre
from dd_livm_core.registration.rig_search import coarse_peaks, hill_climb
from tests.synthetic_pairs import CENTRE, make_pair


def test_climbing_steps_over_one_dip_and_not_over_two() -> None:
    heights = {0: 0.0, 1: 1.0, 2: 0.5, 3: 2.0, 4: 1.0, 5: 1.5, 6: 5.0}
    assert hill_climb(lambda value: heights[int(value)], 0.0, 0, 1, (0, 6)) == (2.0, 3)


def test_climbing_goes_either_way_and_stops_at_the_bounds() -> None:
    assert hill_climb(lambda value: -value, -5.0, 5.0, 1.0, (2.0, 9.0)) == (-2.0, 2.0)
    assert hill_climb(lambda value: value, 5.0, 5.0, 1.0, (2.0, 9.0)) == (9.0, 9.0)


def test_the_best_peak_is_where_the_infrared_frame_was_photographed() -> None:
    view, truth = make_pair((6.0, -4.0))
    visible = VisibleFrame.from_rgb(view.visible)
    found = coarse_peaks(view.infrared, visible, RigGeometry(1.25, 0.5))
    true = truth[:2, :2] @ CENTRE + truth[:2, 2]
    assert np.linalg.norm(found[0][0] - true) < 2
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
    assert np.linalg.norm(true - frame_centre(visible.shape)) == pytest.approx(7.2, abs=1)
