"""Lays a station out as seen from above: where its PV modules stand, and which are defective.

Numbers of the habits are chosen: `python -m benchmarks.fleet_leak` measures how much they give away.
"""

from dataclasses import dataclass, replace
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.station.land import MAP_M, MARGIN_M, Land, draw_land
from dd_livm_core.records import DEFECT_CLASSES

Ints = NDArray[np.int32]
_OPEN_STRING_SHARE = 0.3
"""Of open circuits that take further PV modules of their row with them: chosen."""
_STRING_LENGTH = (2, 9)
"""PV modules in an open string, from and up to but not including."""
_AROUND_CELLS = 13
"""Width of the mean over the land's map that tells which PV modules stand at the second surface: 3.25 m."""
_ROW_END_SHARE = 0.2
_SECOND_SURFACE_SHARE = 0.3
"""Of PV modules that count as near a row end, and near the second surface."""
_LEAST_TILE_PX = 8


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a random generator that depends on the seed and the names only, never on what was drawn before."""
    keys = [n if isinstance(n, int) else crc32(n.encode()) for n in names]
    return np.random.default_rng([seed, *keys])


@dataclass(frozen=True)
class Modules:
    """PV modules of a station, on its raster.

    Parameters
    ----------
    corner_px
        (n, 2) int32: upper left corner.
    row, column, level
        (n,) int32: number of the row, number along the row, number up the table counted from its upper edge.
    tables_px
        (t, 4) int32: left, top, right, bottom of each table.
    """

    corner_px: Ints
    row: Ints
    column: Ints
    level: Ints
    tables_px: Ints


@dataclass(frozen=True)
class Layout:
    """A station on its raster; positions are raster pixels of ``step_m``.

    Parameters
    ----------
    step_m
        Metres per raster pixel, along and across the row.
    tile_px
        Width and height of one PV module.
    modules
        The PV modules.
    defect
        (n,) int32: index of the defect of each PV module, or -1.
    defect_class
        (d,) int32: index into DEFECT_CLASSES.
    size_px
        Width and height of the station.
    land
        What lies around and between the tables.
    """

    step_m: tuple[float, float]
    tile_px: tuple[int, int]
    modules: Modules
    defect: Ints
    defect_class: Ints
    size_px: tuple[int, int]
    land: Land

    @property
    def size_m(self) -> tuple[float, float]:
        """Return the size along and across the rows, in metres."""
        return self.size_px[0] * self.step_m[0], self.size_px[1] * self.step_m[1]

    @property
    def corner_px(self) -> Ints:
        """Return the upper left corners (n, 2) of the PV modules."""
        return self.modules.corner_px

    @property
    def tables_px(self) -> Ints:
        """Return the tables (t, 4): left, top, right, bottom."""
        return self.modules.tables_px


def lay_out(profile: Profile, seed: int) -> Layout:
    """Return the layout of a profile's station; the same seed gives the same one."""
    rng = generator(seed, profile.site_id, "layout")
    tile, step = _raster_size(profile)
    modules = _place_modules(profile, tile, step, rng)
    size = _station_size_px(modules, tile)
    land = draw_land(profile, size, step, modules.tables_px, rng)
    defect, classes = _assign_defects(profile, modules, land, step, rng)
    return Layout(step, tile, modules, defect, classes, size, land)


def retilt(layout: Layout, profile: Profile, seed: int) -> Layout:
    """Return a station's layout with its tables at the profile's tilt: same land, same defects.

    ``seed`` is the one the layout was made with.
    """
    tile, step = _raster_size(profile)
    # The same random numbers as when the station was laid out.
    modules = _place_modules(profile, tile, step, generator(seed, profile.site_id, "layout"))
    scale = np.array(layout.step_m) / np.array(step)
    buildings = np.round(layout.land.buildings_px * np.tile(scale, 2)).astype(np.int32)
    land = replace(layout.land, buildings_px=buildings)
    return replace(
        layout,
        step_m=step,
        tile_px=tile,
        modules=modules,
        size_px=_station_size_px(modules, tile),
        land=land,
    )


def _raster_size(profile: Profile) -> tuple[tuple[int, int], tuple[float, float]]:
    """Return a PV module's size in raster pixels, and metres per raster pixel, each along and across the row.

    A raster pixel is as large as a visible one at the lowest flight, before rounding to whole PV modules.
    """
    along_m, up_m = profile.module_size_m
    wanted_m = profile.flight.height_m.low / profile.visible_camera.focal_px
    tile = (
        max(_LEAST_TILE_PX, round(along_m / wanted_m)),
        max(_LEAST_TILE_PX, round(up_m / wanted_m)),
    )
    return tile, (along_m / tile[0], up_m / tile[1])


