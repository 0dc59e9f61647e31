"""Joins the labels drawn on the infrared and on the visible image of a pair.

The infrared image gives the box, since electrical defects show only there; the visible one gives the class of an
external defect, since weeds, dust and breakage differ only there. Disagreements are listed for a person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from dd_livm_core.labels.boxes import iou
from dd_livm_core.labels.label import Label, label_boxes_xyxy_px
from dd_livm_core.records import EXTERNAL_DEFECTS

Box = tuple[float, float, float, float]
MIN_OVERLAP = 0.3
"""Below the 0.5 usual in detection, since people draw the two boxes apart; chosen, not measured."""


@dataclass(frozen=True)
class Conflict:
    """A disagreement for a person to look at; None is a side without a label, the reason is a sentence."""

    infrared: Label | None
    visible: Label | None
    reason: str


@dataclass(frozen=True)
class Reconciliation:
    """Labels in infrared pixels, and the disagreements."""

    labels: tuple[Label, ...]
    conflicts: tuple[Conflict, ...]


def to_infrared(box_xywh_px: Box, matrix: NDArray[np.float64]) -> Box:
    """Return the box (x, y, width, height) around a visible box's four corners in the infrared frame.

    Parameters
    ----------
    matrix
        float64 (3, 3), infrared pixels to visible pixels.
    """
    x, y, w, h = box_xywh_px
    corners = np.array([[[x, y], [x + w, y], [x + w, y + h], [x, y + h]]], np.float64)
    placed = cv2.perspectiveTransform(corners, np.linalg.inv(matrix))[0]
    (x0, y0), (x1, y1) = placed.min(axis=0), placed.max(axis=0)
    return float(x0), float(y0), float(x1 - x0), float(y1 - y0)


def reconcile(
    infrared: Sequence[Label],
    visible: Sequence[Label],
    matrix: NDArray[np.float64],
    *,
    min_overlap: float = MIN_OVERLAP,
) -> Reconciliation:
    """Join the labels of both images of a pair.

    Every infrared label keeps its box. Where a visible label of an external class lies on it, it takes that class. A
    conflict is listed when the classes differ, and when a visible label lies on no infrared one.

    Parameters
    ----------
    infrared, visible
        Labels in the pixels of their own image.
    matrix
        float64 (3, 3), infrared pixels to visible pixels.
    min_overlap
        Intersection over union from which two boxes mean the same defect.
    """
    placed = [replace(v, box_xywh_px=to_infrared(v.box_xywh_px, matrix)) for v in visible]
    partners = _match(infrared, placed, min_overlap)
    labels: list[Label] = []
    conflicts: list[Conflict] = []
    for number, label in enumerate(infrared):
        seen = placed[partners[number]] if number in partners else None
        if seen is None or seen.defect_class == label.defect_class:
            labels.append(label)
            continue
        external = seen.defect_class in EXTERNAL_DEFECTS
        labels.append(replace(label, defect_class=seen.defect_class) if external else label)
        kept = "visible" if external else "infrared"
        reason = f"infrared says {label.defect_class}, visible {seen.defect_class}: {kept} kept"
        conflicts.append(Conflict(label, seen, reason))
    matched = set(partners.values())
    conflicts += [
        Conflict(None, seen, f"visible says {seen.defect_class}, infrared has no label there")
        for number, seen in enumerate(placed)
        if number not in matched
    ]
    return Reconciliation(tuple(labels), tuple(conflicts))


def _match(
    infrared: Sequence[Label], visible: Sequence[Label], min_overlap: float
) -> dict[int, int]:
    """Return index of an infrared label → index of its visible one, one to one with the largest total overlap."""
    overlaps = iou(label_boxes_xyxy_px(infrared), label_boxes_xyxy_px(visible))
    rows, columns = linear_sum_assignment(-overlaps)
    return {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if overlaps[row, column] >= min_overlap
    }
