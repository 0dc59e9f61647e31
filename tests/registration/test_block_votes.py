"""Votes of blocks: an initial transform that is a little off is put right below a pixel."""

import numpy as np
import pytest

from dd_livm_core.registration.block_votes import vote
from dd_livm_core.registration.rig import VisibleFrame
from tests.synthetic_pairs import make_pair


@pytest.mark.parametrize("wrong_px", [(0.0, 0.0), (3.4, -2.6)])
def test_blocks_vote_for_the_true_place_from_a_guess_that_is_off(
    wrong_px: tuple[float, float],
) -> None:
    view, truth = make_pair()
    guess = truth.copy()
    guess[:2, 2] += wrong_px
    votes = vote(view.infrared, VisibleFrame.from_rgb(view.visible), guess, 0.0)
    true = votes.centres_px @ truth[:2, :2].T + truth[:2, 2]
    error = np.linalg.norm(votes.targets_px - true, axis=1)
    assert len(votes.scores) >= 12
    assert votes.blocks == 20
    assert np.median(error) < 0.3


def test_a_blank_image_has_no_votes() -> None:
    view, truth = make_pair()
    blank = np.full_like(view.infrared, 20)
    votes = vote(blank, VisibleFrame.from_rgb(view.visible), truth, 0.0)
    assert len(votes.scores) == 0
    assert votes.score == 0
