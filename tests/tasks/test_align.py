"""Missions of infrared images alone are known to the steps, and neither trained nor scored on."""

from pathlib import Path

import numpy as np
import pytest
from prefect.logging import disable_run_logger

from dd_livm_core.labels.coco import write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest, write_manifest
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from tasks.align import _pair_files, list_missions, list_trainable
from tasks.manifest import MANIFEST
from tasks.step import Reference
from tasks.workspace import Workspace
from tests import drone_files as made


@pytest.fixture
def manifest(tmp_path: Path) -> Reference:
    """Return the manifest of three labelled missions: of pairs, of infrared alone, of one pair and two alone."""
    data = tmp_path / "data"
    write_site(data, Site(site_id="s"))
    for name, alone in (("pairs", 0), ("alone", 3), ("mixed", 2)):
        for number in range(3):
            seed = number + 10 * len(name) + 100 * alone
            grey = np.repeat(made.picture(seed)[..., :1], 3, axis=2)
            made.put(tmp_path / name / f"{number}_T.jpg", made.jpeg(grey))
            if number >= alone:
                made.put(tmp_path / name / f"{number}_V.jpg", made.jpeg(made.picture(seed)))
        mission = Mission(mission_id=name, site_id="s")
        folder = ingest_mission(tmp_path / name, data, mission).mission_dir
        label = {"0": [Label((5.0, 5.0, 9.0, 9.0), "dust")]}
        write_labels(folder / "labels.json", label, {"0": "infrared/0.jpg"}, {"0": (80, 64)})
    (tmp_path / "step").mkdir()
    write_manifest(build_manifest(data), tmp_path / "step" / MANIFEST)
    return Reference(path="step", sha256="0")


def test_missions_of_infrared_alone_are_left_out_of_training(
    tmp_path: Path, manifest: Reference
) -> None:
    workspace = Workspace.at(tmp_path)
    every = {m.mission_id: m.infrared_alone for m in list_missions(workspace, manifest)}
    assert every == {"alone": 3, "mixed": 2, "pairs": 0}
    with disable_run_logger():
        trainable = list_trainable(workspace, manifest)
    assert [mission.mission_id for mission in trainable] == ["mixed", "pairs"]


def test_the_manifest_gives_back_which_pairs_have_a_visible_image(
    tmp_path: Path, manifest: Reference
) -> None:
    workspace = Workspace.at(tmp_path)
    rows = build_manifest(workspace.data)
    mixed = rows[rows["mission_id"] == "mixed"]
    pairs = _pair_files(workspace, mixed, workspace.data / "s" / "mixed")
    assert [pair.visible is None for pair in pairs] == [True, True, False]
    assert all(path.exists() for pair in pairs for path in pair.paths)
