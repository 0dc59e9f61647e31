"""The mixture of a mission's offsets: it is found again from positions drawn of it."""

import numpy as np
import pytest

from dd_livm_core.registration.mixture_choice import choose_mixture, find_seeds
from dd_livm_core.registration.offset_mixture import (
    Mixture,
    Positions,
    PositionTable,
    fit_mixture,
)


def make_table(
    *means: tuple[float, float], pairs: int = 40, spread_px: float = 3.0
) -> PositionTable:
    """Tabulate pairs with one position each, drawn about the means in turn."""
    rng = np.random.default_rng(6)
    drawn = [means[n % len(means)] + rng.normal(0, spread_px, 2) for n in range(pairs)]
    return PositionTable.of([Positions(offset[None], np.array([0.5])) for offset in drawn])


def test_one_mode_is_found_again() -> None:
    table = make_table((7.0, -2.0))
    found = choose_mixture(table, find_seeds(table))
    assert found.means_px.shape == (1, 2)
    np.testing.assert_allclose(found.means_px[0], (7, -2), atol=1.5)
    assert np.sqrt(np.diag(found.covariances[0])) == pytest.approx([3.4, 3.4], abs=0.8)


def test_a_second_mode_is_taken_only_where_it_explains_more() -> None:
    apart, near = make_table((0.0, 0.0), (30.0, 0.0)), make_table((0.0, 0.0), (2.0, 0.0))
    assert len(choose_mixture(apart, find_seeds(apart)).means_px) == 2
    assert len(choose_mixture(near, find_seeds(near)).means_px) == 1


def test_a_pair_is_explained_once_at_most() -> None:
    """What is missing to one is the chance that its true position was not found."""
    table = make_table((0.0, 0.0))
    share = table.responsibilities(fit_mixture(table, np.zeros((1, 2))))
    assert share.max() <= 1
    assert 0.9 * table.pair_count < share.sum() < table.pair_count


def test_without_a_pair_the_others_are_less_sure() -> None:
    mixture = Mixture(np.ones(1), np.array([[4.0, 0.0]]), np.eye(2)[None] * 9)
    own = Positions(np.array([[7.0, 0.0]]), np.array([0.5]))
    others = mixture.without(own, np.array([5.0]))
    assert others.means_px[0, 0] < mixture.means_px[0, 0]
    assert np.linalg.det(others.covariances[0]) > np.linalg.det(mixture.covariances[0])


def test_deviations_are_in_units_of_the_spread() -> None:
    mixture = Mixture(np.ones(1), np.zeros((1, 2)), np.diag([9.0, 4.0])[None])
    assert mixture.deviations(np.array([6.0, 0.0])) == pytest.approx([2])
    assert mixture.deviations(np.array([0.0, 6.0])) == pytest.approx([3])
