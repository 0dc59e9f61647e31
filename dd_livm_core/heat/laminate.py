"""The laminate of a PV module: what conducts heat in it, what stores it, and what takes it away."""

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.errors import InputError

FAIMAN_U0_W_M2K = 25.0
FAIMAN_U1_W_M2K_PER_M_S = 6.84
"""Faiman's loss coefficients as pvlib gives them; they absorb α(1 − η)."""
HEAT_CAPACITY_J_M2K = 11_000.0
"""Areal heat capacity of a PV module (Fuentes 1987, as in pvlib)."""
_GLASS_W_K = 3.2e-3 * 0.8
_EVA_W_K = 2 * 0.45e-3 * 0.34
_BACKSHEET_W_K = 0.35e-3 * 0.25
_SILICON_W_K = 0.18e-3 * 148.0
"""Thickness in m times conductivity in W/(m·K) of each layer (EPJ Photovoltaics 2023, pv220061, table 2)."""
GAP_CONDUCTANCE_W_K = _GLASS_W_K + _EVA_W_K + _BACKSHEET_W_K
"""Sheet conductance between cells: glass, two EVA films and backsheet side by side."""
CELL_CONDUCTANCE_W_K = GAP_CONDUCTANCE_W_K + _SILICON_W_K
"""Sheet conductance in a cell: the same and its silicon."""


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
    require(np.isfinite(wind_m_s) and wind_m_s >= 0, "a wind speed ≥ 0 m/s", wind_m_s, "wind_m_s")
    require(0 < absorptivity <= 1, "an absorptivity in (0, 1]", absorptivity, "absorptivity")
    require(0 <= efficiency < 1, "an efficiency in [0, 1)", efficiency, "efficiency")
    return absorptivity * (1 - efficiency) * (FAIMAN_U0_W_M2K + FAIMAN_U1_W_M2K_PER_M_S * wind_m_s)


def source_ratio(from_w_m2: float, to_w_m2: float, exponent: float = 1.0) -> float:
    """Return (G₁/G₀)^β: how much a hotspot's source changes between two irradiances.

    β is 1 for an open circuit or an active bypass diode, 1 to 2 for resistive heating.

    Raises
    ------
    InputError
        At night (``from_w_m2`` = 0) the source shows nothing that could be scaled; negative values.
    """
    require(
        np.isfinite(from_w_m2) and from_w_m2 > 0,
        "irradiance > 0 W/m² at the time of observation",
        from_w_m2,
        "from_w_m2",
    )
    require(np.isfinite(to_w_m2) and to_w_m2 >= 0, "irradiance ≥ 0 W/m²", to_w_m2, "to_w_m2")
    require(np.isfinite(exponent) and exponent > 0, "an exponent > 0", exponent, "exponent")
    return float((to_w_m2 / from_w_m2) ** exponent)


def cell_gap_conductance(
    shape: tuple[int, int],
    cell_px: tuple[float, float],
    gap_px: float,
    cell_w_k: float = CELL_CONDUCTANCE_W_K,
    gap_w_k: float = GAP_CONDUCTANCE_W_K,
) -> NDArray[np.float64]:
    """Return K per pixel, (H, W) float64 in W/K, of a grid of cells separated by gaps.

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


def require(
    holds: object, expected: str, found: object, where: str, todo: str = "Correct the argument."
) -> None:
    """Refuse an argument of the package for which ``holds`` is false; ``where`` is its name.

    Raises
    ------
    InputError
        ``holds`` is false.
    """
    if not holds:
        raise InputError(expected, str(found), f"heat: {where}", todo)
