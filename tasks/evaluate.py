"""Choose a detector's threshold on training sites, and score a detector on one site."""

import json
from collections.abc import Iterator
from pathlib import Path

from prefect import get_run_logger, task
from pydantic import BaseModel, ConfigDict

from dd_livm_core.aligned.store import read_aligned_mission
from dd_livm_core.judgement.predictions import Outcome, predict_labelled
from dd_livm_core.judgement.scores import choose_threshold, score_site
from dd_livm_core.model.detector import Detector
from dd_livm_core.model.weights import WEIGHTS, load_detector, save_detector
from tasks.step import Reference, Step
from tasks.workspace import Workspace

SCORES, PREDICTIONS = "scores.json", "predictions.json"

operating_point_step = Step("operating_point", "1", ("tasks.evaluate",))
evaluate_step = Step("evaluate", "2", ("tasks.evaluate",))


class OperatingPoint(BaseModel):
    """A detector with its threshold, chosen on training sites only."""

    model_config = ConfigDict(frozen=True)

    weights: Reference
    threshold: float

    def weights_file(self, workspace: Workspace) -> Path:
        """Return the safetensors file."""
        return self.weights.folder(workspace) / WEIGHTS


class SiteScore(BaseModel):
    """The scores of one site, as `score_site` returns them, and where they lie with the predictions behind them."""

    model_config = ConfigDict(frozen=True)

    site_id: str
    unseen: bool
    metrics: dict[str, float]
    result: Reference

    def predictions_file(self, workspace: Workspace) -> Path:
        """Return the JSON file that lists every pair's detections and labels, as `_pair_as_json` writes them."""
        return self.result.folder(workspace) / PREDICTIONS


def predict_stores(
    model: Detector, workspace: Workspace, stores: list[Reference], *, held_out: bool
) -> Iterator[tuple[Reference, Outcome]]:
    """Yield the outcome of every labelled pair, with the store that holds it; see `predict_labelled`."""
    for store in stores:
        mission = read_aligned_mission(store.folder(workspace))
        for outcome in predict_labelled(model, mission, held_out=held_out):
            yield store, outcome


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
    """Choose the threshold on the training sites' held-out pairs, and write the weights anew with it."""

    def write(folder: Path) -> None:
        model = load_detector(weights.folder(workspace) / WEIGHTS)
        found = [o for _, o in predict_stores(model, workspace, stores, held_out=True)]
        model.threshold = choose_threshold([o.detections for o in found], [o.labels for o in found])
        save_detector(model, folder / WEIGHTS)

    parameters = {"workspace": workspace, "stores": stores, "weights": weights}
    kept = operating_point_step.produce(workspace, parameters, write)
    threshold = load_detector(kept.folder(workspace) / WEIGHTS).threshold
    get_run_logger().info("Threshold %.3f, chosen on training sites", threshold)
    return OperatingPoint(weights=kept, threshold=threshold)


@task(
    name="evaluate",
    version="2",
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
        found = list(predict_stores(model, workspace, stores, held_out=not unseen))
        metrics = score_site(
            [o.detections for _, o in found], [o.labels for _, o in found], model.threshold
        )
        (folder / SCORES).write_text(json.dumps(metrics, indent=1), encoding="utf-8")
        predictions = [_pair_as_json(store, outcome, model.threshold) for store, outcome in found]
        (folder / PREDICTIONS).write_text(json.dumps(predictions), encoding="utf-8")

    parameters = {
        "workspace": workspace,
        "site_id": site_id,
        "stores": stores,
        "weights": weights,
        "unseen": unseen,
    }
    result = evaluate_step.produce(workspace, parameters, write)
    metrics = json.loads((result.folder(workspace) / SCORES).read_text(encoding="utf-8"))
    get_run_logger().info("%s: detection accuracy %.1f %%", site_id, metrics["detection_accuracy"])
    return SiteScore(site_id=site_id, unseen=unseen, metrics=metrics, result=result)


def _pair_as_json(store: Reference, outcome: Outcome, threshold: float) -> dict[str, object]:
    """Return a pair's detections from the threshold on and its labels; boxes are in infrared pixels."""
    shown = outcome.detections.keep_above(threshold)
    return {
        "store": store.sha256,
        "pair_id": outcome.pair_id,
        "detections": [
            {
                "box_xyxy_px": [round(float(side), 2) for side in shown.boxes_xyxy_px[number]],
                "score": round(float(shown.scores[number]), 4),
                "defect_class": shown.defect_classes[number],
                "hotspot_shape": shown.hotspot_shapes[number],
            }
            for number in range(len(shown.scores))
        ],
        "labels": [vars(label) for label in outcome.labels],
    }
