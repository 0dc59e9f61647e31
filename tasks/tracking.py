"""Record retrainings in MLflow: one parent run each, a child run per stage; a killed one is taken up again."""

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Run, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from dd_livm_core.errors import InputError
from tasks.artifact_store import (
    ARTIFACTS,
    name_artifacts_beside_database,
    require_sound_database,
    use_database,
)
from tasks.workspace import Workspace

EXPERIMENT = "dd-livm"
MODEL_NAME = "dd-livm"
RUN_KEY = "dd_livm.run_key"
"""Tag of parent runs: equal for retrainings of the same data, code and configuration."""
STAGE = "dd_livm.stage"
"""Tag of child runs: the stage's name."""
DATA_FOLDER = "data"
"""Artifact folder that holds a retraining's manifest and sites."""
HEADLINES = ("detection_accuracy", "located_and_typed", "type_accuracy", "map50")
"""The four numbers that are always reported together."""
MOST_DIGEST = 36
"""Most characters that MLflow accepts as a data set's digest."""
MOST_ERROR = 5000
"""Characters kept of an error: MLflow bounds a tag's length."""
MOST_METRICS = 900
"""Numbers logged at once: MLflow accepts at most 1000."""
RUNS_TODO = "`dd-livm runs` lists the runs."


def client(workspace: Workspace) -> MlflowClient:
    """Return a client of the workspace's store, making store and experiment on first use.

    Raises
    ------
    InputError
        The store's database is damaged.
    """
    workspace.artifacts.mkdir(parents=True, exist_ok=True)
    require_sound_database(workspace.tracking_database)
    use_database(workspace.tracking_uri)
    store = MlflowClient(workspace.tracking_uri, workspace.tracking_uri)
    if store.get_experiment_by_name(EXPERIMENT) is None:
        store.create_experiment(EXPERIMENT, artifact_location=ARTIFACTS)
    name_artifacts_beside_database(workspace.tracking_database)
    return store


def experiment_id(store: MlflowClient) -> str:
    """Return the id of the experiment that holds all runs."""
    experiment = store.get_experiment_by_name(EXPERIMENT)
    return str(experiment.experiment_id)


def code_version() -> str:
    """Return the git commit of the code, with ``+changes`` where it is not as committed; else the package's version."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        run = subprocess.run(
            ["git", *arguments], cwd=here, capture_output=True, encoding="utf-8", errors="replace"
        )
        return run.stdout.strip()

    # Installed below somebody's checkout, the code is not that checkout's.
    if not git("ls-files", Path(__file__).name):
        from importlib.metadata import version

        return f"dd-livm {version('dd-livm')}"
    # Every retraining writes the pin of its data: that is no change of the code.
    code = (":(top)", ":(top,exclude)data.dvc")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", *code)
    return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")


@contextmanager
def parent_run(
    workspace: Workspace, run_key: str, name: str, tags: Mapping[str, str]
) -> Iterator[str]:
    """Open the retraining's parent run, yield its id, and end it as finished or failed when the block ends.

    A run that was killed or interrupted is still marked as running. One of the same ``run_key`` is taken up again, so
    that one retraining is one run however often it was interrupted. All others are marked as killed: the caller
    holds the workspace's lock, so none of them is alive.
    """
    store = client(workspace)
    interrupted = store.search_runs(
        [experiment_id(store)], f"tags.`{RUN_KEY}` != '' and attributes.status = 'RUNNING'"
    )
    same = [run for run in interrupted if run.data.tags[RUN_KEY] == run_key]
    for left in interrupted:
        if left not in same[:1]:
            store.set_terminated(left.info.run_id, RunStatus.to_string(RunStatus.KILLED))
    if same:
        run: Run = same[0]
        for tag, value in tags.items():
            store.set_tag(run.info.run_id, tag, value)
        resumed = int(run.data.tags.get("dd_livm.resumed", "0")) + 1
        store.set_tag(run.info.run_id, "dd_livm.resumed", str(resumed))
    else:
        run = store.create_run(experiment_id(store), run_name=name, tags={**tags, RUN_KEY: run_key})
    with _end_with_block(store, str(run.info.run_id)) as run_id:
        yield run_id


@contextmanager
def _end_with_block(store: MlflowClient, run_id: str) -> Iterator[str]:
    """End a run when the block ends: as finished, or as failed with the error as a tag.

    Interrupted or killed, it stays open, so that the same retraining can take it up again.
    """
    try:
        yield run_id
    except Exception as error:
        store.set_tag(run_id, "dd_livm.error", str(error)[:MOST_ERROR])
        store.set_terminated(run_id, RunStatus.to_string(RunStatus.FAILED))
        raise
    store.set_terminated(run_id)


@contextmanager
def evaluation_run(workspace: Workspace, model: str, snapshot: str) -> Iterator[str]:
    """Open a run for the scores of a registered model, yield its id, and end it as finished, failed or killed."""
    store = client(workspace)
    tags = {"dd_livm.model": model, "dd_livm.data_snapshot": snapshot}
    run = store.create_run(experiment_id(store), run_name=f"evaluate {model}", tags=tags)
    try:
        with _end_with_block(store, str(run.info.run_id)) as run_id:
            yield run_id
    except (KeyboardInterrupt, SystemExit):
        # an evaluation, unlike a retraining, begins anew: nobody would take this run up again
        store.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))
        raise


def child_run(
    workspace: Workspace, parent_run_id: str, stage: str, params: Mapping[str, Any]
) -> str:
    """Return the id of a stage's child run, which is made with its parameters on first use."""
    store = client(workspace)
    found = store.search_runs(
        [experiment_id(store)],
        f"tags.`mlflow.parentRunId` = '{parent_run_id}' and tags.`{STAGE}` = '{stage}'",
        max_results=1,
    )
    if found:
        return str(found[0].info.run_id)
    run = store.create_run(
        experiment_id(store),
        run_name=stage,
        tags={"mlflow.parentRunId": parent_run_id, STAGE: stage},
    )
    log_params(store, run.info.run_id, params)
    return str(run.info.run_id)


