"""Where PV modules, tables, buildings and defects stand."""

import numpy as np
import pytest

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.station.layout import generator, lay_out, retilt
from dd_livm_core.records import DEFECT_CLASSES


def test_habits_move_a_class_to_its_place(profile: Profile) -> None:
    text = {"share": 0.4, "weights": {"dust": 1, "weeds": 1}}
    habit = {"defect_class": "weeds", "near": "lower_modules", "strength": 20}
    changed = profile.model_copy(
        update={"defects": type(profile.defects).model_validate(text | {"habits": [habit]})}
    )
    layout = lay_out(changed, 1)
    kind = np.where(layout.defect >= 0, layout.defect_class[layout.defect], -1)
    weeds, dust = (layout.modules.level[kind == DEFECT_CLASSES.index(c)] for c in ("weeds", "dust"))
    assert weeds.mean() > 0.8
    assert 0.2 < dust.mean() < 0.8


def test_no_building_stands_under_a_tracker_that_lies_flat(profile: Profile) -> None:
    rows = profile.rows.model_copy(update={"tilt_deg": 55.0, "tracker_swing_deg": 45.0})
    terrain = profile.terrain.model_copy(update={"buildings": 30})
    steep = profile.model_copy(update={"rows": rows, "terrain": terrain})
    flat = retilt(lay_out(steep, 2), steep.with_tilt(10.0), 2)
    buildings, tables = flat.land.buildings_px[:, None], flat.tables_px[None]
    assert len(buildings) > 5
    # Both are rounded to whole pixels.
    apart = (buildings[..., :2] >= tables[..., 2:] - 1) | (
        buildings[..., 2:] <= tables[..., :2] + 1
    )
    assert apart.any(axis=-1).all()


@pytest.mark.parametrize("seed", range(3))
def test_tables_stand_apart_however_rows_and_tables_wobble(profile: Profile, seed: int) -> None:
    rows = {"count": 6, "pitch_jitter_m": 2.0, "table_jitter_m": 1.5, "modules_per_table": 3}
    wobbly = profile.model_copy(update={"rows": profile.rows.model_copy(update=rows)})
    left, top, right, bottom = lay_out(wobbly, seed).tables_px.T
    apart_x = (left[:, None] >= right) | (right[:, None] <= left)
    apart_y = (top[:, None] >= bottom) | (bottom[:, None] <= top)
    assert (apart_x | apart_y | np.eye(len(left), dtype=bool)).all()
    assert np.ptp(top[:8]) > 0


def test_random_numbers_depend_on_seed_and_names_only() -> None:
    first = generator(3, "site", 1).random(4)
    generator(3, "other").random(100)
    np.testing.assert_array_equal(generator(3, "site", 1).random(4), first)
    for others in ((4, "site", 1), (3, "site", 2), (3, "sites", 1)):
        assert not np.array_equal(generator(*others).random(4), first)


def test_the_share_of_defective_pv_modules_is_the_profile_s(profile: Profile) -> None:
    rows = profile.rows.model_copy(update={"count": 30, "length_m": 120})
    defects = type(profile.defects).model_validate({"share": 0.1, "weights": {"dust": 1}})
    layout = lay_out(profile.model_copy(update={"rows": rows, "defects": defects}), 3)
    count = len(layout.defect)
    deviation = np.sqrt(0.1 * 0.9 / count)
    assert (layout.defect >= 0).mean() == pytest.approx(0.1, abs=4 * deviation)


def test_an_open_string_is_pv_modules_side_by_side_in_one_row(profile: Profile) -> None:
    weights = {"share": 0.1, "weights": {"open_circuit": 1}}
    defects = type(profile.defects).model_validate(weights)
    layout = lay_out(profile.model_copy(update={"defects": defects}), 5)
    sizes = np.bincount(layout.defect[layout.defect >= 0])
    assert 1 < sizes.max() <= 8
    for defect in np.flatnonzero(sizes > 1):
        members = layout.defect == defect
        assert len(np.unique(layout.modules.row[members])) == 1
        assert len(np.unique(layout.modules.level[members])) == 1
        assert np.ptp(layout.modules.column[members]) < 8
