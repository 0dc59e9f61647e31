"""What a rendered pair shows: both images the same scene, and physics on top of it."""

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import RenderedPair
from dd_livm_core.fleet.missions.truth import THRESHOLD_K
from dd_livm_core.fleet.profile import Profile, Span
from dd_livm_core.fleet.station.heat_sources import heat_sources
from dd_livm_core.records import (
    DEFECT_CLASSES,
    EXTERNAL_DEFECTS,
    HOTSPOT_SHAPES,
    INTERNAL_DEFECTS,
)


def test_infrared_lies_inside_the_visible_frame(pair: RenderedPair) -> None:
    corners = np.array([[0, 0], [639, 0], [639, 511], [0, 511]], float)
    lifted = cv2.perspectiveTransform(corners[None], pair.homography)[0]
    assert (lifted > 0).all()
    assert (lifted < [1279, 1023]).all()


def test_the_homography_lays_the_images_over_each_other(pair: RenderedPair) -> None:
    on_infrared = cv2.warpPerspective(
        pair.visible, np.linalg.inv(pair.homography), (640, 512), flags=cv2.INTER_AREA
    )
    blue = on_infrared[..., 2].astype(float) - on_infrared[..., 0]
    panels = pair.panel_mask

    def contrast(shift: int) -> float:
        moved = np.roll(panels, shift, axis=0)
        return float(blue[moved].mean() - blue[~moved].mean())

    assert contrast(0) > max(contrast(-6), contrast(6)) > 0


