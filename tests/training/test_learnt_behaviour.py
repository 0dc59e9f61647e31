"""A trained detector types unseen pairs by both images; flips, exposure and more heat hardly change its detections."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from dd_livm_core.aligned.store import held_out_rows, read_aligned_mission
from dd_livm_core.judgement.predictions import predict_labelled
from dd_livm_core.judgement.scores import choose_threshold, score_site
from dd_livm_core.labels.boxes import iou
from dd_livm_core.labels.label import Label, label_boxes_xyxy_px
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.prediction import predict
from dd_livm_core.model.weights import load_detector
from dd_livm_core.records import EXTERNAL_DEFECTS
from dd_livm_core.training.configuration import TrainingConfig
from dd_livm_core.training.loop import train_stage
from tests.synthetic_store import HEIGHT, PANEL, WIDTH, write_synthetic_store

CONFIG = TrainingConfig(
    input_width_px=WIDTH, input_height_px=HEIGHT, channels=8, batch_size=4, torch_threads=1,
    epochs_stage_1=30, epochs_stage_2=15, epochs_stage_3=30,
)  # fmt: skip
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Learnt:
    """A detector after its three stages, and labelled pairs of a seed that it was not trained on."""

    model: Detector
    threshold: float
    excess: np.ndarray
    visible: np.ndarray
    mask: np.ndarray
    labels: list[list[Label]]

    def predict(self, excess: np.ndarray, visible: np.ndarray) -> list[Detections]:
        """Return the detections from the threshold on."""
        found = predict(self.model, excess, np.ascontiguousarray(visible), self.mask)
        return [detections.keep_above(self.threshold) for detections in found]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Learnt:
    """Train a small detector on synthetic pairs, and choose its threshold on those held out."""
    folder = tmp_path_factory.mktemp("learnt")
    stores = [write_synthetic_store(folder / f"s{seed}", count=30, seed=seed) for seed in (1, 2)]
    weights = None
    for stage in (1, 2, 3):
        weights = train_stage(stage, stores, CONFIG, folder / str(stage), weights).weights  # type: ignore[arg-type]
    assert weights is not None
    model = load_detector(weights)
    held = [read_aligned_mission(store) for store in stores]
    assert all(held_out_rows(mission.index).any() for mission in held)
    outcomes = [o for m in held for o in predict_labelled(model, m, held_out=True)]
    threshold = choose_threshold([o.detections for o in outcomes], [o.labels for o in outcomes])
    unseen = read_aligned_mission(write_synthetic_store(folder / "unseen", count=24, seed=77))
    return Learnt(
        model,
        threshold,
        np.asarray(unseen.infrared_excess, np.float32),
        np.asarray(unseen.visible_images),
        np.asarray(unseen.panel_mask),
        [unseen.labels[name] for name in unseen.index["pair_id"]],
    )


def measure_share_kept(before: Sequence[Detections], after: Sequence[Detections]) -> float:
    """Return the share of detections in ``before`` with one in ``after`` of the same class at IoU 0.5."""
    kept = total = 0
    for one, other in zip(before, after, strict=True):
        overlap = iou(one.boxes_xyxy_px, other.boxes_xyxy_px) >= 0.5
        same = np.array([[a == b for b in other.defect_classes] for a in one.defect_classes])
        total += len(one.scores)
        kept += int((overlap & same.reshape(overlap.shape)).any(axis=1).sum())
    assert total > 20
    return kept / total


def test_both_images_are_needed(learnt: Learnt) -> None:
    """Unseen pairs are found and typed; without the dirt in view, external defects cannot be typed."""
    clean = np.broadcast_to(PANEL.astype(np.uint8), learnt.visible.shape)
    both, infrared_only = (
        score_site(learnt.predict(learnt.excess, seen), learnt.labels, learnt.threshold)
        for seen in (learnt.visible, clean)
    )
    external = np.mean(
        [label.defect_class in EXTERNAL_DEFECTS for of in learnt.labels for label in of]
    )
    assert both["detection_accuracy"] > 60
    assert both["type_accuracy"] > infrared_only["type_accuracy"] + 50 * external


@pytest.mark.parametrize("axis", [1, 2], ids=["upside down", "mirrored"])
def test_a_flip_hardly_changes_detections(learnt: Learnt, axis: int) -> None:
    before = learnt.predict(learnt.excess, learnt.visible)
    flipped = learnt.predict(np.flip(learnt.excess, axis), np.flip(learnt.visible, axis))
    side = np.array([HEIGHT, WIDTH])[axis - 1]
    low, high = (1, 3) if axis == 1 else (0, 2)
    back = []
    for detections in flipped:
        boxes = detections.boxes_xyxy_px.copy()
        boxes[:, [low, high]] = side - detections.boxes_xyxy_px[:, [high, low]]
        back.append(
            Detections(
                boxes, detections.scores, detections.defect_classes, detections.hotspot_shapes
            )
        )
    assert measure_share_kept(before, back) > 0.85


@pytest.mark.parametrize(("gain", "offset"), [(0.7, 0.0), (0.85, 25.0)])
def test_another_exposure_hardly_changes_detections(
    learnt: Learnt, gain: float, offset: float
) -> None:
    exposed = np.clip(gain * learnt.visible.astype(np.float32) + offset, 0, 255).astype(np.uint8)
    before = learnt.predict(learnt.excess, learnt.visible)
    assert measure_share_kept(before, learnt.predict(learnt.excess, exposed)) > 0.85


def test_a_hotter_hotspot_does_not_score_lower(learnt: Learnt) -> None:
    """Half as much heat again does not lower the best score at a label: the mean, and most of them one by one."""
    hotter = np.where(learnt.excess > 4, 1.5 * learnt.excess, learnt.excess)

    def best_scores(excess: np.ndarray) -> np.ndarray:
        found = predict(learnt.model, excess, learnt.visible, learnt.mask)
        best = []
        for detections, labels in zip(found, learnt.labels, strict=True):
            overlap = iou(label_boxes_xyxy_px(labels), detections.boxes_xyxy_px)
            best += np.where(overlap >= 0.5, detections.scores, 0).max(axis=1, initial=0).tolist()
        return np.array(best)

    before, after = best_scores(learnt.excess), best_scores(hotter)
    assert after.mean() >= before.mean() - 0.02
    assert np.mean(after >= before - 0.1) > 0.85


def test_without_a_visible_image_most_hotspots_are_still_found_where_they_are(
    learnt: Learnt,
) -> None:
    found = predict(learnt.model, learnt.excess, [None] * len(learnt.excess), learnt.mask)
    hit = total = 0
    for detections, labels in zip(found, learnt.labels, strict=True):
        boxes = detections.keep_above(learnt.threshold).boxes_xyxy_px
        overlaps = iou(label_boxes_xyxy_px(labels), boxes)
        hit += int((overlaps.max(axis=1, initial=0) >= 0.5).sum())
        total += len(labels)
    assert hit > 0.9 * total
