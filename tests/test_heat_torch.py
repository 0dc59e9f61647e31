"""The heat equation on tensors: the same answers as on arrays, batched, on any device."""

import numpy as np
import pytest
import torch

from dd_livm_core import heat, heat_torch
from dd_livm_core.errors import InputError
from tests.test_heat import K, random_field


def test_agrees_with_the_arrays():
    field = random_field(7, (48, 40))
    tensor = torch.from_numpy(field)
    pairs = [
        (heat.steady_excess(field, 0.02, K, 30), heat_torch.steady_excess(tensor, 0.02, K, 30)),
        (
            heat.weather_transfer(field, 0.02, K, 30, 50, 0.7),
            heat_torch.weather_transfer(tensor, 0.02, K, 30, 50, 0.7),
        ),
        (
            heat.transient_excess(field, 9 * field, 0.02, K, 30, 90),
            heat_torch.transient_excess(tensor, 9 * tensor, 0.02, K, 30, 90),
        ),
    ]
    for expected, found in pairs:
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-10)


def test_every_image_has_its_own_weather():
    batch = torch.from_numpy(np.stack([random_field(k) for k in range(3)]))
    after = torch.tensor([20.0, 35.0, 60.0], dtype=torch.float64)
    together = heat_torch.weather_transfer(batch, 0.03, K, 25.0, after)
    for image, loss, found in zip(batch, after, together, strict=True):
        expected = heat.weather_transfer(image.numpy(), 0.03, K, 25.0, float(loss))
        np.testing.assert_allclose(found.numpy(), expected, atol=1e-10)


def test_carries_gradients():
    field = torch.ones(6, 6, requires_grad=True)
    heat_torch.weather_transfer(field, 0.03, K, 20.0, 40.0).sum().backward()
    assert field.grad is not None
    np.testing.assert_allclose(field.grad.numpy(), 0.5, atol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_runs_on_a_gpu():
    field = torch.randn(4, 64, 80)
    here = heat_torch.weather_transfer(field, 0.03, K, 20.0, 40.0)
    there = heat_torch.weather_transfer(field.cuda(), 0.03, K, 20.0, 40.0)
    torch.testing.assert_close(there.cpu(), here, atol=1e-4, rtol=1e-4)


def test_refuses_integers():
    with pytest.raises(InputError, match="floating"):
        heat_torch.steady_excess(torch.ones(4, 4, dtype=torch.int64), 0.03, K, 20.0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pixel_m": 0.0},
        {"loss_from_w_m2_k": -3.0},
        {"ratio": -1.0},
        {"conductance_w_k": np.nan},
    ],
)
def test_refuses_an_impossible_sheet(wrong):
    known = {
        "pixel_m": 0.03,
        "conductance_w_k": K,
        "loss_from_w_m2_k": 20.0,
        "loss_to_w_m2_k": 30.0,
    }
    with pytest.raises(InputError, match=next(iter(wrong))):
        heat_torch.weather_transfer(torch.ones(5, 5), **(known | wrong))


def test_refuses_nan():
    with pytest.raises(InputError, match="finite"):
        heat_torch.steady_excess(torch.full((4, 4), torch.nan), 0.03, K, 20.0)
