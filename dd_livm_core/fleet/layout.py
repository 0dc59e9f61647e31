"""A station from above: where its PV modules stand, and which of them are defective."""

from dataclasses import dataclass
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.records import DEFECT_CLASSES

Ints = NDArray[np.int32]
_MAP_M = 0.25
_MARGIN_M = 30.0


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return random numbers that depend on the seed and the names only, not on any order."""
    keys = [n if isinstance(n, int) else crc32(n.encode()) for n in names]
    return np.random.default_rng([seed, *keys])


@dataclass(frozen=True)
class Layout:
    """A station on its raster; all positions are raster pixels of ``step_m``.

    Parameters
    ----------
    step_m
        Metres per raster pixel, along and across the row.
    tile_px
        Width and height of one PV module.
    corner_px
        (n, 2) int32: upper left corner of each PV module.
    row, column, level
        (n,) int32: row number, number along the row, number across the table from the top.
    defect
        (n,) int32: index of the defect, or -1.
    defect_class
        (d,) int32: index into DEFECT_CLASSES.
    tables_px
        (t, 4) int32: left, top, right, bottom of each table.
    size_px
        Width and height of the station.
    second_share
        (h, w) float32 map of the second surface, ``map_step_m`` apart, ``margin_m`` around.
    shade
        (h, w) float32 map of brightness, same grid.
    buildings_px
        (b, 4) int32: left, top, right, bottom.
    """

    step_m: tuple[float, float]
    tile_px: tuple[int, int]
    corner_px: Ints
    row: Ints
    column: Ints
    level: Ints
    defect: Ints
    defect_class: Ints
    tables_px: Ints
    size_px: tuple[int, int]
    second_share: NDArray[np.float32]
    shade: NDArray[np.float32]
    buildings_px: Ints
    map_step_m: float = _MAP_M
    margin_m: float = _MARGIN_M

    @property
    def size_m(self) -> tuple[float, float]:
        """Extent along and across the rows, in metres."""
        return self.size_px[0] * self.step_m[0], self.size_px[1] * self.step_m[1]


def lay_out(profile: Profile, seed: int) -> Layout:
    """Build a station from its profile; the same seed gives the same station."""
    rng = generator(seed, profile.site_id, "layout")
    along_m, up_m = profile.module_size_m
    wanted_m = profile.flight.height_m.low / profile.visible_camera.focal_px
    tile = (max(8, round(along_m / wanted_m)), max(8, round(up_m / wanted_m)))
    step = (along_m / tile[0], up_m / tile[1])
    corner, number, tables = _modules(profile, tile, step, rng)
    size = (int(corner[:, 0].max()) + tile[0], int(corner[:, 1].max()) + tile[1])
    size_m = (size[0] * step[0], size[1] * step[1])
    second, shade, tracks = _terrain_maps(profile, size_m, tables, step, rng)
    defect, classes = _assign_defects(profile, corner, number, second, step, rng)
    return Layout(
        step, tile, corner, *(np.ascontiguousarray(k) for k in number.T), defect, classes, tables, size,
        second, shade, _buildings(profile, tables, size, step, rng),
    )  # fmt: skip


def _modules(
    profile: Profile, tile: tuple[int, int], step: tuple[float, float], rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    rows = profile.rows
    gap = (max(1, round(rows.module_gap_m / step[0])), max(1, round(rows.module_gap_m / step[1])))
    table_w = rows.modules_per_table * (tile[0] + gap[0]) - gap[0]
    table_h = rows.modules_up * (tile[1] + gap[1]) - gap[1]
    table_gap = max(gap[0], round(rows.table_gap_m / step[0]))
    per_row = max(1, round(rows.length_m / step[0] / (table_w + table_gap)))
    corners, numbers, tables = [], [], []
    columns, levels = np.meshgrid(np.arange(rows.modules_per_table), np.arange(rows.modules_up))
    for row in range(rows.count):
        top = round((row * rows.pitch_m + rng.uniform(0, rows.pitch_jitter_m)) / step[1])
        shift = round(rng.normal(0, rows.pitch_jitter_m) / step[0])
        missing = rng.binomial(max(per_row - 1, 0), rows.ragged, 2) // 2
        for table in range(int(missing[0]), max(per_row - int(missing[1]), int(missing[0]) + 1)):
            left = table * (table_w + table_gap) + shift
            x, y = left + columns * (tile[0] + gap[0]), top + levels * (tile[1] + gap[1])
            corners.append(np.column_stack([x.ravel(), y.ravel()]))
            along = columns.ravel() + table * rows.modules_per_table
            numbers.append(np.column_stack([np.full_like(along, row), along, levels.ravel()]))
            tables.append((left, top, left + table_w, top + table_h))
    return (
        np.concatenate(corners).astype(np.int32),
        np.concatenate(numbers).astype(np.int32),
        np.array(tables, dtype=np.int32),
    )


def smooth_noise(
    shape: tuple[int, int], scale_px: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a random field (h, w) of zero mean and unit deviation with octaves from one scale."""
    field = np.zeros(shape, np.float32)
    for octave in range(4):
        size = max(scale_px / 2**octave, 1.0)
        small = (int(shape[1] / size) + 3, int(shape[0] / size) + 3)
        noise = rng.standard_normal((small[1], small[0])).astype(np.float32)
        field += cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC) * 0.6**octave
    field -= field.mean()
    result: NDArray[np.float32] = field / max(float(field.std()), 1e-6)
    return result


