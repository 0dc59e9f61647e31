"""Ingesting infrared images alone: what is said, labels, and the visible images that come later."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.folder import image_pairs
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Site
from flows.ingestion import ingest_folder
from tasks.workspace import Workspace
from tests import drone_files as made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "plant").mkdir()
    write_site(tmp_path / "plant" / "data", Site(site_id="s"))
    return Workspace.at(tmp_path / "plant")


def flight(folder: Path, count: int = 12) -> Path:
    """Write a flight into ``T`` and ``V``."""
    for number in range(count):
        grey = np.repeat(made.picture(number)[..., :1], 3, axis=2)
        made.put(folder / "T" / f"DJI_{number:04d}.JPG", made.jpeg(grey))
        made.put(folder / "V" / f"DJI_{number:04d}.JPG", made.jpeg(made.picture(100 + number)))
    return folder


def test_infrared_images_alone_are_named_and_labelled(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    infrared = flight(tmp_path / "monday") / "T"
    labels = {"DJI_0003": [Label((5.0, 5.0, 9.0, 9.0), "dust")]}
    write_labels(tmp_path / "l.json", labels, {"DJI_0003": "DJI_0003.JPG"}, {"DJI_0003": (80, 64)})
    report = ingest_folder(workspace, infrared, "s", labels=tmp_path / "l.json")
    said = capsys.readouterr().out
    assert "infrared alone 12 of 12 pairs: DJI_0000.JPG" in said
    assert "and 2 more" in said
    assert "outside or inside stays open" in said
    assert read_labels(report.mission_dir / "labels.json") == labels


@pytest.mark.parametrize("first", ["T", "."])
def test_the_folder_above_the_infrared_images_is_the_same_mission(
    tmp_path: Path, workspace: Workspace, first: str
) -> None:
    source = flight(tmp_path / "monday")
    labels = {"DJI_0003": [Label((5.0, 5.0, 9.0, 9.0), "dust")]}
    write_labels(tmp_path / "l.json", labels, {"DJI_0003": "DJI_0003.JPG"}, {"DJI_0003": (80, 64)})
    before = ingest_folder(workspace, source / first, "s", labels=tmp_path / "l.json")
    after = ingest_folder(workspace, source / ("." if first == "T" else "T"), "s")
    assert after.mission_dir == before.mission_dir
    assert after.infrared_alone == ()
    pairs = image_pairs(after.mission_dir)
    assert (len(pairs), all(pair.visible for pair in pairs)) == (12, True)
    assert read_labels(after.mission_dir / "labels.json") == labels


def test_infrared_images_of_another_day_are_another_mission(
    tmp_path: Path, workspace: Workspace
) -> None:
    first = ingest_folder(workspace, flight(tmp_path / "monday") / "T", "s")
    other = flight(tmp_path / "tuesday")
    for path in (other / "T").iterdir():
        shutil.copyfile(tmp_path / "monday" / "V" / path.name, path)
    second = ingest_folder(workspace, other, "s")
    assert second.mission_dir != first.mission_dir
    assert all(pair.visible is None for pair in image_pairs(first.mission_dir))


def test_a_copy_of_pairs_with_more_of_them_goes_on_with_the_mission_as_ever(
    tmp_path: Path, workspace: Workspace
) -> None:
    first = ingest_folder(workspace, flight(tmp_path / "monday"), "s")
    second = ingest_folder(workspace, flight(tmp_path / "copy", count=13), "s")
    assert (first.mission_dir.name, second.mission_dir.name) == ("monday", "monday")
    assert second.added == 1


def test_visible_images_alone_are_refused(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(InputError, match="infrared images, with visible ones or alone"):
        ingest_folder(workspace, flight(tmp_path / "monday") / "V", "s")
