"""Choice of positions: pairs that fit in several places are settled by the mission's pairs that do not."""

from dataclasses import replace

import numpy as np
import pytest

from dd_livm_core.registration.consensus import choose_positions
from dd_livm_core.registration.offset_mixture import OffsetPrior, Positions

PERIOD = np.array([34.0, 2.0])


def make_repeated(true: tuple[float, float], *, clear: bool, slip: int = 0) -> Positions:
    """Make a pair on a lattice, which fits one period off, too; ``slip`` makes a wrong position slightly the best."""
    steps = np.arange(-2, 3)
    offsets = np.asarray(true) + steps[:, None] * PERIOD
    scores = np.full(5, 0.6 if not clear else 0.4)
    scores[2] = 0.6
    if slip:
        scores[2 + slip] += 0.005
    return Positions(offsets, scores)


def test_a_few_clear_pairs_settle_all_others() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal((5, -3), 1.5, (20, 2))
    pairs = [
        make_repeated(
            (x, y), clear=n % 5 == 0, slip=0 if n % 5 == 0 else int(rng.choice([-2, -1, 1, 2]))
        )
        for n, (x, y) in enumerate(true)
    ]
    choices, _ = choose_positions(pairs)
    for choice, (x, y) in zip(choices, true, strict=True):
        assert choice is not None
        assert np.allclose(choice.offset_px, (x, y))
        assert choice.probability > 0.8
    assert sum(choice.own for choice in choices if choice) == 4


def test_two_directions_of_flight_give_two_offsets() -> None:
    rng = np.random.default_rng(1)
    true = [
        np.array([sign * 11.0, 4.0]) + rng.normal(0, 1, 2) for sign in (-1, 1) for _ in range(12)
    ]
    choices, mixture = choose_positions(
        [make_repeated((x, y), clear=n % 3 == 0) for n, (x, y) in enumerate(true)]
    )
    assert len(mixture.means_px) == 2
    assert sorted(mixture.means_px[:, 0]) == pytest.approx([-11, 11], abs=1)
    for choice, offset in zip(choices, true, strict=True):
        assert choice is not None
        assert np.allclose(choice.offset_px, offset)


def test_two_offsets_far_apart_are_both_kept() -> None:
    rng = np.random.default_rng(2)
    true = [np.array([x, 2.0]) + rng.normal(0, 1, 2) for x in (-10.0, 50.0) for _ in range(10)]
    choices, mixture = choose_positions(
        [Positions(offset[None], np.array([0.6])) for offset in true]
    )
    assert sorted(mixture.means_px[:, 0]) == pytest.approx([-10, 50], abs=1)
    assert all(choice is not None and choice.probability > 0.8 for choice in choices)


@pytest.mark.parametrize("pairs", [2, 30])
def test_a_mission_without_a_row_end_knows_that_it_cannot_know(pairs: int) -> None:
    rng = np.random.default_rng(4)
    true = rng.normal((20, 3), 1.5, (pairs, 2))
    choices, _ = choose_positions(
        [make_repeated((x, y), clear=False, slip=int(rng.choice([-1, 1]))) for x, y in true]
    )
    for choice in choices:
        assert choice is not None
        assert choice.probability < 0.7
        assert choice.mission < 0.7


def test_what_all_pairs_share_is_no_evidence_for_each() -> None:
    """A slip that fits better by a little in every pair alike, as a lens may make it, does not become sure."""
    pairs = [make_repeated((n % 3, 0.0), clear=False, slip=1) for n in range(40)]
    choices, _ = choose_positions(
        [replace(p, scores=p.scores + 0.01 * (p.scores > 0.6)) for p in pairs]
    )
    assert all(choice is not None and choice.probability < 0.8 for choice in choices)


def test_a_pair_of_another_mission_is_improbable() -> None:
    pairs = [make_repeated((n % 3, 0.0), clear=True) for n in range(10)]
    pairs.append(Positions(np.array([[17.0, 90.0]]), np.array([0.6])))
    choices, _ = choose_positions(pairs)
    assert choices[-1] is not None
    assert choices[-1].probability < 0.2


def test_nothing_found_gives_no_choice() -> None:
    empty = Positions(np.empty((0, 2)), np.empty(0))
    assert choose_positions([empty, empty])[0] == [None, None]
    choices, _ = choose_positions([empty, make_repeated((1.0, 2.0), clear=True)])
    assert choices[0] is None
    assert choices[1] is not None


def test_the_order_of_pairs_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    pairs = [make_repeated(tuple(rng.normal(0, 2, 2)), clear=n % 4 == 0) for n in range(12)]
    forward, backward = choose_positions(pairs)[0], choose_positions(pairs[::-1])[0][::-1]
    for one, other in zip(forward, backward, strict=True):
        assert one is not None
        assert other is not None
        assert np.array_equal(one.offset_px, other.offset_px)
        assert one.probability == pytest.approx(other.probability, abs=1e-9)


def test_an_earlier_mission_settles_rows_without_an_end() -> None:
    rng = np.random.default_rng(4)
    true = rng.normal((5, -3), 1.5, (20, 2))
    pairs = [
        make_repeated((x, y), clear=False, slip=int(rng.choice([-2, -1, 1, 2]))) for x, y in true
    ]
    earlier = OffsetPrior(rng.normal((6, -2), 1.0, (30, 2)))
    for choice, offset in zip(choose_positions(pairs, earlier)[0], true, strict=True):
        assert choice is not None
        assert np.allclose(choice.offset_px, offset)
        assert choice.probability > 0.8


def test_pairs_that_are_clear_outweigh_an_earlier_mission() -> None:
    rng = np.random.default_rng(5)
    true = rng.normal((5, -3), 1.5, (20, 2))
    pairs = [make_repeated((x, y), clear=True) for x, y in true]
    earlier = OffsetPrior(rng.normal(PERIOD + np.array([5, -3]), 1.0, (30, 2)))
    for choice, offset in zip(choose_positions(pairs, earlier)[0], true, strict=True):
        assert choice is not None
        assert np.allclose(choice.offset_px, offset)
        assert choice.probability > 0.8


def test_no_pair_is_surer_than_the_rig() -> None:
    pairs = [make_repeated((5.0, -3.0), clear=True) for _ in range(10)]
    choices, _ = choose_positions(pairs, rig_probability=0.6)
    assert all(choice and choice.probability <= choice.mission <= 0.6 for choice in choices)
