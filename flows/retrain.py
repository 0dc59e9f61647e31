"""Retrain on the missions in ``data/`` and register the model: the main job."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.runtime import flow_run
from pydantic import BaseModel, ConfigDict, PositiveInt

from dd_livm_core.judgement.promotion import Decision, decide, select_accuracies
from dd_livm_core.judgement.site_plan import SitePlan, plan_sites
from dd_livm_core.missions.sites import SITES, read_sites
from flows.configuration import RetrainConfiguration
from flows.folder_parameters import ExistingFolder
from tasks.align import (
    AlignedReference,
    MissionInput,
    align_all,
    align_step,
    list_trainable,
    size_of_new_stores_b,
)
from tasks.alignment_page import AlignmentPage, draw_alignment
from tasks.disk_space import explain_full_disk, require_space
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
"""Name → version of the steps that decide a result; runs are tagged with them."""
LOCK_WAIT_S = 2.0
"""Short, so that a second retraining of one workspace is refused at once. Chosen."""
MODEL_TAGS = (
    CONTRACT_TAG,
    "dd_livm.data_snapshot",
    "dd_livm.code_version",
    "dd_livm.configuration",
    "dd_livm.simulated",
    "dd_livm.training_sites",
    "dd_livm.unseen_sites",
)
"""Tags of a run that its registered model gets, too."""


class Retrained(BaseModel):
    """The outcome of a retraining.

    Attributes
    ----------
    version
        Of the registered model.
    reason
        Why it was promoted, or was not.
    scores
        Site → its metrics; unseen sites come last.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    snapshot: str
    version: str
    promoted: bool
    reason: str
    scores: dict[str, dict[str, float]]


@flow(name="retrain", flow_run_name="retrain: {reason}", log_prints=True, validate_parameters=True)
def retrain(
    workspace: ExistingFolder = Path(),
    configuration: RetrainConfiguration = DEFAULT,
    processes: PositiveInt = 2,
    reason: str = "by hand",
) -> Retrained:
    """Validate and pin ``data/``, align, train in three stages, score every site, register the model, decide on it.

    Parameters
    ----------
    workspace
        Folder that holds data/, mlruns/ and all results.
    configuration
        Everything beside data and code that decides the result; unknown keys are refused.
    processes
        Processes for per-pair work; does not change the result.
    reason
        Why this retraining runs, kept with its MLflow run.
    """
    place = Workspace.at(workspace)
    keep_temperatures_in(place)
    with (
        place.lock("retrain", wait_s=LOCK_WAIT_S, purpose="retraining in this workspace"),
        place.data_lock("retraining on data/"),
        explain_full_disk(place),
    ):
        return _retrain(place, configuration, processes, reason)


@dataclass(frozen=True)
class _Prepared:
    """Data that passed the contract and is pinned, and its labelled missions and sites.

    Attributes
    ----------
    simulated
        Whether any labelled site is simulated.
    """

    manifest: Reference
    checked: Validation
    snapshot: str
    missions: list[MissionInput]
    plan: SitePlan
    simulated: bool


def _retrain(
    place: Workspace, configuration: RetrainConfiguration, processes: int, reason: str
) -> Retrained:
    """Retrain while the workspace's lock is held; arguments as of `retrain`."""
    data = _prepare(place, configuration)
    tags = _make_tags(data, configuration, reason)
    name = str(flow_run.get_name() or "retrain")
    with parent_run(place, _make_run_key(tags), name, tags) as run_id:
        _log_data(place, run_id, data, configuration)
        aligned = align_all(place, data.missions, data.checked.accepted, processes)
        detector = _train(place, aligned, data.plan, configuration, run_id)
        scores, decision = _judge(place, detector, aligned, data.plan, configuration)
        log_site_metrics(place, run_id, {s.site_id: s.metrics for s in scores}, data.plan.unseen)
        version = _register(place, run_id, data, detector, tags)
        apply_decision(place, version, decision)
        drawn = _draw(place, scores, aligned)
        report_retraining(place, run_id, scores, aligned, *drawn, decision, version, data.simulated)
    return Retrained(
        run_id=run_id,
        snapshot=data.snapshot,
        version=version,
        promoted=decision.promote,
        reason=decision.reason,
        scores={score.site_id: score.metrics for score in scores},
    )


def _prepare(place: Workspace, configuration: RetrainConfiguration) -> _Prepared:
    """Check the data against the contract, pin it, and plan which sites stay unseen."""
    manifest = build_data_manifest(place)
    checked = run_step(validate, place, manifest, configuration.contract)
    pinned = snapshot(place)
    missions = list_trainable(place, checked.accepted)
    require_space(place.root, size_of_new_stores_b(place, missions, checked.accepted))
    plan = plan_sites([m.site_id for m in missions], configuration.evaluation.held_out_sites)
    sites = read_sites(place.data)
    simulated = any(sites[m.site_id].simulated for m in missions)
    get_run_logger().info("Training on %s; never seen: %s", plan.training, plan.unseen or "none")
    return _Prepared(manifest, checked, pinned, missions, plan, simulated)


def _make_tags(data: _Prepared, configuration: RetrainConfiguration, reason: str) -> dict[str, str]:
    """Return the tags of a retraining's run in MLflow."""
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


def _make_run_key(tags: Mapping[str, str]) -> str:
    """Return the key by which a killed retraining is taken up again: of its data, code, configuration and steps."""
    identity = ("data_snapshot", "code_version", "configuration", "steps")
    return _hash({name: tags[f"dd_livm.{name}"] for name in identity})


def _hash(content: object) -> str:
    """Return the SHA-256 of plain values, in hexadecimal."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _log_data(
    place: Workspace, run_id: str, data: _Prepared, configuration: RetrainConfiguration
) -> None:
    """Log what a retraining starts from: its configuration, the pin, the validation and the manifest."""
    log_start(
        place,
        run_id,
        configuration.model_dump(mode="json"),
        [place.pinned, *data.checked.documents(place)],
        [manifest_path(place, data.manifest), place.data / SITES],
        data.snapshot,
    )


def _train(
    place: Workspace,
    aligned: list[AlignedReference],
    plan: SitePlan,
    configuration: RetrainConfiguration,
    run_id: str,
) -> OperatingPoint:
    """Train the three stages, each from the one before, and choose the threshold; all on the training sites."""
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
    """Return the new model's score of every site, and whether it replaces the champion on the same data."""
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
    """Return the score of every site, unseen ones last: on all pairs of an unseen site, else on the held-out ones."""
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


def _register(
    place: Workspace,
    run_id: str,
    data: _Prepared,
    detector: OperatingPoint,
    tags: Mapping[str, str],
) -> str:
    """Register the detector, with a pair as example, and return its version."""
    return register(
        place,
        run_id,
        detector.weights_file(place),
        example_pair(place, data.missions[0], data.checked.accepted),
        {tag: tags[tag] for tag in MODEL_TAGS},
    )


def _draw(
    place: Workspace, scores: list[SiteScore], aligned: list[AlignedReference]
) -> tuple[list[SitePictures], list[AlignmentPage]]:
    """Draw what the report shows, in steps of their own: changed drawing code does not score or align again."""
    pictures = [
        run_step(draw_site, place, score, [a.store for a in aligned if a.site_id == score.site_id])
        for score in scores
    ]
    pages = [run_step(draw_alignment, place, a.site_id, a.mission_id, a.store) for a in aligned]
    return pictures, pages
