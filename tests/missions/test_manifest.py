"""The manifest says what lies in ``data/``, the same for the same files, and reads only what is new."""

import io
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

import dd_livm_core.missions.manifest as manifest_module
from dd_livm_core.labels.coco import write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest, read_manifest, write_manifest
from dd_livm_core.missions.manifest_difference import compare_manifests
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import Mission, Site
from tests import drone_files as made

MISSION = Mission(mission_id="m1", site_id="s1", irradiance_w_m2=800)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_site(tmp_path / "data", Site(site_id="s1"))
    return tmp_path / "data"


def test_only_new_missions_are_read_for_the_manifest(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest_mission(made.mission_folder(tmp_path / "in", 3), data, MISSION)
    before = build_manifest(data)
    second = MISSION.model_copy(update={"mission_id": "m2"})
    ingest_mission(made.mission_folder(tmp_path / "in2", 2, first=5), data, second)
    read = []
    real = manifest_module.read_bytes
    monkeypatch.setattr(
        manifest_module, "read_bytes", lambda path: read.append(path.parts[-3]) or real(path)
    )
    after = build_manifest(data, previous=before)
    assert read == ["m2"] * 4
    monkeypatch.undo()
    pd.testing.assert_frame_equal(after, build_manifest(data))


def test_the_manifest_is_the_same_for_the_same_input(tmp_path: Path, data: Path) -> None:
    ingest_mission(made.mission_folder(tmp_path / "in", 4), data, MISSION)
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    first = build_manifest(data)
    write_manifest(first, paths[0])
    write_manifest(build_manifest(data, previous=read_manifest(paths[0])), paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert first["pair_id"].is_monotonic_increasing
    assert first["relative_altitude_m"].tolist() == [41.1] * 4
    assert first["latitude_deg"].isna().all()


def xt2_jpeg(seed: int) -> bytes:
    """Return a JPEG that names camera and focal length but no film equivalent, as XT2 files do."""
    exif = Image.Exif()
    exif[0x0110] = "XT2"
    exif.get_ifd(0x8769)[0x920A] = IFDRational(190, 10)
    out = io.BytesIO()
    xmp = made.dji_xmp(RelativeAltitude="+41.10")
    Image.fromarray(made.picture(seed)).save(out, "JPEG", exif=exif, xmp=xmp.encode())
    return out.getvalue()


def test_a_row_of_an_unchanged_pair_is_the_one_of_a_first_reading(
    tmp_path: Path, data: Path
) -> None:
    """What files do not say is missing in both, and what follows from the rest stays: here the pixel's size."""
    for number in range(2):
        made.put(tmp_path / f"in/DJI_{number}_T.JPG", xt2_jpeg(number))
        made.put(tmp_path / f"in/DJI_{number}_V.JPG", made.jpeg(made.picture(number + 9)))
    ingest_mission(tmp_path / "in", data, MISSION)
    first = build_manifest(data)
    assert first["gsd_m"].tolist() == pytest.approx([41.1 * 10.88 / 19 / 80] * 2)
    assert first["focal_length_35mm_mm"].isna().all()
    pd.testing.assert_frame_equal(build_manifest(data, previous=first), first)


def test_facts_kept_and_facts_read_agree(tmp_path: Path, data: Path) -> None:
    ingest_mission(made.mission_folder(tmp_path / "in", 3), data, MISSION)
    kept = build_manifest(data)
    (data / "s1/m1/pairs.jsonl").write_text('{"broken')
    pd.testing.assert_frame_equal(kept, build_manifest(data))


def test_a_file_changed_in_data_is_seen(tmp_path: Path, data: Path) -> None:
    ingest_mission(made.mission_folder(tmp_path / "in", 3), data, MISSION)
    before = build_manifest(data)
    time.sleep(0.01)
    (data / "s1/m1/visible/DJI_0001.jpg").write_bytes(made.jpeg(made.picture(99)))
    (data / "s1/m1/visible/DJI_0002.jpg").write_bytes(b"broken")
    after = build_manifest(data, previous=before)
    assert compare_manifests(before, after, {}, {}).images_changed == (
        ("s1", "m1", "DJI_0001"),
        ("s1", "m1", "DJI_0002"),
    )
    assert after["unreadable"].notna().tolist() == [False, False, True]


def test_labels_of_a_frame_of_another_size_are_told(data: Path) -> None:
    """As after a reader is installed that gives the raster of a picture that was read until then."""
    flight = made.mission_folder(data.parent / "flight", 2)
    mission_dir = ingest_mission(flight, data, MISSION).mission_dir
    labels = {"DJI_0000": [Label((1, 2, 3, 4), "dust")], "DJI_0001": []}
    files = {pair_id: f"infrared/{pair_id}.jpg" for pair_id in labels}
    sizes_px = {"DJI_0000": (160, 128), "DJI_0001": (80, 64)}
    write_labels(mission_dir / "labels.json", labels, files, sizes_px)
    rows = build_manifest(data).set_index("pair_id")
    assert "80 x 64 px, found 160 x 128" in rows.labels_broken["DJI_0000"]
    assert pd.isna(rows.labels_broken["DJI_0001"])


@pytest.mark.parametrize(
    ("box", "outside"),
    [
        ((-0.9, -0.9, 20, 20), 0),
        ((60, 44, 20.9, 20.9), 0),
        ((0, 0, 80, 64), 0),
        ((-1.1, 5, 20, 20), 1),
        ((-0.5, 5, 0.4, 10), 1),
        ((80.1, 5, 0.5, 10), 1),
        ((10, 10, 0.05, 0.05), 1),
    ],
)
def test_a_box_with_nothing_in_the_frame_is_counted_as_outside(
    tmp_path: Path, data: Path, box: tuple[float, float, float, float], outside: int
) -> None:
    mission_dir = ingest_mission(made.mission_folder(tmp_path / "in", 1), data, MISSION).mission_dir
    labels = {"DJI_0000": [Label(box, "dust")]}
    write_labels(
        mission_dir / "labels.json",
        labels,
        {"DJI_0000": "infrared/DJI_0000.jpg"},
        {"DJI_0000": (80, 64)},
    )
    assert build_manifest(data)["labels_outside_frame"].tolist() == [outside]
