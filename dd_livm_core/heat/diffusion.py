"""Heat in the laminate of a PV module: diffusion, and the transfer to other weather.

The laminate is a thin sheet with insulated edges. The excess temperature θ over the healthy PV
module obeys C ∂θ/∂t = ∇·(K∇θ) − Uθ + q″ (sheet conductance K in W/K, loss U in W/(m²K), heat
capacity C in J/(m²K), source q″ in W/m²). With one K over the window the cosines diagonalise the
equation and each mode is solved exactly; where K changes (gaps between cells), conservative finite
volumes are solved sparsely.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import expm_multiply, splu

from dd_livm_core.errors import InputError

Field = NDArray[np.floating[Any]]
Conductance = float | NDArray[np.floating[Any]]

FAIMAN_U0_W_M2K = 25.0
FAIMAN_U1_W_M2K_PER_M_S = 6.84
"""Faiman's loss coefficients as pvlib gives them; they absorb α(1 − η)."""
HEAT_CAPACITY_J_M2K = 11_000.0
"""Areal heat capacity of a PV module (Fuentes 1987, as in pvlib)."""
_GLASS_W_K = 3.2e-3 * 0.8
_EVA_W_K = 2 * 0.45e-3 * 0.34
_BACKSHEET_W_K = 0.35e-3 * 0.25
_SILICON_W_K = 0.18e-3 * 148.0
GAP_CONDUCTANCE_W_K = _GLASS_W_K + _EVA_W_K + _BACKSHEET_W_K
"""Σ k·t of glass, two EVA films, backsheet (layers: EPJ Photovoltaics 2023, pv220061, table 2)."""
CELL_CONDUCTANCE_W_K = GAP_CONDUCTANCE_W_K + _SILICON_W_K
"""The same with the silicon of a cell."""


def loss_coefficient(wind_m_s: float, absorptivity: float = 0.9, efficiency: float = 0.18) -> float:
    """Return the physical heat loss U = α(1 − η)(U0 + U1·v) of a PV module, in W/(m²K).

    Raises
    ------
    InputError
        Negative or non-finite wind; absorptivity or efficiency outside [0, 1).

    References
    ----------
    Faiman (2008), Prog. Photovolt. 16, 307; the factor as in pvlib's ``GenericLinearModel``.
    """
    _require(np.isfinite(wind_m_s) and wind_m_s >= 0, "a wind speed ≥ 0 m/s", wind_m_s, "wind_m_s")
    _require(0 < absorptivity <= 1, "an absorptivity in (0, 1]", absorptivity, "absorptivity")
    _require(0 <= efficiency < 1, "an efficiency in [0, 1)", efficiency, "efficiency")
    return absorptivity * (1 - efficiency) * (FAIMAN_U0_W_M2K + FAIMAN_U1_W_M2K_PER_M_S * wind_m_s)


def source_ratio(from_w_m2: float, to_w_m2: float, exponent: float = 1.0) -> float:
    """Return (G₁/G₀)^β: how much a hotspot's source changes between two irradiances.

    β is 1 for an open circuit or an active bypass diode, 1 to 2 for resistive heating.

    Raises
    ------
    InputError
        At night (``from_w_m2`` = 0) the source shows nothing that could be scaled; negative values.
    """
    _require(
        np.isfinite(from_w_m2) and from_w_m2 > 0,
        "irradiance > 0 W/m² at the time of observation",
        from_w_m2,
        "from_w_m2",
    )
    _require(np.isfinite(to_w_m2) and to_w_m2 >= 0, "irradiance ≥ 0 W/m²", to_w_m2, "to_w_m2")
    _require(np.isfinite(exponent) and exponent > 0, "an exponent > 0", exponent, "exponent")
    return float((to_w_m2 / from_w_m2) ** exponent)


