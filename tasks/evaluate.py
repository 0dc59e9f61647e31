"""Choose the operating point on training sites; score a detector on one site."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from prefect import get_run_logger, task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.store import (
    AlignedMission,
    held_out_rows,
    read_aligned_mission,
    scaled_labels,
)
from dd_livm_core.inspection.overlays import checkerboard
from dd_livm_core.inspection.pictures import detection_picture, infrared_picture, write_picture
from dd_livm_core.judgement.predictions import predict_store
from dd_livm_core.judgement.scores import choose_threshold, score_site
from dd_livm_core.labels.label import Label, label_boxes_xyxy_px
from dd_livm_core.model.detections import Detections
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.weights import WEIGHTS, load_detector, save_detector
from tasks.step import Reference, Step
from tasks.workspace import Workspace

SHOWN = 2
SCORES = "scores.json"

operating_point_step = Step("operating_point", "1", ("tasks.evaluate",))
evaluate_step = Step("evaluate", "1", ("tasks.evaluate",))


class OperatingPoint(BaseModel):
    """A detector with its threshold, chosen on training sites only."""

    model_config = ConfigDict(frozen=True)

    weights: Reference
    threshold: float

    def weights_file(self, workspace: Workspace) -> Path:
        """Return the safetensors file."""
        return self.weights.folder(workspace) / WEIGHTS


class SiteScore(BaseModel):
    """The four numbers of one site, in percent, and where pictures of it lie."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    unseen: bool
    metrics: dict[str, float]
    result: Reference

    def folder(self, workspace: Workspace) -> Path:
        """Return where the site's scores and pictures lie."""
        return self.result.folder(workspace)


@dataclass(frozen=True)
class Outcome:
    """One labelled pair with what was detected in it."""

    mission: AlignedMission
    row: int
    detections: Detections
    labels: list[Label]


def outcomes(model: Detector, stores: Sequence[Path], *, held_out: bool) -> Iterator[Outcome]:
    """Detect in the labelled pairs of aligned missions, batch by batch; only those kept from training on request."""
    for folder in stores:
        mission = read_aligned_mission(folder)
        labelled = [scaled_labels(mission, row) for row in range(len(mission.index))]
        kept = held_out_rows(mission.index) if held_out else np.ones(len(labelled), bool)
        rows = [row for row, labels in enumerate(labelled) if labels is not None and kept[row]]
        for row, detections in predict_store(model, mission, rows):
            yield Outcome(mission, row, detections, labelled[row] or [])


@task(
    name="operating_point",
    version="1",
    task_run_name="operating point on training sites",
    cache_key_fn=operating_point_step,
    persist_result=True,
    result_serializer="json",
)
def choose_operating_point(
    workspace: Workspace, stores: list[Reference], weights: Reference
) -> OperatingPoint:
    """Choose the threshold on the training sites' held-out pairs and keep it with the weights."""

    def write(folder: Path) -> None:
        model = load_detector(weights.folder(workspace) / WEIGHTS)
        found = list(outcomes(model, [s.folder(workspace) for s in stores], held_out=True))
        model.threshold = choose_threshold([o.detections for o in found], [o.labels for o in found])
        save_detector(model, folder / WEIGHTS)

    parameters = {"workspace": workspace, "stores": stores, "weights": weights}
    kept = operating_point_step.produce(workspace, parameters, write)
    threshold = load_detector(kept.folder(workspace) / WEIGHTS).threshold
    get_run_logger().info("Threshold %.3f, chosen on training sites", threshold)
    return OperatingPoint(weights=kept, threshold=threshold)


@task(
    name="evaluate",
    version="1",
    task_run_name="evaluate {site_id}",
    cache_key_fn=evaluate_step,
    persist_result=True,
    result_serializer="json",
)
def evaluate_site(
    workspace: Workspace, site_id: str, stores: list[Reference], weights: Reference, unseen: bool
) -> SiteScore:
    """Score a detector on one site: all pairs of an unseen site, the held-out ones of a training site."""

    def write(folder: Path) -> None:
        model = load_detector(weights.folder(workspace) / WEIGHTS)
        found = list(outcomes(model, [s.folder(workspace) for s in stores], held_out=not unseen))
        metrics = score_site(
            [o.detections for o in found], [o.labels for o in found], model.threshold
        )
        (folder / SCORES).write_text(json.dumps(metrics, indent=1))
        _write_pictures(folder, found, model.threshold)

    parameters = {
        "workspace": workspace,
        "site_id": site_id,
        "stores": stores,
        "weights": weights,
        "unseen": unseen,
    }
    result = evaluate_step.produce(workspace, parameters, write)
    metrics = json.loads((result.folder(workspace) / SCORES).read_text())
    get_run_logger().info("%s: detection accuracy %.1f %%", site_id, metrics["detection_accuracy"])
    return SiteScore(site_id=site_id, unseen=unseen, metrics=metrics, result=result)


def _write_pictures(folder: Path, found: Sequence[Outcome], threshold: float) -> None:
    """Draw the pairs with most labels, and the alignment of the first."""
    for number, outcome in enumerate(sorted(found, key=lambda o: -len(o.labels))[:SHOWN]):
        excess = outcome.mission.infrared_excess[outcome.row]
        mask = outcome.mission.panel_mask[outcome.row]
        visible = np.asarray(outcome.mission.visible[outcome.row])
        shown = outcome.detections.above(threshold)
        picture = detection_picture(
            excess,
            mask,
            visible,
            shown.boxes_xyxy_px,
            shown.defect_classes,
            shown.scores.tolist(),
            label_boxes_xyxy_px(outcome.labels),
        )
        pair_id = outcome.mission.index.iloc[outcome.row]["pair_id"]
        write_picture(folder / f"detections_{number}_{pair_id}.jpg", picture)
        if number == 0:
            board = checkerboard(infrared_picture(excess, mask), visible)
            write_picture(folder / f"alignment_{pair_id}.jpg", board)
