"""Find defects in a mission without labels: align, detect, measure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dd_livm_core.aligned.mission import MissionSummary, align_mission
from dd_livm_core.aligned.store import VISIBLE_ROW, AlignedMission, read_aligned_mission
from dd_livm_core.judgement.predictions import predict_store
from dd_livm_core.labels.boxes import pixels_of, xywh_of_xyxy
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector
from dd_livm_core.records import UNKNOWN, DefectClass, HotspotShape, Progress, Unknown

LEFT_OPEN = (
    "infrared alone: whether a hotspot comes from outside (dirt, shadow, plants) or from inside the PV module is left "
    "open; a visible camera, or a second flight with one, would tell"
)
"""What is said of pairs that were inspected on their infrared image alone."""
ONLY_RANKS = (
    "the external_probability of these hotspots is what the model makes of heat alone: it ranks them, and is too "
    "sure to be read as a share"
)
"""What was measured of it, see ``docs/missions.md``."""


@dataclass(frozen=True)
class Finding:
    """One defect in one pair.

    Attributes
    ----------
    x_px, y_px, width_px, height_px
        Its box in pixels of the pair's infrared image; the first pixel spans 0 to 1.
    defect_class
        ``unknown`` where the pair was inspected on its infrared image alone.
    external_probability
        0 to 1, that it comes from outside, as the model's classes say; None where they say nothing.
    confidence
        0 to 1.
    mean_excess_k, max_excess_k
        Excess temperature over the pixels that the box touches, 0 off panels; None without radiometry or off the frame.
    alignment
        How the pair was registered, as `Alignment.status`, or ``infrared_only``.
    """

    pair_id: str
    x_px: float
    y_px: float
    width_px: float
    height_px: float
    defect_class: DefectClass | Unknown
    external_probability: float | None
    hotspot_shape: HotspotShape
    confidence: float
    mean_excess_k: float | None
    max_excess_k: float | None
    alignment: str


@dataclass(frozen=True)
class Inspection:
    """The findings of a mission, its aligned store, and what became of every pair in alignment."""

    findings: tuple[Finding, ...]
    store: AlignedMission
    alignment: MissionSummary


def excess_in_box(
    excess: NDArray[np.float16], box_xyxy_px: Sequence[float]
) -> tuple[float, float] | None:
    """Return mean and maximum excess in K over the pixels that a box touches, or None for a box off the frame.

    ``excess`` is (H, W), and the box is in its pixels: x0, y0, x1, y1.
    """
    inside = pixels_of(box_xyxy_px, excess.shape)
    if inside is None:
        return None
    values = np.asarray(excess[inside], np.float32)
    return float(values.mean()), float(values.max())


def _as_findings(
    detections: Detections,
    measured_k: Sequence[tuple[float, float] | None],
    entry: "pd.Series[Any]",
) -> list[Finding]:
    """Return a finding for each detection of a pair.

    Parameters
    ----------
    measured_k
        Mean and maximum excess of each, None where unknown.
    entry
        The pair's row of the store's index.
    """
    boxes_xywh = xywh_of_xyxy(detections.boxes_xyxy_px).tolist()
    external = detections.external_probabilities
    infrared_alone = pd.isna(entry[VISIBLE_ROW])
    return [
        Finding(
            pair_id=str(entry["pair_id"]),
            x_px=boxes_xywh[number][0],
            y_px=boxes_xywh[number][1],
            width_px=boxes_xywh[number][2],
            height_px=boxes_xywh[number][3],
            defect_class=UNKNOWN if infrared_alone else detections.defect_classes[number],
            external_probability=None if external is None else float(external[number]),
            hotspot_shape=detections.hotspot_shapes[number],
            confidence=float(detections.scores[number]),
            mean_excess_k=excess_k[0] if excess_k else None,
            max_excess_k=excess_k[1] if excess_k else None,
            alignment=str(entry["status"]),
        )
        for number, excess_k in enumerate(measured_k)
    ]


def find_defects(
    detector: Detector, store: AlignedMission, progress: Progress | None = None
) -> tuple[Finding, ...]:
    """Return the defects that a detector finds in an aligned mission, at its own operating threshold.

    They come pair by pair, those of a pair by falling confidence. Those of pairs without a visible image, as one whose
    registration failed, are of unknown class: shape and place are infrared's, what is hot only a visible image shows.
    """
    found: list[Finding] = []
    total = len(store.index)
    for row, detections in predict_store(detector, store, range(total)):
        entry = store.index.iloc[row]
        shown = detections.keep_above(detector.threshold)
        on_grid = shown.rescale(float(entry["grid_scale"])).boxes_xyxy_px
        excess = store.infrared_excess[row] if entry["radiometric"] else None
        measured = [excess_in_box(excess, box) if excess is not None else None for box in on_grid]
        found += _as_findings(shown, measured, entry)
        if progress:
            progress(row + 1, total, "detecting")
    return tuple(found)


def inspect_pairs(
    detector: Detector,
    pairs: Sequence[PairFiles],
    store_folder: Path,
    *,
    mission_id: str = "mission",
    processes: int = 1,
    progress: Progress | None = None,
) -> Inspection:
    """Align a mission's pairs and find their defects.

    Parameters
    ----------
    store_folder
        Where the aligned mission is written; the inspection reads from it as long as it is used.
    processes
        Processes for alignment; does not change the result.
    """
    summary = align_mission(
        pairs,
        store_folder,
        site_id="inspected",
        mission_id=mission_id,
        processes=processes,
        progress=progress,
    )
    store = read_aligned_mission(store_folder)
    return Inspection(find_defects(detector, store, progress), store, summary)


def findings_table(inspection: Inspection) -> pd.DataFrame:
    """Return one row per finding; columns are the fields of :class:`Finding`, also where there is none."""
    columns = list(Finding.__dataclass_fields__)
    rows: list[dict[str, Any]] = [vars(finding) for finding in inspection.findings]
    return pd.DataFrame(rows, columns=columns)