def steady_excess(
    source_w_m2: Field, pixel_m: float, conductance_w_k: Conductance, loss_w_m2_k: float
) -> Field:
    """Solve ∇·(K∇θ) − Uθ + q″ = 0 in a sheet with insulated edges.

    Parameters
    ----------
    source_w_m2
        (H, W) float: heat source; one K also takes leading batch axes.
    pixel_m
        Side of a pixel in metres.
    conductance_w_k
        K: one number, or (H, W) float per pixel (faces take the harmonic mean).
    loss_w_m2_k
        U > 0.

    Returns
    -------
    Same shape and precision: θ in kelvin. Σ Uθ = Σ q″ to rounding.

    Raises
    ------
    InputError
        Non-finite input, non-positive pixel, K < 0, U ≤ 0.
    """
    source = _field(source_w_m2, "source_w_m2")
    _check_sheet(source, pixel_m, conductance_w_k, loss_w_m2_k)
    if np.ndim(conductance_w_k):
        conduction = _conduction(np.asarray(conductance_w_k, float), pixel_m)
        return _sparse_solve(conduction, loss_w_m2_k, source)
    rates = loss_w_m2_k + _modes(source, pixel_m, float(conductance_w_k))
    return _through_modes(source, 1 / rates)


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

    Raises
    ------
    InputError
        As :func:`steady_excess`, or unequal shapes.
    """
    initial, source = _field(initial_k, "initial_k"), _field(source_w_m2, "source_w_m2")
    _require(
        initial.shape == source.shape,
        f"two arrays of shape {source.shape}",
        initial.shape,
        "initial_k",
    )
    _require(np.isfinite(elapsed_s) and elapsed_s >= 0, "a time ≥ 0 s", elapsed_s, "elapsed_s")
    _require(heat_capacity_j_m2_k > 0, "a heat capacity > 0", heat_capacity_j_m2_k, "heat_capacity")
    steady: Field = steady_excess(source, pixel_m, conductance_w_k, loss_w_m2_k)
    departure = initial - steady
    scale = elapsed_s / heat_capacity_j_m2_k
    if np.ndim(conductance_w_k):
        conduction = _conduction(np.asarray(conductance_w_k, float), pixel_m)
        decay = -scale * (conduction + loss_w_m2_k * _identity(source.size))
        left = expm_multiply(decay, departure.ravel().astype(float)).reshape(source.shape)
        return (steady + left).astype(source.dtype, copy=False)
    rates = loss_w_m2_k + _modes(source, pixel_m, float(conductance_w_k))
    return steady + _through_modes(departure, np.exp(-scale * rates))


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
        U₀ and U₁ > 0, from :func:`loss_coefficient`.
    ratio
        (G₁/G₀)^β ≥ 0, from :func:`source_ratio`.

    Raises
    ------
    InputError
        Non-finite input, non-positive pixel or losses, negative ratio.
    """
    excess = _field(excess_k, "excess_k")
    _check_sheet(excess, pixel_m, conductance_w_k, loss_from_w_m2_k)
    _check_sheet(excess, pixel_m, conductance_w_k, loss_to_w_m2_k)
    _require(np.isfinite(ratio) and ratio >= 0, "a source ratio ≥ 0", ratio, "ratio")
    if loss_from_w_m2_k == loss_to_w_m2_k:
        return excess * excess.dtype.type(ratio)
    # (U₀ + Kκ²)/(U₁ + Kκ²) = 1 + (U₀ − U₁)/(U₁ + Kκ²): one solve, and no large terms that cancel.
    change = ratio * (loss_from_w_m2_k - loss_to_w_m2_k)
    if np.ndim(conductance_w_k):
        conduction = _conduction(np.asarray(conductance_w_k, float), pixel_m)
        return ratio * excess + change * _sparse_solve(conduction, loss_to_w_m2_k, excess)
    gain = _modes(excess, pixel_m, float(conductance_w_k))
    gain += excess.dtype.type(loss_to_w_m2_k)
    np.divide(excess.dtype.type(change), gain, out=gain)
    gain += excess.dtype.type(ratio)
    return _through_modes(excess, gain)


def cell_gap_conductance(
    shape: tuple[int, int],
    cell_px: tuple[float, float],
    gap_px: float,
    cell_w_k: float = CELL_CONDUCTANCE_W_K,
    gap_w_k: float = GAP_CONDUCTANCE_W_K,
) -> NDArray[np.float64]:
    """Return K per pixel, (H, W) float64 in W/K, of a grid of cells parted by gaps.

    A pixel that a gap covers in part takes both in series, so thin gaps keep their resistance.

    Parameters
    ----------
    shape
        H and W; the first cell starts at the corner.
    cell_px
        Pitch of the cells along y and x in pixels.
    gap_px
        Width of a gap in pixels.
    """
    resistance = np.full(shape, 1 / cell_w_k)
    for axis, pitch in enumerate(cell_px):
        edges = np.arange(shape[axis] + 1)
        # Integral of the gaps' indicator: gaps are centred on multiples of the pitch.
        inside = np.mod(edges + gap_px / 2, pitch)
        covered = np.floor((edges + gap_px / 2) / pitch) * gap_px + np.minimum(inside, gap_px)
        share = np.clip(np.diff(covered), 0, 1)
        extra = share * (1 / gap_w_k - 1 / cell_w_k)
        resistance = np.maximum(
            resistance, 1 / cell_w_k + (extra[:, None] if axis == 0 else extra[None, :])
        )
    return 1 / resistance


