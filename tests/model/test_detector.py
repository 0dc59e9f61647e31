"""The detector: boxes lie in the frame, weights are read back as written, bad files are refused."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dd_livm_core.errors import InputError
from dd_livm_core.model.decoding import nms
from dd_livm_core.model.detector import Architecture, Detector
from dd_livm_core.model.prediction import predict
from dd_livm_core.model.weights import load_detector, save_detector


@pytest.fixture
def model() -> Detector:
    """Return an untrained detector for frames of 160 by 128 pixels."""
    torch.manual_seed(0)
    return Detector(Architecture(160, 128, 8))


def make_inputs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return excess, visible and panel mask of two pairs of noise, all panel."""
    rng = np.random.default_rng(0)
    excess = rng.normal(0, 2, (2, 256, 320)).astype(np.float32)
    return excess, rng.integers(0, 255, (2, 256, 320, 3), np.uint8), np.ones((2, 256, 320), bool)


def test_weights_are_read_back_with_their_threshold(model: Detector, tmp_path: Path) -> None:
    model.threshold = 0.425
    save_detector(model, tmp_path / "weights.safetensors")
    again = load_detector(tmp_path / "weights.safetensors")
    assert again.threshold == 0.425
    for one, other in zip(
        predict(model, *make_inputs()), predict(again, *make_inputs()), strict=True
    ):
        assert np.array_equal(one.boxes_xyxy_px, other.boxes_xyxy_px)
        assert np.array_equal(one.scores, other.scores)


def test_boxes_stay_in_the_frame_and_scores_fall(model: Detector) -> None:
    with torch.no_grad():
        model.centre.bias.fill_(2.0)  # type: ignore[union-attr]
    for detections in predict(model, *make_inputs()):
        assert len(detections.scores) > 0
        assert (detections.boxes_xyxy_px >= 0).all()
        assert (detections.boxes_xyxy_px <= [320, 256, 320, 256]).all()
        assert (np.diff(detections.scores) <= 0).all()


def test_a_pair_does_not_change_another_pair_of_its_batch(model: Detector) -> None:
    excess, visible, mask = make_inputs()
    alone = predict(model, excess[:1], visible[:1], mask[:1])[0]
    beside = predict(model, excess, visible, mask)[0]
    assert np.allclose(alone.scores, beside.scores, atol=1e-5)


def test_nms_keeps_the_best_of_overlapping_boxes_and_those_apart() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [30, 30, 40, 40]], np.float32)
    assert nms(boxes, np.array([0.9, 0.8, 0.7], np.float32)).tolist() == [0, 2]


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x80\x04pickle"])
def test_a_file_that_holds_no_detector_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="safetensors"):
        load_detector(path)


def test_weights_with_one_changed_bit_are_refused(model: Detector, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_detector(model, path)
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="changed since it was written"):
        load_detector(path)
