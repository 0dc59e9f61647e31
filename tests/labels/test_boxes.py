"""Boxes: overlaps that can be counted by hand, and what they must keep."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dd_livm_core.labels.boxes import iou, pixels_of, xywh_of_xyxy, xyxy_of_xywh

side = st.floats(0.125, 500, width=32)
box_xywh = st.tuples(st.floats(-500, 500, width=32), st.floats(-500, 500, width=32), side, side)


def test_overlaps_are_those_counted_by_hand() -> None:
    found = iou([[0, 0, 2, 2]], [[0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 6, 6]])
    assert found == pytest.approx(np.array([[1.0, 1 / 3, 0.0]]))


def test_no_box_and_a_box_without_area_have_no_overlap() -> None:
    assert iou(np.zeros((0, 4)), [[0, 0, 1, 1]]).shape == (0, 1)
    assert iou([[1, 1, 1, 1]], [[1, 1, 1, 1]]) == 0


@given(box_xywh, box_xywh)
def test_overlap_is_symmetric_and_at_most_one(first: tuple, second: tuple) -> None:
    a, b = xyxy_of_xywh(first), xyxy_of_xywh(second)
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert 0 <= iou(a, b)[0, 0] <= 1 + 1e-12
    assert iou(a, a) == pytest.approx(1)


@given(box_xywh)
def test_a_box_turned_into_corners_and_back_is_the_same(box: tuple) -> None:
    assert xywh_of_xyxy(xyxy_of_xywh(box)) == pytest.approx(np.array([box]), abs=1e-3)


def test_pixels_are_all_that_a_box_touches() -> None:
    assert pixels_of((1.2, 2.0, 3.1, 4.0), (10, 10)) == (slice(2, 4), slice(1, 4))
    assert pixels_of((-5, -5, 2, 30), (10, 8)) == (slice(0, 10), slice(0, 2))
    assert pixels_of((20, 2, 30, 4), (10, 10)) is None
