"""Labels survive COCO's format; what is no label is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings

from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import find_broken_labels, read_coco, read_labels, write_labels
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
    assert list(read_coco(tmp_path / "a.json")) == list(files.values())
