"""CVAT's own file gives the boxes round all shapes of each image; what has no area is named."""

from pathlib import Path

import pytest

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.entry import place_labels
from dd_livm_core.labels.voc import xml_entries

SHAPES = {
    "box": 'xtl="10" ytl="20" xbr="40" ybr="30"',
    "polygon": 'points="10.0,20.0;40.0,20.0;25.5,30.0"',
    "ellipse": 'cx="25" cy="25" rx="15" ry="5"',
    "mask": 'rle="3, 4" left="10" top="20" width="30" height="10"',
    "polyline": 'points="1,1;2,2"',
}


def write(folder: Path, *images: str) -> Path:
    path = folder / "annotations.xml"
    path.write_text(f"<annotations><version>1.1</version>{''.join(images)}</annotations>")
    return path


@pytest.mark.parametrize("kind", ["box", "polygon", "ellipse", "mask"])
def test_the_box_round_each_kind_of_shape_is_taken(tmp_path: Path, kind: str) -> None:
    shape = f'<{kind} label="Dust" {SHAPES[kind]}/>'
    image = f'<image id="0" name="a/DJI_1_T.JPG" width="640" height="512">{shape}</image>'
    (entry,) = xml_entries(write(tmp_path, image), "annotations.xml")
    labels, aside = place_labels(entry, ImageFrame((640, 512), (320, 256)))
    assert not aside
    assert [label.box_xywh_px for label in labels] == [(5, 10, 15, 5)]
    assert entry.image_names == ("a/DJI_1_T.JPG",)


def test_a_turned_box_becomes_the_upright_one_and_may_have_a_hotspot_shape(tmp_path: Path) -> None:
    box = '<box label="dust" xtl="20" ytl="10" xbr="30" ybr="40" rotation="90">{}</box>'
    shape = '<attribute name="hotspot_shape">patch</attribute>'
    image = f'<image name="a.jpg" width="640" height="512">{box.format(shape)}</image>'
    (entry,) = xml_entries(write(tmp_path, image), "annotations.xml")
    (label,), _ = place_labels(entry, ImageFrame((640, 512), (640, 512)))
    assert label.box_xywh_px == pytest.approx((10, 20, 30, 10))
    assert label.hotspot_shape == "patch"


def test_a_shape_without_area_costs_only_itself_and_an_empty_image_has_no_defects(
    tmp_path: Path,
) -> None:
    good, line = (f'<{k} label="dust" {SHAPES[k]}/>' for k in ("box", "polyline"))
    images = f'<image name="a.jpg">{line}{good}</image>', '<image name="b.jpg"></image>'
    first, second = xml_entries(write(tmp_path, *images), "annotations.xml")
    labels, aside = place_labels(first, ImageFrame((640, 512), (640, 512)))
    assert len(labels) == 1
    assert [one.where for one in aside] == ["a.jpg, shape 1"]
    assert not second.drawn
    assert not second.broken


def test_a_video_s_tracks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="track"):
        xml_entries(write(tmp_path, "<track id='0'/>"), "annotations.xml")
