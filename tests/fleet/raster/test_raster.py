"""Windows of a raster, and tiles put onto them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dd_livm_core.fleet.raster.raster import (
    Window,
    blend,
    cut_periodic,
    mix,
    overlap,
    paste,
    to_byte,
)

places = st.integers(-60, 60)


@given(x=places, y=places, left=places, top=places)
def test_a_window_shows_its_part_of_a_pasted_tile(x: int, y: int, left: int, top: int) -> None:
    tile = np.random.default_rng(0).integers(1, 255, (17, 23), dtype=np.uint8)
    whole, part = np.zeros((300, 300), np.uint8), np.zeros((20, 30), np.uint8)
    corner = np.array([left, top], np.int32)
    paste(whole, tile, corner, Window(-150, -150, 300, 300))
    paste(part, tile, corner, Window(x, y, 30, 20))
    np.testing.assert_array_equal(part, whole[y + 150 : y + 170, x + 150 : x + 180])
    target, _ = overlap(part.shape, tile.shape, corner, Window(x, y, 30, 20))
    assert (target is None) == (part.max() == 0)


@given(x=places, y=places, reach=st.integers(0, 9))
def test_a_box_within_reach_touches_the_grown_window(x: int, y: int, reach: int) -> None:
    window = Window(x, y, 30, 20)
    boxes = np.random.default_rng(abs(x)).integers(-90, 90, (50, 2)).astype(np.int32)
    boxes = np.hstack([boxes, boxes + 12])
    np.testing.assert_array_equal(window.touches(boxes, reach), window.grow(reach).touches(boxes))


@given(x=st.integers(-500, 500), y=st.integers(-500, 500))
def test_a_periodic_tile_fills_any_window(x: int, y: int) -> None:
    tile = np.random.default_rng(1).random((16, 24))
    rows, columns = np.arange(y, y + 40) % 16, np.arange(x, x + 50) % 24
    np.testing.assert_array_equal(
        cut_periodic(tile, Window(x, y, 50, 40)), tile[rows[:, None], columns]
    )


def test_opaque_paint_covers_and_clear_paint_changes_nothing() -> None:
    image = np.full((6, 6, 3), 100, np.uint8)
    paint = np.full((3, 3, 4), 200, np.uint8)
    paint[..., 3] = [0, 255, 51]
    blend(image, paint, np.array([2, 2], np.int32), Window(0, 0, 6, 6))
    np.testing.assert_array_equal(image[3, 2:5, 0], [100, 200, 120])
    assert (image[:2] == 100).all()


def test_a_mixture_runs_from_the_first_picture_to_the_second() -> None:
    first, second = np.full((1, 5, 3), 40, np.uint8), np.full((1, 5, 3), 240, np.uint8)
    share = to_byte(np.array([[0, 0.25, 0.5, 0.75, 1]], np.float32))
    np.testing.assert_allclose(mix(first, second, share)[0, :, 1], [40, 90, 140, 190, 240], atol=1)


def test_shares_beyond_their_range_are_clipped() -> None:
    shares = np.array([-0.5, 0, 0.5, 1, 7], np.float32)
    np.testing.assert_array_equal(to_byte(shares), [0, 0, 128, 255, 255])
