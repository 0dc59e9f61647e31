"""Labels survive Pascal VOC's format; what is no label is named and costs only itself."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.entry import place_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.voc import write_voc, xml_entries
from tests.labels.label_strategies import SIZE_PX, labels_of_pair

FRAME = ImageFrame(SIZE_PX, SIZE_PX)
BOX = "<xmin>10</xmin><ymin>20</ymin><xmax>40</xmax><ymax>30</ymax>"
OBJECT = "<object><name>dust</name>{more}<bndbox>{box}</bndbox></object>"


def annotation(*objects: str, size: str = "", file: str = "a.jpg") -> str:
    return f"<annotation><filename>{file}</filename>{size}{''.join(objects)}</annotation>"


def read(folder: Path, content: bytes) -> tuple[list[Label], list[str]]:
    (folder / "a.xml").write_bytes(content)
    labels, aside = place_labels(*xml_entries(folder / "a.xml", "a.xml"), FRAME)
    return labels, [one.where for one in aside]


@given(labels_of_pair)
@settings(max_examples=30, deadline=None)
def test_labels_written_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, labels: list[Label]
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    write_voc(folder, {"a": labels}, {"a": "infrared/a.jpg"}, {"a": SIZE_PX})
    back, aside = place_labels(*xml_entries(folder / "a.xml", "a.xml"), FRAME)
    assert not aside
    assert [(x.defect_class, x.hotspot_shape) for x in back] == [
        (x.defect_class, x.hotspot_shape) for x in labels
    ]
    boxes = [[x.box_xywh_px for x in side] for side in (back, labels)]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-9)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>',
        "<annotation>",
        "<html/>",
    ],
)
def test_what_is_no_annotation_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError):
        xml_entries(tmp_path / "a.xml", "a.xml")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("", "utf-8"),
        ("", "utf-8-sig"),
        ("utf-8", "utf-8"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),  # saved again by an editor that left the declaration
        ("utf-8", "utf-16"),
    ],
)
def test_the_encodings_that_files_declare_or_are_in_are_read(
    tmp_path: Path, declared: str, encoding: str
) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    text = head + annotation(OBJECT.format(box=BOX, more=""), file="Fläche/ä.jpg")
    (tmp_path / "a.xml").write_bytes(text.encode(encoding))
    (entry,) = xml_entries(tmp_path / "a.xml", "a.xml")
    assert entry.image_names[-1] == "Fläche/ä.jpg"
    assert [drawn.box_xywh for drawn in entry.drawn] == [(10, 20, 30, 10)]


def test_a_bad_object_is_named_and_costs_only_itself(tmp_path: Path) -> None:
    good = OBJECT.format(box=BOX, more="")
    turned_round = OBJECT.format(box=BOX.replace("40", "4"), more="")
    none = "<object><name>dust</name></object>"
    other = good.replace("dust", "bird")
    labels, aside = read(tmp_path, annotation(good, turned_round, none, other).encode())
    assert len(labels) == 1
    assert sorted(aside) == ["a.xml, object 2", "a.xml, object 3", "a.xml, object 4"]


def test_the_stated_size_scales_and_one_that_cannot_be_costs_the_file(tmp_path: Path) -> None:
    one = OBJECT.format(box=BOX, more="")
    half = "<size><width>320</width><height>256</height></size>"
    labels, _ = read(tmp_path, annotation(one, size=half).encode())
    assert labels[0].box_xywh_px == (20, 40, 60, 20)
    for size in (
        "<width>640</width><height>640</height>",
        "<width>0</width><height>0</height>",
        "<width>wide</width>",
    ):
        labels, aside = read(tmp_path, annotation(one, size=f"<size>{size}</size>").encode())
        assert (labels, aside) == ([], ["a.xml"])


def test_a_turned_box_becomes_the_upright_one_round_it(tmp_path: Path) -> None:
    more = "<attributes><attribute><name>rotation</name><value>90</value></attribute></attributes>"
    labels, _ = read(tmp_path, annotation(OBJECT.format(box=BOX, more=more)).encode())
    assert labels[0].box_xywh_px == pytest.approx((20, 10, 10, 30))
