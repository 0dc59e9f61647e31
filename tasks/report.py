"""Report a retraining on Prefect's page and in MLflow."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mlflow.tracking import MlflowClient
from prefect import get_run_logger, task
from prefect.artifacts import create_image_artifact, create_link_artifact, create_markdown_artifact

from dd_livm_core.inspection.pictures import data_url, write_site_chart
from dd_livm_core.judgement.promotion import Decision
from tasks.align import AlignedReference
from tasks.alignment_page import AlignmentPage
from tasks.evaluate import SiteScore
from tasks.site_pictures import SitePictures
from tasks.tracking import HEADLINES, client
from tasks.workspace import Workspace

CHART = "sites.png"
MLFLOW_PAGE = "http://127.0.0.1:5000"
"""Where `dd-livm ui` serves MLflow by default."""


def score_table(scores: Sequence[SiteScore]) -> str:
    """Return the four numbers of each site, in percent, as a Markdown table."""
    head = f"| site | in training | {' | '.join(HEADLINES)} | labels |\n|---|---|{'---:|' * 5}\n"
    return head + "".join(
        f"| {score.site_id} | {'never seen' if score.unseen else 'other pairs'} | "
        + " | ".join(f"{score.metrics[name]:.1f}" for name in HEADLINES)
        + f" | {score.metrics['labels']:.0f} |\n"
        for score in scores
    )


def format_report(
    scores: Sequence[SiteScore],
    aligned: Sequence[AlignedReference],
    decision: Decision,
    version: str,
    run_id: str,
    simulated: bool,
) -> str:
    """Return the retraining's report as Markdown."""
    alignment = "".join(
        f"| {a.site_id}/{a.mission_id} | {', '.join(f'{n} {status}' for status, n in a.status.items())} |\n"
        for a in aligned
    )
    return "\n".join(
        [
            f"# Retraining: version {version}, {'champion' if decision.promote else 'challenger'}",
            f"{decision.reason}. MLflow run `{run_id}`.",
            "**Simulated stations**: these numbers say nothing about a real plant."
            if simulated
            else "",
            "## Sites, percent",
            score_table(scores),
            "## Alignment",
            "| mission | pairs |\n|---|---|\n" + alignment,
        ]
    )


@task(name="report", version="1", task_run_name="report")
def report_retraining(
    workspace: Workspace,
    run_id: str,
    scores: list[SiteScore],
    aligned: list[AlignedReference],
    pictures: list[SitePictures],
    pages: list[AlignmentPage],
    decision: Decision,
    version: str,
    simulated: bool,
) -> None:
    """Keep report, site chart, pictures and alignment pages as artifacts of the flow run and of the MLflow run."""
    store = client(workspace)
    text = format_report(scores, aligned, decision, version, run_id, simulated)
    create_markdown_artifact(text, key="retraining", description="Scores per site and the decision")
    store.set_tag(run_id, "mlflow.note.content", text)  # the description on MLflow's page
    store.log_text(run_id, text, "report.md")
    store.log_dict(run_id, {s.site_id: s.metrics for s in scores}, "site_scores.json")
    store.log_text(run_id, json.dumps(vars(decision), indent=2), "decision.json")
    _log_chart(store, run_id, scores)
    for site in pictures:
        _log_pictures(workspace, store, run_id, site)
    for page in pages:
        name = f"alignment/{page.site_id}_{page.mission_id}.html"
        store.log_text(run_id, page.page(workspace).read_text(encoding="utf-8"), name)
    create_link_artifact(
        f"{MLFLOW_PAGE}/#/experiments/{store.get_run(run_id).info.experiment_id}/runs/{run_id}",
        "This run in MLflow (while `dd-livm ui` runs)",
        key="mlflow-run",
    )
    get_run_logger().info("\n%s", text)


def _log_chart(store: MlflowClient, run_id: str, scores: Sequence[SiteScore]) -> None:
    """Draw the site chart, and keep it with the flow run and the MLflow run."""
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder) / CHART
        write_site_chart(
            chart, {s.site_id: s.metrics for s in scores}, [s.site_id for s in scores if s.unseen]
        )
        store.log_artifact(run_id, str(chart))
        create_image_artifact(data_url(chart), key="sites", description="The four numbers per site")


def _log_pictures(
    workspace: Workspace, store: MlflowClient, run_id: str, site: SitePictures
) -> None:
    """Keep a site's pictures with the flow run and the MLflow run."""
    for picture in sorted(site.result.folder(workspace).glob("*.jpg")):
        store.log_artifact(run_id, str(picture), f"pictures/{site.site_id}")
        kind = picture.stem.split("_")[0]
        create_image_artifact(
            data_url(picture),
            key=f"{kind}-{site.site_id}".lower().replace("_", "-").replace(".", "-"),
            description=f"{kind}, {site.site_id}: {picture.stem}",
        )