def _modes(field: Field, pixel_m: float, conductance_w_k: float) -> Field:
    """Return Kκ² of every cosine mode, (H, W)."""
    height, width = field.shape[-2:]
    ky = (np.pi * np.arange(height) / (height * pixel_m)) ** 2 * conductance_w_k
    kx = (np.pi * np.arange(width) / (width * pixel_m)) ** 2 * conductance_w_k
    modes: Field = (ky[:, None] + kx[None, :]).astype(field.dtype)
    return modes


def _through_modes(field: Field, gain: Field) -> Field:
    modes = dctn(field, type=2, axes=(-2, -1), norm="ortho")
    modes *= gain
    result: Field = idctn(modes, type=2, axes=(-2, -1), norm="ortho", overwrite_x=True)
    return result


def _identity(size: int) -> csc_array:
    return csc_array(diags_array(np.ones(size)))


def _conduction(conductance_w_k: NDArray[np.float64], pixel_m: float) -> csc_array:
    """Return −∇·K∇ as a sparse matrix of finite volumes, symmetric, with zero row sums."""
    height, width = conductance_w_k.shape
    index = np.arange(height * width).reshape(height, width)
    near = np.concatenate([index[:-1].ravel(), index[:, :-1].ravel()])
    far = np.concatenate([index[1:].ravel(), index[:, 1:].ravel()])
    k_near, k_far = conductance_w_k.ravel()[near], conductance_w_k.ravel()[far]
    total = k_near + k_far
    face = np.divide(2 * k_near * k_far, total, out=np.zeros_like(total), where=total > 0)
    face /= pixel_m**2
    off = coo_array(
        (np.r_[face, face], (np.r_[near, far], np.r_[far, near])), shape=(index.size,) * 2
    ).tocsc()
    return csc_array(diags_array(off.sum(axis=1), format="csc") - off)


def _sparse_solve(conduction: csc_array, loss_w_m2_k: float, right: Field) -> Field:
    matrix = csc_array(conduction + loss_w_m2_k * _identity(right.size))
    solution = splu(matrix, permc_spec="MMD_AT_PLUS_A").solve(right.ravel().astype(float))
    result: Field = solution.reshape(right.shape).astype(right.dtype, copy=False)
    return result


def _field(values: Field, name: str) -> Field:
    field = np.asarray(values)
    if field.dtype not in (np.float32, np.float64):
        field = field.astype(np.float64)
    _require(field.ndim >= 2 and field.size > 0, "an array of at least 2 axes", field.shape, name)
    _require(
        bool(np.isfinite(field).all()), "finite values", "NaN or infinity", name, "Fill them first."
    )
    return field


def _check_sheet(
    field: Field, pixel_m: float, conductance_w_k: Conductance, loss_w_m2_k: float
) -> None:
    _require(np.isfinite(pixel_m) and pixel_m > 0, "a pixel > 0 m", pixel_m, "pixel_m")
    _require(
        np.isfinite(loss_w_m2_k) and loss_w_m2_k > 0, "a loss > 0 W/(m²K)", loss_w_m2_k, "loss"
    )
    sheet = np.asarray(conductance_w_k)
    _require(
        sheet.ndim == 0 or (sheet.shape == field.shape and field.ndim == 2),
        f"one conductance, or one per pixel of {field.shape}",
        sheet.shape,
        "conductance_w_k",
    )
    _require(
        bool(np.isfinite(sheet).all() and (sheet >= 0).all()),
        "conductance ≥ 0 W/K",
        "a negative or non-finite value",
        "conductance_w_k",
    )


def _require(
    holds: object, expected: str, found: object, where: str, todo: str = "Correct the argument."
) -> None:
    if not holds:
        raise InputError(expected, str(found), f"heat: {where}", todo)
