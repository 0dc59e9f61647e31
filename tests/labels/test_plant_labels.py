"""Labels drawn on plants are read whole or refused by name."""

import json
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.labels.plant_labels import read_drawn_plants

FRAME = {
    "file": "plant_a/one.jpg",
    "site": "plant_a",
    "width": 40,
    "height": 30,
    "panel_polygons": [[[0, 0], [19, 0], [19, 29], [0, 29]]],
    "hotspots": [{"x": 3, "y": 4, "w": 5, "h": 6, "kind": "point", "certainty": "sure"}],
}


def write(folder: Path, *frames: dict[str, object]) -> Path:
    (folder / "plant_a").mkdir()
    (folder / "plant_a/one.jpg").write_bytes(b"an image")
    (folder / "labels.json").write_text(json.dumps({"frames": frames}))
    return folder


def test_frames_and_their_masks_are_read(tmp_path: Path) -> None:
    plants = read_drawn_plants(write(tmp_path, FRAME))
    (frame,) = plants.frames
    assert plants.plants == ("plant_a",)
    assert frame.boxes_xywh_px("sure").tolist() == [[3, 4, 5, 6]]
    assert frame.boxes_xywh_px("doubtful").shape == (0, 4)
    assert np.array_equal(frame.panel_mask(), np.tile(np.arange(40) < 20, (30, 1)))
    assert not frame.ignored_mask().any()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"file": "../outside.jpg"}, "outside.jpg"),
        ({"file": "plant_a/two.jpg"}, "two.jpg"),
        ({"width": 0}, "width"),
        ({"hotspots": [{"x": 1, "y": 1, "w": -1, "h": 2, "certainty": "sure"}]}, "w"),
        ({"hotspots": [{"x": 1, "y": 1, "w": 1, "h": 2, "certainty": "perhaps"}]}, "certainty"),
    ],
)
def test_labels_that_cannot_be_are_refused(
    tmp_path: Path, changed: dict[str, object], named: str
) -> None:
    with pytest.raises(InputError, match=named):
        read_drawn_plants(write(tmp_path, {**FRAME, **changed}))


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels\.json"):
        read_drawn_plants(tmp_path)
