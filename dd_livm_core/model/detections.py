"""What was detected in one pair."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.records import DefectClass, HotspotShape


@dataclass(frozen=True)
class Detections:
    """The detections of one pair, by falling score.

    Attributes
    ----------
    boxes_xyxy_px
        (N, 4) float32: x0, y0, x1, y1 in pixels of the grid that they were made on, or rescaled to.
    scores
        (N,) float32, 0 to 1.
    defect_classes, hotspot_shapes
        N names each.
    external_probabilities
        (N,) float32, 0 to 1: that it is an external defect, by the distribution over the classes; None where there is
        none.
    """

    boxes_xyxy_px: NDArray[np.float32]
    scores: NDArray[np.float32]
    defect_classes: tuple[DefectClass, ...]
    hotspot_shapes: tuple[HotspotShape, ...]
    external_probabilities: NDArray[np.float32] | None = None

    def rescale(self, factor: float) -> "Detections":
        """Return the same detections on a grid with ``factor`` times as many pixels a side."""
        return replace(self, boxes_xyxy_px=np.asarray(self.boxes_xyxy_px * factor, np.float32))

    def keep_above(self, threshold: float) -> "Detections":
        """Return the detections with a score of at least ``threshold``."""
        kept = int(np.count_nonzero(self.scores >= threshold))
        external = self.external_probabilities
        return Detections(
            self.boxes_xyxy_px[:kept],
            self.scores[:kept],
            self.defect_classes[:kept],
            self.hotspot_shapes[:kept],
            None if external is None else external[:kept],
        )