def test_blocks_reach_as_far_as_the_point_spread_gathers(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The picture must not depend on how generously scenery is drawn beyond it."""
    camera = profile.infrared_camera.model_copy(update={"blur_px": 3.9})
    turned = {"heading_deg": Span(low=30, high=30), "height_m": Span(low=24, high=47)}
    flight = profile.flight.model_copy(update=turned)
    blurred = profile.model_copy(update={"infrared_camera": camera, "flight": flight})
    seen = []
    for block_px in (32, 512):
        monkeypatch.setattr("dd_livm_core.fleet.raster.mosaic.BLOCK_PX", block_px)
        seen.append(SimulatedMission(blurred, 0, 4, seed=1).render(1).temperature_c)
    np.testing.assert_allclose(seen[0], seen[1], atol=0.03)


def test_internal_faults_leave_no_trace_in_colour(mission: SimulatedMission) -> None:
    for seed in range(6):
        for defect_class in DEFECT_CLASSES:
            look = mission.station.workshop.make(defect_class, np.random.default_rng(seed))
            painted = look.paint[..., 3].max() > 0
            assert painted == (defect_class in EXTERNAL_DEFECTS)


def test_every_shape_has_external_and_internal_causes(mission: SimulatedMission) -> None:
    """So the shape in infrared alone cannot tell the type."""
    workshop, station = mission.station.workshop, mission.station
    causes: dict[str, set[str]] = {}
    for defect_class in DEFECT_CLASSES:
        for seed in range(40):
            look = workshop.make(defect_class, np.random.default_rng(seed))
            least_w_m2 = THRESHOLD_K * station.sheet.losses_w_m2k
            for source in heat_sources(look.heat_w_m2, least_w_m2, workshop.grid):
                causes.setdefault(source.shape, set()).add(defect_class)
    assert set(causes) == set(HOTSPOT_SHAPES)
    for shape in ("point", "stripe", "block"):
        assert causes[shape] & set(EXTERNAL_DEFECTS)
        assert causes[shape] & set(INTERNAL_DEFECTS)
    assert len(causes["patch"]) >= 2


def test_harmless_dirt_is_visible_and_cold(mission: SimulatedMission) -> None:
    look = mission.station.workshop.harmless(np.random.default_rng(1))
    assert look.paint[..., 3].max() > 100
    assert look.excess_k.max() == 0
    assert look.heat_w_m2.max() == 0


def test_order_of_rendering_changes_nothing(mission: SimulatedMission, pair: RenderedPair) -> None:
    mission.render(3)
    again = mission.render(1)
    np.testing.assert_array_equal(again.infrared, pair.infrared)
    np.testing.assert_array_equal(again.visible, pair.visible)


def test_a_defect_is_the_same_in_every_flight(profile: Profile, mission: SimulatedMission) -> None:
    later = SimulatedMission(profile, 1, 4, seed=5)
    np.testing.assert_array_equal(later.layout.defect, mission.layout.defect)
    assert later.conditions != mission.conditions


SURFACES = ("grass", "scrub", "sand", "gravel", "concrete", "metal", "tile", "water")


@settings(
    max_examples=6,
    deadline=None,
    # A failure is told at once: making it smaller renders hundreds of stations.
    phases=[Phase.explicit, Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_accepted_profile_renders(profile: Profile, data: st.DataObject) -> None:
    """A new station is one file and no code, whatever the file says."""
    content = profile.model_dump()
    choose = data.draw
    content["pv_module"] |= {
        "technology": choose(st.sampled_from(["mono", "poly", "half_cell", "thin_film"])),
        "landscape": choose(st.booleans()),
        "frame_width_m": choose(st.sampled_from([0.0, 0.02, 0.05])),
        "cells_along": choose(st.integers(1, 40)),
        "cells_across": choose(st.integers(3, 12)),
    }
    content["rows"] |= {
        "count": choose(st.integers(1, 5)),
        "azimuth_deg": choose(st.floats(-180, 180)),
        "tilt_deg": choose(st.floats(0, 55)),
        "modules_up": choose(st.integers(1, 3)),
        "modules_per_table": choose(st.integers(1, 12)),
        "ragged": choose(st.floats(0, 1)),
        "base_rgb": choose(st.sampled_from([None, (150, 150, 150)])),
    }
    content["terrain"] |= {
        "surface": choose(st.sampled_from(SURFACES)),
        "second_surface": choose(st.sampled_from(SURFACES)),
        "second_share": choose(st.sampled_from([0.0, 0.4, 1.0])),
        "puddles": choose(st.sampled_from([0.0, 0.1, 1.0])),
        "slope_deg": choose(st.floats(0, 15)),
        "tracks": choose(st.integers(0, 3)),
    }
    content["flight"]["heading_deg"] = {"low": -180, "high": 180}
    content["infrared_camera"]["k1"] = choose(st.floats(-0.1, 0.1))
    content["infrared_camera"]["radiometric"] = choose(st.booleans())
    content["weather"]["irradiance_w_m2"] = {"low": 0, "high": 1600}
    content["defects"]["share"] = 0.4
    changed = Profile.model_validate(content)
    pair = SimulatedMission(changed, 0, 3, seed=1).render(1)
    assert pair.visible.shape == (1024, 1280, 3)
    assert np.isfinite(pair.temperature_c).all()
    assert np.isfinite(pair.infrared).all()
    # Heat, and the cold of leaves over it, is on panels; past their edge the optics carry it.
    near = cv2.dilate(pair.panel_mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert np.abs(pair.excess_k[~near]).max(initial=0) < 0.05
    assert -60 < pair.temperature_c.min() < pair.temperature_c.max() < 160


def test_trackers_turn_between_missions_and_nothing_else_changes(profile: Profile) -> None:
    rows = profile.rows.model_copy(update={"tracker_swing_deg": 18.0, "ragged": 0.4})
    habit = {"defect_class": "weeds", "near": "second_surface", "strength": 9}
    defects = type(profile.defects).model_validate({"share": 0.2, "habits": [habit]})
    tracker = profile.model_copy(update={"rows": rows, "defects": defects})
    first, second = (SimulatedMission(tracker, number, 2, seed=5) for number in (0, 1))
    assert abs(first.profile.rows.tilt_deg - second.profile.rows.tilt_deg) > 1
    assert first.layout.step_m[1] != second.layout.step_m[1]
    np.testing.assert_array_equal(first.layout.defect, second.layout.defect)
    np.testing.assert_array_equal(first.layout.land.second_share, second.layout.land.second_share)
    tops = [m.layout.corner_px[:, 1] * m.layout.step_m[1] for m in (first, second)]
    upper = first.layout.modules.level == 0
    np.testing.assert_allclose(tops[0][upper], tops[1][upper], atol=0.03)
    causes = [
        [
            m.station.look(int(i)).source.split(":")[0]
            for i in np.flatnonzero(m.layout.defect >= 0)[:30]
        ]  # type: ignore[union-attr]
        for m in (first, second)
    ]
    assert causes[0] == causes[1]
