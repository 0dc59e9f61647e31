"""Draws a real frame with what was drawn on it and what was found, to be looked at."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dd_livm_core.judgement.plant_scores import FrameFindings
from dd_livm_core.labels.plant_labels import DrawnFrame

SURE, DOUBTFUL, FOUND, PANEL = (0, 255, 0), (0, 200, 255), (80, 80, 255), (255, 160, 0)
"""BGR."""
MOST_SHOWN = 12


def draw_frame(
    values: NDArray[np.float32], frame: DrawnFrame, found: FrameFindings, path: Path
) -> None:
    """Write a picture, twice as large: sure and doubtful boxes, the surest findings, the found panels' edge."""
    path.parent.mkdir(parents=True, exist_ok=True)
    low, high = np.percentile(values, (0.5, 99.5))
    grey = np.clip((values - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.uint8)
    picture = cv2.cvtColor(cv2.resize(grey, None, fx=2, fy=2), cv2.COLOR_GRAY2BGR)
    outline, _ = cv2.findContours(
        found.panel_mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.polylines(picture, [2 * line for line in outline], True, PANEL, 1)
    for certainty, colour in (("sure", SURE), ("doubtful", DOUBTFUL)):
        for box in frame.boxes_xywh_px(certainty):
            _rectangle(picture, box, colour, 2)
    for box, score in zip(found.boxes_xywh_px[:MOST_SHOWN], found.scores, strict=False):
        _rectangle(picture, box, FOUND, 1)
        place = int(2 * box[0]), int(2 * box[1]) - 3
        cv2.putText(picture, f"{score:.2f}", place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, FOUND, 1)
    cv2.imwrite(str(path), picture)


def _rectangle(
    picture: NDArray[np.integer],
    box_xywh_px: NDArray[np.float64],
    colour: tuple[int, int, int],
    thick: int,
) -> None:
    """Draw a box on a picture of twice the size."""
    x, y, width, height = (round(2 * float(value)) for value in box_xywh_px)
    cv2.rectangle(picture, (x, y), (x + width, y + height), colour, thick)
