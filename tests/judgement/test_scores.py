"""Scores on cases that can be counted by hand."""

import numpy as np
import pytest

from dd_livm_core.judgement.scores import choose_threshold, score_site
from dd_livm_core.labels.label import Label
from dd_livm_core.model.detections import Detections


def detect(*boxes: tuple[float, float, float, float, float, str]) -> Detections:
    """Return detections given as x0, y0, x1, y1, score, class."""
    return Detections(
        np.array([b[:4] for b in boxes], np.float32).reshape(-1, 4),
        np.array([b[4] for b in boxes], np.float32),
        tuple(b[5] for b in boxes),  # type: ignore[arg-type]
        tuple("point" for _ in boxes),
    )


DUST = Label((10, 10, 20, 20), "dust", "patch")
WEEDS = Label((100, 100, 10, 10), "weeds", "point")


def test_a_perfect_site_scores_100() -> None:
    scores = score_site([detect((10, 10, 30, 30, 0.9, "dust"))], [[DUST]], 0.5)
    for name in ("detection_accuracy", "located_and_typed", "type_accuracy", "map50"):
        assert scores[name] == pytest.approx(100.0)


def test_the_four_numbers_differ_where_a_class_is_wrong_and_an_alarm_false() -> None:
    """One right, one at its place with the wrong class, one false alarm: TP 1, FP 2, FN 1."""
    detections = detect(
        (10, 10, 30, 30, 0.9, "dust"),
        (100, 100, 110, 110, 0.8, "dust"),
        (200, 200, 220, 220, 0.7, "dust"),
    )
    scores = score_site([detections], [[DUST, WEEDS]], 0.5)
    assert scores["detection_accuracy"] == pytest.approx(25.0)
    assert scores["located_and_typed"] == pytest.approx(50.0)
    assert scores["type_accuracy"] == pytest.approx(50.0)


def test_a_label_found_twice_counts_once_and_one_false_alarm() -> None:
    twice = detect((10, 10, 30, 30, 0.9, "dust"), (11, 10, 31, 30, 0.8, "dust"))
    assert score_site([twice], [[DUST]], 0.5)["detection_accuracy"] == pytest.approx(50.0)


def test_a_site_without_labels_and_detections_scores_0() -> None:
    assert score_site([detect()], [[]], 0.5)["detection_accuracy"] == 0.0


def test_the_threshold_lies_above_the_false_alarm() -> None:
    detections = detect((10, 10, 30, 30, 0.8, "dust"), (200, 200, 220, 220, 0.3, "dust"))
    threshold = choose_threshold([detections], [[DUST]])
    assert 0.3 < threshold <= 0.8
