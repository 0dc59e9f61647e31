"""From the missions in ``data/`` to a registered model: the main job."""

import hashlib
import json
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict, DirectoryPath, PositiveInt

from dd_livm_core.judgement.promotion import decide
from dd_livm_core.judgement.site_plan import SitePlan, plan_sites
from dd_livm_core.missions.sites import SITES, read_sites
from flows.configuration import RetrainConfiguration
from tasks.align import AlignedMission, align, align_step, missions_of
from tasks.alignment_page import AlignmentPage, draw_alignment
from tasks.evaluate import (
    SiteScore,
    choose_operating_point,
    evaluate_site,
    evaluate_step,
    operating_point_step,
)
from tasks.manifest import ingest, manifest_path
from tasks.register import (
    CHAMPION,
    CONTRACT_TAG,
    apply_decision,
    example_pair,
    register,
    registered_detector,
)
from tasks.report import report_retraining
from tasks.site_pictures import SitePictures, draw_site
from tasks.snapshot import snapshot
from tasks.step import Reference, run_step
from tasks.tracking import code_version, log_site_metrics, log_start, parent_run
from tasks.train import TrainedStage, record_stage, train, train_step
from tasks.validate import validate, validate_step
from tasks.workspace import Workspace

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
    with place.lock("retrain", wait_s=LOCK_WAIT_S, purpose="retraining in this workspace"):
        return _retrain(place, configuration, processes, reason)


def _retrain(
    place: Workspace, configuration: RetrainConfiguration, processes: int, reason: str
) -> Retrained:
    manifest = ingest(place)
    checked = run_step(validate, place, manifest, configuration.contract)
    pinned = snapshot(place)
    missions = [m for m in missions_of(place, checked.accepted) if m.labelled]
    plan = plan_sites([m.site_id for m in missions], configuration.evaluation.held_out_sites)
    sites = read_sites(place.data)
    simulated = any(sites[m.site_id].simulated for m in missions)
    get_run_logger().info("Training on %s; never seen: %s", plan.training, plan.unseen or "none")

    tags = {
        "dd_livm.data_snapshot": pinned,
        "dd_livm.code_version": code_version(),
        "dd_livm.configuration": _hash(configuration.model_dump(mode="json")),
        CONTRACT_TAG: configuration.contract.model_dump_json(),
        "dd_livm.reason": reason,
        "dd_livm.unseen_sites": ",".join(plan.unseen),
        "dd_livm.simulated": str(simulated).lower(),
        "dd_livm.training_sites": ",".join(plan.training),
        "dd_livm.steps": json.dumps(STEP_VERSIONS),
        "mlflow.source.name": "flows/retrain.py",
    }
    identity = ("data_snapshot", "code_version", "configuration", "steps")
    run_key = _hash({name: tags[f"dd_livm.{name}"] for name in identity})
    name = str(flow_run.get_name() or "retrain")
    with parent_run(place, run_key, name, tags) as run_id:
        log_start(
            place,
            run_id,
            configuration.model_dump(mode="json"),
            [place.pinned, *checked.documents(place)],
            [manifest_path(place, manifest), place.data / SITES],
            pinned,
        )
        aligned = [run_step(align, place, m, checked.accepted, processes) for m in missions]
        stores = [a.store for a in aligned if a.site_id in plan.training]
        trained = _train_stages(place, stores, configuration, run_id)
        detector = run_step(choose_operating_point, place, stores, trained.weights)
        scores = _score(place, detector.weights, aligned, plan)
        before = _score_champion(place, aligned, plan)
        decision = decide(
            _deciding(scores), _deciding(before) if before else None, configuration.promotion
        )
        log_site_metrics(place, run_id, {s.site_id: s.metrics for s in scores}, plan.unseen)
        version = register(
            place,
            run_id,
            detector.weights_file(place),
            example_pair(place, missions[0], checked.accepted),
            {name: tags[name] for name in MODEL_TAGS},
        )
        apply_decision(place, version, decision)
        pictures, pages = _draw(place, scores, aligned)
        report_retraining(
            place, run_id, scores, aligned, pictures, pages, decision, version, simulated
        )
    return Retrained(
        run_id=run_id,
        snapshot=pinned,
        version=version,
        promoted=decision.promote,
        reason=decision.reason,
        scores={score.site_id: score.metrics for score in scores},
    )


def _hash(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _train_stages(
    place: Workspace, stores: list[Reference], configuration: RetrainConfiguration, run_id: str
) -> TrainedStage:
    first = run_step(train, place, 1, stores, configuration.training, None, run_id)
    record_stage(place, first, configuration.training, run_id)
    second = run_step(train, place, 2, stores, configuration.training, first, run_id)
    record_stage(place, second, configuration.training, run_id)
    third = run_step(train, place, 3, stores, configuration.training, second, run_id)
    record_stage(place, third, configuration.training, run_id)
    return third


def _score(
    place: Workspace,
    weights: Reference,
    aligned: list[AlignedMission],
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
    place: Workspace, scores: list[SiteScore], aligned: list[AlignedMission]
) -> tuple[list[SitePictures], list[AlignmentPage]]:
    """Draw what the report shows, in steps of their own: another colour does not score or align again."""
    pictures = [
        run_step(draw_site, place, score, [a.store for a in aligned if a.site_id == score.site_id])
        for score in scores
    ]
    pages = [run_step(draw_alignment, place, a.site_id, a.mission_id, a.store) for a in aligned]
    return pictures, pages


def _score_champion(
    place: Workspace,
    aligned: list[AlignedMission],
    plan: SitePlan,
) -> list[SiteScore] | None:
    champion = registered_detector(place, CHAMPION)
    return _score(place, champion, aligned, plan) if champion else None


def _deciding(scores: list[SiteScore]) -> dict[str, float]:
    """Return what promotion looks at: unseen sites, or all where none could be kept unseen."""
    unseen = [score for score in scores if score.unseen] or scores
    return {score.site_id: score.metrics["detection_accuracy"] for score in unseen}
