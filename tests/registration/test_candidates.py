"""What registration finds in one pair alone."""

from dataclasses import replace

import numpy as np
import pytest

from dd_livm_core.registration.candidates import estimate_rig, find_candidates, vote_at
from dd_livm_core.registration.rig import RigGeometry, frame_centre
from tests.synthetic_pairs import CENTRE, SHAPE, make_pair

RIG = RigGeometry(1.25, 0.5)


def true_offset(shift: tuple[float, float]) -> np.ndarray:
    """Return the true offset between both frames' centres, infrared px."""
    _, truth = make_pair(shift)
    in_visible = truth[:2, :2] @ CENTRE + truth[:2, 2] - frame_centre((480, 480))
    return np.linalg.solve(RIG.linear(), in_visible)


def test_a_few_pairs_give_the_rig() -> None:
    views = [make_pair((3.0 * seed, -2.0), seed)[0] for seed in range(3)]
    found, probability = estimate_rig(views)
    assert probability > 0.99
    assert found.scale == pytest.approx(RIG.scale, rel=5e-3)
    assert found.rotation_deg == pytest.approx(RIG.rotation_deg, abs=0.2)


def test_blank_pairs_give_no_rig() -> None:
    blank = replace(make_pair()[0], infrared=np.full(SHAPE, 20, np.float32))
    assert estimate_rig([blank]) == (RigGeometry(1.0, 0.0), 0.0)


def test_the_true_position_is_among_the_candidates() -> None:
    shift = (6.0, -4.0)
    pair = find_candidates(make_pair(shift)[0], RIG)
    distance = np.linalg.norm(pair.positions.offsets_px - true_offset(shift), axis=1)
    assert distance.min() < 2
    assert np.all(np.diff(pair.positions.scores) <= 0)


@pytest.mark.parametrize("value", [np.nan, 20.0])
def test_an_infrared_image_that_shows_nothing_has_no_candidates(value: float) -> None:
    pair = find_candidates(replace(make_pair()[0], infrared=np.full(SHAPE, value, np.float32)), RIG)
    assert "infrared image is blank" in pair.reason
    assert len(pair.positions.scores) == 0


def test_of_several_offsets_the_one_where_blocks_vote_best_is_kept() -> None:
    view, _ = make_pair()
    true = true_offset((0.0, 0.0))
    pair = find_candidates(view, RIG)
    tried = np.array([true + np.array([17, 30]), true, true - np.array([40, 9])])
    voted = vote_at(view, pair, tried, RIG)
    assert voted.voted_at_px == pytest.approx(tuple(true))
    assert voted.votes is not None
    assert voted.votes.score > 0.3
