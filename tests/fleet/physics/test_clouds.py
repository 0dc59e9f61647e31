"""Passing clouds: bounds, the lag of warmth against a time-stepped balance, and what is seen."""

import numpy as np
import pytest

from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.physics.clouds import Clouds
from dd_livm_core.fleet.profile import NonNegativeSpan, Profile

LAG_S = 300.0


def test_without_clouds_the_sun_is_steady() -> None:
    clouds = Clouds(0.0, LAG_S, np.random.default_rng(0))
    assert [clouds.sunlight(t) for t in (0, 50, 900)] == [1, 1, 1]
    assert clouds.warmth(77) == 1


@pytest.mark.parametrize("seed", range(4))
def test_warmth_is_what_the_heat_balance_makes_of_the_sunlight(seed: int) -> None:
    clouds = Clouds(0.4, LAG_S, np.random.default_rng(seed))
    step_s, theta, worst = 0.5, 1.0, 0.0
    for number in range(12_000):
        time_s = number * step_s
        if time_s > 10 * LAG_S:
            worst = max(worst, abs(theta - clouds.warmth(time_s)))
        theta += step_s / LAG_S * (clouds.sunlight(time_s) - theta)
    assert worst < 2e-3


def test_sunlight_stays_between_the_thickest_cloud_and_clear_sky() -> None:
    clouds = Clouds(0.4, LAG_S, np.random.default_rng(1))
    seen = np.array([clouds.sunlight(t) for t in range(0, 20_000, 7)])
    assert seen.min() >= 0.6
    assert seen.max() <= 1
    assert seen.std() > 0.03
    assert seen.mean() == pytest.approx(clouds.mean_sunlight(), abs=0.01)


def test_less_warmth_means_cooler_pv_modules_and_weaker_hotspots(profile: Profile) -> None:
    cloudy = NonNegativeSpan(low=0.5, high=0.5)
    dull = profile.model_copy(
        update={"weather": profile.weather.model_copy(update={"clouds": cloudy})}
    )
    clear, cloud = (SimulatedMission(p, 0, 2, seed=5) for p in (profile, dull))
    sunny, shaded = clear.render(1), cloud.render(1)
    assert shaded.warmth < 0.95
    assert sunny.warmth == 1
    panels = sunny.panel_mask & shaded.panel_mask
    assert shaded.temperature_c[panels].mean() < sunny.temperature_c[panels].mean() - 1
    hot = sunny.excess_k > 2
    ratio = np.median(shaded.excess_k[hot] / sunny.excess_k[hot])
    assert ratio == pytest.approx(shaded.warmth, abs=0.03)
    expected = clear.conditions.irradiance_w_m2 * 0.75
    assert cloud.record().irradiance_w_m2 == pytest.approx(expected, abs=0.1)
