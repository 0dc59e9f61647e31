"""How the drone flies, and what it writes down about it."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from dd_livm_core.fleet.cameras.flight import SECONDS_BETWEEN_PAIRS, Flight, draw_uniform
from dd_livm_core.fleet.profile import Profile, Span

SIZE_M = (60.0, 40.0)
STARTED_AT = datetime(2025, 6, 1, 10, tzinfo=UTC)


def changed(profile: Profile, **plan: object) -> Profile:
    return profile.model_copy(update={"flight": profile.flight.model_copy(update=plan)})


@pytest.mark.parametrize("heading_deg", [0, 37, -120])
def test_over_a_slope_the_camera_still_aims_at_its_waypoint(
    profile: Profile, heading_deg: float
) -> None:
    terrain = profile.terrain.model_copy(update={"slope_deg": 12.0})
    plan = profile.flight.model_copy(
        update={"heading_deg": Span(low=heading_deg, high=heading_deg), "tilt_jitter_deg": 0.0}
    )
    hill = profile.model_copy(update={"terrain": terrain, "flight": plan})
    flight = Flight(hill, (60.0, 40.0), 5, np.random.default_rng(2))
    exposure = flight.expose(2, np.random.default_rng(3))
    aim = exposure.infrared.plane(np.array([[319.5, 255.5]]))[0]
    np.testing.assert_allclose(aim, [exposure.along_m, exposure.across_m], atol=0.4)


@pytest.mark.parametrize("pairs", [1, 7, 200])
def test_as_many_waypoints_as_pairs_and_all_near_the_station(profile: Profile, pairs: int) -> None:
    flight = Flight(profile, SIZE_M, pairs, np.random.default_rng(1))
    assert len(flight.waypoints) == pairs
    places = np.array([(w.along_m, w.across_m) for w in flight.waypoints])
    assert (places > -5).all()
    assert (places < np.array(SIZE_M) + 5).all()


def test_lines_are_flown_to_and_fro(profile: Profile) -> None:
    straight = changed(profile, heading_deg=Span(low=0, high=0))
    flight = Flight(straight, (200.0, 60.0), 30, np.random.default_rng(1))
    for before, after in zip(flight.waypoints, flight.waypoints[1:], strict=False):
        if before.across_m == after.across_m:
            assert np.sign(after.along_m - before.along_m) == before.direction
    assert {w.direction for w in flight.waypoints} == {-1, 1}


def test_the_visible_camera_has_flown_on_for_the_time_between_shutters(profile: Profile) -> None:
    late = changed(profile, speed_m_s=10.0, time_skew_s=0.2, time_skew_jitter_s=0.0, baseline_m=0.0)
    flight = Flight(late, SIZE_M, 5, np.random.default_rng(2))
    exposure = flight.expose(2, np.random.default_rng(3))
    apart_m = exposure.visible.position_m - exposure.infrared.position_m
    assert np.linalg.norm(apart_m) == pytest.approx(2.0)
    assert apart_m[2] == 0


def test_the_written_coordinates_lead_back_to_the_place(profile: Profile) -> None:
    """The middle of the station has the profile's coordinates; rows run to the east."""
    exact = changed(profile, position_error_m=0.0)
    flight = Flight(exact, SIZE_M, 5, np.random.default_rng(2))
    exposure = flight.expose(4, np.random.default_rng(3))
    infrared, visible = flight.shots(4, exposure, STARTED_AT, np.random.default_rng(4))
    degree_m = 40_075_000 / 360
    south_m = (profile.latitude_deg - infrared.latitude_deg) * degree_m
    east_m = (infrared.longitude_deg - profile.longitude_deg) * degree_m
    east_m *= np.cos(np.radians(profile.latitude_deg))
    middle_m = np.array(SIZE_M) / 2
    expected = np.array([exposure.along_m, exposure.across_m]) - middle_m
    np.testing.assert_allclose([east_m, south_m], expected, atol=0.01)
    assert infrared.taken_at == STARTED_AT + timedelta(seconds=4 * SECONDS_BETWEEN_PAIRS)
    assert infrared.relative_altitude_m == exposure.height_m
    assert (visible.latitude_deg, visible.taken_at) == (infrared.latitude_deg, infrared.taken_at)
    assert visible.camera_model == profile.visible_camera.model


def test_a_range_is_drawn_from_evenly() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([draw_uniform(Span(low=2, high=6), rng) for _ in range(4000)])
    assert drawn.min() >= 2
    assert drawn.max() <= 6
    counts, _ = np.histogram(drawn, bins=4, range=(2, 6))
    assert counts.min() > 900
