"""Compare the data of two retrainings, from what each kept with its run."""

import tempfile
from pathlib import Path

import pandas as pd

from dd_livm_core.errors import InputError
from dd_livm_core.missions.manifest import read_manifest
from dd_livm_core.missions.manifest_difference import compare_manifests, describe
from dd_livm_core.missions.sites import SITES, read_sites
from dd_livm_core.records import Site
from tasks.manifest import MANIFEST
from tasks.snapshot import snapshot_id
from tasks.tracking import DATA_FOLDER, client, fetch_pin
from tasks.workspace import Workspace


def data_difference(workspace: Workspace, before: str, after: str) -> list[str]:
    """Return what differs between the data of two runs, as lines for a person.

    Raises
    ------
    InputError
        A run is unknown, or keeps no data pin or no manifest.
    """
    with tempfile.TemporaryDirectory() as folder:
        old, new = (
            _fetch_data(workspace, run_id, Path(folder) / str(number))
            for number, run_id in enumerate((before, after))
        )
    head = [f"data/ from {old[0]} (run {before})", f"       to {new[0]} (run {after})"]
    return head + describe(compare_manifests(old[1], new[1], old[2], new[2]))


def _fetch_data(
    workspace: Workspace, run_id: str, to: Path
) -> tuple[str, pd.DataFrame, dict[str, Site]]:
    """Fetch a run's data into the folder ``to``; return its snapshot id, manifest and sites."""
    to.mkdir()
    identity = snapshot_id(fetch_pin(workspace, run_id, to))
    store = client(workspace)
    kept = {artifact.path for artifact in store.list_artifacts(run_id, DATA_FOLDER)}
    wanted = {f"{DATA_FOLDER}/{MANIFEST}", f"{DATA_FOLDER}/{SITES}"}
    if not wanted <= kept:
        raise InputError(
            "a retraining that kept the manifest of its data",
            f"run {run_id} keeps {', '.join(sorted(kept)) or 'none'}",
            workspace.tracking_uri,
            "Compare retrainings that kept it: `dd-livm runs` lists them, and every new one keeps it.",
        )
    folder = Path(store.download_artifacts(run_id, DATA_FOLDER, str(to)))
    return identity, read_manifest(folder / MANIFEST), read_sites(folder)