def _terrain_maps(
    profile: Profile, size_m: tuple[float, float], tables: Ints, step: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[NDArray[np.float32], NDArray[np.float32], int]:  # fmt: skip
    terrain = profile.terrain
    shape = tuple(int((s + 2 * _MARGIN_M) / _MAP_M) + 1 for s in size_m[::-1])
    field = smooth_noise((shape[0], shape[1]), terrain.patch_m / _MAP_M, rng)
    level = np.quantile(field, 1 - terrain.second_share)
    share = 1 / (1 + np.exp(-(field - level) / 0.12))
    for _ in range(terrain.tracks):
        half = int(terrain.track_width_m / 2 / _MAP_M) + 1
        wobble = (smooth_noise((1, max(shape)), 80, rng)[0] * 0.6 / _MAP_M).astype(int)
        if rng.random() < 0.5:
            middle = int(rng.choice([rng.uniform(0, 22), rng.uniform(0, size_m[1]) + 30]) / _MAP_M)
            for x in range(shape[1]):
                share[max(middle + wobble[x] - half, 0) : max(middle + wobble[x] + half, 0), x] = (
                    0.97
                )
        else:
            middle = int(rng.choice([rng.uniform(15, 28), rng.uniform(0, size_m[0]) + 30]) / _MAP_M)
            for y in range(shape[0]):
                share[y, max(middle + wobble[y] - half, 0) : max(middle + wobble[y] + half, 0)] = (
                    0.97
                )
    share = cv2.GaussianBlur(share.astype(np.float32), (0, 0), 1.0)
    shade = 1 + 0.07 * smooth_noise((shape[0], shape[1]), 24, rng)
    return share, shade.astype(np.float32), terrain.tracks


def _assign_defects(
    profile: Profile, corner: Ints, number: Ints, second: NDArray[np.float32],
    step: tuple[float, float], rng: np.random.Generator,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Draw the defective PV modules; habits make a class likelier at some places."""
    count = len(corner)
    chance = np.tile([profile.defects.weights.get(c, 0.0) for c in DEFECT_CLASSES], (count, 1))
    chance *= profile.defects.share / max(chance[0].sum(), 1e-12)
    cell = ((corner * np.asarray(step) + _MARGIN_M) / _MAP_M).astype(int)
    cell = np.clip(cell, 0, np.array(second.shape[::-1]) - 1)
    around = cv2.blur(second, (13, 13))[cell[:, 1], cell[:, 0]]
    last = number[:, 1].max()
    places = {
        "second_surface": around > np.quantile(around, 0.7),
        "row_start": number[:, 1] < 0.2 * last,
        "row_end": number[:, 1] > 0.8 * last,
        "lower_modules": number[:, 2] == number[:, 2].max(),
        "upper_modules": number[:, 2] == 0,
    }
    for habit in profile.defects.habits:
        index = DEFECT_CLASSES.index(habit.defect_class)
        factor = np.where(places[habit.near], habit.strength, 1.0)
        chance[:, index] *= factor / factor.mean()
    drawn = rng.random(count)
    edges = np.cumsum(chance, axis=1)
    hit = np.flatnonzero(drawn < edges[:, -1])
    classes = (drawn[hit, None] >= edges[hit]).sum(axis=1).astype(np.int32)
    defect = np.full(count, -1, np.int32)
    defect[hit] = np.arange(len(hit))
    _open_strings(defect, classes, number, rng)
    return defect, classes


def _open_strings(defect: Ints, classes: Ints, number: Ints, rng: np.random.Generator) -> None:
    """Let a third of the open circuits take their neighbours along the row with them."""
    open_circuit = DEFECT_CLASSES.index("open_circuit")
    for index in np.flatnonzero((classes == open_circuit) & (rng.random(len(classes)) < 0.3)):
        first = int(np.flatnonzero(defect == index)[0])
        same = (number[:, 0] == number[first, 0]) & (number[:, 2] == number[first, 2])
        ahead = number[:, 1] - number[first, 1]
        members = np.flatnonzero(same & (ahead >= 0) & (ahead < rng.integers(2, 9)) & (defect < 0))
        defect[members] = index


def _buildings(
    profile: Profile, tables: Ints, size: tuple[int, int], step: tuple[float, float],
    rng: np.random.Generator,
) -> Ints:  # fmt: skip
    """Put cabins and vents where no table stands."""
    placed: list[tuple[int, int, int, int]] = []
    border = np.array([8 / step[0], 8 / step[1]])
    for _ in range(profile.terrain.buildings * 12):
        if len(placed) >= profile.terrain.buildings:
            break
        wide = profile.terrain.building_m * rng.uniform([0.6, 0.4], [1.6, 1.0]) / np.asarray(step)
        at = rng.uniform(-border, np.asarray(size) + border)
        box = (int(at[0]), int(at[1]), int(at[0] + wide[0]), int(at[1] + wide[1]))
        clear = (tables[:, 0] > box[2]) | (tables[:, 2] < box[0]) | (tables[:, 1] > box[3]) | (tables[:, 3] < box[1])  # fmt: skip
        if clear.all():
            placed.append(box)
    return np.array(placed, dtype=np.int32).reshape(-1, 4)
