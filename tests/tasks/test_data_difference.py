"""Differences between two states of data/, from manifests and from what real MLflow runs kept."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from dd_livm_core.aligned.mission_labels import take_labels
from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest, content_of, write_manifest
from dd_livm_core.missions.manifest_difference import compare_manifests, describe
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from tasks.data_difference import data_difference
from tasks.snapshot import pin
from tasks.tracking import client, experiment_id, log_start, parent_run
from tasks.workspace import Workspace
from tests import drone_files as made

NAMES = [f"DJI_{n:04d}" for n in range(3)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a ``data/`` with one site, beside a folder ``in`` with three pairs to ingest."""
    write_site(tmp_path / "data", Site(site_id="s1"))
    made.mission_folder(tmp_path / "in", 3)
    return tmp_path / "data"


def ingest_labelled(data: Path, x: float, irradiance_w_m2: float = 800) -> pd.DataFrame:
    """Ingest the mission with one dust label per pair, the second pair's at ``x``; return the manifest."""
    labels = data.parent / "labels.json"
    boxes = {n: [Label((x if n == NAMES[1] else 5.0, 5.0, 9.0, 9.0), "dust")] for n in NAMES}
    files = {n: f"infrared/{n}.jpg" for n in NAMES}
    write_labels(labels, boxes, files, dict.fromkeys(NAMES, (80, 64)))
    mission = Mission(mission_id="m1", site_id="s1", irradiance_w_m2=irradiance_w_m2)
    report = ingest_mission(data.parent / "in", data, mission)
    take_labels(report.mission_dir, labels)
    return build_manifest(data)


def test_changed_pairs_labels_and_missions_are_listed(data: Path) -> None:
    before, after = ingest_labelled(data, 5.0), ingest_labelled(data, 6.0, irradiance_w_m2=700)
    assert compare_manifests(before, before, {}, {}).same
    moved = compare_manifests(before, after, {}, {})
    assert moved.labels_changed == (("s1", "m1", NAMES[1]),)
    assert (moved.images_changed, moved.added, moved.label_counts) == ((), (), {})
    assert moved.missions_changed == {("s1", "m1", "irradiance_w_m2"): (800, 700)}
    fewer = compare_manifests(after, after.iloc[1:], {}, {})
    assert fewer.removed == (("s1", "m1", NAMES[0]),)
    assert fewer.label_counts == {"dust": (3, 2)}
    assert describe(fewer) == [
        "pairs removed: 1",
        "  s1/m1/DJI_0000",
        "label counts: 1",
        "  dust: 3 -> 2",
    ]
    assert len(compare_manifests(after.iloc[:0], after, {}, {}).added) == 3


def test_changed_sites_are_listed() -> None:
    none = pd.DataFrame()
    plain, named = Site(site_id="s"), Site(site_id="s", city="Graz")
    changed = compare_manifests(none, none, {"s": plain}, {"s": named, "t": plain})
    assert changed.sites_added == ("t",)
    assert changed.sites_changed == {("s", "city"): (None, "Graz")}
    assert "  s city: not recorded -> Graz" in describe(changed)
    assert compare_manifests(none, none, {"s": plain}, {}).sites_removed == ("s",)
    assert describe(compare_manifests(none, none, {"s": plain}, {"s": plain})) == [
        "pairs, labels, missions and sites are the same"
    ]


def test_a_long_list_is_cut_with_the_number_left_out(data: Path) -> None:
    manifest = ingest_labelled(data, 5.0)
    lines = describe(compare_manifests(manifest.iloc[:0], manifest, {}, {}), shown=2)
    assert lines[:4] == [
        "pairs added: 3",
        "  s1/m1/DJI_0000",
        "  s1/m1/DJI_0001",
        "  ... and 1 more",
    ]


def record_start(workspace: Workspace, manifest: pd.DataFrame, name: str) -> str:
    """Record a retraining's start as the flow does; return the run's id."""
    snapshot = pin(workspace)
    kept = workspace.derived / name / "manifest.parquet"
    kept.parent.mkdir(parents=True)
    write_manifest(content_of(manifest), kept)
    with parent_run(workspace, name, name, {}) as run_id:
        data = [kept, workspace.data / "sites.json"]
        log_start(workspace, run_id, {}, [workspace.pinned], data, snapshot)
    return run_id


def test_runs_are_compared_also_after_data_is_gone(data: Path) -> None:
    workspace = Workspace.at(data.parent)
    first = record_start(workspace, ingest_labelled(data, 5.0), "first")
    write_site(data, Site(site_id="s1", city="Graz"))
    second = record_start(workspace, ingest_labelled(data, 6.0), "second")
    shutil.rmtree(data)  # only what the runs kept counts
    lines = data_difference(workspace, first, second)
    assert "  s1 city: not recorded -> Graz" in lines
    assert "  s1/m1/DJI_0001" in lines
    assert lines[0].endswith(f"(run {first})")
    assert data_difference(workspace, first, first)[2:] == [
        "pairs, labels, missions and sites are the same"
    ]


def test_runs_that_kept_too_little_are_refused(data: Path) -> None:
    workspace = Workspace.at(data.parent)
    known = record_start(workspace, ingest_labelled(data, 5.0), "first")
    with pytest.raises(InputError, match="dd-livm runs"):
        data_difference(workspace, known, "0123456789abcdef")
    store = client(workspace)
    bare = store.create_run(experiment_id(store)).info.run_id
    with pytest.raises(InputError, match="recorded its data snapshot"):
        data_difference(workspace, bare, known)
    store.log_artifact(bare, str(workspace.pinned))
    with pytest.raises(InputError, match="manifest"):
        data_difference(workspace, known, bare)
