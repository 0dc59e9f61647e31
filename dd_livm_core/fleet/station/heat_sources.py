"""What a defect heats, cell by cell, and the shape that this has: the truth behind a label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from dd_livm_core.fleet.physics.thermal import Sheet
from dd_livm_core.fleet.profile import PvModule
from dd_livm_core.records import HotspotShape

Mask = NDArray[np.bool_]
_POINT_SHARE = 4 / 60
"""Share of a PV module's cells: a spot on the corner of four cells heats all four. As a share, since
half-cut cells are half as large."""
_WHOLE_SHARE = 0.9
"""Share of a substring's cells from which it counts as whole: one cell in ten may stay cool."""
_BESIDE_SUBSTRINGS = 0.5
"""Up to this many substrings' cells beside a whole one, the substring is most of what is heated."""
_STRIP_FILL = 0.75
"""Least share of its rectangle's cells that a straight strip heats."""
_STRIP_WIDTH = 1.25
"""Greatest width of a strip, in substrings: two rows of cells across a PV module are a little wider than
two columns, as cells are not quite square."""
_STRIP_SLENDER = 2.5
"""Least length over width of a strip: half of the stoutest usual substring, ten by two cells."""


@dataclass(frozen=True)
class CellGrid:
    """The cells of a PV module as it lies on the raster.

    Parameters
    ----------
    substring
        (rows, columns) int: number of the bypass diode of each cell.
    cell_m
        Height and width of a cell, in metres.
    """

    substring: NDArray[np.int64]
    cell_m: tuple[float, float]


@dataclass(frozen=True)
class HeatSource:
    """Heated cells that hang together.

    Parameters
    ----------
    cells
        (rows, columns) bool: which cells of the PV module.
    shape
        What they cover.
    """

    cells: Mask
    shape: HotspotShape


def cell_grid(pv_module: PvModule, sheet: Sheet) -> CellGrid:
    """Return a PV module's cells; each substring is a strip along the long side."""
    ny, nx = sheet.cells
    count, landscape = pv_module.substrings, pv_module.landscape
    across = np.arange(ny if landscape else nx, dtype=np.int64)
    number = across * count // len(across)
    substring = np.broadcast_to(number[:, None] if landscape else number[None, :], (ny, nx))
    height_m, width_m = (
        step * points for step, points in zip(sheet.step_m, sheet.shape, strict=True)
    )
    return CellGrid(substring, (height_m / ny, width_m / nx))


def heat_sources(
    heat_w_m2: NDArray[np.float64], least_w_m2: float, grid: CellGrid
) -> list[HeatSource]:
    """Return the groups of cells that a defect heats, neighbours side by side in one group.

    Parameters
    ----------
    heat_w_m2
        (rows, columns) float64: heat of the defect in each cell, of healthy ones none.
    least_w_m2
        From here on a cell counts as heated. It is the label's threshold times the loss coefficient
        U: what would show just the threshold if it were spread evenly, so that no heat flowed
        sideways.
    grid
        The PV module's cells.
    """
    number, count = label(heat_w_m2 >= least_w_m2)
    groups = (number == one for one in range(1, count + 1))
    return [HeatSource(cells, source_shape(cells, grid)) for cells in groups]


def source_shape(cells: Mask, grid: CellGrid) -> HotspotShape:
    """Name the shape of heated cells by what they cover.

    Parameters
    ----------
    cells
        (rows, columns) bool, at least one.
    grid
        The PV module's cells.

    Returns
    -------
    ``point`` for one cell and up to four of sixty; ``block`` for the whole PV module or at least two
    whole substrings; ``stripe`` for one whole substring, or for a straight strip that is no wider
    and at least as slender as half of one; ``patch`` for anything else.
    """
    heated = int(cells.sum())
    if heated <= max(1, _POINT_SHARE * cells.size):
        return "point"
    # Of more bypass diodes than cells across, some have no cells: they have no number here.
    _, substring, sizes = np.unique(grid.substring, return_inverse=True, return_counts=True)
    covered = np.bincount(substring[cells], minlength=len(sizes))
    whole = covered >= _WHOLE_SHARE * sizes
    if whole.sum() >= 2 or whole.all():
        return "block"
    if whole.any():
        beside = heated - int(covered[whole].sum())
        return "stripe" if beside <= _BESIDE_SUBSTRINGS * sizes[whole][0] else "patch"
    return "stripe" if _is_strip(cells, grid) else "patch"


def _is_strip(cells: Mask, grid: CellGrid) -> bool:
    """Tell whether cells are a filled rectangle, long and narrow as a substring is."""
    window, sides_m = _rectangle(cells, grid)
    _, substring_m = _rectangle(grid.substring == 0, grid)
    return bool(
        cells[window].mean() >= _STRIP_FILL
        and min(sides_m) <= _STRIP_WIDTH * min(substring_m)
        and max(sides_m) >= _STRIP_SLENDER * min(sides_m)
    )


def _rectangle(cells: Mask, grid: CellGrid) -> tuple[tuple[slice, slice], tuple[float, float]]:
    """Return the smallest rectangle of cells around some: rows and columns, and its sides in metres."""
    ((rows, columns),) = find_objects(cells.astype(np.int8))
    sides_m = (
        (rows.stop - rows.start) * grid.cell_m[0],
        (columns.stop - columns.start) * grid.cell_m[1],
    )
    return (rows, columns), sides_m
