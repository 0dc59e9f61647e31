"""Labels drawn on both images of a pair become one set, with their conflicts listed."""

import numpy as np

from dd_livm_core.labels.label import Label
from dd_livm_core.labels.reconciliation import reconcile, to_infrared

SHIFTED = np.array([[2.0, 0, 30], [0, 2.0, -10], [0, 0, 1]])
"""Visible pixels from infrared ones: twice as fine, moved."""


def on_visible(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x, y, w, h = box
    return 2 * x + 30, 2 * y - 10, 2 * w, 2 * h


def test_boxes_are_carried_to_the_infrared_frame() -> None:
    box = (100.0, 50.0, 20.0, 10.0)
    np.testing.assert_allclose(to_infrared(on_visible(box), SHIFTED), box)


def test_infrared_gives_the_place_and_visible_the_external_type() -> None:
    hot = Label((100, 50, 20, 20), "dust", "patch")
    seen = Label(on_visible((102, 51, 20, 20)), "weeds")
    result = reconcile([hot], [seen], SHIFTED)
    assert result.labels == (Label((100, 50, 20, 20), "weeds", "patch"),)
    assert len(result.conflicts) == 1


def test_visible_does_not_overrule_with_an_internal_type() -> None:
    hot = Label((100, 50, 20, 20), "open_circuit")
    result = reconcile([hot], [Label(on_visible(hot.box_xywh_px), "diode_failure")], SHIFTED)
    assert result.labels == (hot,)
    assert len(result.conflicts) == 1


def test_agreement_is_no_conflict_and_a_lonely_visible_label_is_one() -> None:
    hot = Label((100, 50, 20, 20), "dust")
    agreed, lonely = Label(on_visible(hot.box_xywh_px), "dust"), Label((5, 5, 9, 9), "weeds")
    result = reconcile([hot], [agreed, lonely], SHIFTED)
    assert result.labels == (hot,)
    assert [conflict.infrared for conflict in result.conflicts] == [None]
    assert reconcile([hot], [], SHIFTED).labels == (hot,)
    assert reconcile([], [], SHIFTED).labels == ()