def log_params(
    store: MlflowClient, run_id: str, params: Mapping[str, Any], prefix: str = ""
) -> None:
    """Log parameters that the run does not hold yet; nested ones get dotted names."""
    known = store.get_run(run_id).data.params
    for name, value in params.items():
        if isinstance(value, Mapping):
            log_params(store, run_id, value, f"{prefix}{name}.")
        elif f"{prefix}{name}" not in known:
            store.log_param(run_id, f"{prefix}{name}", value)


def log_history(
    workspace: Workspace, run_id: str, history: Sequence[Mapping[str, float]], done: bool = False
) -> None:
    """Log what the run does not hold yet of a training's epochs, as curves; end the run when ``done``."""
    store = client(workspace)
    logged: set[tuple[str, int]] = set()
    for name in store.get_run(run_id).data.metrics:
        logged |= {(name, point.step) for point in store.get_metric_history(run_id, name)}
    now = int(time.time() * 1000)
    points = [
        Metric(name, float(value), now, int(epoch["epoch"]))
        for epoch in history
        for name, value in epoch.items()
        if name != "epoch"
        and isinstance(value, int | float)
        and (name, int(epoch["epoch"])) not in logged
    ]
    for start in range(0, len(points), MOST_METRICS):
        store.log_batch(run_id, metrics=points[start : start + MOST_METRICS])
    if done:
        store.set_terminated(run_id)


def require_run(workspace: Workspace, run_id: str) -> Run:
    """Return a run.

    Raises
    ------
    InputError
        There is none of this id.
    """
    try:
        return client(workspace).get_run(run_id)
    except MlflowException as error:
        raise InputError(
            "the id of a retraining run", repr(run_id), workspace.tracking_uri, RUNS_TODO
        ) from error


def fetch_pin(workspace: Workspace, run_id: str, to: Path) -> Path:
    """Fetch the ``data.dvc`` that a run recorded into the folder ``to``.

    Raises
    ------
    InputError
        There is no such run, or it recorded none.
    """
    require_run(workspace, run_id)
    try:
        return Path(client(workspace).download_artifacts(run_id, "data.dvc", str(to)))
    except (MlflowException, OSError) as error:
        raise InputError(
            "a retraining run that recorded its data snapshot",
            f"{run_id} ({error})",
            workspace.tracking_uri,
            RUNS_TODO,
        ) from error


def list_retrainings(workspace: Workspace) -> list[str]:
    """Return one line per retraining, newest first; one line that says what to do where there is none.

    Separated by tabs: run id, state, data snapshot, mean detection accuracy on unseen sites, name.
    """
    store = client(workspace)
    found = store.search_runs(
        [experiment_id(store)], f"tags.`{RUN_KEY}` != ''", order_by=["attributes.start_time DESC"]
    )
    lines = []
    for run in found:
        score = run.data.metrics.get("unseen/mean_detection_accuracy")
        snapshot = run.data.tags.get("dd_livm.data_snapshot", "-")
        shown = "-" if score is None else f"{score:.1f} %"
        lines.append(
            f"{run.info.run_id}\t{run.info.status}\t{snapshot}\t{shown}\t{run.info.run_name}"
        )
    return lines or ["No retraining yet: `dd-livm demo` or `dd-livm retrain`."]


def log_start(
    workspace: Workspace,
    run_id: str,
    configuration: Mapping[str, Any],
    artifacts: Sequence[Path],
    data: Sequence[Path],
    snapshot: str,
) -> None:
    """Log what a retraining starts from.

    Parameters
    ----------
    artifacts
        Files and folders to keep: the data pin, the validation.
    data
        Files that say what the data held, kept in ``DATA_FOLDER``: manifest and sites.
    snapshot
        Content hash of the data: the run's data set on MLflow's page, by which runs can be grouped.
    """
    store = client(workspace)
    log_params(store, run_id, configuration)
    source = json.dumps({"restore": f"dd-livm restore {run_id}"})
    pinned = Dataset(DATA_FOLDER, snapshot.removesuffix(".dir")[:MOST_DIGEST], "dvc", source)
    store.log_inputs(run_id, [DatasetInput(pinned, [InputTag("mlflow.data.context", "training")])])
    store.log_dict(run_id, dict(configuration), "configuration.json")
    for path in artifacts:
        if path.is_dir():
            store.log_artifacts(run_id, str(path), path.name)
        else:
            store.log_artifact(run_id, str(path))
    for path in data:
        store.log_artifact(run_id, str(path), DATA_FOLDER)


def log_site_metrics(
    workspace: Workspace,
    run_id: str,
    sites: Mapping[str, Mapping[str, float]],
    unseen: Sequence[str],
) -> None:
    """Log each site's scores on a run, with mean and worst of the four numbers over unseen and over seen sites."""
    store = client(workspace)
    points = {
        f"site/{site}/{name}": value
        for site, metrics in sites.items()
        for name, value in metrics.items()
    }
    for group, members in (("unseen", set(unseen)), ("seen", set(sites) - set(unseen))):
        for name in HEADLINES:
            values = [sites[site][name] for site in members]
            if values:
                points[f"{group}/mean_{name}"] = sum(values) / len(values)
                points[f"{group}/worst_{name}"] = min(values)
    now = int(time.time() * 1000)
    store.log_batch(run_id, metrics=[Metric(k, float(v), now, 0) for k, v in points.items()])
