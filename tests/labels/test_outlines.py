"""Boxes round polygons, masks and turned boxes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dd_livm_core.labels.outlines import box_of_mask, box_of_points, pairs_of, turned_box


def runs_of(mask: np.ndarray) -> list[int]:
    """Return COCO's runs of a mask, counted down the columns, by comparing neighbours."""
    flat = np.concatenate([[False], mask.T.ravel()])
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return np.diff([0, *changes, mask.size]).tolist()


def compressed(runs: list[int]) -> str:
    """Return COCO's text of runs, as its maskApi.c writes it."""
    text = ""
    for number, run in enumerate(runs):
        value = run - runs[number - 2] if number > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            text += chr((bits | 0x20 if more else bits) + 48)
    return text


@given(st.integers(0, 30), st.integers(0, 20), st.integers(1, 10), st.integers(1, 12))
def test_the_box_round_a_mask_is_that_of_its_pixels(x: int, y: int, w: int, h: int) -> None:
    mask = np.zeros((32, 40), bool)
    mask[y : y + h, x : x + w] = True
    runs = runs_of(mask)
    assert box_of_mask(runs, 32) == (x, y, w, h)
    assert box_of_mask(compressed(runs), 32) == (x, y, w, h)


def test_a_mask_of_two_parts_has_one_box() -> None:
    mask = np.zeros((32, 40), bool)
    mask[3, 4] = mask[20:32, 30:33] = True
    assert box_of_mask(runs_of(mask), 32) == (4, 3, 29, 29)


@pytest.mark.parametrize("counts", [[], [1280], "", [5, -2], "\x01", 7])
def test_what_is_no_mask_is_refused(counts: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        box_of_mask(counts, 32)


def test_the_box_round_points() -> None:
    assert box_of_points(pairs_of([3, 9, 1, 4, 7, 5])) == (1, 4, 6, 5)
    with pytest.raises(ValueError, match="1 points"):
        box_of_points(pairs_of([3, 9]))
    with pytest.raises(ValueError, match="shorter"):
        pairs_of([1, 2, 3])


@given(st.floats(-360, 360))
def test_a_turned_box_keeps_its_centre_and_holds_its_corners(degrees: float) -> None:
    x, y, w, h = turned_box((10, 20, 30, 10), degrees)
    assert (x + w / 2, y + h / 2) == pytest.approx((25, 25))
    turn = np.exp(1j * np.radians(degrees))
    corners = np.array([15 + 5j, 15 - 5j, -15 + 5j, -15 - 5j]) * turn
    assert w / 2 == pytest.approx(corners.real.max())
    assert h / 2 == pytest.approx(corners.imag.max())
