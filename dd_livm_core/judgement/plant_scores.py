"""Scores hotspots, panels and PV module sizes found on real frames against what people drew.

Small hotspots are drawn to about 3 px, so that an IoU of 0.5 is too much to ask for: a found hotspot lies on a drawn
one where their IoU is at least 0.3, or where each holds the other's centre (with 4 px of slack) and their areas
differ by less than nine times. Both are matched one to one, by falling score, sure ones first. Doubtful hotspots and
whatever lies in an ignored part are neither asked for nor false.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.labels.boxes import iou, xyxy_of_xywh
from dd_livm_core.labels.plant_labels import DrawnFrame, Mask

LEAST_IOU = 0.3
SLACK_PX = 4.0
MOST_AREA_RATIO = 9.0
WIDTH_TOLERANCE = 0.10
"""Share by which the short side of a PV module may be off."""


@dataclass(frozen=True)
class FrameFindings:
    """What was found in one frame, in pixels of the picture as displayed.

    Attributes
    ----------
    boxes_xywh_px
        (N, 4) hotspots.
    scores
        (N,) of the hotspots; higher is surer.
    panel_mask
        bool (H, W).
    pv_module_short_px
        None where no size was found.
    """

    boxes_xywh_px: NDArray[np.float64]
    scores: NDArray[np.float64]
    panel_mask: Mask
    pv_module_short_px: float | None


@dataclass(frozen=True)
class FrameScore:
    """How one frame came out.

    Attributes
    ----------
    sure
        Number of sure hotspots outside the ignored parts.
    found_scores
        Scores of the findings that lie on sure hotspots.
    false_scores
        Scores of the findings that lie on nothing.
    mask_iou
        Overlap of found and drawn panels outside the ignored parts; None where none were drawn.
    width_right
        Whether the PV module's short side is within `WIDTH_TOLERANCE`; None where none was drawn.
    """

    sure: int
    found_scores: NDArray[np.float64]
    false_scores: NDArray[np.float64]
    mask_iou: float | None
    width_right: bool | None


def lie_on(
    found_xywh_px: NDArray[np.float64], drawn_xywh_px: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the IoU of each found box (N, 4) with each drawn one (M, 4) where it lies on it, else -1; (N, M)."""
    overlap = iou(xyxy_of_xywh(found_xywh_px), xyxy_of_xywh(drawn_xywh_px))
    found, drawn = found_xywh_px[:, None], drawn_xywh_px[None, :]
    ratio = found[..., 2] * found[..., 3] / np.maximum(drawn[..., 2] * drawn[..., 3], 1e-6)
    similar = (ratio > 1 / MOST_AREA_RATIO) & (ratio < MOST_AREA_RATIO)
    near = _holds_centre(found, drawn) & _holds_centre(drawn, found) & similar
    return np.where((overlap >= LEAST_IOU) | near, overlap, -1.0)


def _holds_centre(outer: NDArray[np.float64], inner: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether a box, widened by the slack, holds the centre of another; both (..., 4) x, y, width, height."""
    centre = inner[..., :2] + inner[..., 2:] / 2
    low, high = outer[..., :2] - SLACK_PX, outer[..., :2] + outer[..., 2:] + SLACK_PX
    return np.asarray(((centre >= low) & (centre <= high)).all(axis=-1))


def score_frame(frame: DrawnFrame, found: FrameFindings) -> FrameScore:
    """Score what was found in one frame against what was drawn on it."""
    ignored = frame.ignored_mask()
    sure = frame.boxes_xywh_px("sure")
    sure = sure[~_centre_lies_in(ignored, sure)]
    fits = [lie_on(found.boxes_xywh_px, boxes) for boxes in (sure, frame.boxes_xywh_px("doubtful"))]
    outside = ~_centre_lies_in(ignored, found.boxes_xywh_px)
    hits: list[float] = []
    false: list[float] = []
    for number in np.argsort(-found.scores, kind="stable").tolist():
        for kind, table in enumerate(fits):
            best = int(table[number].argmax()) if table.shape[1] else -1
            if best >= 0 and table[number, best] >= 0:
                table[:, best] = -1.0  # taken
                if kind == 0:
                    hits.append(float(found.scores[number]))
                break
        else:
            if outside[number]:
                false.append(float(found.scores[number]))
    return FrameScore(
        sure=len(sure),
        found_scores=np.asarray(hits),
        false_scores=np.asarray(false),
        mask_iou=_mask_iou(frame, found.panel_mask, ignored),
        width_right=_width_right(frame.module_short_px, found.pv_module_short_px),
    )


def _centre_lies_in(mask: Mask, boxes_xywh_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return whether the centres of boxes (N, 4) lie in a mask; centres off the frame count at its border."""
    centres = (boxes_xywh_px[:, :2] + boxes_xywh_px[:, 2:] / 2).astype(int)
    across = centres[:, 0].clip(0, mask.shape[1] - 1)
    down = centres[:, 1].clip(0, mask.shape[0] - 1)
    return np.asarray(mask[down, across])


def _mask_iou(frame: DrawnFrame, found: Mask, ignored: Mask) -> float | None:
    """Return the overlap of found and drawn panels outside the ignored parts, or None where none were drawn."""
    if not frame.panel_polygons:
        return None
    drawn, found = frame.panel_mask() & ~ignored, found & ~ignored
    return float((drawn & found).sum() / max(int((drawn | found).sum()), 1))


def _width_right(drawn_px: float | None, found_px: float | None) -> bool | None:
    """Return whether a found short side is right, or None where none was drawn."""
    if drawn_px is None:
        return None
    return found_px is not None and abs(found_px / drawn_px - 1) <= WIDTH_TOLERANCE


@dataclass(frozen=True)
class PlantScore:
    """How the frames of a plant, or of all plants, came out at one threshold.

    ``found_pct`` is None without a sure hotspot, the medians and shares where nothing was drawn.
    """

    frames: int
    sure: int
    found_pct: float | None
    false_a_frame: float
    mask_iou_median: float | None
    width_right_pct: float | None


def summarize(scores: Sequence[FrameScore], threshold: float) -> PlantScore:
    """Return the summary of frames, counting findings whose score is at least the threshold."""
    sure = sum(score.sure for score in scores)
    hits = sum(int((score.found_scores >= threshold).sum()) for score in scores)
    false = sum(int((score.false_scores >= threshold).sum()) for score in scores)
    overlaps = [score.mask_iou for score in scores if score.mask_iou is not None]
    widths = [score.width_right for score in scores if score.width_right is not None]
    return PlantScore(
        frames=len(scores),
        sure=sure,
        found_pct=100 * hits / sure if sure else None,
        false_a_frame=false / max(len(scores), 1),
        mask_iou_median=float(np.median(overlaps)) if overlaps else None,
        width_right_pct=100 * float(np.mean(widths)) if widths else None,
    )


def threshold_at(scores: Sequence[FrameScore], false_a_frame: float) -> float:
    """Return the lowest threshold at which at most so many findings a frame are false."""
    false = np.sort(np.concatenate([score.false_scores for score in scores] or [np.zeros(0)]))[::-1]
    allowed = int(false_a_frame * len(scores))
    return float(np.nextafter(false[allowed], np.inf)) if len(false) > allowed else 0.0
