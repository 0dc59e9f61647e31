"""From a mission without labels to findings: align, detect, measure."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dd_livm_core.aligned.mission import MissionSummary, align_mission
from dd_livm_core.aligned.store import AlignedMission, read_aligned_mission
from dd_livm_core.judgement.predictions import predict_store
from dd_livm_core.labels.boxes import pixels_of
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector
from dd_livm_core.records import Progress


@dataclass(frozen=True)
class Finding:
    """One defect in one pair; the box is in infrared pixels, the excess temperature None without radiometry."""

    pair_id: str
    x_px: float
    y_px: float
    width_px: float
    height_px: float
    defect_class: str
    hotspot_shape: str
    confidence: float
    mean_excess_k: float | None
    max_excess_k: float | None
    alignment: str


@dataclass(frozen=True)
class Inspection:
    """The findings of a mission, its aligned store and how alignment ended."""

    findings: tuple[Finding, ...]
    store: AlignedMission
    alignment: MissionSummary


def excess_in_box(
    excess: NDArray[np.float16], box_xyxy_px: Sequence[float]
) -> tuple[float, float] | None:
    """Return mean and maximum excess in K over the pixels of a box, or None for a box off the frame."""
    inside = pixels_of(box_xyxy_px, excess.shape)
    if inside is None:
        return None
    values = np.asarray(excess[inside], np.float32)
    return float(values.mean()), float(values.max())


def _findings(
    detections: Detections,
    pair_id: str,
    status: str,
    excess: NDArray[np.float16],
    radiometric: bool,
    threshold: float,
) -> list[Finding]:
    found = []
    shown = detections.above(threshold)
    for box, score, defect_class, hotspot_shape in zip(
        shown.boxes_xyxy_px, shown.scores, shown.defect_classes, shown.hotspot_shapes, strict=True
    ):
        measured = excess_in_box(excess, box) if radiometric else None
        x0, y0, x1, y1 = (float(value) for value in box)
        found.append(
            Finding(
                pair_id=pair_id,
                x_px=x0,
                y_px=y0,
                width_px=x1 - x0,
                height_px=y1 - y0,
                defect_class=defect_class,
                hotspot_shape=hotspot_shape,
                confidence=float(score),
                mean_excess_k=measured[0] if measured else None,
                max_excess_k=measured[1] if measured else None,
                alignment=status,
            )
        )
    return found


def find_defects(
    detector: Detector, store: AlignedMission, progress: Progress | None = None
) -> tuple[Finding, ...]:
    """Run the detector over an aligned store, in batches, at the detector's own operating threshold."""
    found: list[Finding] = []
    total = len(store.index)
    for row, detections in predict_store(detector, store, range(total)):
        entry = store.index.iloc[row]
        found += _findings(
            detections,
            str(entry["pair_id"]),
            str(entry["status"]),
            store.infrared_excess[row],
            bool(entry["radiometric"]),
            detector.threshold,
        )
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
    """Align a mission's pairs into ``store_folder`` and find its defects."""
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
    """Return one row per finding, with stable columns also when there is none."""
    columns = list(Finding.__dataclass_fields__)
    rows: list[dict[str, Any]] = [vars(finding) for finding in inspection.findings]
    return pd.DataFrame(rows, columns=columns)
