"""What is lost without visible images: hotspots found and false ones, with both images and with infrared alone.

``python -m benchmarks.infrared_alone --weights weights.safetensors --data data``: labelled missions of a data folder,
as ``dd-livm simulate`` writes them, are aligned with and without their visible images; the detector and the
segmentation of `hotspots` look at them. Writes ``benchmarks/results/infrared_alone.json``.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.results_file import write_result
from dd_livm_core.aligned.mission import align_mission
from dd_livm_core.aligned.store import AlignedMission, read_aligned_mission
from dd_livm_core.hotspots.segmentation import find_hotspots
from dd_livm_core.judgement.predictions import predict_store
from dd_livm_core.labels.boxes import iou, xyxy_of_xywh
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.labels.label import Label, label_boxes_xyxy_px
from dd_livm_core.missions.folder import LABELS, image_pairs
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.weights import load_detector
from dd_livm_core.panels.pv_module_px import PvModulePx
from dd_livm_core.records import EXTERNAL_DEFECTS

FOUND_IOU = 0.3
"""From here on a box counts as on a hotspot; boxes below `FALSE_IOU` count as false, those between as neither."""
FALSE_IOU = 0.1
FALSE_A_FRAME = (0.25, 0.5, 1.0)
SIDES = 1.7
"""Long over short side of a PV module, of which the store keeps the short one."""


@dataclass(frozen=True)
class Frame:
    """The boxes (N, 4) of one frame with their scores, what the model says of external ones, and the labels."""

    boxes: np.ndarray
    scores: np.ndarray
    external: np.ndarray | None
    labels: list[Label]


def detect(model: Detector, store: AlignedMission) -> Iterator[Frame]:
    """Yield what the detector finds in each pair of a store, at any threshold."""
    names = store.index["pair_id"].astype(str).tolist()
    for row, found in predict_store(model, store, range(len(names))):
        labels = store.labels.get(names[row], [])
        yield Frame(found.boxes_xyxy_px, found.scores, found.external_probabilities, labels)


def segment(store: AlignedMission) -> Iterator[Frame]:
    """Yield the segmented hotspots of each pair of a store, ranked by their maximum in spreads."""
    for row, entry in enumerate(store.index.to_dict("records")):
        found, short = [], float(entry["pv_module_width_px"] or np.nan)
        if np.isfinite(short):
            excess = np.asarray(store.infrared_excess[row], np.float32)
            size = PvModulePx(short, SIDES * short)
            radiometric = bool(entry["radiometric"])
            found = find_hotspots(excess, store.panel_mask[row], size, radiometric=radiometric)
        yield Frame(
            xyxy_of_xywh([hotspot.box_xywh_px for hotspot in found]),
            np.array([hotspot.max_excess_sigma for hotspot in found]),
            None,
            store.labels.get(str(entry["pair_id"]), []),
        )


def judge(frames: list[Frame]) -> dict[str, float]:
    """Return the share of labels found at each rate of false boxes, percent, and how external ones rank."""
    events: list[tuple[float, bool]] = []
    said: list[tuple[float, bool]] = []
    total = 0
    for frame in frames:
        total += len(frame.labels)
        overlaps = iou(label_boxes_xyxy_px(frame.labels), frame.boxes)
        taken: set[int] = set()
        for box in np.argsort(-frame.scores, kind="stable"):
            best = float(overlaps[:, box].max(initial=0))
            if best < FALSE_IOU:
                events.append((float(frame.scores[box]), False))
            elif best >= FOUND_IOU and (label := int(overlaps[:, box].argmax())) not in taken:
                taken.add(label)
                events.append((float(frame.scores[box]), True))
                if frame.external is not None:
                    outside = frame.labels[label].defect_class in EXTERNAL_DEFECTS
                    said.append((float(frame.external[box]), outside))
    hits = np.array([hit for _, hit in sorted(events, reverse=True)], bool)
    false = np.cumsum(~hits)
    shares = {
        f"found_pct_at_{rate:g}_false_a_frame": round(
            100 * float(hits[false <= rate * len(frames)].sum()) / max(total, 1), 1
        )
        for rate in FALSE_A_FRAME
    }
    return {"labels": total, "frames": len(frames), **shares, **rank_external(said)}


def rank_external(said: list[tuple[float, bool]]) -> dict[str, float]:
    """Return how often an external hotspot is called more external than an internal one, and the means of both."""
    outside, inside = (
        np.array([p for p, is_out in said if is_out is side]) for side in (True, False)
    )
    if not len(outside) or not len(inside):
        return {}
    above = (outside[:, None] > inside).mean() + (outside[:, None] == inside).mean() / 2
    return {
        "external_above_internal_pct": round(100 * float(above), 1),
        "mean_external_probability_of_external": round(float(outside.mean()), 3),
        "mean_external_probability_of_internal": round(float(inside.mean()), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    model = load_detector(arguments.weights)
    arms: dict[str, list[Frame]] = {"both images": [], "infrared alone": [], "segmented": []}
    missions = sorted(path.parent for path in arguments.data.glob(f"*/*/{LABELS}"))
    for mission in missions:
        pairs = image_pairs(mission)
        labels = read_labels(mission / LABELS)
        stores = {}
        with tempfile.TemporaryDirectory() as folder:
            for name, of_arm in (
                ("both images", pairs),
                ("infrared alone", [replace(pair, visible=None) for pair in pairs]),
            ):
                place = Path(folder) / name
                ids = (mission.parent.name, mission.name)
                align_mission(of_arm, place, site_id=ids[0], mission_id=ids[1], labels=labels)
                stores[name] = read_aligned_mission(place)
                arms[name] += detect(model, stores[name])
            arms["segmented"] += segment(stores["infrared alone"])
        print(
            mission.parent.name, {name: judge(frames) for name, frames in arms.items()}, flush=True
        )
    judged = {name: judge(frames) for name, frames in arms.items()}
    figures = {"missions": len(missions), "threshold": model.threshold}
    print(write_result("infrared_alone", seeds=[], figures=figures, arms=judged))


if __name__ == "__main__":
    main()
