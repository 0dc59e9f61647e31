"""Blocks of scenery: all that a camera sees, no seams, and memory given back."""

import gc
import weakref

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.mosaic import BLOCK_PX, LruCache, Mosaic, block_windows
from dd_livm_core.fleet.raster.raster import Window

SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)


@given(
    seed=st.integers(0, 2**31), turn_deg=st.floats(0, 360), size=st.floats(5, 3000),
    margin=st.floats(0, 40),
)  # fmt: skip
def test_every_place_inside_the_outline_lies_in_a_block(
    seed: int, turn_deg: float, size: float, margin: float
) -> None:
    rng = np.random.default_rng(seed)
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    turned = np.array([[c, s], [-s, c]])
    shift = rng.uniform(-3000, 3000, 2)
    outline = (SQUARE * (size, size * 0.8)) @ turned + shift
    inside = (rng.random((300, 2)) * (size, size * 0.8)) @ turned + shift
    inside += rng.uniform(-margin, margin, inside.shape)
    blocks = {(w.x // BLOCK_PX, w.y // BLOCK_PX) for w in block_windows(outline, margin)}
    assert {tuple(b) for b in np.floor(inside / BLOCK_PX).astype(int)} <= blocks


def test_a_leaning_outline_needs_fewer_blocks_than_its_bounding_box() -> None:
    c = np.sqrt(0.5)
    outline = SQUARE * (2000, 600) @ np.array([[c, c], [-c, c]])
    box = np.prod(np.ceil(np.ptp(outline, axis=0) / BLOCK_PX))
    assert len(block_windows(outline, 0)) < 0.75 * box


def test_a_mosaic_is_what_one_drawing_of_all_would_be() -> None:
    world = np.random.default_rng(0).integers(1, 255, (1200, 1300, 3), dtype=np.uint8)
    drawn: list[tuple[int, int]] = []

    def draw(window: Window) -> list[np.ndarray | None]:
        drawn.append((window.x, window.y))
        rows = np.arange(window.y, window.y + window.height)[:, None]
        columns = np.arange(window.x, window.x + window.width)
        return [world[rows % 1200, columns % 1300], None]

    mosaic = Mosaic([(np.uint8, (3,)), (np.float32, ())], 100)
    window = Window(100, 50, 700, 600)
    outline = SQUARE * (700, 600) + (100, 50)
    for _ in range(2):
        colour, nothing = mosaic.read(window, outline, 0, draw)
        np.testing.assert_array_equal(colour, world[50:650, 100:800])
        assert nothing is None
    assert len(drawn) == len(set(drawn))


def test_a_station_has_no_seams(mission: SimulatedMission) -> None:
    """A window drawn at once, and the same window put together from blocks."""
    station = mission.station
    window = Window(-100, -60, 900, 700)
    outline = SQUARE * (900, 700) + window.origin
    colour, glass = station.draw_colour(window, outline)
    at_once, glass_at_once = station._colour_block(window)
    np.testing.assert_array_equal(glass, glass_at_once)
    difference = cv2.absdiff(colour, at_once)
    assert (difference > 2).mean() < 2e-4  # antialiased edges, where a block cuts them
    surface, mask, excess, owner = station.draw_thermal(window, outline, 0)
    surface_2, mask_2, excess_2, owner_2 = station._thermal_block(window)
    difference_k = np.abs(surface - surface_2)
    assert (difference_k > 0.02).mean() < 2e-4
    assert difference_k.max() < 0.2
    np.testing.assert_array_equal(mask, mask_2)
    np.testing.assert_array_equal(excess, excess_2)
    np.testing.assert_array_equal(owner, owner_2)


def test_only_the_latest_values_are_kept() -> None:
    made: list[int] = []

    def value(key: int) -> int:
        return recent.get(key, lambda: made.append(key) or key)

    recent: LruCache[int] = LruCache(2)
    assert [value(k) for k in (1, 2, 1, 3, 1, 2)] == [1, 2, 1, 3, 1, 2]
    assert made == [1, 2, 3, 2]


def test_a_dropped_mission_frees_its_memory_at_once(profile: Profile) -> None:
    mission = SimulatedMission(profile, 0, 2, seed=1)
    mission.render(0)
    station = weakref.ref(mission.station)
    gc.disable()
    try:
        del mission
        assert station() is None
    finally:
        gc.enable()
