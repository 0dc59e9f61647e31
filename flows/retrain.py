"""From the missions in ``data/`` to a registered model: the main job."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict, DirectoryPath, PositiveInt

from dd_livm_core.judgement.promotion import Decision, decide, select_accuracies
from dd_livm_core.judgement.site_plan import SitePlan, plan_sites
from dd_livm_core.missions.sites import SITES, read_sites
from flows.configuration import RetrainConfiguration
from tasks.align import AlignedReference, MissionInput, align, align_step, list_missions
from tasks.alignment_page import AlignmentPage, draw_alignment
from tasks.evaluate import (
    OperatingPoint,
    SiteScore,
    choose_operating_point,
    evaluate_site,
    evaluate_step,
    operating_point_step,
)
from tasks.manifest import build_data_manifest, manifest_path
from tasks.register import (
    CHAMPION,
    CONTRACT_TAG,
    apply_decision,
    example_pair,
    fetch_detector,
    register,
)
from tasks.report import report_retraining
from tasks.site_pictures import SitePictures, draw_site
from tasks.snapshot import snapshot
from tasks.step import Reference, run_step
from tasks.tracking import code_version, log_site_metrics, log_start, parent_run
from tasks.train import TrainedStage, record_stage, train, train_step
from tasks.validate import Validation, validate, validate_step
from tasks.workspace import Workspace, keep_temperatures_in

DEFAULT = RetrainConfiguration()
STEP_VERSIONS = {
    step.name: step.version
    for step in (validate_step, align_step, train_step, operating_point_step, evaluate_step)
}
LOCK_WAIT_S = 2.0
"""A second retraining of one workspace is told so at once."""
MODEL_TAGS = (
    CONTRACT_TAG,
    "dd_livm.data_snapshot",
    "dd_livm.code_version",
    "dd_livm.configuration",
    "dd_livm.simulated",
    "dd_livm.training_sites",
    "dd_livm.unseen_sites",
)


class Retrained(BaseModel):
    """What a retraining left."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    snapshot: str
    version: str
    promoted: bool
    reason: str
    scores: dict[str, dict[str, float]]


@flow(name="retrain", flow_run_name="retrain: {reason}", log_prints=True, validate_parameters=True)
def retrain(
    workspace: DirectoryPath = Path(),
    configuration: RetrainConfiguration = DEFAULT,
    processes: PositiveInt = 2,
    reason: str = "by hand",
) -> Retrained:
    """Ingest, validate, snapshot, align, train three stages, score every site, register and decide.

    Parameters
    ----------
    workspace
        Folder that holds data/, mlruns/ and all results.
    configuration
        Everything that decides the result; unknown keys are refused.
    processes
        Processes for per-pair work; does not change the result.
    reason
        Why this retraining runs, kept with its MLflow run.
    """
    place = Workspace.at(workspace)
    keep_temperatures_in(place)
    with place.lock("retrain", wait_s=LOCK_WAIT_S, purpose="retraining in this workspace"):
        return _retrain(place, configuration, processes, reason)


@dataclass(frozen=True)
class _Prepared:
    """Data that passed the contract, pinned, and what is to be done with it."""

    manifest: Reference
    checked: Validation
    snapshot: str
    missions: list[MissionInput]
    plan: SitePlan
    simulated: bool


def _retrain(
    place: Workspace, configuration: RetrainConfiguration, processes: int, reason: str
) -> Retrained:
    data = _prepare(place, configuration)
    tags = _tags(data, configuration, reason)
    name = str(flow_run.get_name() or "retrain")
    with parent_run(place, _run_key(tags), name, tags) as run_id:
        log_start(
            place,
            run_id,
            configuration.model_dump(mode="json"),
            [place.pinned, *data.checked.documents(place)],
            [manifest_path(place, data.manifest), place.data / SITES],
            data.snapshot,
        )
        aligned = [
            run_step(align, place, m, data.checked.accepted, processes) for m in data.missions
        ]
        detector = _train(place, aligned, data.plan, configuration, run_id)
        scores, decision = _judge(place, detector, aligned, data.plan, configuration)
        log_site_metrics(place, run_id, {s.site_id: s.metrics for s in scores}, data.plan.unseen)
        version = register(
            place,
            run_id,
            detector.weights_file(place),
            example_pair(place, data.missions[0], data.checked.accepted),
            {tag: tags[tag] for tag in MODEL_TAGS},
        )
        apply_decision(place, version, decision)
        report_retraining(
            place,
            run_id,
            scores,
            aligned,
            *_draw(place, scores, aligned),
            decision,
            version,
            data.simulated,
        )
    return Retrained(
        run_id=run_id,
        snapshot=data.snapshot,
        version=version,
        promoted=decision.promote,
        reason=decision.reason,
        scores={score.site_id: score.metrics for score in scores},
    )


