"""Conductance per pixel: gaps between cells hold heat back, and energy is kept."""

import numpy as np

from dd_livm_core.heat import laminate
from dd_livm_core.heat.diffusion import steady_excess, transient_excess
from dd_livm_core.heat.finite_volumes import conduction_matrix
from tests.heat.fields import random_field

K = laminate.CELL_CONDUCTANCE_W_K


def test_what_leaves_a_pixel_enters_its_neighbour():
    matrix = conduction_matrix(laminate.cell_gap_conductance((7, 9), (3, 4), 0.3), 0.02).toarray()
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_allclose(matrix.sum(axis=1), 0, atol=1e-9 * np.abs(matrix).max())


def test_heat_stays_in_its_cell():
    source = np.zeros((48, 48))
    source[16:32, 16:32] = 500
    gaps = laminate.cell_gap_conductance(source.shape, (16, 16), 0.2)
    theta = steady_excess(source, 0.156 / 16, gaps, 23.5)
    free = steady_excess(source, 0.156 / 16, K, 23.5)
    assert theta[24, 24] > free[24, 24]
    assert theta[24, 12] < free[24, 12]


def test_finite_volumes_and_cosines_meet():
    source = steady_excess(np.eye(40) * 900, 0.005, K, 20)
    volumes = steady_excess(source, 0.005, np.full(source.shape, K), 20)
    np.testing.assert_allclose(volumes, steady_excess(source, 0.005, K, 20), rtol=0.02)


def test_finite_volumes_are_never_cold():
    source = np.zeros((30, 30))
    source[0, 0] = 1e4
    gaps = laminate.cell_gap_conductance(source.shape, (10, 10), 0.5)
    assert steady_excess(source, 0.01, gaps, 40).min() > 0


def test_gaps_end_in_the_steady_state_and_start_at_the_start():
    start, source = random_field(3), np.abs(random_field(4)) * 100
    gaps = laminate.cell_gap_conductance(source.shape, (8, 8), 0.3)
    sheet = (0.03, gaps, 25.0)
    np.testing.assert_allclose(transient_excess(start, source, *sheet, 0), start, atol=1e-9)
    np.testing.assert_allclose(
        transient_excess(start, source, *sheet, 1e5),
        steady_excess(source, *sheet),
        atol=1e-6,
    )
