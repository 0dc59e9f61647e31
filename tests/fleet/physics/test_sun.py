"""Sunlight: where shadows fall, how long they are, and where flat glass mirrors the sun."""

import numpy as np
import pytest

from dd_livm_core.fleet.physics.sun import (
    ShadowCasters,
    Sun,
    cast_shadows,
    mirrored_light,
    sun_over,
)
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.raster import Window

STEP_M = (0.1, 0.1)
BOX_PX = np.array([[100, 100, 140, 120]], np.int32)


def test_shadows_fall_away_from_the_sun(profile: Profile) -> None:
    south = sun_over(profile, 45, 180)
    assert south.shadow_per_m == pytest.approx((0, -1), abs=1e-9)
    east = sun_over(profile, 45, 90)
    assert east.shadow_per_m == pytest.approx((-1, 0), abs=1e-9)


def test_a_flat_mirror_shows_the_sun_where_the_angles_agree() -> None:
    camera = np.array([0.0, 0.0, 10.0])
    sun = Sun((0.0, -1.0))
    plane = np.stack(np.meshgrid(np.arange(-6, 6, 0.1), np.arange(-12, 12, 0.1)), axis=-1)
    light = mirrored_light(sun, 0.0, camera, plane, [(1.0, 2.0)])
    assert light is not None
    brightest = plane[np.unravel_index(light.argmax(), light.shape)]
    assert light.max() > 0.9
    np.testing.assert_allclose(brightest, [0, 10], atol=0.2)
    low_sun = Sun((0.0, -4.0))
    assert mirrored_light(low_sun, 0.0, camera, plane, [(1.0, 2.0)]) is None


def test_a_low_sun_throws_shadows_no_longer_than_at_eight_degrees(profile: Profile) -> None:
    assert sun_over(profile, 2, 180) == sun_over(profile, 8, 180)
    lengths = [np.hypot(*sun_over(profile, h, 130).shadow_per_m) for h in (8, 20, 45, 80)]
    np.testing.assert_allclose(lengths, 1 / np.tan(np.radians([8, 20, 45, 80])))


def shadow(casters: ShadowCasters, sun: Sun) -> np.ndarray:
    canvas = np.zeros((300, 300), np.uint8)
    cast_shadows(casters, sun, STEP_M, Window(0, 0, 300, 300), canvas)
    return canvas


def test_a_table_s_shadow_lies_apart_from_it_and_is_as_large_as_it() -> None:
    """A flat table 2 m above the ground, under a sun at 45° in the south."""
    drawn = shadow(ShadowCasters(BOX_PX, (2.0, 2.0), on_ground=False), Sun((0.0, -1.0)))
    rows, columns = np.nonzero(drawn > 128)
    assert (rows.min(), rows.max()) == pytest.approx((80, 100), abs=1)
    assert (columns.min(), columns.max()) == pytest.approx((100, 140), abs=1)


def test_a_building_s_shadow_starts_at_its_foot() -> None:
    drawn = shadow(ShadowCasters(BOX_PX, (2.0, 2.0), on_ground=True), Sun((0.0, -1.0)))
    rows, _ = np.nonzero(drawn > 128)
    assert (rows.min(), rows.max()) == pytest.approx((80, 120), abs=1)


def test_a_window_shows_its_part_of_the_same_shadows() -> None:
    casters, sun = ShadowCasters(BOX_PX, (3.0, 1.0), on_ground=False), Sun((0.6, -0.8))
    part = np.zeros((60, 90), np.uint8)
    cast_shadows(casters, sun, STEP_M, Window(80, 70, 90, 60), part)
    assert part.max() == 255
    np.testing.assert_array_equal(part, shadow(casters, sun)[70:130, 80:170])
