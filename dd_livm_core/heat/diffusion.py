"""Heat in the laminate of a PV module: diffusion, and the transfer to other weather.

The laminate is a thin sheet with insulated edges. The excess temperature θ over the healthy PV
module obeys C ∂θ/∂t = ∇·(K∇θ) − Uθ + q″ (sheet conductance K in W/K, loss U in W/(m²K), heat
capacity C in J/(m²K), source q″ in W/m²). With one K over the window the cosines diagonalise the
equation and each mode is solved exactly; where K changes from pixel to pixel (gaps between cells),
:mod:`dd_livm_core.heat.finite_volumes` solves it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn

from dd_livm_core.heat.finite_volumes import conduction_matrix, relax, solve_steady
from dd_livm_core.heat.laminate import HEAT_CAPACITY_J_M2K, require

Field = NDArray[np.floating[Any]]
Conductance = float | NDArray[np.floating[Any]]


def steady_excess(
    source_w_m2: Field, pixel_m: float, conductance_w_k: Conductance, loss_w_m2_k: float
) -> Field:
    """Return the steady excess temperature θ: ∇·(K∇θ) − Uθ + q″ = 0 in a sheet with insulated edges.

    Parameters
    ----------
    source_w_m2
        (H, W) float: heat source; with one K also (..., H, W).
    pixel_m
        Side of a pixel in metres.
    conductance_w_k
        K: one number, or (H, W) float per pixel (faces take the harmonic mean).
    loss_w_m2_k
        U > 0.

    Returns
    -------
    θ in kelvin, shape and precision of the source. Σ Uθ = Σ q″ to rounding.

    Raises
    ------
    InputError
        Non-finite input, non-positive pixel, K < 0, U ≤ 0.
    """
    source = _as_field(source_w_m2, "source_w_m2")
    _check_sheet(source, pixel_m, conductance_w_k, loss_w_m2_k)
    if np.ndim(conductance_w_k):
        conduction = conduction_matrix(np.asarray(conductance_w_k, float), pixel_m)
        return solve_steady(conduction, loss_w_m2_k, source)
    rates = loss_w_m2_k + _mode_conduction(source, pixel_m, float(conductance_w_k))
    return _scale_modes(source, 1 / rates)


def transient_excess(
    initial_k: Field,
    source_w_m2: Field,
    pixel_m: float,
    conductance_w_k: Conductance,
    loss_w_m2_k: float,
    elapsed_s: float,
    heat_capacity_j_m2_k: float = HEAT_CAPACITY_J_M2K,
) -> Field:
    """Return the excess temperature after ``elapsed_s`` under a constant source, exactly in time.

    Each mode relaxes to its steady value at the rate (U + Kκ²)/C; with K per pixel the matrix
    exponential does the same.

    Parameters
    ----------
    initial_k, source_w_m2
        (H, W) float: excess temperature at the start, and heat source.
    pixel_m, conductance_w_k, loss_w_m2_k
        As in :func:`steady_excess`.
    elapsed_s
        Time ≥ 0 in seconds.
    heat_capacity_j_m2_k
        C > 0.

    Returns
    -------
    θ in kelvin, shape and precision of the source.

    Raises
    ------
    InputError
        As :func:`steady_excess`, or unequal shapes.
    """
    initial, source = _as_field(initial_k, "initial_k"), _as_field(source_w_m2, "source_w_m2")
    require(
        initial.shape == source.shape,
        f"two arrays of shape {source.shape}",
        initial.shape,
        "initial_k",
    )
    require(np.isfinite(elapsed_s) and elapsed_s >= 0, "a time ≥ 0 s", elapsed_s, "elapsed_s")
    require(heat_capacity_j_m2_k > 0, "a heat capacity > 0", heat_capacity_j_m2_k, "heat_capacity")
    steady: Field = steady_excess(source, pixel_m, conductance_w_k, loss_w_m2_k)
    departure = initial - steady
    scale = elapsed_s / heat_capacity_j_m2_k
    if np.ndim(conductance_w_k):
        conduction = conduction_matrix(np.asarray(conductance_w_k, float), pixel_m)
        left = relax(conduction, loss_w_m2_k, departure, scale)
        return (steady + left).astype(source.dtype, copy=False)
    rates = loss_w_m2_k + _mode_conduction(source, pixel_m, float(conductance_w_k))
    return steady + _scale_modes(departure, np.exp(-scale * rates))


def weather_transfer(
    excess_k: Field,
    pixel_m: float,
    conductance_w_k: Conductance,
    loss_from_w_m2_k: float,
    loss_to_w_m2_k: float,
    ratio: float = 1.0,
) -> Field:
    """Return the steady excess temperature that the same defect shows under other weather.

    Solves (U₁ − ∇·K∇) θ₁ = ratio · (U₀ − ∇·K∇) θ₀ without inverting for the source. In the cosine
    basis mode κ is multiplied by ratio · (U₀ + Kκ²)/(U₁ + Kκ²). Without the ratio that lies between
    U₀/U₁ and 1: noise is never amplified towards more wind, and at most by U₀/U₁ towards less.
    Convolution with the camera's point spread commutes with it away from the window's edges.

    Parameters
    ----------
    excess_k
        (..., H, W) float observed steady excess temperature in K (or in any unit linear in K).
    pixel_m, conductance_w_k
        As in :func:`steady_excess`; K per pixel takes one (H, W) image.
    loss_from_w_m2_k, loss_to_w_m2_k
        U₀ and U₁ > 0, from :func:`dd_livm_core.heat.laminate.loss_coefficient`.
    ratio
        (G₁/G₀)^β ≥ 0, from :func:`dd_livm_core.heat.laminate.source_ratio`.

    Returns
    -------
    Shape, precision and unit of ``excess_k``.

    Raises
    ------
    InputError
        Non-finite input, non-positive pixel or losses, negative ratio.
    """
    excess = _as_field(excess_k, "excess_k")
    _check_sheet(excess, pixel_m, conductance_w_k, loss_from_w_m2_k)
    _check_sheet(excess, pixel_m, conductance_w_k, loss_to_w_m2_k)
    require(np.isfinite(ratio) and ratio >= 0, "a source ratio ≥ 0", ratio, "ratio")
    if loss_from_w_m2_k == loss_to_w_m2_k:
        return excess * excess.dtype.type(ratio)
    # (U₀ + Kκ²)/(U₁ + Kκ²) = 1 + (U₀ − U₁)/(U₁ + Kκ²): one solve, and no large terms that cancel.
    change = ratio * (loss_from_w_m2_k - loss_to_w_m2_k)
    if np.ndim(conductance_w_k):
        conduction = conduction_matrix(np.asarray(conductance_w_k, float), pixel_m)
        return ratio * excess + change * solve_steady(conduction, loss_to_w_m2_k, excess)
    gain = _mode_conduction(excess, pixel_m, float(conductance_w_k))
    gain += excess.dtype.type(loss_to_w_m2_k)
    np.divide(excess.dtype.type(change), gain, out=gain)
    gain += excess.dtype.type(ratio)
    return _scale_modes(excess, gain)


def _mode_conduction(field: Field, pixel_m: float, conductance_w_k: float) -> Field:
    """Return Kκ² of every cosine mode in W/(m²K), (H, W) in the field's precision."""
    height, width = field.shape[-2:]
    ky = (np.pi * np.arange(height) / (height * pixel_m)) ** 2 * conductance_w_k
    kx = (np.pi * np.arange(width) / (width * pixel_m)) ** 2 * conductance_w_k
    modes: Field = (ky[:, None] + kx[None, :]).astype(field.dtype)
    return modes


