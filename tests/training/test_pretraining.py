"""The base model learns, and a killed training goes on to the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dd_livm_core.errors import InputError
from dd_livm_core.labels.plant_labels import DrawnFrame, DrawnPlants
from dd_livm_core.training import pretraining
from dd_livm_core.training.pretraining import PretrainingConfig, pretrain, read_training_frames
from tests import drone_files as made
from tests.base_model.made_frames import made_frame

QUICK = PretrainingConfig(steps=4, batch_size=1, torch_threads=1)
FRAMES = [made_frame("a"), made_frame("b")]


def test_killed_and_started_again_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretraining, "STEPS_A_CHECKPOINT", 2)
    whole = pretrain(FRAMES, QUICK, tmp_path / "whole")

    def kill(step: int, losses: dict[str, float]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(FRAMES, QUICK, tmp_path / "killed", on_checkpoint=kill)
    steps: list[int] = []
    again = pretrain(
        FRAMES, QUICK, tmp_path / "killed", on_checkpoint=lambda step, _: steps.append(step)
    )
    assert steps == [4]
    for (name, value), other in zip(
        whole.state_dict().items(), again.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), name


def test_the_loss_falls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "STEPS_A_CHECKPOINT", 4)
    records: list[dict[str, float]] = []
    pretrain(
        FRAMES,
        QUICK.model_copy(update={"steps": 12, "batch_size": 2}),
        tmp_path,
        on_checkpoint=lambda _, losses: records.append(losses),
    )
    assert records[-1]["centre"] < 0.7 * records[0]["centre"]
    assert records[-1]["panel"] < records[0]["panel"]


def drawn(width: int) -> DrawnFrame:
    return DrawnFrame(file="a.jpg", site="a", width=width, height=64)


def test_frames_are_read_as_people_saw_them_and_other_sizes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(made.jpeg(made.picture()))
    height, width = made.picture().shape[:2]
    frame = DrawnFrame(file="a.jpg", site="a", width=width, height=height)
    (read,) = read_training_frames(DrawnPlants(tmp_path, (frame,)))
    assert read.values.shape == (height, width)
    assert np.isnan(read.module_short_px)
    with pytest.raises(InputError, match="px"):
        read_training_frames(DrawnPlants(tmp_path, (drawn(width + 1),)))
    with pytest.raises(InputError, match="none"):
        read_training_frames(DrawnPlants(tmp_path, (frame,)), without=["a"])
