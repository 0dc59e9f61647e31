"""Score a site, and choose the operating threshold.

A detection lies on a label at an IoU of at least 0.5; both are matched one to one, by falling score. All in percent:

- ``detection_accuracy``: TP / (TP + FP + FN); a TP lies on a label and has its class.
- ``located_and_typed``: TP over all labels.
- ``type_accuracy``: of the labels that a detection of any class lies on, those with the right class.
- ``map50``, ``map50_95``: mean average precision at IoU 0.5, and over 0.5 to 0.95, as COCO defines it.

The first four are always reported together.
"""

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dd_livm_core.labels.boxes import iou
from dd_livm_core.labels.label import Label, label_boxes_xyxy_px
from dd_livm_core.model.detections import Detections
from dd_livm_core.records import DEFECT_CLASSES

MATCH_IOU = 0.5
"""Least IoU of a detection that lies on a label (Everingham et al., The Pascal VOC Challenge, IJCV 2010)."""
THRESHOLDS = np.round(np.arange(0.05, 0.96, 0.025), 3)
"""Operating thresholds to choose from, 0.05 to 0.95 in steps of 0.025. Chosen."""


@dataclass(frozen=True)
class Counts:
    """Outcomes over all pairs at one threshold.

    Attributes
    ----------
    true_positive
        Detections that lie on a label and have its class.
    false_positive, false_negative
        All other detections; all other labels.
    located, located_right
        Labels that a detection of any class lies on, and those of them where its class is right.
    labels
        Number of labels.
    """

    true_positive: int
    false_positive: int
    false_negative: int
    located: int
    located_right: int
    labels: int


def match(
    detections: Detections, labels: Sequence[Label], threshold: float, *, same_class: bool
) -> list[tuple[int, int]]:
    """Match the detections of a pair to its labels, one to one and by falling score.

    Parameters
    ----------
    threshold
        Detections with a lower score take no part.
    same_class
        Whether a match must have the label's class.

    Returns
    -------
    (number of the detection, number of the label) of every match.
    """
    overlap = iou(detections.boxes_xyxy_px, label_boxes_xyxy_px(labels))
    free = set(range(len(labels)))
    matched: list[tuple[int, int]] = []
    for number in np.argsort(-detections.scores, kind="stable").tolist():
        if detections.scores[number] < threshold:
            break
        fits = [
            (float(overlap[number, label]), label)
            for label in free
            if overlap[number, label] >= MATCH_IOU
            and (not same_class or labels[label].defect_class == detections.defect_classes[number])
        ]
        if fits:
            best = max(fits)[1]
            free.discard(best)
            matched.append((number, best))
    return matched


def count(
    predictions: Sequence[Detections], labels: Sequence[Sequence[Label]], threshold: float
) -> Counts:
    """Return the outcomes over all pairs, given the detections and the labels of each."""
    right = shown = located = located_right = total = 0
    for detections, of_pair in zip(predictions, labels, strict=True):
        right += len(match(detections, of_pair, threshold, same_class=True))
        places = match(detections, of_pair, threshold, same_class=False)
        located += len(places)
        located_right += sum(
            detections.defect_classes[d] == of_pair[k].defect_class for d, k in places
        )
        shown += int((detections.scores >= threshold).sum())
        total += len(of_pair)
    return Counts(right, shown - right, total - right, located, located_right, total)


def _percent(part: int, whole: int) -> float:
    """Return a share in percent; 0 of nothing."""
    return 100.0 * part / whole if whole else 0.0


def score_site(
    predictions: Sequence[Detections], labels: Sequence[Sequence[Label]], threshold: float
) -> dict[str, float]:
    """Return the scores of one site in percent, as this file defines them, and the counts behind them.

    A site without labels and detections scores 0, not 100: nothing there was found right.
    """
    counts = count(predictions, labels, threshold)
    outcomes = counts.true_positive + counts.false_positive + counts.false_negative
    map50, map50_95 = average_precision(predictions, labels)
    return {
        "detection_accuracy": _percent(counts.true_positive, outcomes),
        "located_and_typed": _percent(counts.true_positive, counts.labels),
        "type_accuracy": _percent(counts.located_right, counts.located),
        "map50": map50,
        "map50_95": map50_95,
        "pairs": float(len(predictions)),
        "labels": float(counts.labels),
        "true_positive": float(counts.true_positive),
        "false_positive": float(counts.false_positive),
        "false_negative": float(counts.false_negative),
    }


def average_precision(
    predictions: Sequence[Detections], labels: Sequence[Sequence[Label]]
) -> tuple[float, float]:
    """Return COCO's mAP at IoU 0.5, and over 0.5 to 0.95, in percent, as faster-coco-eval computes them.

    Both are 0 where there is no label or no detection.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    truth = [
        {"id": 0, "image_id": n, "category_id": DEFECT_CLASSES.index(label.defect_class) + 1, "iscrowd": 0,
         "bbox": list(label.box_xywh_px), "area": label.box_xywh_px[2] * label.box_xywh_px[3]}
        for n, of_pair in enumerate(labels) for label in of_pair
    ]  # fmt: skip
    found = [
        {"image_id": n, "category_id": DEFECT_CLASSES.index(kind) + 1, "score": float(score),
         "bbox": [float(b[0]), float(b[1]), float(b[2] - b[0]), float(b[3] - b[1])]}
        for n, d in enumerate(predictions)
        for b, kind, score in zip(d.boxes_xyxy_px, d.defect_classes, d.scores, strict=True)
    ]  # fmt: skip
    if not truth or not found:
        return 0.0, 0.0
    for number, annotation in enumerate(truth, 1):
        annotation["id"] = number
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = {
            "images": [{"id": n} for n in range(len(labels))],
            "annotations": truth,
            "categories": [{"id": n, "name": name} for n, name in enumerate(DEFECT_CLASSES, 1)],
        }
        coco = COCO(dataset)
        evaluator = COCOeval_faster(coco, coco.loadRes(found), "bbox")
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return float(max(evaluator.stats[1], 0) * 100), float(max(evaluator.stats[0], 0) * 100)


def choose_threshold(predictions: Sequence[Detections], labels: Sequence[Sequence[Label]]) -> float:
    """Return the threshold with the highest detection accuracy, the middle one of equals.

    The pairs must come from training sites, else the scores of unseen sites would be flattered.
    """
    accuracies = []
    for threshold in THRESHOLDS:
        c = count(predictions, labels, float(threshold))
        accuracies.append(
            c.true_positive / max(1, c.true_positive + c.false_positive + c.false_negative)
        )
    best = np.nonzero(np.asarray(accuracies) >= max(accuracies) - 1e-12)[0]
    return float(THRESHOLDS[best[len(best) // 2]])