def _prepare(place: Workspace, configuration: RetrainConfiguration) -> _Prepared:
    """Hold the data against the contract, pin it, and choose the sites that stay unseen."""
    manifest = build_data_manifest(place)
    checked = run_step(validate, place, manifest, configuration.contract)
    pinned = snapshot(place)
    missions = [m for m in list_missions(place, checked.accepted) if m.labelled]
    plan = plan_sites([m.site_id for m in missions], configuration.evaluation.held_out_sites)
    sites = read_sites(place.data)
    simulated = any(sites[m.site_id].simulated for m in missions)
    get_run_logger().info("Training on %s; never seen: %s", plan.training, plan.unseen or "none")
    return _Prepared(manifest, checked, pinned, missions, plan, simulated)


def _tags(data: _Prepared, configuration: RetrainConfiguration, reason: str) -> dict[str, str]:
    """Return what MLflow keeps of a retraining beside its parameters."""
    return {
        "dd_livm.data_snapshot": data.snapshot,
        "dd_livm.code_version": code_version(),
        "dd_livm.configuration": _hash(configuration.model_dump(mode="json")),
        CONTRACT_TAG: configuration.contract.model_dump_json(),
        "dd_livm.reason": reason,
        "dd_livm.unseen_sites": ",".join(data.plan.unseen),
        "dd_livm.simulated": str(data.simulated).lower(),
        "dd_livm.training_sites": ",".join(data.plan.training),
        "dd_livm.steps": json.dumps(STEP_VERSIONS),
        "mlflow.source.name": "flows/retrain.py",
    }


def _run_key(tags: Mapping[str, str]) -> str:
    """Return what makes two retrainings the same, so that a killed one is taken up again."""
    identity = ("data_snapshot", "code_version", "configuration", "steps")
    return _hash({name: tags[f"dd_livm.{name}"] for name in identity})


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _train(
    place: Workspace,
    aligned: list[AlignedReference],
    plan: SitePlan,
    configuration: RetrainConfiguration,
    run_id: str,
) -> OperatingPoint:
    """Train the three stages on the training sites, each from the one before, and choose the threshold there."""
    stores = [a.store for a in aligned if a.site_id in plan.training]
    stage: TrainedStage | None = None
    for number in (1, 2, 3):
        stage = run_step(train, place, number, stores, configuration.training, stage, run_id)
        record_stage(place, stage, configuration.training, run_id)
    assert stage is not None
    return run_step(choose_operating_point, place, stores, stage.weights)


def _judge(
    place: Workspace,
    detector: OperatingPoint,
    aligned: list[AlignedReference],
    plan: SitePlan,
    configuration: RetrainConfiguration,
) -> tuple[list[SiteScore], Decision]:
    """Score every site with the new model and with the champion, and decide which one serves."""
    scores = _score(place, detector.weights, aligned, plan)
    champion = fetch_detector(place, CHAMPION)
    before = _score(place, champion, aligned, plan) if champion else None
    metrics, former = (
        {score.site_id: score.metrics for score in found or ()} for found in (scores, before)
    )
    decision = decide(
        select_accuracies(metrics, plan.unseen),
        select_accuracies(former, plan.unseen) if before else None,
        configuration.promotion,
    )
    return scores, decision


def _score(
    place: Workspace,
    weights: Reference,
    aligned: list[AlignedReference],
    plan: SitePlan,
) -> list[SiteScore]:
    """Score every site: unseen ones on all their pairs, training ones on the pairs kept from training."""
    return [
        run_step(
            evaluate_site,
            place,
            site,
            [a.store for a in aligned if a.site_id == site],
            weights,
            site in plan.unseen,
        )
        for site in (*plan.training, *plan.unseen)
    ]


def _draw(
    place: Workspace, scores: list[SiteScore], aligned: list[AlignedReference]
) -> tuple[list[SitePictures], list[AlignmentPage]]:
    """Draw what the report shows, in steps of their own: another colour does not score or align again."""
    pictures = [
        run_step(draw_site, place, score, [a.store for a in aligned if a.site_id == score.site_id])
        for score in scores
    ]
    pages = [run_step(draw_alignment, place, a.site_id, a.mission_id, a.store) for a in aligned]
    return pictures, pages
