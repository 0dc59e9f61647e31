"""Decisions from votes and choices: which pairs stand, which the mission placed, which fail and why."""

import numpy as np
import pytest

from dd_livm_core.registration.block_votes import Votes
from dd_livm_core.registration.candidates import PairCandidates
from dd_livm_core.registration.consensus import Choice
from dd_livm_core.registration.offset_mixture import Positions
from dd_livm_core.registration.placement import Alignment, fit_and_place
from dd_livm_core.registration.rig import RigGeometry, frame_centre

INFRARED, VISIBLE = (256, 320), (480, 480)
RIG = RigGeometry(1.25, 0.5)
OFFSET = (4.0, -3.0)
GRID = np.stack(np.meshgrid(np.linspace(30, 290, 5), np.linspace(30, 220, 4)), -1).reshape(-1, 2)


def make_pair(score: float = 0.5, noise_px: float = 0.1, seed: int = 0) -> PairCandidates:
    """Make a pair whose blocks vote for ``OFFSET`` with this score and error."""
    centre = RIG.linear() @ np.array(OFFSET) + frame_centre(VISIBLE)
    targets = (GRID - frame_centre(INFRARED)) @ RIG.linear().T + centre
    targets += np.random.default_rng(seed).normal(0, noise_px, GRID.shape)
    votes = Votes(GRID, targets, np.full(20, score), 20)
    positions = Positions(np.array([OFFSET]), np.array([0.6]))
    return PairCandidates("p", INFRARED, VISIBLE, positions, votes, OFFSET)


def make_choice(
    probability: float = 0.99,
    mission: float = 0.99,
    own: bool = True,
    offset_px: tuple[float, float] = OFFSET,
) -> Choice:
    return Choice(np.array(offset_px), probability, mission, own)


def place_last(pair: PairCandidates, choice: Choice | None, others: int = 4) -> Alignment:
    """Place a pair after so many others that are sure; return its alignment."""
    sure = [make_pair(seed=n) for n in range(1, others + 1)]
    alignments, _ = fit_and_place([*sure, pair], [*[make_choice()] * others, choice], RIG)
    assert [a.status for a in alignments[:-1]] == ["aligned"] * others
    return alignments[-1]


def test_a_sure_pair_stands_where_its_blocks_vote() -> None:
    found = place_last(make_pair(), make_choice())
    assert (found.status, found.reason, found.confidence) == ("aligned", "", 0.99)
    np.testing.assert_allclose(found.offset_px, RIG.linear() @ OFFSET, atol=0.2)
    assert found.scale == pytest.approx(RIG.scale, rel=1e-3)


def test_a_position_that_the_mission_chose_is_a_consensus() -> None:
    assert place_last(make_pair(), make_choice(own=False)).status == "consensus"


@pytest.mark.parametrize(
    ("pair", "choice", "reason"),
    [
        (make_pair(score=0.05), make_choice(), "blocks disagree"),
        (make_pair(noise_px=30), make_choice(), "blocks disagree"),
        (make_pair(), make_choice(0.3, offset_px=(300.0, 0.0)), "nowhere near"),
        (make_pair(score=0.2), make_choice(0.3), "other pairs do"),
        (make_pair(noise_px=30), make_choice(0.3), "other pairs do"),
    ],
)
def test_a_wrong_pair_fails_with_its_reason_and_without_a_wild_transform(
    pair: PairCandidates, choice: Choice, reason: str
) -> None:
    found = place_last(pair, choice)
    assert found.status == "failed"
    assert reason in found.reason
    assert (found.offset_px, found.confidence) == ((0, 0), 0)


def test_an_unsure_pair_that_votes_well_at_the_mission_s_offset_is_taken() -> None:
    found = place_last(make_pair(), make_choice(0.3, own=False))
    assert (found.status, found.confidence) == ("consensus", 0.8)


def test_where_the_mission_cannot_tell_a_pair_is_ambiguous() -> None:
    found = place_last(make_pair(), make_choice(0.3, mission=0.4))
    assert (found.status, found.confidence) == ("ambiguous", 0.3)
    alone = place_last(make_pair(), make_choice(0.3), others=0)
    assert alone.status == "ambiguous"


def test_a_pair_alone_whose_blocks_find_nothing_fails() -> None:
    found = place_last(make_pair(score=0.05), make_choice(0.3), others=0)
    assert found.status == "failed"
    assert "find nothing" in found.reason
