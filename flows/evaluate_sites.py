"""Score a registered model on every labelled site."""

from pathlib import Path

from prefect import flow, get_run_logger
from pydantic import PositiveInt

from flows.folder_parameters import ExistingFolder
from tasks.align import align_all, list_trainable, size_of_new_stores_b
from tasks.disk_space import explain_full_disk, require_space
from tasks.evaluate import evaluate_site
from tasks.manifest import build_data_manifest
from tasks.register import model_facts, require_detector
from tasks.report import score_table
from tasks.snapshot import snapshot
from tasks.step import run_step
from tasks.tracking import evaluation_run, log_site_metrics
from tasks.validate import validate
from tasks.workspace import Workspace


@flow(name="evaluate_sites", flow_run_name="evaluate {model}", validate_parameters=True)
def evaluate_sites(
    workspace: ExistingFolder = Path(), model: str = "champion", processes: PositiveInt = 2
) -> dict[str, dict[str, float]]:
    """Score a registered model on the labelled missions in ``data/``, and log the scores as a run of their own.

    A site that the model was trained on is scored on its held-out pairs and counts as seen; any other is scored on all
    its pairs. The data contract has the limits of the model's retraining. Returns site → its metrics.

    Parameters
    ----------
    workspace
        Folder that holds data/, mlruns/ and all results.
    model
        Alias or version of the registered model.
    processes
        Processes for per-pair work; does not change the result.
    """
    place = Workspace.at(workspace)
    with place.data_lock("evaluating on data/"), explain_full_disk(place):
        return _evaluate(place, model, processes)


def _evaluate(place: Workspace, model: str, processes: int) -> dict[str, dict[str, float]]:
    detector = require_detector(place, model)
    facts = model_facts(place, model)
    checked = run_step(validate, place, build_data_manifest(place), facts.contract)
    pinned = snapshot(place)
    missions = list_trainable(place, checked.accepted)
    require_space(place.root, size_of_new_stores_b(place, missions, checked.accepted))
    aligned = align_all(place, missions, checked.accepted, processes)
    scores = []
    for site in sorted({m.site_id for m in missions}):
        stores = [a.store for a in aligned if a.site_id == site]
        scores.append(
            run_step(evaluate_site, place, site, stores, detector, site not in facts.training_sites)
        )
    with evaluation_run(place, model, pinned) as run_id:
        unseen = [score.site_id for score in scores if score.unseen]
        log_site_metrics(place, run_id, {s.site_id: s.metrics for s in scores}, unseen)
    get_run_logger().info("\n%s", score_table(scores))
    return {score.site_id: score.metrics for score in scores}
