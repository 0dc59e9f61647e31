"""Register detectors in MLflow, fetch them again, and say by aliases which one serves."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from prefect import get_run_logger, task

from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic, hash_file
from dd_livm_core.judgement.promotion import Decision
from dd_livm_core.missions.manifest import read_manifest
from dd_livm_core.model.weights import WEIGHTS
from tasks.align import MissionInput
from tasks.manifest import manifest_path
from tasks.model_facts import ModelFacts
from tasks.pair_signature import SIGNATURE
from tasks.step import Reference, refer
from tasks.tracking import MODEL_NAME, client
from tasks.workspace import Workspace

CONTRACT_TAG = "dd_livm.contract"
"""Tag of a version: the limits of the data contract that its retraining kept to, as JSON."""
CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous_champion"
"""Aliases of versions: the one that serves, the last one that was not promoted, the one that served before."""


def find_version(store: MlflowClient, model: str) -> str | None:
    """Return the version that an alias or a version number means, or None where there is none."""
    try:
        if model.isdigit():
            return str(store.get_model_version(MODEL_NAME, model).version)
        return str(store.get_model_version_by_alias(MODEL_NAME, model).version)
    except MlflowException:
        return None


def fetch_detector(workspace: Workspace, model: str) -> Reference | None:
    """Copy a registered model's weights into the workspace and return them, or None where there is no such model.

    Parameters
    ----------
    model
        Alias or version number.

    Raises
    ------
    InputError
        The registered model does not hold exactly one safetensors file.
    """
    version = find_version(client(workspace), model)
    return None if version is None else _fetch_version(workspace, version)


def _fetch_version(workspace: Workspace, version: str) -> Reference:
    """Return the weights of a registered version, as `fetch_detector`."""
    source = client(workspace).get_model_version(MODEL_NAME, version).source
    folder = Path(mlflow.artifacts.download_artifacts(source))
    found = sorted(folder.rglob("*.safetensors"))
    if len(found) != 1:
        raise InputError(
            "one safetensors file in the registered model",
            f"{len(found)}",
            folder,
            "Register the model anew with `dd-livm retrain`.",
        )
    kept = workspace.step_folder("registered", hash_file(found[0]))
    kept.mkdir(parents=True, exist_ok=True)
    with atomic(kept / WEIGHTS) as unfinished:
        shutil.copyfile(found[0], unfinished)
    return refer(workspace, kept)


def require_version(workspace: Workspace, model: str) -> str:
    """Return the version of a registered model that an alias or a version number names.

    Raises
    ------
    InputError
        No model of that alias or version is registered.
    """
    version = find_version(client(workspace), model)
    if version is None:
        raise InputError(
            "a registered model",
            f"none called {model!r}",
            workspace.tracking_uri,
            "Train one with `dd-livm retrain` or `dd-livm demo`.",
        )
    return version


def require_detector(workspace: Workspace, model: str) -> Reference:
    """Return a registered model's weights, as `fetch_detector` does.

    Raises
    ------
    InputError
        No model of that alias or version is registered, or it is broken.
    """
    return _fetch_version(workspace, require_version(workspace, model))


def model_facts(workspace: Workspace, model: str) -> ModelFacts:
    """Return what a registered model was made from, from its version's tags.

    Raises
    ------
    MlflowException
        There is no such model; `require_detector` refuses it with a clear message.
    """
    store = client(workspace)
    found = store.get_model_version(MODEL_NAME, str(find_version(store, model)))
    return ModelFacts(
        version=str(found.version),
        training_sites=tuple(found.tags.get("dd_livm.training_sites", "").split(",")),
        simulated=found.tags.get("dd_livm.simulated") == "true",
        contract=json.loads(found.tags.get(CONTRACT_TAG, "{}")),
    )


def example_pair(
    workspace: Workspace, mission: MissionInput, manifest: Reference
) -> dict[str, Path]:
    """Return the two files of a mission's first pair that has both, to be the registered model's input example."""
    rows = read_manifest(manifest_path(workspace, manifest))
    first = rows[(rows["site_id"] == mission.site_id) & (rows["mission_id"] == mission.mission_id)]
    row = first[first["visible_path"].notna()].sort_values("pair_id").iloc[0]
    return {
        "infrared": workspace.data / str(row["infrared_path"]),
        "visible": workspace.data / str(row["visible_path"]),
    }


def _log_model(workspace: Workspace, run_id: str, weights: Path, example: pd.DataFrame) -> str:
    """Log the detector as a model of a run, register it and return its version."""
    mlflow.set_tracking_uri(workspace.tracking_uri)
    with (
        tempfile.TemporaryDirectory() as folder,
        mlflow.start_run(run_id=run_id, log_system_metrics=False),
    ):
        named = Path(folder) / WEIGHTS
        named.write_bytes(weights.read_bytes())
        logged = mlflow.pyfunc.log_model(
            name="detector",
            python_model=str(Path(__file__).with_name("serving_model.py")),
            artifacts={"weights": str(named)},
            signature=SIGNATURE,
            input_example=example,
            pip_requirements=["dd-livm"],
            registered_model_name=MODEL_NAME,
        )
    return str(logged.registered_model_version)


def _find_version_of_run(store: MlflowClient, run_id: str) -> str | None:
    """Return the version that a run registered, or None."""
    try:
        found = store.search_model_versions(f"name='{MODEL_NAME}' and run_id='{run_id}'")
    except MlflowException:
        return None
    return str(found[0].version) if found else None


@task(name="register", version="1", task_run_name="register model")
def register(
    workspace: Workspace,
    parent_run_id: str,
    weights: Path,
    example: Mapping[str, Path],
    tags: Mapping[str, Any],
) -> str:
    """Register the detector as a new version of ``dd-livm``, the challenger for now, and return the version.

    A run registers one version only: taken up again after a break, it returns the version that it made.

    Parameters
    ----------
    example
        The two files of a pair, as of `example_pair`.
    tags
        Set on the version.
    """
    store = client(workspace)
    version = _find_version_of_run(store, parent_run_id)
    if version is None:
        pair = pd.DataFrame({name: [path.read_bytes()] for name, path in example.items()})
        version = _log_model(workspace, parent_run_id, weights, pair)
        for name, value in tags.items():
            store.set_model_version_tag(MODEL_NAME, version, name, str(value))
    store.set_registered_model_alias(MODEL_NAME, CHALLENGER, version)
    get_run_logger().info("Registered %s version %s", MODEL_NAME, version)
    return version


@task(name="decide", version="1", task_run_name="champion or challenger")
def apply_decision(workspace: Workspace, version: str, decision: Decision) -> None:
    """Set the aliases: a promoted version becomes champion, and the former champion previous champion."""
    store = client(workspace)
    before = find_version(store, CHAMPION)
    store.set_model_version_tag(MODEL_NAME, version, "dd_livm.decision", json.dumps(vars(decision)))
    if decision.promote and before != version:
        if before is not None:
            store.set_registered_model_alias(MODEL_NAME, PREVIOUS, before)
        store.set_registered_model_alias(MODEL_NAME, CHAMPION, version)
        store.delete_registered_model_alias(MODEL_NAME, CHALLENGER)
    get_run_logger().info(
        "Version %s is %s: %s",
        version,
        CHAMPION if decision.promote else CHALLENGER,
        decision.reason,
    )
