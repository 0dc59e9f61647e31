"""One labelled defect."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.labels.boxes import xyxy_of_xywh
from dd_livm_core.records import DefectClass, HotspotShape


@dataclass(frozen=True)
class Label:
    """One labelled defect; the box is x, y, width, height in infrared pixels."""

    box_xywh_px: tuple[float, float, float, float]
    defect_class: DefectClass
    hotspot_shape: HotspotShape | None = None


def label_boxes_xyxy_px(labels: Sequence[Label]) -> NDArray[np.float64]:
    """Return the corners x0, y0, x1, y1 of labels' boxes, float64 (N, 4), in infrared pixels."""
    return xyxy_of_xywh([label.box_xywh_px for label in labels])
