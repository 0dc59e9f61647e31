"""Labels survive COCO's format; what is no label is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from dd_livm_core.camera_files.frames import ImageFrame
from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import find_broken_labels, read_coco, read_labels, write_labels
from dd_livm_core.labels.entry import TWICE, SetAside, place_labels
from dd_livm_core.labels.label import Label
from tests.labels.label_strategies import SIZE_PX, labels_of_pair


@given(labels_of_pair)
@settings(max_examples=30, deadline=None)
def test_labels_written_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, labels: list[Label]
) -> None:
    path = tmp_path_factory.mktemp("labels") / "labels.json"
    write_labels(path, {"a": labels}, {"a": "infrared/a.jpg"}, {"a": SIZE_PX})
    assert read_labels(path) == {"a": labels}


@pytest.mark.parametrize(
    "change",
    [
        {"category_id": 77},
        {"image_id": 77},
        {"bbox": [0, 0, -1, 5]},
        {"bbox": [0, 0, float("nan"), 5]},
        {"bbox": "none"},
        {"hotspot_shape": "star"},
    ],
)
def test_a_broken_annotation_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "labels.json"
    write_labels(
        path, {"a": [Label((1, 2, 3, 4), "dust")]}, {"a": "infrared/a.jpg"}, {"a": SIZE_PX}
    )
    content = json.loads(path.read_text())
    content["annotations"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError):
        read_labels(path)


def test_a_broken_annotation_names_its_pair_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    labels = {name: [Label((1, 2, 3, 4), "dust")] for name in "ab"}
    files = {name: f"infrared/{name}.jpg" for name in "ab"}
    write_labels(path, labels, files, dict.fromkeys("ab", SIZE_PX))
    content = json.loads(path.read_text())
    content["annotations"][0]["hotspot_shape"] = "star"
    path.write_text(json.dumps(content))
    assert list(find_broken_labels(path)) == ["a"]
    assert read_labels(path, {"b"}) == {"b": labels["b"]}


def test_pairs_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    names = [f"DJI_{number:04d}" for number in range(20)]
    files = {name: f"infrared/{name}.jpg" for name in names}
    labels: dict[str, list[Label]] = {name: [] for name in names}
    write_labels(tmp_path / "a.json", labels, files, dict.fromkeys(names, SIZE_PX))
    found = read_coco(tmp_path / "a.json")
    assert [entry.name for entry in found.entries] == list(files.values())


def as_tools_write(folder: Path, **parts: object) -> tuple[list[Label], list[SetAside]]:
    """Return the labels of the one image of a tool's file, of which some parts are given."""
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 640, "height": 512}],
        "categories": [{"id": 0, "name": "dust"}],
        "annotations": [],
        **parts,
    }
    (folder / "a.json").write_text(json.dumps(content))
    (entry,) = read_coco(folder / "a.json").entries
    return place_labels(entry, ImageFrame((1280, 1024), (640, 512)))


SQUARE = [[10.0, 20.0, 40.0, 20.0, 40.0, 30.0], [10.0, 25.0, 12.0, 30.0]]


@pytest.mark.parametrize(
    "annotation",
    [
        {"bbox": [10, 20, 30, 10]},
        {"bbox": ["10", "20", "30", "10"], "iscrowd": 1},
        {"segmentation": SQUARE},
        {"bbox": [], "segmentation": SQUARE},
        {"bbox": [0, 0, 0, 0], "segmentation": SQUARE},
        {"segmentation": {"size": [512, 640], "counts": [10 * 512 + 20, *[10, 502] * 29, 10]}},
        {"bbox": [20, 10, 10, 30], "attributes": {"rotation": 90.0}},
        {"bbox": [10, 20, 30, 10], "segmentation": [[11, 21, 41, 19, 39, 31]], "area": 900},
        {"bbox": [10, 20, 30, 10], "segmentation": [], "area": 0},
    ],
)
@pytest.mark.parametrize("image_id", [1, "1", 1.0])
def test_boxes_outlines_and_masks_of_tools_are_read(
    tmp_path: Path, annotation: dict[str, object], image_id: object
) -> None:
    annotations = [{"image_id": image_id, "category_id": 0, **annotation}]
    labels, aside = as_tools_write(tmp_path, annotations=annotations)
    assert not aside
    assert labels[0].box_xywh_px == pytest.approx((10, 20, 30, 10))


