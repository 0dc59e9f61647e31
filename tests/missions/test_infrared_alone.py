"""An infrared image without a visible one is taken in alone; a photograph is never taken for infrared."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dd_livm_core.camera_files.palettes import curve
from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.folder import image_pairs
from dd_livm_core.missions.ingestion import IngestionReport, find_pairs, ingest_mission
from dd_livm_core.missions.manifest import build_manifest
from dd_livm_core.missions.pairing import PairingReport, pair_folder
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from tasks.validate import quarantine, run_checkpoint
from tests import drone_files as made

MISSION = Mission(mission_id="m", site_id="s")


def smooth(seed: int, size: tuple[int, int] = (160, 128)) -> NDArray[np.uint8]:
    """Return smooth random grey values (height, width), as of a scene without edges."""
    values = np.random.default_rng(seed).integers(0, 256, (6, 8), np.uint8)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def grey(seed: int) -> bytes:
    return made.jpeg(np.repeat(smooth(seed)[..., None], 3, axis=2))


def iron(seed: int) -> bytes:
    return made.jpeg(curve("iron")[smooth(seed)])


def photograph(seed: int) -> bytes:
    """Return a picture of the colours of earth, grass and sky, in which brightness says nothing of the hue."""
    return made.jpeg(np.dstack([smooth(seed), smooth(seed + 100), smooth(seed + 200)]))


def flir(seed: int) -> bytes:
    return made.flir_jpeg(20 + smooth(seed) / 10)


def counts(seed: int) -> bytes:
    return made.tiff((27000 + 10 * smooth(seed).astype(int)).astype(np.uint16))


def alone(report: PairingReport) -> list[str]:
    """Return the names of the infrared images that are alone."""
    return [pair.infrared.name for pair in report.pairs if pair.visible is None]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_site(tmp_path / "data", Site(site_id="s"))
    return tmp_path / "data"


@pytest.mark.parametrize(
    "name",
    [
        "DJI_0001_T.JPG",
        "DJI_20240601100005_0001_T_row.JPG",
        "IRX_0001.jpg",
        "IMG_7_TIR.png",
        "thermal/IMG_7.jpg",
        "thermal_north/IMG_7.jpg",
        "100MEDIA/x_R.JPG",
    ],
)
def test_a_marked_image_without_a_partner_is_infrared_alone(tmp_path: Path, name: str) -> None:
    made.put(tmp_path / name, grey(0))
    report = pair_folder(tmp_path)
    assert (alone(report), report.single) == ([Path(name).name], ())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("IMG_7.jpg", flir),
        ("IMG_7.jpg", iron),
        ("IMG_7.jpg", grey),
        ("IMG_7.rjpg", flir),
        ("IMG_7.RJPEG", grey),
        ("IMG_7.tiff", counts),
    ],
)
def test_content_says_infrared_where_no_mark_does(
    tmp_path: Path, name: str, content: Callable[[int], bytes]
) -> None:
    for number in range(3):
        made.put(tmp_path / name.replace("7", str(number)), content(number))
    report = pair_folder(tmp_path)
    assert (len(alone(report)), report.single) == (3, ())


@pytest.mark.parametrize("folder", ["thermal", "T", "IR_north"])
def test_the_mission_s_own_folder_may_say_infrared(tmp_path: Path, folder: str) -> None:
    """The palette is one that nobody knows: from dark violet to light green."""
    share = smooth(0)[..., None] / 255
    colours = (1 - share) * [60.0, 0.0, 80.0] + share * [170.0, 255.0, 170.0]
    made.put(tmp_path / folder / "IMG_1.jpg", made.jpeg(colours.astype(np.uint8)))
    assert pair_folder(tmp_path / folder).single == ()
    assert pair_folder(tmp_path / folder).pairs[0].pair_id == "IMG_1"


@pytest.mark.parametrize("folder", ["", "100MEDIA/", "T-12/", "t/"])
def test_a_photograph_is_never_taken_for_infrared(tmp_path: Path, folder: str) -> None:
    for number in range(3):
        made.put(tmp_path / f"{folder}IMG_{number}.jpg", photograph(number))
    for root in {tmp_path, tmp_path / folder}:
        report = pair_folder(root)
        assert (report.pairs, len(report.single)) == ((), 3)
        with pytest.raises(InputError, match="infrared images, with visible ones or alone"):
            find_pairs(root)


def test_a_grey_picture_among_photographs_of_its_size_is_one_of_them(tmp_path: Path) -> None:
    for number in range(4):
        made.put(tmp_path / f"IMG_{number}.jpg", photograph(number))
    made.put(tmp_path / "IMG_9.jpg", grey(9))
    assert pair_folder(tmp_path).pairs == ()


def test_a_large_grey_picture_is_a_photograph(tmp_path: Path) -> None:
    large = np.repeat(smooth(0, (4000, 3000))[..., None], 3, axis=2)
    made.put(tmp_path / "IMG_0.jpg", made.jpeg(large))
    assert pair_folder(tmp_path).pairs == ()


def test_a_marked_photograph_is_refused_where_nothing_is_beside_it(
    tmp_path: Path, data: Path
) -> None:
    made.put(tmp_path / "in/DJI_0001_T.JPG", photograph(0))
    made.put(tmp_path / "in/DJI_0002_T.JPG", grey(1))
    report = ingest_mission(tmp_path / "in", data, MISSION)
    ((path, why),) = report.quarantined
    assert (path.name, report.added) == ("DJI_0001_T.JPG", 1)
    assert "the colours of a photograph" in why


@pytest.mark.parametrize("folder", ["flight", "thermal_survey"])
def test_photographs_beside_infrared_images_of_unmarked_names_are_visible(
    tmp_path: Path, folder: str
) -> None:
    tmp_path = tmp_path / folder
    for number in range(3):
        at = f"2024:06:01 12:00:{10 * number:02d}"
        palette = curve("iron")[smooth(number)]
        made.put(tmp_path / f"IMG_{2 * number}.jpg", made.jpeg(palette, at=at))
        colours = made.picture(number, (640, 512))
        made.put(tmp_path / f"IMG_{2 * number + 1}.jpg", made.jpeg(colours, at=at))
    report = pair_folder(tmp_path)
    assert [(p.infrared.name, p.paired_by) for p in report.pairs if p.visible] == [
        ("IMG_0.jpg", "time"),
        ("IMG_2.jpg", "time"),
        ("IMG_4.jpg", "time"),
    ]


def test_one_missing_visible_image_costs_no_infrared_one(tmp_path: Path) -> None:
    source = made.mission_folder(tmp_path, 3)
    (source / "DJI_0001_V.JPG").unlink()
    report = pair_folder(source)
    assert (len(report.pairs), alone(report), report.single) == (3, ["DJI_0001_T.JPG"], ())


def test_ids_stay_apart_and_do_not_change_when_the_visible_images_come(tmp_path: Path) -> None:
    names = ["T/DJI_1.JPG", "thermal/DJI_1.JPG", "north/DJI_1_T.JPG", "DJI_2_T.JPG"]
    for number, name in enumerate(names):
        made.put(tmp_path / name, grey(number))
    before = {pair.infrared: pair.pair_id for pair in pair_folder(tmp_path).pairs}
    assert len(set(before.values())) == len(names)
    for name in ("north/DJI_1_V.JPG", "DJI_2_V.JPG"):
        made.put(tmp_path / name, photograph(9))
    after = pair_folder(tmp_path).pairs
    assert {pair.infrared: pair.pair_id for pair in after} == before
    assert [pair.infrared.name for pair in after if pair.visible] == ["DJI_2_T.JPG", "DJI_1_T.JPG"]


def flight(folder: Path, *, visible: bool, count: int = 3) -> Path:
    for number in range(count):
        made.put(folder / f"DJI_000{number}_T.JPG", grey(number))
        if visible:
            made.put(folder / f"DJI_000{number}_V.JPG", made.jpeg(made.picture(number, (640, 512))))
    return folder


def ingest(source: Path, data: Path) -> IngestionReport:
    return ingest_mission(source, data, MISSION)


def test_only_the_infrared_file_is_copied_and_the_manifest_says_so(
    tmp_path: Path, data: Path
) -> None:
    report = ingest(flight(tmp_path / "in", visible=False), data)
    assert (report.added, len(report.infrared_alone), report.quarantined) == (3, 3, ())
    assert list((report.mission_dir / "visible").iterdir()) == []
    table = build_manifest(data)
    of_visible = [name for name in table.columns if name.startswith("visible_")]
    assert len(of_visible) == 6
    assert table[of_visible].isna().all(axis=None)
    assert table["infrared_sha256"].notna().all()
    assert table["unreadable"].isna().all()
    assert ingest(tmp_path / "in", data).unchanged == 3
    again = build_manifest(data, table)
    assert again.dtypes.equals(build_manifest(data).dtypes)
    assert again.equals(table)


def test_the_contract_asks_nothing_of_a_visible_image_that_is_not_there(
    tmp_path: Path, data: Path
) -> None:
    ingest(flight(tmp_path / "in", visible=False, count=4), data)
    findings = run_checkpoint(build_manifest(data), tmp_path / "docs")
    assert quarantine(findings) == []


def test_the_visible_images_complete_the_pairs_and_labels_stay(tmp_path: Path, data: Path) -> None:
    mission_dir = ingest(flight(tmp_path / "in", visible=False), data).mission_dir
    label = {"DJI_0001": [Label((5.0, 5.0, 9.0, 9.0), "dust")]}
    files = {"DJI_0001": "infrared/DJI_0001.jpg"}
    write_labels(mission_dir / "labels.json", label, files, {"DJI_0001": (160, 128)})
    ids = [pair.pair_id for pair in image_pairs(mission_dir)]
    report = ingest(flight(tmp_path / "in", visible=True), data)
    assert (report.added, report.infrared_alone, report.labels_aside.pair_ids) == (3, (), ())
    pairs = image_pairs(mission_dir)
    assert [pair.pair_id for pair in pairs] == ids
    assert all(pair.visible for pair in pairs)
    assert read_labels(mission_dir / "labels.json") == label
    assert build_manifest(data)["visible_sha256"].notna().all()


def test_a_broken_visible_image_costs_no_infrared_one(tmp_path: Path, data: Path) -> None:
    source = flight(tmp_path / "in", visible=True)
    whole = (source / "DJI_0001_V.JPG").read_bytes()
    (source / "DJI_0001_V.JPG").write_bytes(whole[:-900])
    for added, unchanged in ((3, 0), (0, 3)):
        report = ingest(source, data)
        assert (report.added, report.unchanged) == (added, unchanged)
        assert [path.name for path in report.infrared_alone] == ["DJI_0001_T.JPG"]
        assert [path.name for path, _ in report.quarantined] == ["DJI_0001_V.JPG"]
    (source / "DJI_0001_V.JPG").write_bytes(whole)
    assert (ingest(source, data).added, ingest(source, data).infrared_alone) == (1, ())
    (source / "DJI_0001_V.JPG").write_bytes(whole[:-900])
    assert [path.name for path, _ in ingest(source, data).quarantined] == ["DJI_0001_V.JPG"]
    assert all(pair.visible for pair in image_pairs(data / "s" / "m"))


def test_a_folder_without_the_visible_images_takes_none_away(tmp_path: Path, data: Path) -> None:
    mission_dir = ingest(flight(tmp_path / "in", visible=True), data).mission_dir
    report = ingest(flight(tmp_path / "infrared alone", visible=False), data)
    assert (report.unchanged, report.infrared_alone) == (3, ())
    assert all(pair.visible for pair in image_pairs(mission_dir))


@pytest.mark.real_data
@pytest.mark.parametrize("number", range(1, 9))
def test_every_frame_of_a_real_plant_without_visible_images_is_infrared(
    real_data: Path, number: int
) -> None:
    plant = real_data / "plants" / f"plant_0{number}"
    frames = [p for p in plant.rglob("*") if p.suffix.lower() == ".jpg"]
    report = pair_folder(plant)
    named = [path for path, why in report.single if "the same content" in why]
    assert len(alone(report)) + len(named) == len(frames) > 0


@pytest.mark.real_data
def test_no_real_photograph_is_infrared(real_data: Path, tmp_path: Path) -> None:
    for path in sorted((real_data / "pv_pairs").rglob("*_V.*"))[::5]:
        (tmp_path / path.name.replace("_V", "")).write_bytes(path.read_bytes())
    assert alone(pair_folder(tmp_path)) == []
