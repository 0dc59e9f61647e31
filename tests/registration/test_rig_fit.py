"""Votes under a known rig: the fit finds it again, whatever a few wrong votes say."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dd_livm_core.registration.block_votes import Votes, robust_mean
from dd_livm_core.registration.rig import RigGeometry, distort, frame_centre
from dd_livm_core.registration.rig_fit import fit_rig, place_by_votes

SHAPE = (512, 640)
RIG = RigGeometry(1.3, 0.7, 0.02)
START = RigGeometry(1.28, 0.2)
GRID = np.stack(np.meshgrid(np.linspace(60, 580, 5), np.linspace(60, 450, 4)), -1).reshape(-1, 2)


def make_votes(
    centre_px: NDArray[np.float64], rng: np.random.Generator, *, wrong: int = 0, count: int = 20
) -> Votes:
    """Vote as blocks of a frame with its centre there do, with an error of 0.1 px, some of them far off."""
    away = distort(GRID, RIG.radial, SHAPE) - frame_centre(SHAPE)
    targets = away @ RIG.linear().T + centre_px + rng.normal(0, 0.1, GRID.shape)
    targets[:wrong] += 25
    return Votes(GRID[:count], targets[:count], np.full(count, 0.5), 20)


def make_mission(wrong: int = 0) -> list[Votes]:
    rng = np.random.default_rng(2)
    return [make_votes(rng.normal(600, 20, 2), rng, wrong=wrong) for _ in range(10)]


@pytest.mark.parametrize("wrong", [0, 3])
def test_a_mission_s_votes_give_its_rig_whatever_each_pair_s_offset(wrong: int) -> None:
    found = fit_rig(make_mission(wrong), SHAPE, START)
    assert found.scale == pytest.approx(RIG.scale, rel=1e-3)
    assert found.rotation_deg == pytest.approx(RIG.rotation_deg, abs=0.03)
    assert found.radial == pytest.approx(RIG.radial, abs=2e-3)


def test_few_votes_give_no_lens_term_and_fewer_no_rig() -> None:
    rng = np.random.default_rng(3)
    assert fit_rig([make_votes(np.zeros(2), rng)], SHAPE, START).radial == 0
    assert fit_rig([make_votes(np.zeros(2), rng, count=6)], SHAPE, START) is START
    assert fit_rig([], SHAPE, START) is START


def test_a_pair_is_placed_by_its_votes_and_wrong_ones_lower_the_agreement() -> None:
    rng = np.random.default_rng(4)
    centre = np.array([610.0, 480.0])
    clean, disturbed = (
        place_by_votes(make_votes(centre, rng, wrong=wrong), RIG, SHAPE) for wrong in (0, 5)
    )
    for placement in (clean, disturbed):
        np.testing.assert_allclose(placement.centre_px, centre, atol=0.3)
        np.testing.assert_allclose(placement.linear, RIG.linear(), rtol=0.01, atol=0.005)
    assert clean.agreement == pytest.approx(1)
    assert disturbed.agreement == pytest.approx(0.75)


def test_blocks_that_found_nothing_count_as_nought() -> None:
    votes = make_votes(np.zeros(2), np.random.default_rng(5), count=10)
    assert votes.score == pytest.approx(0.25)
    assert Votes(np.empty((0, 2)), np.empty((0, 2)), np.empty(0), 0).score == 0


def test_a_robust_mean_ignores_what_is_far_off() -> None:
    values = np.array([[1.0, 2.0], [1.1, 2.1], [0.9, 1.9], [1.0, 2.0], [30.0, -40.0]])
    np.testing.assert_allclose(robust_mean(values, np.ones(5)), [1, 2], atol=0.05)
