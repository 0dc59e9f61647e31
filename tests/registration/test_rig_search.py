"""The search over scales: climbing steps over small dips and stays within its bounds."""

from collections.abc import Callable

import numpy as np
import pytest

from dd_livm_core.registration.frame_match import coarse_peaks
from dd_livm_core.registration.rig import RigGeometry, VisibleFrame, frame_centre
from dd_livm_core.registration.rig_search import RigFit, hill_climb, weigh_rigs
from tests.synthetic_pairs import CENTRE, make_pair


def climb(
    height_at: Callable[[float], float], value: float, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Climb in steps of one; return (height, value)."""

    def fit_at(at: float) -> RigFit:
        return RigFit(at, 0.0, np.array([height_at(at)]))

    reached = hill_climb(fit_at, fit_at(value), value, 1.0, bounds)
    return reached.score, reached.log_ratio


def test_climbing_steps_over_one_dip_and_not_over_two() -> None:
    heights = {0: 0.0, 1: 1.0, 2: 0.5, 3: 2.0, 4: 1.0, 5: 1.5, 6: 5.0}
    assert climb(lambda value: heights[int(value)], 0, (0, 6)) == (2.0, 3)


def test_climbing_goes_either_way_and_stops_at_the_bounds() -> None:
    assert climb(lambda value: -value, 5.0, (2.0, 9.0)) == (-2.0, 2.0)
    assert climb(lambda value: value, 5.0, (2.0, 9.0)) == (9.0, 9.0)


def test_a_rig_that_fits_no_better_than_another_is_not_sure() -> None:
    right = RigFit(0.2, 0.5, np.array([0.45, 0.40, 0.42]))
    rival = RigFit(0.25, 0.5, np.array([0.44, 0.41, 0.41]))
    assert weigh_rigs([right]) == (right, pytest.approx(1, abs=1e-6))
    assert weigh_rigs([right, rival])[1] < 0.8
    assert weigh_rigs([RigFit(0.2, 0.5, np.array([0.21]))])[1] < 0.8


def test_an_earlier_mission_s_rig_narrows_and_never_outweighs_clear_evidence() -> None:
    one = RigFit(0.2, 0.5, np.array([0.45, 0.40, 0.42]))
    other = RigFit(0.25, 0.5, one.scores - 0.01)
    chosen, probability = weigh_rigs([one, other], (0.26, 0.3))
    assert chosen is other
    assert probability > 0.8
    worse = RigFit(0.25, 0.5, one.scores - 0.2)
    assert weigh_rigs([one, worse], (0.26, 0.3))[0] is one


def test_the_best_peak_is_where_the_infrared_frame_was_photographed() -> None:
    view, truth = make_pair((6.0, -4.0))
    visible = VisibleFrame.from_rgb(view.visible)
    found = coarse_peaks(view.infrared, visible, RigGeometry(1.25, 0.5))
    true = truth[:2, :2] @ CENTRE + truth[:2, 2]
    assert np.linalg.norm(found[0][0] - true) < 2
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
    assert np.linalg.norm(true - frame_centre(visible.shape)) == pytest.approx(7.2, abs=1)
