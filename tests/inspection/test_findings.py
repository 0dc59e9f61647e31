"""Findings are in pixels of the pair's own infrared image, whatever grid it is stored on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from dd_livm_core.aligned.store import AlignedPair, read_aligned_mission, write_aligned_mission
from dd_livm_core.inspection.findings import Finding, excess_in_box, find_defects
from dd_livm_core.model.detector import Architecture, Detector
from tests.synthetic_store import HEIGHT, WIDTH, synthetic_pair


@pytest.fixture
def detector() -> Detector:
    """Return an untrained detector that detects hotspots at many places."""
    torch.manual_seed(0)
    model = Detector(Architecture(WIDTH, HEIGHT, 8))
    with torch.no_grad():
        model.centre.bias.fill_(2.0)  # type: ignore[union-attr]
    model.threshold = 0.0
    return model


def enlarge_twice(pair: AlignedPair) -> AlignedPair:
    """Return the pair with every pixel as four."""
    return replace(
        pair,
        infrared_excess=np.kron(pair.infrared_excess, np.ones((2, 2), np.float32)),
        panel_mask=np.kron(pair.panel_mask, np.ones((2, 2), bool)),
        visible=np.kron(pair.visible, np.ones((2, 2, 1), np.uint8)),
        pv_module_width_px=48.0,
    )


def store_and_find(detector: Detector, folder: Path, *pairs: AlignedPair) -> list[Finding]:
    """Store the pairs as a mission and return the findings in it."""
    write_aligned_mission(folder, iter(pairs), len(pairs), {})
    return list(find_defects(detector, read_aligned_mission(folder)))


def test_boxes_are_in_infrared_pixels_also_where_a_pair_is_stored_smaller(
    detector: Detector, tmp_path: Path
) -> None:
    first, second = (synthetic_pair(number, seed=1)[0] for number in range(2))
    large = enlarge_twice(second)
    alone = store_and_find(detector, tmp_path / "alone", large)
    beside = store_and_find(detector, tmp_path / "beside", first, large)
    beside = [finding for finding in beside if finding.pair_id == large.pair_id]
    assert len(alone) == len(beside) > 3

    def numbers(findings: list[Finding]) -> np.ndarray:
        return np.array(
            [(f.x_px, f.y_px, f.width_px, f.height_px, f.max_excess_k) for f in findings], float
        )

    assert max(f.x_px + f.width_px for f in beside) > WIDTH
    np.testing.assert_allclose(numbers(beside), numbers(alone), atol=0.1)


def test_excess_is_measured_over_every_pixel_that_the_box_touches() -> None:
    excess = np.zeros((10, 10), np.float16)
    excess[3, 4] = 8
    assert excess_in_box(excess, (4.2, 3.2, 4.8, 3.8)) == (8.0, 8.0)
    assert excess_in_box(excess, (4.2, 3.2, 6.0, 4.0)) == (4.0, 8.0)
    assert excess_in_box(excess, (20.0, 3.0, 25.0, 4.0)) is None


def test_without_a_visible_image_the_class_is_unknown_and_place_and_excess_stay(
    detector: Detector, tmp_path: Path
) -> None:
    pair = synthetic_pair(0, seed=1)[0]
    alone = replace(pair, visible=None, matrix=None, status="failed", reason="wrong pair")
    write_aligned_mission(tmp_path, iter([alone]), 1, {}, with_visible=0)
    found = find_defects(detector, read_aligned_mission(tmp_path))
    assert len(found) > 3
    for finding in found:
        assert (finding.defect_class, finding.alignment) == ("unknown", "failed")
        assert finding.external_probability is not None
        assert 0 < finding.external_probability < 1
        assert finding.max_excess_k is not None
