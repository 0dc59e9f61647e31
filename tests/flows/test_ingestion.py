"""A mission is known by its images: none is written over by another, and a repetition changes only what is given."""

import json
import os
import shutil
from pathlib import Path

import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.folder import MISSION, read_record
from dd_livm_core.missions.manifest import build_manifest
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from flows.ingestion import ingest_folder, name_mission
from tasks.workspace import Workspace
from tests import drone_files as made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "plant").mkdir()
    write_site(tmp_path / "plant" / "data", Site(site_id="s"))
    return Workspace.at(tmp_path / "plant")


def flight(folder: Path, day: int, pairs: int = 2) -> Path:
    """Write a flight whose files are named as on every other day."""
    for number in range(pairs):
        for mark in "TV":
            at = f"2024:06:{day:02d} 10:00:{number:02d}"
            seed = 1000 * day + 10 * number + (mark == "V")
            made.put(folder / f"DJI_{number:04d}_{mark}.JPG", made.jpeg(made.picture(seed), at=at))
    return folder


def label_file(path: Path, *pair_ids: str, x: float = 5.0) -> Path:
    """Write one dust label a pair."""
    boxes = {name: [Label((x, 5.0, 9.0, 9.0), "dust")] for name in pair_ids}
    files = {name: f"infrared/{name}.jpg" for name in pair_ids}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_labels(path, boxes, files, dict.fromkeys(pair_ids, (80, 64)))
    return path


def days_held(workspace: Workspace) -> dict[str, set[str]]:
    """Return the days on which the images of each mission were taken."""
    manifest = build_manifest(workspace.data)
    return {
        str(name): set(rows["taken_at"].str.slice(0, 10))
        for name, rows in manifest.groupby("mission_id")
    }


def record_of(workspace: Workspace, mission_id: str) -> Mission:
    return read_record(workspace.data / "s" / mission_id / MISSION, Mission)


