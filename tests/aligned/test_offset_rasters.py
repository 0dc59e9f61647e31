"""Labels drawn on a picture that its raster lies off are kept where the raster has the heat."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.aligned.label_export import export_labels
from dd_livm_core.aligned.mission_labels import take_labels
from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.labels.image_names import ImageNames
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.label_sets import read_label_set, write_label_set
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import LabelFormat, Mission, Site
from tests import drone_files as made

MISSION = Mission(mission_id="m", site_id="s")
ON_PICTURE, ON_RASTER = (211.0, 94.0, 12.0, 6.0), (200.0, 100.0, 12.0, 6.0)


@pytest.fixture
def offset_mission_dir(tmp_path: Path) -> Path:
    """Return a mission of one radiometric pair: on its picture things lie 11 px right and 6 px higher; one is hot."""
    scene = made.scene_c()
    made.frame_at(scene, 0, 0)[100:106, 200:212] = 90.0
    write_site(tmp_path / "data", Site(site_id="s"))
    hot = made.offset_flir_jpeg(11, -6, scene=scene)
    made.put(tmp_path / "flight/DJI_0001_R.JPG", hot)
    made.put(tmp_path / "flight/DJI_0001_V.JPG", made.jpeg(made.picture(1)))
    return ingest_mission(tmp_path / "flight", tmp_path / "data", MISSION).mission_dir


def draw(kind: LabelFormat, destination: Path, *boxes: tuple[float, ...]) -> Path:
    """Write boxes of one class as a tool would that shows the picture of `offset_mission_dir`."""
    labels = {"a": [Label(box, "dust") for box in boxes]}
    name = "DJI_0001_R"
    if kind == "coco":
        destination = destination.with_suffix(".json")
    write_label_set(
        kind, destination, {name: labels["a"]}, {name: f"{name}.JPG"}, {name: made.SCENE_PX}
    )
    return destination


def kept_boxes(mission_dir: Path) -> list[tuple[float, ...]]:
    return [x.box_xywh_px for x in read_labels(mission_dir / "labels.json")["DJI_0001"]]


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_a_box_drawn_on_a_picture_that_lies_off_its_raster_is_kept_on_the_heat(
    tmp_path: Path, offset_mission_dir: Path, kind: LabelFormat
) -> None:
    report = take_labels(offset_mission_dir, draw(kind, tmp_path / "drawn", ON_PICTURE))
    (box,) = kept_boxes(offset_mission_dir)
    np.testing.assert_allclose(box, ON_RASTER, atol=0.3)
    ((pair_id, remark),) = report.remarks
    assert pair_id == "DJI_0001"
    assert "11.0 px right" in remark


@pytest.mark.parametrize("kind", ["coco", "yolo", "voc"])
def test_kept_labels_are_moved_once_only_and_handed_out_on_the_picture(
    tmp_path: Path, offset_mission_dir: Path, kind: LabelFormat
) -> None:
    take_labels(offset_mission_dir, draw("voc", tmp_path / "drawn", ON_PICTURE))
    (first,) = kept_boxes(offset_mission_dir)
    shutil.copy(offset_mission_dir / "labels.json", tmp_path / "kept.json")
    take_labels(offset_mission_dir, tmp_path / "kept.json")  # as beside a copied mission's images
    assert kept_boxes(offset_mission_dir) == [first]
    out = (tmp_path / "out").with_suffix(".json" if kind == "coco" else "")
    export_labels(offset_mission_dir, kind, out)
    on_picture = read_label_set(
        out, ImageNames({"a": ("DJI_0001",)}), lambda _: ImageFrame(made.SCENE_PX, made.SCENE_PX)
    )
    np.testing.assert_allclose(on_picture.labels["a"][0].box_xywh_px, ON_PICTURE, atol=0.3)
    take_labels(offset_mission_dir, out)
    np.testing.assert_allclose(kept_boxes(offset_mission_dir), [first], atol=1e-6)


def test_a_box_on_what_only_the_picture_shows_is_set_aside_with_the_reason(
    tmp_path: Path, offset_mission_dir: Path
) -> None:
    drawn = draw("voc", tmp_path / "drawn", ON_PICTURE, (2.0, 100.0, 6.0, 6.0))
    (aside,) = take_labels(offset_mission_dir, drawn).set_aside
    assert "where the raster has them" in aside.reason
    assert len(kept_boxes(offset_mission_dir)) == 1
