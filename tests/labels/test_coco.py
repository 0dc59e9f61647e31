"""Labels survive every format; what is no label is refused; two label sets become one with its conflicts listed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dd_livm_core.errors import InputError
from dd_livm_core.labels.coco import read_labels, write_labels
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.reconciliation import reconcile, to_infrared
from dd_livm_core.labels.yolo_voc import read_voc, read_yolo, write_voc, write_yolo
from dd_livm_core.records import DEFECT_CLASSES, HOTSPOT_SHAPES

SIZE = (640, 512)
labels_of_pair = st.lists(
    st.builds(
        Label,
        st.tuples(st.floats(0, 500), st.floats(0, 400), st.floats(0.5, 140), st.floats(0.5, 110)),
        st.sampled_from(DEFECT_CLASSES),
        st.sampled_from([*HOTSPOT_SHAPES, None]),
    ),
    max_size=6,
)


@given(labels_of_pair)
@settings(max_examples=30, deadline=None)
def test_round_trips(tmp_path_factory: pytest.TempPathFactory, labels: list[Label]) -> None:
    folder = tmp_path_factory.mktemp("labels")
    of_pair, files, sizes = {"a": labels}, {"a": "infrared/a.jpg"}, {"a": SIZE}
    write_labels(folder / "labels.json", of_pair, files, sizes)
    assert read_labels(folder / "labels.json") == of_pair
    write_voc(folder / "voc", of_pair, files, sizes)
    write_yolo(folder / "yolo", of_pair, sizes)
    for back in (read_voc(folder / "voc/a.xml"), read_yolo(folder / "yolo/a.txt", SIZE)):
        assert [(x.defect_class, x.hotspot_shape) for x in back] == [
            (x.defect_class, x.hotspot_shape) for x in labels
        ]
        boxes = [[x.box_xywh_px for x in side] for side in (back, labels)]
        np.testing.assert_allclose(boxes[0], boxes[1], atol=1e-9)


@pytest.mark.parametrize(
    "line",
    [
        "9 0.5 0.5 0.1 0.1",
        "0 0.5 0.5 0.1",
        "-1 0.5 0.5 0.1 0.1",
        "0 nan 0 1 1",
        "0 .5 .5 0 .1",
        "weeds",
    ],
)
def test_broken_yolo_lines(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(line)
    with pytest.raises(InputError):
        read_yolo(tmp_path / "a.txt", SIZE)


def test_an_entity_bomb_in_voc(tmp_path: Path) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>'
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError):
        read_voc(tmp_path / "a.xml")


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
def test_broken_coco(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "labels.json"
    write_labels(path, {"a": [Label((1, 2, 3, 4), "dust")]}, {"a": "infrared/a.jpg"}, {"a": SIZE})
    content = json.loads(path.read_text())
    content["annotations"][0].update(change)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError):
        read_labels(path)


SHIFTED = np.array([[2.0, 0, 30], [0, 2.0, -10], [0, 0, 1]])
"""Visible pixels from infrared ones: twice as fine, moved."""


def on_visible(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x, y, w, h = box
    return 2 * x + 30, 2 * y - 10, 2 * w, 2 * h


def test_boxes_are_carried_to_the_infrared_frame() -> None:
    box = (100.0, 50.0, 20.0, 10.0)
    np.testing.assert_allclose(to_infrared(on_visible(box), SHIFTED), box)


def test_infrared_gives_the_place_and_visible_the_external_type() -> None:
    hot = Label((100, 50, 20, 20), "dust", "patch")
    seen = Label(on_visible((102, 51, 20, 20)), "weeds")
    result = reconcile([hot], [seen], SHIFTED)
    assert result.labels == (Label((100, 50, 20, 20), "weeds", "patch"),)
    assert len(result.conflicts) == 1


def test_visible_does_not_overrule_with_an_internal_type() -> None:
    hot = Label((100, 50, 20, 20), "open_circuit")
    result = reconcile([hot], [Label(on_visible(hot.box_xywh_px), "diode_failure")], SHIFTED)
    assert result.labels == (hot,)
    assert len(result.conflicts) == 1


def test_agreement_is_no_conflict_and_a_lonely_visible_label_is_one() -> None:
    hot = Label((100, 50, 20, 20), "dust")
    agreed, lonely = Label(on_visible(hot.box_xywh_px), "dust"), Label((5, 5, 9, 9), "weeds")
    result = reconcile([hot], [agreed, lonely], SHIFTED)
    assert result.labels == (hot,)
    assert [conflict.infrared for conflict in result.conflicts] == [None]
    assert reconcile([hot], [], SHIFTED).labels == (hot,)
    assert reconcile([], [], SHIFTED).labels == ()