def test_two_days_in_folders_of_one_name_are_two_missions(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    days = [flight(tmp_path / f"day{day}" / "100MEDIA", day) for day in (1, 2)]
    labels = label_file(tmp_path / "first.json", "DJI_0000")
    ingest_folder(workspace, days[0], "s", {"irradiance_w_m2": 850}, labels=labels)
    ingest_folder(workspace, days[1], "s")
    assert "100MEDIA-2" in capsys.readouterr().out
    assert days_held(workspace) == {"100MEDIA": {"2024-06-01"}, "100MEDIA-2": {"2024-06-02"}}
    assert record_of(workspace, "100MEDIA").irradiance_w_m2 == 850
    assert record_of(workspace, "100MEDIA-2").irradiance_w_m2 is None
    assert not (workspace.data / "s" / "100MEDIA-2" / "labels.json").exists()
    for day in days:
        assert ingest_folder(workspace, day, "s").unchanged == 2
    assert set(days_held(workspace)) == {"100MEDIA", "100MEDIA-2"}


@pytest.mark.parametrize("names", [("东区", "西区"), ("东区-1", "西区-1"), ("x" * 70, "x" * 71)])
def test_folder_names_that_give_one_id_are_two_missions(
    tmp_path: Path, workspace: Workspace, names: tuple[str, str]
) -> None:
    for day, name in enumerate(names, 1):
        ingest_folder(workspace, flight(tmp_path / name, day), "s")
    held = days_held(workspace)
    assert sorted(held.values(), key=min) == [{"2024-06-01"}, {"2024-06-02"}]
    sources = {record_of(workspace, mission_id).sources for mission_id in held}
    assert sources == {(str(tmp_path / name),) for name in names}


def test_a_card_filled_anew_is_another_mission(tmp_path: Path, workspace: Workspace) -> None:
    card = flight(tmp_path / "card", 1)
    ingest_folder(workspace, card, "s")
    shutil.rmtree(card)
    ingest_folder(workspace, flight(card, 2, pairs=3), "s")
    assert ingest_folder(workspace, card, "s").unchanged == 3
    assert days_held(workspace) == {"card": {"2024-06-01"}, "card-2": {"2024-06-02"}}


def test_a_named_mission_that_holds_other_images_is_refused(
    tmp_path: Path, workspace: Workspace
) -> None:
    ingest_folder(workspace, flight(tmp_path / "a", 1), "s", mission_id="m")
    before = {p: p.read_bytes() for p in workspace.data.rglob("*") if p.is_file()}
    with pytest.raises(InputError, match=r"DJI_0000.*--mission"):
        ingest_folder(workspace, flight(tmp_path / "b", 2), "s", mission_id="m")
    assert {p: p.read_bytes() for p in workspace.data.rglob("*") if p.is_file()} == before


def test_a_moved_folder_and_a_copy_of_it_are_the_mission_they_were(
    tmp_path: Path, workspace: Workspace
) -> None:
    card = flight(tmp_path / "card" / "100MEDIA", 1)
    ingest_folder(workspace, card, "s")
    copy = tmp_path / "disk" / "100MEDIA"
    shutil.copytree(card, copy, copy_function=shutil.copyfile)
    assert ingest_folder(workspace, copy, "s").unchanged == 2
    assert record_of(workspace, "100MEDIA").sources == (str(card), str(copy))


@pytest.mark.parametrize("name", ["backup of monday", "100MEDIA"])
def test_a_copy_under_another_name_is_no_second_mission(
    tmp_path: Path, workspace: Workspace, name: str
) -> None:
    source = flight(tmp_path / "monday", 1)
    ingest_folder(workspace, source, "s")
    copy = shutil.copytree(source, tmp_path / "disk" / name)
    assert ingest_folder(workspace, copy, "s").unchanged == 2
    assert set(days_held(workspace)) == {"monday"}
    flight(copy, 1, pairs=3)
    assert ingest_folder(workspace, copy, "s").added == 1
    assert set(days_held(workspace)) == {"monday"}


def test_images_that_another_mission_holds_are_told(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    write_site(workspace.data, Site(site_id="t"))
    source = flight(tmp_path / "card" / "monday", 1)
    ingest_folder(workspace, source, "s")
    assert "same images" not in capsys.readouterr().out
    ingest_folder(workspace, source, "t")
    assert "the same images are in s/monday" in capsys.readouterr().out
    ingest_folder(workspace, tmp_path / "card", "s", mission_id="all")  # which names them otherwise
    assert "the same images are in s/monday, t/monday" in capsys.readouterr().out


def test_a_renamed_image_is_not_taken_in_again(tmp_path: Path, workspace: Workspace) -> None:
    source = flight(tmp_path / "monday", 1)
    ingest_folder(workspace, source, "s")
    for mark in "TV":
        (source / f"DJI_0001_{mark}.JPG").rename(source / f"DJI_0099_{mark}.JPG")
    report = ingest_folder(workspace, source, "s")
    ((path, reason),) = report.single
    assert (path.name, report.added) == ("DJI_0099_T.JPG", 0)
    assert "DJI_0001.jpg" in reason
    assert report.unchanged == 1


@pytest.mark.parametrize("below", ["data/s/monday", "data", "."])
def test_missions_are_not_taken_in_from_the_workspace_s_own_data(
    tmp_path: Path, workspace: Workspace, below: str
) -> None:
    ingest_folder(workspace, flight(tmp_path / "monday", 1), "s")
    with pytest.raises(InputError, match="the folder of the originals"):
        ingest_folder(workspace, workspace.root / below, "s", mission_id="again")
    assert set(days_held(workspace)) == {"monday"}


def test_names_of_missions_differ_by_more_than_capitals(
    tmp_path: Path, workspace: Workspace
) -> None:
    ingest_folder(workspace, flight(tmp_path / "a" / "Monday", 1), "s")
    ingest_folder(workspace, flight(tmp_path / "b" / "monday", 2), "s")
    assert set(days_held(workspace)) == {"Monday", "monday-2"}
    with pytest.raises(InputError, match="capitals"):
        ingest_folder(workspace, flight(tmp_path / "c", 3), "s", mission_id="MONDAY")


def test_a_name_with_parted_accents_is_the_same_name(tmp_path: Path) -> None:
    assert name_mission(tmp_path / "Mu\u0308hle") == name_mission(tmp_path / "M\u00fchle")


def test_a_mission_of_an_older_version_goes_on(tmp_path: Path, workspace: Workspace) -> None:
    source = flight(tmp_path / "monday", 1)
    ingest_folder(workspace, source, "s", {"wind_m_s": 3.0})
    record = workspace.data / "s" / "monday" / MISSION
    old = json.loads(record.read_text())
    del old["sources"]
    record.write_text(json.dumps(old))
    flight(source, 1, pairs=3)
    assert ingest_folder(workspace, source, "s").added == 1
    assert record_of(workspace, "monday").wind_m_s == 3
    assert record_of(workspace, "monday").sources == (str(source),)


def test_a_source_in_the_workspace_is_recorded_by_its_path_from_there(workspace: Workspace) -> None:
    ingest_folder(workspace, flight(workspace.root / "flights" / "monday", 1), "s")
    assert record_of(workspace, "monday").sources == ("flights/monday",)


@pytest.mark.skipif(os.name != "posix", reason="needs names of any bytes")
def test_a_source_whose_name_is_no_text_leaves_a_record_that_can_be_read(
    tmp_path: Path, workspace: Workspace
) -> None:
    source = flight(Path(os.fsdecode(os.fsencode(tmp_path) + b"/fl\xffight")), 1)
    ingest_folder(workspace, source, "s")
    assert record_of(workspace, "fl-ight").sources == (f"{tmp_path}/fl\\xffight",)
    assert ingest_folder(workspace, source, "s").unchanged == 2


def test_labels_of_a_replaced_image_are_set_aside(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    source = flight(tmp_path / "f", 1)
    labels = label_file(tmp_path / "l.json", "DJI_0000", "DJI_0001")
    mission_dir = ingest_folder(workspace, source, "s", labels=labels).mission_dir
    made.put(source / "DJI_0001_T.JPG", made.jpeg(made.picture(77)))
    ingest_folder(workspace, source, "s")
    assert set(read_labels(mission_dir / "labels.json")) == {"DJI_0000"}
    out = capsys.readouterr().out
    assert "labels set aside" in out
    assert "labels_of_replaced_images_1.json" in out
    kept = read_labels(mission_dir / "labels_of_replaced_images_1.json")
    assert kept == {"DJI_0001": [Label((5.0, 5.0, 9.0, 9.0), "dust")]}


def test_labels_of_a_damaged_copy_stay_when_the_original_comes_back(
    tmp_path: Path, workspace: Workspace
) -> None:
    source = flight(tmp_path / "monday", 1)
    ingest_folder(
        workspace, source, "s", labels=label_file(tmp_path / "a.json", "DJI_0000", "DJI_0001")
    )
    held = workspace.data / "s" / "monday" / "infrared" / "DJI_0000.jpg"
    held.write_bytes(held.read_bytes()[:500])
    assert ingest_folder(workspace, source, "s").added == 1
    assert read_labels(workspace.data / "s" / "monday" / "labels.json").keys() == {
        "DJI_0000",
        "DJI_0001",
    }


def test_the_file_beside_the_images_does_not_label_a_replaced_image(
    tmp_path: Path, workspace: Workspace
) -> None:
    source = flight(tmp_path / "f", 1)
    label_file(source / "labels.json", "DJI_0000", "DJI_0001")
    mission_dir = ingest_folder(workspace, source, "s").mission_dir
    made.put(source / "DJI_0001_T.JPG", made.jpeg(made.picture(77)))
    for _ in range(2):
        ingest_folder(workspace, source, "s")
        assert set(read_labels(mission_dir / "labels.json")) == {"DJI_0000"}
    ingest_folder(workspace, source, "s", labels=source / "labels.json")
    assert set(read_labels(mission_dir / "labels.json")) == {"DJI_0000", "DJI_0001"}


def test_a_broken_new_image_leaves_the_old_one_and_its_labels(
    tmp_path: Path, workspace: Workspace
) -> None:
    source = flight(tmp_path / "f", 1)
    labels = label_file(tmp_path / "l.json", "DJI_0000", "DJI_0001")
    mission_dir = ingest_folder(workspace, source, "s", labels=labels).mission_dir
    before = (mission_dir / "infrared/DJI_0001.jpg").read_bytes()
    made.put(source / "DJI_0001_T.JPG", before[:-900])
    ingest_folder(workspace, source, "s")
    assert (mission_dir / "infrared/DJI_0001.jpg").read_bytes() == before
    assert set(read_labels(mission_dir / "labels.json")) == {"DJI_0000", "DJI_0001"}
    assert not list(mission_dir.glob("labels_of*"))


def test_labels_of_an_image_that_was_taken_away_do_not_wait_for_another(
    tmp_path: Path, workspace: Workspace
) -> None:
    source = flight(tmp_path / "f", 1)
    labels = label_file(tmp_path / "l.json", "DJI_0000", "DJI_0001")
    mission_dir = ingest_folder(workspace, source, "s", labels=labels).mission_dir
    (mission_dir / "infrared/DJI_0001.jpg").unlink()
    made.put(source / "DJI_0001_T.JPG", made.jpeg(made.picture(77)))
    ingest_folder(workspace, source, "s")
    assert set(read_labels(mission_dir / "labels.json")) == {"DJI_0000"}


def test_only_what_is_given_again_changes(tmp_path: Path, workspace: Workspace) -> None:
    source = flight(tmp_path / "f", 1)
    unit = {"unit": "kelvin", "scale": 0.04}
    given = {"irradiance_w_m2": 850.0, "wind_m_s": 2.0, "infrared_unit": unit}
    ingest_folder(workspace, source, "s", given)
    first = record_of(workspace, "f")
    ingest_folder(workspace, source, "s")
    assert record_of(workspace, "f") == first
    ingest_folder(workspace, source, "s", {"wind_m_s": 4.0, "infrared_unit": {"offset": 2.0}})
    changed = record_of(workspace, "f")
    assert (changed.irradiance_w_m2, changed.wind_m_s) == (850, 4)
    assert str(changed.infrared_unit) == "0.04 kelvin +2"
    ingest_folder(workspace, source, "s", {"infrared_unit": {"unit": "centikelvin"}})
    assert str(record_of(workspace, "f").infrared_unit) == "centikelvin"


def test_a_scale_without_any_unit_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(InputError, match="--infrared-unit"):
        ingest_folder(workspace, flight(tmp_path / "f", 1), "s", {"infrared_unit": {"scale": 0.04}})


def test_of_two_records_the_later_one_holds(tmp_path: Path, workspace: Workspace) -> None:
    source = flight(tmp_path / "f", 1)
    beside = source / MISSION
    beside.write_text(json.dumps({"mission_id": "f", "site_id": "s", "irradiance_w_m2": 700}))
    ingest_folder(workspace, source, "s", {"irradiance_w_m2": 850})
    ingest_folder(workspace, source, "s")
    assert record_of(workspace, "f").irradiance_w_m2 == 850
    beside.write_text(json.dumps({"mission_id": "f", "site_id": "s", "irradiance_w_m2": 750}))
    later = (workspace.data / "s/f" / MISSION).stat().st_mtime_ns + 10**9
    os.utime(beside, ns=(later, later))
    ingest_folder(workspace, source, "s")
    assert record_of(workspace, "f").irradiance_w_m2 == 750


def test_labels_given_by_hand_outlive_the_file_beside_the_images(
    tmp_path: Path, workspace: Workspace
) -> None:
    source = flight(tmp_path / "f", 1)
    label_file(source / "labels.json", "DJI_0000", "DJI_0001", "DJI_0002", x=5)
    corrected = label_file(tmp_path / "corrected.json", "DJI_0000", "DJI_0001", x=20)
    mission_dir = ingest_folder(workspace, source, "s", labels=corrected).mission_dir
    flight(source, 1, pairs=3)
    ingest_folder(workspace, source, "s")
    stored = read_labels(mission_dir / "labels.json")
    assert {name: of_pair[0].box_xywh_px[0] for name, of_pair in stored.items()} == {
        "DJI_0000": 20,
        "DJI_0001": 20,
        "DJI_0002": 5,
    }
