"""Labels survive YOLO's and Pascal VOC's formats; what is no label is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from dd_livm_core.errors import InputError
from dd_livm_core.labels.label import Label
from dd_livm_core.labels.yolo_voc import read_voc, read_yolo, write_voc, write_yolo
from tests.labels.label_strategies import SIZE_PX, labels_of_pair


@given(labels_of_pair)
@settings(max_examples=30, deadline=None)
def test_labels_written_and_read_again_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, labels: list[Label]
) -> None:
    folder = tmp_path_factory.mktemp("labels")
    of_pair, files, sizes_px = {"a": labels}, {"a": "infrared/a.jpg"}, {"a": SIZE_PX}
    write_voc(folder / "voc", of_pair, files, sizes_px)
    write_yolo(folder / "yolo", of_pair, sizes_px)
    for back in (read_voc(folder / "voc/a.xml"), read_yolo(folder / "yolo/a.txt", SIZE_PX)):
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
def test_a_line_that_is_no_yolo_label_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(line)
    with pytest.raises(InputError):
        read_yolo(tmp_path / "a.txt", SIZE_PX)


def test_an_entity_bomb_in_voc_is_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><annotation>&b;</annotation>'
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(InputError):
        read_voc(tmp_path / "a.xml")
