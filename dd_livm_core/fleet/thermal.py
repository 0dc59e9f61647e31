"""Temperature of PV modules: heat balance, and defects as sources in a conducting sheet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import splu

from dd_livm_core.fleet.profile import PvModule

Array = NDArray[np.float64]

U0_W_M2K, U1_W_M2K_PER_M_S = 25.0, 6.84
"""Faiman's coefficients (Faiman 2008; pvlib), which absorb absorptivity and efficiency."""
_GLASS = 3.2e-3 * 0.8
_EVA = 2 * 0.45e-3 * 0.34
_BACKSHEET = 0.35e-3 * 0.25
_SILICON = 0.18e-3 * 148.0
STEFAN_BOLTZMANN_W_M2K4 = 5.670374419e-8


@dataclass(frozen=True)
class Conditions:
    """Weather during one mission."""

    irradiance_w_m2: float
    wind_m_s: float
    ambient_c: float
    sky_c: float


def faiman_rise_k(conditions: Conditions) -> float:
    """Return how much warmer than the air a healthy PV module is, in kelvin (Faiman 2008)."""
    losses = U0_W_M2K + U1_W_M2K_PER_M_S * conditions.wind_m_s
    return conditions.irradiance_w_m2 / losses


def physical_losses_w_m2k(pv_module: PvModule, wind_m_s: float) -> float:
    """Return U in W/(m²K): Faiman's coefficients times α(1 − η), which they absorb."""
    absorbed = pv_module.absorptivity * (1 - pv_module.efficiency)
    return absorbed * (U0_W_M2K + U1_W_M2K_PER_M_S * wind_m_s)


def open_circuit_source_w_m2(pv_module: PvModule, irradiance_w_m2: float) -> float:
    """Return the heat of current that flows nowhere, ηG in W/m²."""
    return pv_module.efficiency * irradiance_w_m2


class Sheet:
    """The laminate of one PV module as a conducting sheet with insulated edges.

    Finite volumes on a regular grid; conduction is weaker across the gaps between cells. The
    matrix is factorised once and serves every defect of a mission.

    Parameters
    ----------
    pv_module
        Size, cells, layers.
    losses_w_m2k
        Loss coefficient U.
    per_cell
        Grid points along each side of a cell.
    """

    def __init__(self, pv_module: PvModule, losses_w_m2k: float, per_cell: int = 8) -> None:
        self.losses_w_m2k = losses_w_m2k
        thin = pv_module.technology == "thin_film"
        across, along = (6, 10) if thin else (pv_module.cells_across, pv_module.cells_along)
        size_m = (pv_module.height_m - 2 * pv_module.frame_width_m, pv_module.width_m - 2 * pv_module.frame_width_m)  # fmt: skip
        self.cells = (along, across)
        if pv_module.landscape:
            self.cells, size_m = (across, along), (size_m[1], size_m[0])
        self.shape = (self.cells[0] * per_cell, self.cells[1] * per_cell)
        self.step_m = (size_m[0] / self.shape[0], size_m[1] / self.shape[1])
        laminate = 2 * _GLASS + _EVA / 2 if thin else _GLASS + _EVA + _BACKSHEET
        inside = laminate if thin else laminate + _SILICON
        self._factor = splu(self._matrix(per_cell, inside, laminate))

    def _matrix(self, per_cell: int, inside_w_k: float, gap_w_k: float):  # type: ignore[no-untyped-def]
        ny, nx = self.shape
        dy, dx = self.step_m
        index = np.arange(ny * nx).reshape(ny, nx)
        pairs = []
        for axis, aspect, count in ((0, dx / dy, ny), (1, dy / dx, nx)):
            near = np.take(index, range(count - 1), axis).ravel()
            far = np.take(index, range(1, count), axis).ravel()
            gap = (np.arange(1, count) % per_cell) == 0
            conductance = np.where(gap, gap_w_k, inside_w_k) * aspect
            shape = (count - 1, nx) if axis == 0 else (ny, count - 1)
            along = conductance[:, None] if axis == 0 else conductance[None, :]
            pairs.append((near, far, np.broadcast_to(along, shape).ravel()))
        near, far, k = (np.concatenate(part) for part in zip(*pairs, strict=True))
        off = coo_array((-np.r_[k, k], (np.r_[near, far], np.r_[far, near])), shape=(ny * nx,) * 2).tocsc()  # fmt: skip
        diagonal = -off.sum(axis=1) + self.losses_w_m2k * dx * dy
        return (off + diags_array(diagonal)).tocsc()

    def excess_k(self, source_w_m2: Array) -> Array:
        """Solve ∇·(K∇θ) − Uθ + q″ = 0 for the excess temperature (h, w), in kelvin."""
        area = self.step_m[0] * self.step_m[1]
        excess: Array = self._factor.solve(source_w_m2.ravel() * area).reshape(self.shape)
        return excess


def apparent_c(
    surface_c: NDArray[np.float32], emissivity: NDArray[np.float32] | float, sky_c: float
) -> NDArray[np.float32]:
    """Return the temperature a camera set to that emissivity reads when it ignores the sky.

    The radiance of surface and reflected sky is added by the Stefan-Boltzmann law. Cameras
    add a correction from their own guess of emissivity and sky; missions here leave it out.
    """
    kelvin = surface_c + np.float32(273.15)
    radiance = emissivity * kelvin**4 + (1 - emissivity) * np.float32((sky_c + 273.15) ** 4)
    result: NDArray[np.float32] = np.sqrt(np.sqrt(radiance)) - np.float32(273.15)
    return result


def glass_emissivity(normal_emissivity: float, cosine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return emissivity seen at an angle to the normal: one minus Schlick's reflectance (1994)."""
    reflectance = 1 - normal_emissivity
    result: NDArray[np.float64] = 1 - (reflectance + normal_emissivity * (1 - cosine) ** 5)
    return result
