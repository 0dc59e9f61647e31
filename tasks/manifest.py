"""Look at ``data/`` and write its manifest: the first step of a retraining and of an evaluation."""

import logging
import os
from pathlib import Path

import pandas as pd
from prefect import get_run_logger, task

from dd_livm_core.errors import InputError
from dd_livm_core.files import hash_file
from dd_livm_core.missions.manifest import (
    FILE_COLUMNS,
    KEY,
    build_manifest,
    content_of,
    read_manifest,
    write_manifest,
)
from tasks.step import Reference, refer
from tasks.workspace import Workspace

LOG = logging.getLogger(__name__)
MANIFEST = "manifest.parquet"


@task(name="manifest", version="1", task_run_name="manifest of data/")
def build_data_manifest(workspace: Workspace) -> Reference:
    """Write the manifest of all missions in ``data/`` and return it.

    Prefect never caches this, as it looks at the disk. Files whose size and time are those of the last manifest are
    not read again.

    Raises
    ------
    InputError
        There is no pair in ``data/``.
    """
    latest = workspace.derived / MANIFEST
    latest.parent.mkdir(parents=True, exist_ok=True)
    manifest = build_manifest(workspace.data, previous=read_latest(latest))
    if manifest.empty:
        raise InputError(
            "at least one mission with image pairs",
            "none",
            workspace.data,
            "Ingest one with `dd-livm ingest FOLDER --site ID`, or see `dd-livm demo`.",
        )
    write_manifest(manifest, latest)
    missions = manifest.groupby("site_id")["mission_id"].nunique()
    get_run_logger().info(
        "%d pairs of %d sites, %d missions", len(manifest), len(missions), missions.sum()
    )
    return refer(workspace, _keep(workspace, manifest))


def read_latest(latest: Path) -> pd.DataFrame | None:
    """Return the manifest of last time; None where there is none, or only a damaged one, which is named in the log."""
    if not latest.exists():
        return None
    try:
        manifest = read_manifest(latest)
    except InputError as error:
        LOG.warning("%s: all files are read anew", error)
        return None
    if missing := {*KEY, *FILE_COLUMNS} - set(manifest.columns):
        LOG.warning("%s: no column %s, all files are read anew", latest, ", ".join(sorted(missing)))
        return None
    return manifest


def _keep(workspace: Workspace, manifest: pd.DataFrame) -> Path:
    """Write the manifest to a folder named by its content, which no later run overwrites, and return the folder."""
    folder = workspace.derived / "steps" / "manifest"
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{os.getpid()}"
    write_manifest(content_of(manifest), unfinished)
    kept = workspace.step_folder("manifest", hash_file(unfinished))
    kept.mkdir(exist_ok=True)
    unfinished.replace(kept / MANIFEST)
    return kept


def manifest_path(workspace: Workspace, reference: Reference) -> Path:
    """Return the Parquet file of a manifest reference."""
    return reference.folder(workspace) / MANIFEST
