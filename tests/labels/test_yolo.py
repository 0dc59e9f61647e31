"""Labels survive YOLO's format; what is no label is named and costs only itself."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.entry import place_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.yolo import is_yolo, read_yolo_classes, write_yolo, yolo_entry
from dd_livm_core.records import DEFECT_CLASSES
from tests.labels.label_strategies import SIZE_PX, labels_of_pair

FRAME = ImageFrame(SIZE_PX, SIZE_PX)
CLASSES = dict(enumerate(DEFECT_CLASSES))


@given(labels_of_pair)
@settings(max_examples=30, deadline=None)
def test_labels_written_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, labels: list[Label]
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    write_yolo(folder, {"a": labels}, {"a": SIZE_PX})
    back, aside = place_labels(yolo_entry(folder / "a.txt", "a.txt", CLASSES), FRAME)
    assert not aside
    assert [(x.defect_class, x.hotspot_shape) for x in back] == [
        (x.defect_class, x.hotspot_shape) for x in labels
    ]
    boxes = [[x.box_xywh_px for x in side] for side in (back, labels)]
    np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-9)


def read(folder: Path, content: bytes) -> tuple[list[Label], list[str]]:
    (folder / "a.txt").write_bytes(content)
    labels, aside = place_labels(yolo_entry(folder / "a.txt", "a.txt", CLASSES), FRAME)
    return labels, [one.where for one in aside]


@pytest.mark.parametrize(
    "line",
    [
        "9 0.5 0.5 0.1 0.1",
        "0.5 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "0 nan 0 1 1",
        "0 .5 .5 0 .1",
        "weeds",
        "0 320 256 20 20",
        "0 1.3 0.5 0.1 0.1",
        "0 0.5 0.5 0.1 0.1 0.5 0.5 2",
    ],
)
def test_a_line_that_is_no_label_is_named_and_costs_only_itself(tmp_path: Path, line: str) -> None:
    labels, aside = read(tmp_path, f"0 .5 .5 .1 .1\n\n{line}\n".encode())
    assert len(labels) == 1
    assert aside == ["a.txt, line 3"]


@pytest.mark.parametrize(
    "line",
    [
        "1 0.15 0.25 0.1 0.1",
        "1.0 0.15 0.25 0.1 0.1",
        f"{DEFECT_CLASSES[1]} 0.15 0.25 0.1 0.1",
        "1 0.15 0.25 0.1 0.1 0.93",
        "1 0.1 0.2 0.2 0.2 0.2 0.3",
        "1 0.1 0.2 0.2 0.2 0.2 0.3 0.1 0.3 0.77",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_boxes_outlines_and_confidences_are_read_in_the_encodings_of_tools(
    tmp_path: Path, line: str, encoding: str
) -> None:
    labels, aside = read(tmp_path, f"{line}\r\n".encode(encoding))
    assert not aside
    assert [label.defect_class for label in labels] == [DEFECT_CLASSES[1]]
    np.testing.assert_allclose(labels[0].box_xywh_px, (64, 102.4, 64, 51.2), atol=1e-6)


def test_shares_are_of_the_picture_and_boxes_of_the_raster(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0 0.5 0.5 0.25 0.5")
    entry = yolo_entry(tmp_path / "a.txt", "a.txt", CLASSES)
    labels, _ = place_labels(entry, ImageFrame((1280, 1024), (640, 512)))
    assert labels[0].box_xywh_px == (240, 128, 160, 256)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("classes.txt", "dust\n\nweeds\n", {0: "dust", 2: "weeds"}),
        ("classes.txt", "\ufeffdust\r\nweeds", {0: "dust", 1: "weeds"}),
        ("data.yml", "names: {1: dust, 3: weeds}", {1: "dust", 3: "weeds"}),
        ("data.yaml", "names: {'0': dust}", {0: "dust"}),
        ("data.yaml", "names: [dust]", {0: "dust"}),
    ],
)
def test_a_class_has_the_number_that_its_file_gives_it(
    tmp_path: Path, name: str, text: str, expected: dict[int, str]
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_yolo_classes(tmp_path / name) == expected


def test_a_list_that_names_a_class_twice_is_refused(tmp_path: Path) -> None:
    """A line too many moves the numbers of all classes below it."""
    path = tmp_path / "classes.txt"
    path.write_text("weeds\ndust\ndust\nbreakage\n")
    with pytest.raises(InputError, match="'dust' twice"):
        read_yolo_classes(path)


def test_what_stands_for_a_confidence_and_is_none_costs_the_line(tmp_path: Path) -> None:
    labels, aside = read(tmp_path, b"1 0.15 0.25 0.1 0.1 0.9\n1 0.15 0. 25 0.1 4\n")
    assert len(labels) == 1
    assert aside == ["a.txt, line 2"]


@pytest.mark.parametrize("text", ["names: 7", "names: {a: dust}", "[", "nc: 2"])
def test_a_broken_yaml_of_classes_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="names"):
        read_yolo_classes(path)


def test_what_stands_beside_labels_is_no_label_file() -> None:
    assert is_yolo("bad line\n0 .5 .5 .1 .1")
    assert not is_yolo("data/obj_train_data/DJI_0001_T.JPG\n")
    assert not is_yolo("")
    assert not is_yolo("Exported by a tool on 3 May 2026\n")
