"""Findings on real frames are held against what people drew, leniently where it is small."""

import numpy as np
import pytest

from dd_livm_core.judgement.plant_scores import (
    FrameFindings,
    FrameScore,
    lie_on,
    score_frame,
    summarize,
    threshold_at,
)
from dd_livm_core.labels.plant_labels import DrawnFrame

HALF = [(0, 0), (49, 0), (49, 79), (0, 79)]


def drawn(
    *hotspots: tuple[float, float, float, float, str], ignored: list[list[tuple[int, int]]]
) -> DrawnFrame:
    named = [
        dict(zip(("x", "y", "w", "h", "certainty"), hotspot, strict=True)) for hotspot in hotspots
    ]
    return DrawnFrame.model_validate(
        {
            "file": "a.jpg",
            "site": "plant",
            "width": 100,
            "height": 80,
            "module_short_px": 20,
            "panel_polygons": [HALF],
            "ignore_polygons": ignored,
            "hotspots": named,
        }
    )


def found(
    boxes: list[tuple[float, float, float, float]],
    scores: list[float],
    panels: slice = slice(0, 50),
    short_px: float | None = 20,
) -> FrameFindings:
    mask = np.zeros((80, 100), bool)
    mask[:, panels] = True
    return FrameFindings(
        np.asarray(boxes, float).reshape(-1, 4), np.asarray(scores, float), mask, short_px
    )


@pytest.mark.parametrize(
    ("box", "lies"),
    [
        ((10, 10, 10, 10), True),
        ((10, 10, 10, 4), True),  # IoU 0.4
        ((14, 14, 4, 4), True),  # each holds the other's centre, a sixth of the area
        ((14, 14, 3, 3), False),  # an eleventh of it
        ((30, 10, 10, 10), False),
        ((17, 10, 10, 10), True),  # 7 px off: centres within the slack
        ((20, 10, 10, 10), False),
    ],
)
def test_what_lies_on_a_drawn_hotspot(box: tuple[float, ...], lies: bool) -> None:
    overlap = lie_on(np.array([box], float), np.array([[10.0, 10, 10, 10]]))
    assert (overlap.item() >= 0) == lies


def test_each_drawn_hotspot_is_found_once_and_doubtful_ones_count_nowhere() -> None:
    frame = drawn((10, 10, 6, 6, "sure"), (30, 30, 6, 6, "doubtful"), ignored=[])
    score = score_frame(
        frame,
        found(
            [(10, 10, 6, 6), (11, 10, 6, 6), (30, 30, 6, 6), (70, 70, 5, 5)], [0.9, 0.8, 0.7, 0.6]
        ),
    )
    assert score.found_scores.tolist() == [0.9]
    assert score.false_scores.tolist() == [0.8, 0.6]
    assert score.sure == 1


def test_nothing_is_asked_for_and_nothing_is_false_in_an_ignored_part() -> None:
    frame = drawn((60, 10, 6, 6, "sure"), ignored=[[(50, 0), (99, 0), (99, 79), (50, 79)]])
    score = score_frame(frame, found([(80, 40, 6, 6)], [0.9]))
    assert (score.sure, len(score.found_scores), len(score.false_scores)) == (0, 0, 0)


def test_panels_and_width_are_compared_with_the_drawn_ones() -> None:
    frame = drawn(ignored=[])
    whole = score_frame(frame, found([], []))
    half = score_frame(frame, found([], [], slice(0, 25), 22.5))
    assert whole.mask_iou == 1.0
    assert whole.width_right
    assert half.mask_iou == pytest.approx(0.5)
    assert half.width_right is False
    assert score_frame(frame, found([], [], short_px=None)).width_right is False


def test_a_threshold_allows_so_many_false_findings_a_frame_and_no_more() -> None:
    scores = [
        FrameScore(1, np.array([0.9]), np.array([0.8, 0.3]), None, None),
        FrameScore(1, np.array([0.2]), np.array([0.5]), None, None),
    ]
    at = threshold_at(scores, 1.0)
    summary = summarize(scores, at)
    assert summary.false_a_frame == 1.0
    assert summary.found_pct == 50.0
    assert summarize(scores, 0.0).found_pct == 100.0
    assert threshold_at(scores, 5.0) == 0.0
    assert summarize(scores, threshold_at(scores, 0.0)).false_a_frame == 0.0
