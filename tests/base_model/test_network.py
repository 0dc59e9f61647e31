"""The network, its losses and its files."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from dd_livm_core.base_model.backbone import Encoder, load_imagenet_weights
from dd_livm_core.base_model.losses import base_loss
from dd_livm_core.base_model.network import BaseNetwork, DenseMaps
from dd_livm_core.base_model.targets import dense_targets
from dd_livm_core.base_model.weights import load_base, save_base
from dd_livm_core.errors import InputError


def test_maps_are_half_as_large_as_the_frame() -> None:
    maps = BaseNetwork().eval()(torch.zeros(1, 3, 64, 96))
    assert all(getattr(maps, field.name).shape == (1, 32, 48) for field in fields(DenseMaps))


def test_weights_come_back_with_their_card_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network, path = BaseNetwork().eval(), tmp_path / "base.safetensors"
    save_base(network, {"seed": 1}, path)
    again, card = load_base(path)
    frame = torch.randn(1, 3, 32, 32)
    assert card == {"seed": 1}
    assert torch.equal(network(frame).centre, again(frame).centre)
    assert path.stat().st_size < 12 * 2**20
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"base\.safetensors"):
        load_base(path)


def test_weights_of_a_whole_lite0_are_taken_as_far_as_the_encoder_goes(tmp_path: Path) -> None:
    torch.manual_seed(2)
    trained, encoder, path = Encoder(), Encoder(), tmp_path / "lite0.pth"
    tensors = {f"other.{name}": value for name, value in trained.state_dict().items()}
    torch.save({**tensors, "head.weight": torch.zeros(9)}, path)
    load_imagenet_weights(encoder, path)
    own = encoder.state_dict()
    assert all(torch.equal(own[name], value) for name, value in trained.state_dict().items())
    torch.save({"stem": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="EfficientNet-Lite0"):
        load_imagenet_weights(encoder, path)


def right_and_wrong_maps() -> tuple[DenseMaps, DenseMaps, dict[str, torch.Tensor]]:
    panel = np.zeros((64, 64), bool)
    panel[:, 20:] = True
    boxes = np.array([[30.0, 30, 12, 8]])
    targets = dense_targets(panel, np.zeros((64, 64), bool), boxes, np.zeros((0, 4)), 0.2)
    batch = {
        field.name: torch.from_numpy(np.asarray(getattr(targets, field.name))[None])
        for field in fields(targets)
    }
    right = DenseMaps(
        panel=20 * batch["panel"] - 10,
        hot=20 * batch["hot"] - 10,
        centre=torch.where(batch["centre"] == 1, 10.0, -10.0),
        log_width=batch["log_sides"][:, 0],
        log_height=batch["log_sides"][:, 1],
        log_module=torch.full((1, 32, 32), 0.2),
    )
    wrong = DenseMaps(*(-getattr(right, field.name) + 0.5 for field in fields(DenseMaps)))
    return right, wrong, batch


def test_each_loss_is_near_none_for_the_right_maps_and_large_for_wrong_ones() -> None:
    right, wrong, batch = right_and_wrong_maps()
    good, bad = base_loss(right, batch), base_loss(wrong, batch)
    for name, value in good.items():
        assert value < 0.02, name
        assert bad[name] > 10 * value + 0.1, name


def test_nothing_is_learnt_where_the_weights_are_none() -> None:
    _, wrong, batch = right_and_wrong_maps()
    for name in ("panel_weight", "hotspot_weight", "sides_weight"):
        batch[name] = torch.zeros_like(batch[name])
    batch["log_module"] = torch.tensor([np.nan], dtype=torch.float32)
    losses = base_loss(wrong, batch)
    assert {name: float(losses[name]) for name in ("centre", "sides", "hot", "module")} == {
        "centre": 0,
        "sides": 0,
        "hot": 0,
        "module": 0,
    }