def _scale_modes(field: Field, gain: Field) -> Field:
    """Multiply each cosine mode of a field (..., H, W) by its gain (H, W)."""
    modes = dctn(field, type=2, axes=(-2, -1), norm="ortho")
    modes *= gain
    result: Field = idctn(modes, type=2, axes=(-2, -1), norm="ortho", overwrite_x=True)
    return result


def _as_field(values: Field, name: str) -> Field:
    """Return finite values of at least two axes as float32 or float64; refuse others."""
    field = np.asarray(values)
    if field.dtype not in (np.float32, np.float64):
        field = field.astype(np.float64)
    require(field.ndim >= 2 and field.size > 0, "an array of at least 2 axes", field.shape, name)
    require(
        bool(np.isfinite(field).all()), "finite values", "NaN or infinity", name, "Fill them first."
    )
    return field


def _check_sheet(
    field: Field, pixel_m: float, conductance_w_k: Conductance, loss_w_m2_k: float
) -> None:
    """Refuse a sheet that no PV module can be; its conductance is one number or has the field's shape."""
    require(np.isfinite(pixel_m) and pixel_m > 0, "a pixel > 0 m", pixel_m, "pixel_m")
    require(np.isfinite(loss_w_m2_k) and loss_w_m2_k > 0, "a loss > 0 W/(m²K)", loss_w_m2_k, "loss")
    sheet = np.asarray(conductance_w_k)
    require(
        sheet.ndim == 0 or (sheet.shape == field.shape and field.ndim == 2),
        f"one conductance, or one per pixel of {field.shape}",
        sheet.shape,
        "conductance_w_k",
    )
    require(
        bool(np.isfinite(sheet).all() and (sheet >= 0).all()),
        "conductance ≥ 0 W/K",
        "a negative or non-finite value",
        "conductance_w_k",
    )
