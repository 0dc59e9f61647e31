"""The base model is defined on every frame, and what it sees follows from its maps."""

import numpy as np
import pytest
import torch

from dd_livm_core.base_model.frame_view import view_frame
from dd_livm_core.base_model.network import BaseNetwork


@pytest.fixture(scope="module")
def network() -> BaseNetwork:
    torch.manual_seed(0)
    return BaseNetwork().eval()


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((64, 80)),
        np.full((64, 80), np.nan),
        np.pad(np.full((4, 4), 90.0), 40),
        np.random.default_rng(0).normal(20, 3, (7, 9)),
        np.random.default_rng(0).normal(20, 3, (513, 641)),
    ],
    ids=["constant", "nothing", "one hot square", "tiny", "odd"],
)
def test_every_frame_has_a_view(network: BaseNetwork, values: np.ndarray) -> None:
    view = view_frame(network, values.astype(np.float32))
    assert view.panel_mask.shape == values.shape
    assert view.boxes_xywh_px.shape == (len(view.scores), 4)
    assert np.isfinite(view.boxes_xywh_px).all()
    assert (np.diff(view.scores) <= 0).all()


def test_a_view_repeats_bit_for_bit(network: BaseNetwork) -> None:
    values = np.random.default_rng(1).normal(20, 3, (120, 160)).astype(np.float32)
    first, second = view_frame(network, values), view_frame(network, values)
    assert np.array_equal(first.boxes_xywh_px, second.boxes_xywh_px)
    assert np.array_equal(first.panel_mask, second.panel_mask)
