"""The base model is trained in a workspace and leaves weights that say what they are made of."""

import json
from pathlib import Path

import pytest

import dd_livm_core.base_model
from dd_livm_core.base_model.frame_view import view_frame
from dd_livm_core.base_model.weights import load_base
from dd_livm_core.errors import InputError
from tasks.pretraining import pretrain_in
from tasks.workspace import Workspace
from tests import drone_files as made
from tests.base_model.made_frames import made_frame


def plants_folder(root: Path) -> Path:
    """Return a folder with a frame of each of two plants."""
    height, width = made.picture().shape[:2]
    frames = []
    for plant in ("north", "south"):
        (root / plant).mkdir(parents=True)
        (root / plant / "one.jpg").write_bytes(made.jpeg(made.picture()))
        frames.append(
            {
                "file": f"{plant}/one.jpg",
                "site": plant,
                "width": width,
                "height": height,
                "panel_polygons": [[[5, 5], [60, 5], [60, 50], [5, 50]]],
            }
        )
    (root / "labels.json").write_text(json.dumps({"frames": frames}))
    return root


def train(tmp_path: Path, *without: str) -> Path:
    plants = plants_folder(tmp_path / "plants")
    workspace = Workspace.at(tmp_path)
    return pretrain_in(
        workspace, plants, None, imagenet=None, without=without, steps=1, seed=3, report=print
    )


def test_the_card_names_the_plants_that_were_used(tmp_path: Path) -> None:
    _, card = load_base(train(tmp_path, "south"))
    assert card["frames"] == {"north": 1}
    assert card["configuration"]["seed"] == 3
    assert card["imagenet_sha256"] is None


def test_a_plant_that_is_not_there_cannot_be_left_out(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"north, south.*found west"):
        train(tmp_path, "west")


def test_the_weights_of_the_package_see_a_made_panel() -> None:
    """A frame unlike any that they were trained on: a warm rectangle with cold lines on noise."""
    network, card = load_base(Path(dd_livm_core.base_model.__file__).with_name("real.safetensors"))
    frame = made_frame()
    view = view_frame(network, frame.values)
    both = (view.panel_mask & frame.panel).sum() / (view.panel_mask | frame.panel).sum()
    assert both > 0.7
    assert sum(card["frames"].values()) == 186
