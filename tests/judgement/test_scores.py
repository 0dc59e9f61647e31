"""Scores on cases that can be counted by hand."""

import numpy as np
import pytest

from dd_livm_core.judgement.scores import choose_threshold, score_site
from dd_livm_core.labels.label import Label
from dd_livm_core.model.detections import Detections


def found(*boxes: tuple[float, float, float, float, float, str]) -> Detections:
    return Detections(
        np.array([b[:4] for b in boxes], np.float32).reshape(-1, 4),
        np.array([b[4] for b in boxes], np.float32),
        tuple(b[5] for b in boxes),  # type: ignore[arg-type]
        tuple("point" for _ in boxes),
    )


DUST = Label((10, 10, 20, 20), "dust", "patch")
WEEDS = Label((100, 100, 10, 10), "weeds", "point")


def test_all_right_is_a_hundred() -> None:
    scores = score_site([found((10, 10, 30, 30, 0.9, "dust"))], [[DUST]], 0.5)
    for name in ("detection_accuracy", "located_and_typed", "type_accuracy", "map50"):
        assert scores[name] == pytest.approx(100.0)


def test_the_four_numbers_part_ways() -> None:
    """One right, one located with the wrong type, one false alarm: 1 of 1 + 2 + 1 outcomes."""
    detections = found(
        (10, 10, 30, 30, 0.9, "dust"),
        (100, 100, 110, 110, 0.8, "dust"),
        (200, 200, 220, 220, 0.7, "dust"),
    )
    scores = score_site([detections], [[DUST, WEEDS]], 0.5)
    assert scores["detection_accuracy"] == pytest.approx(25.0)
    assert scores["located_and_typed"] == pytest.approx(50.0)
    assert scores["type_accuracy"] == pytest.approx(50.0)


def test_a_label_is_found_once() -> None:
    twice = found((10, 10, 30, 30, 0.9, "dust"), (11, 10, 31, 30, 0.8, "dust"))
    assert score_site([twice], [[DUST]], 0.5)["detection_accuracy"] == pytest.approx(50.0)


def test_an_empty_site_is_no_success() -> None:
    assert score_site([found()], [[]], 0.5)["detection_accuracy"] == 0.0


def test_the_threshold_cuts_the_false_alarms_off() -> None:
    detections = found((10, 10, 30, 30, 0.8, "dust"), (200, 200, 220, 220, 0.3, "dust"))
    threshold = choose_threshold([detections], [[DUST]])
    assert 0.3 < threshold <= 0.8
