"""One truth from labels drawn on infrared and labels drawn on visible images of the same pair.

Infrared gives the place, since only there an electrical defect shows; visible gives the type of an external
defect, since only there weeds, dust and breakage differ. What the two do not agree on goes to a person.
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


@dataclass(frozen=True)
class Conflict:
    """A disagreement for a person; a side that has no label is None. The reason is a sentence."""

    infrared: Label | None
    visible: Label | None
    reason: str


@dataclass(frozen=True)
class Reconciliation:
    """Labels over the infrared frame, and what a person should look at."""

    labels: tuple[Label, ...]
    conflicts: tuple[Conflict, ...]


def to_infrared(box_xywh_px: Box, matrix: NDArray[np.float64]) -> Box:
    """Carry a box from the visible to the infrared frame, as the box around its four corners.

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
    min_overlap: float = 0.3,
) -> Reconciliation:
    """Join the labels of both images of a pair.

    Every infrared label stays at its place. Where a visible label of an external type lies on it, it takes that
    type. A conflict is listed when the types differ, and when a visible label lies on no infrared one.

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
    shared = iou(label_boxes_xyxy_px(infrared), label_boxes_xyxy_px(placed))
    rows, columns = linear_sum_assignment(-shared)
    partner = {
        int(row): int(column)
        for row, column in zip(rows, columns, strict=True)
        if shared[row, column] >= min_overlap
    }
    labels: list[Label] = []
    conflicts: list[Conflict] = []
    for number, label in enumerate(infrared):
        seen = placed[partner[number]] if number in partner else None
        if seen is None or seen.defect_class == label.defect_class:
            labels.append(label)
            continue
        external = seen.defect_class in EXTERNAL_DEFECTS
        labels.append(replace(label, defect_class=seen.defect_class) if external else label)
        kept = "visible" if external else "infrared"
        reason = f"infrared says {label.defect_class}, visible {seen.defect_class}: {kept} kept"
        conflicts.append(Conflict(label, seen, reason))
    matched = set(partner.values())
    conflicts += [
        Conflict(None, seen, f"visible says {seen.defect_class}, infrared has no label there")
        for number, seen in enumerate(placed)
        if number not in matched
    ]
    return Reconciliation(tuple(labels), tuple(conflicts))
