"""The heat solvers on torch tensors: batched, differentiable, any device, one weather per image."""

import math
from functools import lru_cache

import torch

from dd_livm_core.errors import InputError

_MAY_BE_ZERO = ("conductance_w_k", "elapsed_s", "ratio")


def steady_excess(
    source_w_m2: torch.Tensor,
    pixel_m: float | torch.Tensor,
    conductance_w_k: float | torch.Tensor,
    loss_w_m2_k: float | torch.Tensor,
) -> torch.Tensor:
    """Solve ∇·(K∇θ) − Uθ + q″ = 0 with insulated edges, as :func:`dd_livm_core.heat.steady_excess`.

    Parameters
    ----------
    source_w_m2
        (..., H, W) floating tensor in W/m².
    pixel_m, conductance_w_k, loss_w_m2_k
        Numbers, or tensors that match the leading axes (one value per image).

    Returns
    -------
    Tensor of the same shape, dtype and device: θ in kelvin.
    """
    _check(source_w_m2, pixel_m=pixel_m, conductance_w_k=conductance_w_k, loss_w_m2_k=loss_w_m2_k)
    rates = _per_image(loss_w_m2_k, source_w_m2) + _modes(source_w_m2, pixel_m, conductance_w_k)
    return _through_modes(source_w_m2, 1 / rates)


def transient_excess(
    initial_k: torch.Tensor,
    source_w_m2: torch.Tensor,
    pixel_m: float | torch.Tensor,
    conductance_w_k: float | torch.Tensor,
    loss_w_m2_k: float | torch.Tensor,
    elapsed_s: float | torch.Tensor,
    heat_capacity_j_m2_k: float = 11_000.0,
) -> torch.Tensor:
    """Relax for ``elapsed_s``, as :func:`dd_livm_core.heat.transient_excess`."""
    _check(
        initial_k,
        pixel_m=pixel_m,
        conductance_w_k=conductance_w_k,
        loss_w_m2_k=loss_w_m2_k,
        elapsed_s=elapsed_s,
        heat_capacity_j_m2_k=heat_capacity_j_m2_k,
    )
    _check(source_w_m2)
    rates = _per_image(loss_w_m2_k, initial_k) + _modes(initial_k, pixel_m, conductance_w_k)
    steady = _through_modes(source_w_m2, 1 / rates)
    decay = torch.exp(-_per_image(elapsed_s, initial_k) / heat_capacity_j_m2_k * rates)
    return steady + _through_modes(initial_k - steady, decay)


def weather_transfer(
    excess_k: torch.Tensor,
    pixel_m: float | torch.Tensor,
    conductance_w_k: float | torch.Tensor,
    loss_from_w_m2_k: float | torch.Tensor,
    loss_to_w_m2_k: float | torch.Tensor,
    ratio: float | torch.Tensor = 1.0,
) -> torch.Tensor:
    """Bring observed excess to other weather, as :func:`dd_livm_core.heat.weather_transfer`.

    Parameters
    ----------
    excess_k
        (..., H, W) floating tensor in K.
    pixel_m, conductance_w_k, loss_from_w_m2_k, loss_to_w_m2_k, ratio
        Numbers, or tensors that match the leading axes (one weather per image).

    Raises
    ------
    InputError
        Fewer than two axes, not floating point, not finite; pixel or losses ≤ 0, K or ratio < 0.
    """
    _check(
        excess_k,
        pixel_m=pixel_m,
        conductance_w_k=conductance_w_k,
        loss_from_w_m2_k=loss_from_w_m2_k,
        loss_to_w_m2_k=loss_to_w_m2_k,
        ratio=ratio,
    )
    before, after = _per_image(loss_from_w_m2_k, excess_k), _per_image(loss_to_w_m2_k, excess_k)
    gain = 1 + (before - after) / (after + _modes(excess_k, pixel_m, conductance_w_k))
    return _through_modes(excess_k, _per_image(ratio, excess_k) * gain)


def _check(field: torch.Tensor, **positive: float | torch.Tensor) -> None:
    if field.ndim < 2 or not field.is_floating_point():
        raise InputError(
            "a floating tensor (..., H, W)",
            f"{field.dtype} of shape {tuple(field.shape)}",
            "heat_torch",
            "Convert the tensor first.",
        )
    # One cosine transform would carry a single NaN into every pixel.
    if not bool(torch.isfinite(field).all()):
        raise InputError("finite values", "NaN or infinity", "heat_torch", "Fill them first.")
    for name, value in positive.items():
        tensor = torch.as_tensor(value)
        least = 0.0 if name in _MAY_BE_ZERO else torch.finfo(torch.float32).tiny
        if not bool((torch.isfinite(tensor) & (tensor >= least)).all()):
            sign = "≥ 0" if name in _MAY_BE_ZERO else "> 0"
            raise InputError(f"{name} {sign}", str(value), "heat_torch", "Correct the argument.")


def _per_image(value: float | torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    tensor = torch.as_tensor(value, dtype=like.dtype, device=like.device)
    return tensor[..., None, None] if tensor.ndim else tensor


def _modes(
    field: torch.Tensor, pixel_m: float | torch.Tensor, conductance_w_k: float | torch.Tensor
) -> torch.Tensor:
    """Return Kκ² of every cosine mode, (..., H, W)."""
    height, width = field.shape[-2:]
    ky = (torch.arange(height, dtype=field.dtype, device=field.device) * (math.pi / height)) ** 2
    kx = (torch.arange(width, dtype=field.dtype, device=field.device) * (math.pi / width)) ** 2
    scale = _per_image(conductance_w_k, field) / _per_image(pixel_m, field) ** 2
    return scale * (ky[:, None] + kx[None, :])


@lru_cache(maxsize=16)
def _cosines(size: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return the orthonormal DCT-II matrix (size, size); its transpose is its inverse."""
    # Built in float64: at size 640 float32 phases would cost four digits.
    index = torch.arange(size, dtype=torch.float64)
    phase = math.pi / size * (index[None, :] + 0.5) * index[:, None]
    matrix = torch.cos(phase) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix.to(device, dtype)


def _through_modes(field: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Apply a gain per cosine mode; two matrix products each way suit batches on a GPU."""
    rows = _cosines(field.shape[-2], field.dtype, field.device)
    columns = _cosines(field.shape[-1], field.dtype, field.device)
    modes = rows @ field @ columns.T
    return rows.T @ (modes * gain) @ columns
