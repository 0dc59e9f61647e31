"""The true shape follows from which cells are heated, and from nothing that a camera sees."""

import numpy as np
import pytest

from dd_livm_core.fleet.physics.thermal import Sheet
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.station.heat_sources import (
    CellGrid,
    cell_grid,
    heat_sources,
    source_shape,
)

LEAST_W_M2 = 45.0
GRID = CellGrid(np.tile(np.arange(6) // 2, (10, 1)), (0.165, 0.16))
"""60 cells in portrait: three substrings of ten by two."""
HALF_CUT = CellGrid(np.tile(np.arange(6) // 2, (20, 1)), (0.0825, 0.16))


def cells(*parts: tuple[slice | int, slice | int], grid: CellGrid = GRID) -> np.ndarray:
    heated = np.zeros(grid.substring.shape, bool)
    for rows, columns in parts:
        heated[rows, columns] = True
    return heated


ALL = slice(None)


@pytest.mark.parametrize(
    ("shape", "heated"),
    [
        ("point", cells((4, 3))),
        ("point", cells((4, 3), (5, 3))),
        ("point", cells((slice(4, 6), slice(1, 3)))),
        ("patch", cells((slice(4, 6), slice(1, 3)), (6, 1))),
        ("stripe", cells((ALL, slice(2, 4)))),
        ("stripe", cells((ALL, slice(2, 4)), (0, 4), (7, 1))),
        ("stripe", cells((slice(0, 5), slice(2, 4)))),
        ("stripe", cells((slice(2, 10), 5))),
        ("stripe", cells((9, ALL))),
        ("stripe", cells((slice(8, 10), ALL))),
        ("patch", cells((slice(0, 4), slice(2, 4)))),
        ("patch", cells((ALL, slice(2, 4)), (slice(0, 6), slice(4, 6)))),
        ("patch", cells((slice(7, 10), ALL))),
        ("patch", cells((slice(3, 7), slice(1, 5)))),
        ("patch", cells((9, ALL), (slice(4, 10), 0))),
        ("block", cells((ALL, slice(2, 6)))),
        ("block", cells((ALL, ALL))),
        ("block", ~cells((0, 0), (5, 3), (9, 5))),
    ],
)
def test_the_shape_is_what_the_heated_cells_cover(shape: str, heated: np.ndarray) -> None:
    assert source_shape(heated, GRID) == shape


def test_a_point_is_a_share_of_the_cells_as_half_cut_ones_are_half_as_large() -> None:
    two_halves_each = cells((slice(8, 12), slice(1, 3)), grid=HALF_CUT)
    assert source_shape(two_halves_each, HALF_CUT) == "point"
    assert source_shape(cells((slice(8, 12), slice(1, 4)), grid=HALF_CUT), HALF_CUT) == "patch"


def test_one_cell_is_a_point_however_few_there_are() -> None:
    few = CellGrid(np.zeros((1, 3), int), (1.6, 0.3))
    assert source_shape(np.array([[False, True, False]]), few) == "point"
    assert source_shape(np.ones((1, 3), bool), few) == "block"


def test_bypass_diodes_without_cells_count_for_nothing() -> None:
    sparse = CellGrid(GRID.substring * 2, GRID.cell_m)
    assert source_shape(cells((ALL, slice(2, 4))), sparse) == "stripe"
    assert source_shape(cells((slice(3, 7), slice(1, 5))), sparse) == "patch"


def test_cells_that_touch_side_by_side_are_one_source_and_corners_part() -> None:
    droppings = 300.0 * cells((1, 1), (2, 2), (7, 4), (8, 4))
    found = heat_sources(droppings, LEAST_W_M2, GRID)
    assert [(source.shape, int(source.cells.sum())) for source in found] == [
        ("point", 1),
        ("point", 1),
        ("point", 2),
    ]


def test_a_bypassed_substring_with_a_hotter_cell_is_one_stripe() -> None:
    heat = 120.0 * cells((ALL, slice(2, 4))) + 600.0 * cells((5, 3))
    (source,) = heat_sources(heat, LEAST_W_M2, GRID)
    assert source.shape == "stripe"
    np.testing.assert_array_equal(source.cells, cells((ALL, slice(2, 4))))


def test_the_outer_two_substrings_are_two_stripes() -> None:
    heat = 120.0 * cells((ALL, slice(0, 2)), (ALL, slice(4, 6)))
    assert [source.shape for source in heat_sources(heat, LEAST_W_M2, GRID)] == ["stripe"] * 2


def test_only_the_cell_counts_that_shows_where_the_substring_is_too_weak() -> None:
    heat = 0.99 * LEAST_W_M2 * cells((ALL, slice(2, 4))) + 600.0 * cells((5, 3))
    (source,) = heat_sources(heat, LEAST_W_M2, GRID)
    assert source.shape == "point"
    assert heat_sources(np.full((10, 6), 0.99 * LEAST_W_M2), LEAST_W_M2, GRID) == []


@pytest.mark.parametrize("landscape", [False, True])
def test_substrings_run_along_the_long_side(profile: Profile, landscape: bool) -> None:
    pv_module = profile.pv_module.model_copy(update={"landscape": landscape})
    grid = cell_grid(pv_module, Sheet(pv_module, 30.0))
    first = np.argwhere(grid.substring == 0)
    assert tuple(np.ptp(first, axis=0) + 1) == ((2, 10) if landscape else (10, 2))
    assert source_shape(grid.substring == 1, grid) == "stripe"
    # The laminate is 1.0 by 1.7 m, less a frame of 35 mm all around.
    width_m, length_m = grid.cell_m if landscape else grid.cell_m[::-1]
    assert (width_m, length_m) == pytest.approx((0.93 / 6, 1.63 / 10))
