"""Physics of the simulated heat: known numbers, balances, an independent solver."""

from dataclasses import replace

import numpy as np
import pytest

from dd_livm_core.fleet.physics.thermal import (
    Conditions,
    Sheet,
    apparent_c,
    faiman_rise_k,
    glass_emissivity,
    open_circuit_source_w_m2,
    operating_efficiency,
    physical_losses_w_m2k,
)
from dd_livm_core.fleet.profile import Profile, PvModule
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.fleet.station.defects import Workshop
from dd_livm_core.heat.diffusion import steady_excess
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K, GAP_CONDUCTANCE_W_K, loss_coefficient
from dd_livm_core.records import DEFECT_CLASSES
from tests.fleet.physics.heat_balance import measure_energy_errors

SUNNY = Conditions(irradiance_w_m2=1000, wind_m_s=1, ambient_c=25, sky_c=8)


def laminate(**changes: object) -> PvModule:
    values = {"technology": "poly", "width_m": 0.94, "height_m": 1.56, "frame_width_m": 0.0}
    return PvModule.model_validate(values | changes)


@pytest.mark.parametrize("profile", bundled_profiles(), ids=lambda p: p.site_id)
def test_an_open_circuit_shows_2_to_7_kelvin_at_1000_w_m2_and_1_m_s(profile: Profile) -> None:
    """IEC TS 62446-3's range as quoted in open literature; nothing is fitted."""
    module, camera = profile.pv_module, profile.infrared_camera
    source = open_circuit_source_w_m2(module, SUNNY)
    excess_k = source / physical_losses_w_m2k(module, SUNNY)
    healthy_c = SUNNY.ambient_c + faiman_rise_k(SUNNY)
    surface = np.array([[healthy_c, healthy_c + excess_k]], np.float32)
    seen = apparent_c(surface, camera.emissivity, SUNNY.sky_c)
    assert 2 < seen[0, 1] - seen[0, 0] < 7


def test_the_reference_table_of_losses() -> None:
    for wind_m_s, losses in {0: 18.5, 1: 23.5, 3: 33.6, 5: 43.7}.items():
        assert loss_coefficient(wind_m_s, 0.9, 0.18) == pytest.approx(losses, abs=0.06)


def test_efficiency_falls_with_temperature() -> None:
    cool, warm = (replace(SUNNY, ambient_c=t) for t in (5.0, 35.0))
    module = laminate(efficiency=0.2, temperature_coefficient_per_k=0.004)
    ratio = operating_efficiency(module, warm) / operating_efficiency(module, cool)
    panel_c = cool.ambient_c + faiman_rise_k(cool)
    assert ratio == pytest.approx(1 - 0.004 * 30 / (1 - 0.004 * (panel_c - 25)), abs=1e-6)


def test_a_healthy_module_follows_faiman() -> None:
    assert faiman_rise_k(SUNNY) == pytest.approx(31.4, abs=0.1)
    assert faiman_rise_k(replace(SUNNY, wind_m_s=5)) < faiman_rise_k(SUNNY)


@pytest.mark.parametrize("technology", ["poly", "thin_film"])
@pytest.mark.parametrize("landscape", [False, True])
def test_all_heat_that_enters_leaves(technology: str, landscape: bool) -> None:
    module = laminate(technology=technology, landscape=landscape)
    sheet = Sheet(module, physical_losses_w_m2k(module, SUNNY))
    workshop = Workshop(module, sheet, SUNNY, (104, 62) if landscape else (62, 104))
    errors = measure_energy_errors(workshop, seeds=5)
    assert len(errors) >= 4 * len(DEFECT_CLASSES)
    assert max(errors) < 1e-9


def test_the_sheet_agrees_with_the_independent_solver_on_a_fine_grid() -> None:
    """3 × 4 cells of 156 mm; the other solver resolves the 3 mm gaps as pixels of their own."""
    module = laminate(width_m=0.468, height_m=0.624, cells_across=3, cells_along=4)
    losses = physical_losses_w_m2k(module, SUNNY)
    sheet = Sheet(module, losses)
    heat = np.zeros(sheet.cells)
    heat[1, 1] = 600.0
    excess = sheet.excess_k(np.kron(heat, np.ones((8, 8))))
    pixel_m, cell_px = 0.003, 52
    at_gap = np.arange(1, 4 * cell_px + 1) % cell_px == 0
    at_gap[-1] = False
    gap = at_gap[:, None] | at_gap[None, : 3 * cell_px]
    conductance = np.where(gap, GAP_CONDUCTANCE_W_K, CELL_CONDUCTANCE_W_K)
    fine = steady_excess(np.kron(heat, np.ones((cell_px,) * 2)), pixel_m, conductance, losses)
    by_cell = fine.reshape(4, cell_px, 3, cell_px).mean(axis=(1, 3))
    mine = excess.reshape(4, 8, 3, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(mine, by_cell, atol=0.4)
    assert excess.max() == pytest.approx(fine.max(), rel=0.03)


def test_a_strip_follows_the_analytic_solution() -> None:
    """Inside (q/U)[1 − e^(−w/λ) cosh(x/λ)], outside (q/U) sinh(w/λ) e^(−|x|/λ)."""
    module = laminate(technology="thin_film", width_m=0.4, height_m=1.6)
    sheet = Sheet(module, 24.0, per_cell=32)
    half, length = 0.08, np.sqrt((2 * 3.2e-3 * 0.8 + 0.45e-3 * 0.34) / 24.0)
    y = (np.arange(sheet.shape[0]) + 0.5) * sheet.step_m[0] - 0.8
    source = np.repeat((np.abs(y) < half)[:, None] * 240.0, sheet.shape[1], axis=1)
    inside = 1 - np.exp(-half / length) * np.cosh(y / length)
    outside = np.sinh(half / length) * np.exp(-np.abs(y) / length)
    analytic = 10.0 * np.where(np.abs(y) < half, inside, outside)
    np.testing.assert_allclose(sheet.excess_k(source)[:, 5], analytic, atol=0.07)


def test_a_hot_cell_is_square_because_gaps_hold_heat_back() -> None:
    module = laminate()
    sheet = Sheet(module, physical_losses_w_m2k(module, SUNNY))
    heat = np.zeros(sheet.cells)
    heat[4, 2] = 600
    excess = sheet.excess_k(np.kron(heat, np.ones((8, 8))))
    inside, beyond = excess[4 * 8 + 4, 3 * 8 - 1], excess[4 * 8 + 4, 3 * 8]
    assert inside > 2 * beyond
    assert 10 < excess.max() < 40


def test_wind_cools_and_the_sun_heats() -> None:
    module = laminate()
    calm, windy = (
        Sheet(module, physical_losses_w_m2k(module, replace(SUNNY, wind_m_s=v))) for v in (0.5, 6.0)
    )
    source = np.full(calm.shape, 150.0)
    assert calm.excess_k(source).min() > 1.5 * windy.excess_k(source).max()


def test_a_cold_sky_makes_glass_look_cooler_most_at_grazing_angles() -> None:
    surface = np.full((2, 2), 55.0, np.float32)
    straight = apparent_c(surface, 0.9, sky_c=5)
    assert 3 < 55 - straight[0, 0] < 6
    cosine = np.cos(np.radians([0.0, 40, 60, 75]))
    emissivity = glass_emissivity(0.9, cosine)
    assert emissivity[0] == pytest.approx(0.9)
    assert (np.diff(emissivity) < 0).all()
    np.testing.assert_allclose(apparent_c(surface, 1.0, sky_c=5), surface, atol=1e-3)