def _station_size_px(modules: Modules, tile: tuple[int, int]) -> tuple[int, int]:
    right, bottom = modules.corner_px.max(axis=0)
    return int(right) + tile[0], int(bottom) + tile[1]


def _place_modules(
    profile: Profile, tile: tuple[int, int], step: tuple[float, float], rng: np.random.Generator
) -> Modules:
    """Return the PV modules, table by table; rows and tables are shifted at random as the profile says."""
    rows = profile.rows
    gap = (max(1, round(rows.module_gap_m / step[0])), max(1, round(rows.module_gap_m / step[1])))
    table_w = rows.modules_per_table * (tile[0] + gap[0]) - gap[0]
    table_h = rows.modules_up * (tile[1] + gap[1]) - gap[1]
    table_gap = max(gap[0], round(rows.table_gap_m / step[0]))
    per_row = max(1, round(rows.length_m / step[0] / (table_w + table_gap)))
    corners, numbers, tables = [], [], []
    columns, levels = np.meshgrid(np.arange(rows.modules_per_table), np.arange(rows.modules_up))
    for row in range(rows.count):
        row_top = (row * rows.pitch_m + rng.uniform(0, rows.pitch_jitter_m)) / step[1]
        shift = round(rng.normal(0, rows.pitch_jitter_m) / step[0])
        missing = rng.binomial(max(per_row - 1, 0), rows.ragged, 2) // 2
        for table in range(int(missing[0]), max(per_row - int(missing[1]), int(missing[0]) + 1)):
            left = table * (table_w + table_gap) + shift
            top = round(row_top + rng.uniform(-0.5, 0.5) * rows.table_jitter_m / step[1])
            x, y = left + columns * (tile[0] + gap[0]), top + levels * (tile[1] + gap[1])
            corners.append(np.column_stack([x.ravel(), y.ravel()]))
            along = columns.ravel() + table * rows.modules_per_table
            numbers.append(np.column_stack([np.full_like(along, row), along, levels.ravel()]))
            tables.append((left, top, left + table_w, top + table_h))
    row_of, column_of, level_of = np.concatenate(numbers).astype(np.int32).T
    return Modules(
        np.concatenate(corners).astype(np.int32), row_of, column_of, level_of,
        np.array(tables, dtype=np.int32),
    )  # fmt: skip


def _assign_defects(
    profile: Profile, modules: Modules, land: Land, step: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Return each PV module's defect (n,) or -1, and each defect's class (d,); habits weigh places."""
    count = len(modules.row)
    chance = np.tile([profile.defects.weights.get(c, 0.0) for c in DEFECT_CLASSES], (count, 1))
    chance *= profile.defects.share / max(chance[0].sum(), 1e-12)
    cell = ((modules.corner_px * np.asarray(step) + MARGIN_M) / MAP_M).astype(int)
    cell = np.clip(cell, 0, np.array(land.second_share.shape[::-1]) - 1)
    around = np.asarray(cv2.blur(land.second_share, (_AROUND_CELLS, _AROUND_CELLS)))[
        cell[:, 1], cell[:, 0]
    ]
    places = {
        "second_surface": around > np.quantile(around, 1 - _SECOND_SURFACE_SHARE),
        "row_start": modules.column < _ROW_END_SHARE * modules.column.max(),
        "row_end": modules.column > (1 - _ROW_END_SHARE) * modules.column.max(),
        "lower_modules": modules.level == modules.level.max(),
        "upper_modules": modules.level == 0,
    }
    for habit in profile.defects.habits:
        factor = np.where(places[habit.near], habit.strength, 1.0)
        chance[:, DEFECT_CLASSES.index(habit.defect_class)] *= factor / factor.mean()
    drawn = rng.random(count)
    edges = np.cumsum(chance, axis=1)
    hit = np.flatnonzero(drawn < edges[:, -1])
    classes = (drawn[hit, None] >= edges[hit]).sum(axis=1).astype(np.int32)
    defect = np.full(count, -1, np.int32)
    defect[hit] = np.arange(len(hit))
    _extend_open_circuits(defect, classes, modules, rng)
    return defect, classes


def _extend_open_circuits(
    defect: Ints, classes: Ints, modules: Modules, rng: np.random.Generator
) -> None:
    """Give some open circuits the PV modules after them in their row, in place: an open string."""
    is_open = classes == DEFECT_CLASSES.index("open_circuit")
    for index in np.flatnonzero(is_open & (rng.random(len(classes)) < _OPEN_STRING_SHARE)):
        first = int(np.flatnonzero(defect == index)[0])
        same = (modules.row == modules.row[first]) & (modules.level == modules.level[first])
        ahead = modules.column - modules.column[first]
        members = same & (ahead >= 0) & (ahead < rng.integers(*_STRING_LENGTH)) & (defect < 0)
        defect[members] = index