@pytest.mark.parametrize(
    "annotation",
    [
        {"bbox": [10, 10, 0, 20]},
        {"bbox": [700, 10, 10, 20]},
        {"bbox": [1, 2, 3]},
        {"bbox": [0.1, 0.2, 0.3, 0.4]},
        {"bbox": [10, 10, 20, 20], "category_id": 9},
        {"segmentation": {"size": [99, 99], "counts": [5, 5]}},
        {"bbox": [50, 20, 30, 10], "segmentation": SQUARE},  # one of the two is of another place
        {"bbox": [10, 20, 60, 10], "segmentation": SQUARE},
        {},
    ],
)
def test_a_bad_annotation_of_a_tool_is_named_and_costs_only_itself(
    tmp_path: Path, annotation: dict[str, object]
) -> None:
    good = {"id": 1, "image_id": 1, "category_id": 0, "bbox": [10, 10, 20, 20]}
    bad = {"id": 2, "image_id": 1, "category_id": 0, **annotation}
    labels, aside = as_tools_write(tmp_path, annotations=[good, bad])
    assert [label.box_xywh_px for label in labels] == [(10, 10, 20, 20)]
    assert [one.where for one in aside] == ["a.jpg, annotation 2"]


def test_one_id_of_two_classes_is_refused_and_the_same_class_twice_is_not(tmp_path: Path) -> None:
    annotations = [{"image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 10]}]
    twice = [{"id": 1, "name": "dust"}, {"id": 1, "name": "dust"}]
    assert as_tools_write(tmp_path, categories=twice, annotations=annotations)[0]
    with pytest.raises(InputError, match="weeds"):
        as_tools_write(tmp_path, categories=[*twice, {"id": 1, "name": "weeds"}])


@pytest.mark.parametrize(
    "name", ["Open Circuits", "OpenCircuit", "open.circuit", "\u00d3pen-circuit", " OPEN_CIRCUIT "]
)
def test_a_class_is_known_by_its_letters(tmp_path: Path, name: str) -> None:
    annotations = [{"image_id": 1, "category_id": 1, "bbox": [10, 20, 30, 10]}]
    categories = [{"id": 1, "name": name}]
    labels, _ = as_tools_write(tmp_path, categories=categories, annotations=annotations)
    assert [label.defect_class for label in labels] == ["open_circuit"]


def test_boxes_come_from_the_size_that_the_file_states(tmp_path: Path) -> None:
    annotations = [{"image_id": 1, "category_id": 0, "bbox": [10, 20, 30, 10]}]
    for width, height, expected in ((1280, 1024, 0.5), (320, 256, 2), (None, None, 0.5)):
        images = [{"id": 1, "file_name": "a.jpg", "width": width, "height": height}]
        labels, _ = as_tools_write(tmp_path, images=images, annotations=annotations)
        assert labels[0].box_xywh_px == tuple(expected * side for side in (10, 20, 30, 10))


def test_a_file_without_annotations_says_that_there_are_no_defects(tmp_path: Path) -> None:
    assert as_tools_write(tmp_path, annotations=None) == ([], [])


def test_a_file_that_does_not_speak_of_annotations_is_not_one_without_defects(
    tmp_path: Path,
) -> None:
    images = [{"id": 1, "file_name": "a.jpg"}]
    (tmp_path / "a.json").write_text(json.dumps({"images": images, "anotations": []}))
    with pytest.raises(InputError, match="annotations"):
        read_coco(tmp_path / "a.json")


def test_a_label_that_stands_there_twice_is_kept_once_and_told(tmp_path: Path) -> None:
    one = {"image_id": 1, "category_id": 0, "bbox": [10, 20, 30, 10]}
    labels, aside = as_tools_write(tmp_path, annotations=[{"id": 1, **one}, {"id": 2, **one}])
    assert len(labels) == 1
    assert [(of.where, of.reason) for of in aside] == [("a.jpg, annotation 2", TWICE)]
