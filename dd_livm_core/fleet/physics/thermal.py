"""Temperature of PV modules: heat balance, and defects as heat sources in a conducting sheet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu

from dd_livm_core.fleet.profile import PvModule
from dd_livm_core.heat.laminate import (
    CELL_CONDUCTANCE_W_K,
    FAIMAN_U0_W_M2K,
    FAIMAN_U1_W_M2K_PER_M_S,
    GAP_CONDUCTANCE_W_K,
    loss_coefficient,
)

Array = NDArray[np.float64]

_GLASS_GLASS_W_K = 2 * 3.2e-3 * 0.8 + 0.45e-3 * 0.34
"""Thin film: Σ k·t of two panes and one EVA film, layers as in `heat.diffusion`; no silicon, no gaps between cells."""
_STRING_SHARE = 0.98 * 0.98 * 0.995 * 0.985 * 0.99
"""What soiling, mismatch, connections, light-induced degradation and nameplate leave (see `operating_efficiency`)."""
_GAP_M = 0.003
"""Between cells: chosen, typical of crystalline PV modules; `station.faces` draws the same."""
_ZERO_C_K = 273.15


@dataclass(frozen=True)
class Conditions:
    """Weather of one mission; ``sky_c`` is the sky's apparent temperature, which glass reflects."""

    irradiance_w_m2: float
    wind_m_s: float
    ambient_c: float
    sky_c: float


def faiman_rise_k(conditions: Conditions) -> float:
    """Return a healthy PV module's excess over the air in kelvin, G / (U0 + U1·v) (Faiman 2008)."""
    losses = FAIMAN_U0_W_M2K + FAIMAN_U1_W_M2K_PER_M_S * conditions.wind_m_s
    return conditions.irradiance_w_m2 / losses


def operating_efficiency(pv_module: PvModule, conditions: Conditions) -> float:
    """Return the efficiency of a warm PV module in a string outdoors.

    The data sheet's value falls with temperature; soiling (2 %), mismatch (2 %), connections
    (0.5 %), light-induced degradation (1.5 %) and nameplate tolerance (1 %) are PVWatts' defaults
    (Dobos 2014, NREL/TP-6A20-62641).
    """
    warmer_k = conditions.ambient_c + faiman_rise_k(conditions) - 25
    derating = 1 - pv_module.temperature_coefficient_per_k * warmer_k
    return pv_module.efficiency * derating * _STRING_SHARE


def physical_losses_w_m2k(pv_module: PvModule, conditions: Conditions) -> float:
    """Return the heat loss U in W/(m²K): Faiman's coefficients times α(1 − η), which they contain."""
    efficiency = operating_efficiency(pv_module, conditions)
    return loss_coefficient(conditions.wind_m_s, pv_module.absorptivity, efficiency)


def open_circuit_source_w_m2(pv_module: PvModule, conditions: Conditions) -> float:
    """Return ηG in W/m²: the power that an open PV module does not deliver and turns into heat."""
    return operating_efficiency(pv_module, conditions) * conditions.irradiance_w_m2


class Sheet:
    """The laminate of one PV module as a conducting sheet with insulated edges.

    Solved by conservative finite volumes. A face over the gap between two cells conducts as cell and
    gap in series, so that the result does not depend on the grid. The matrix is factorised once for
    all defects of a mission; `dd_livm_core.heat.diffusion.steady_excess` solves the same for one source.

    Parameters
    ----------
    pv_module
        Size, cells, layers.
    losses_w_m2k
        Heat loss U in W/(m²K).
    per_cell
        Grid points along each side of a cell.
    """

    def __init__(self, pv_module: PvModule, losses_w_m2k: float, per_cell: int = 8) -> None:
        self.losses_w_m2k = losses_w_m2k
        thin = pv_module.technology == "thin_film"
        self.cells = (pv_module.cells_along, pv_module.cells_across)
        frame = 2 * pv_module.frame_width_m
        size_m = (pv_module.height_m - frame, pv_module.width_m - frame)
        if pv_module.landscape:
            self.cells, size_m = self.cells[::-1], size_m[::-1]
        self.shape = (self.cells[0] * per_cell, self.cells[1] * per_cell)
        self.step_m = (size_m[0] / self.shape[0], size_m[1] / self.shape[1])
        inside = _GLASS_GLASS_W_K if thin else CELL_CONDUCTANCE_W_K
        gap = _GLASS_GLASS_W_K if thin else GAP_CONDUCTANCE_W_K
        self._factor = splu(self._matrix(per_cell, inside, gap))

    def _matrix(self, per_cell: int, inside_w_k: float, gap_w_k: float) -> csc_array:
        """Return the sparse matrix (n, n) in W/K that maps excess in kelvin to heat in W."""
        ny, nx = self.shape
        dy, dx = self.step_m
        index = np.arange(ny * nx).reshape(ny, nx)
        # Faces between grid points, in W/K: cell, or cell and gap in series.
        faces = []
        for count, step, width in ((ny, dy, dx), (nx, dx, dy)):
            gap = min(_GAP_M, step)
            series = step / ((step - gap) / inside_w_k + gap / gap_w_k)
            at_gap = np.arange(1, count) % per_cell == 0
            faces.append(np.where(at_gap, series, inside_w_k) * (width / step))
        near = np.concatenate([index[:-1].ravel(), index[:, :-1].ravel()])
        far = np.concatenate([index[1:].ravel(), index[:, 1:].ravel()])
        down = np.broadcast_to(faces[0][:, None], (ny - 1, nx))
        right = np.broadcast_to(faces[1][None, :], (ny, nx - 1))
        k = np.concatenate([down.ravel(), right.ravel()])
        between = (np.r_[near, far], np.r_[far, near])
        exchange = coo_array((np.r_[k, k], between), shape=(ny * nx, ny * nx)).tocsc()
        leaving = exchange.sum(axis=1) + self.losses_w_m2k * dx * dy
        return csc_array(diags_array(leaving) - exchange)

    def excess_k(self, source_w_m2: Array) -> Array:
        """Solve ∇·(K∇θ) − Uθ + q″ = 0; source q″ in W/m² and excess θ in kelvin are (h, w) float64."""
        area = self.step_m[0] * self.step_m[1]
        excess: Array = self._factor.solve(source_w_m2.ravel() * area).reshape(self.shape)
        return excess


def apparent_c(
    surface_c: NDArray[np.float32], emissivity: NDArray[np.float32] | float, sky_c: float
) -> NDArray[np.float32]:
    """Return the temperature in °C, (h, w) float32, that a camera set to emissivity 1 reads.

    Surface and reflected sky radiate by the Stefan-Boltzmann law: T⁴ = ε·T_surface⁴ + (1 − ε)·T_sky⁴.
    """
    kelvin = surface_c + np.float32(_ZERO_C_K)
    sky = np.float32((sky_c + _ZERO_C_K) ** 4)
    radiance = emissivity * kelvin**4 + (1 - emissivity) * sky
    return np.asarray(np.sqrt(np.sqrt(radiance)) - np.float32(_ZERO_C_K), dtype=np.float32)


def glass_emissivity(normal_emissivity: float, cosine: Array) -> Array:
    """Return the emissivity at an angle to the normal, of the cosine's shape: 1 minus Schlick's reflectance (1994)."""
    reflectance = 1 - normal_emissivity
    return np.asarray(1 - (reflectance + normal_emissivity * (1 - cosine) ** 5))
