"""Maps of the land: shares of surfaces, puddles, buildings beside the tables."""

import numpy as np
import pytest

from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.station.land import Land, draw_land, smooth_noise

SIZE_PX, STEP_M = (3000, 2000), (0.02, 0.02)
TABLES_PX = np.array([[0, y, 3000, y + 180] for y in range(0, 2000, 400)], np.int32)


def land(profile: Profile, **terrain: object) -> Land:
    changed = profile.terrain.model_copy(update=terrain)
    profile = profile.model_copy(update={"terrain": changed})
    return draw_land(profile, SIZE_PX, STEP_M, TABLES_PX, np.random.default_rng(2))


@pytest.mark.parametrize("share", [0.1, 0.4, 0.8])
def test_the_second_surface_covers_its_share(profile: Profile, share: float) -> None:
    drawn = land(profile, second_share=share, tracks=0)
    assert drawn.second_share.mean() == pytest.approx(share, abs=0.04)
    assert drawn.second_share.min() >= 0
    assert drawn.second_share.max() <= 1


def test_tracks_are_of_the_second_surface(profile: Profile) -> None:
    without, with_tracks = (land(profile, second_share=0.1, tracks=n) for n in (0, 3))
    assert with_tracks.second_share.mean() > without.second_share.mean() + 0.03


def test_puddles_stand_only_where_the_profile_has_them(profile: Profile) -> None:
    assert land(profile, puddles=0).puddles is None
    wet = land(profile, puddles=0.1).puddles
    assert wet is not None
    assert (wet > 0.5).mean() == pytest.approx(0.1, abs=0.01)


def test_buildings_stand_beside_the_tables(profile: Profile) -> None:
    buildings = land(profile, buildings=8, building_m=2.0).buildings_px
    assert 3 <= len(buildings) <= 8
    for left, top, right, bottom in buildings:
        apart = (TABLES_PX[:, 0] > right) | (TABLES_PX[:, 2] < left)
        apart |= (TABLES_PX[:, 1] > bottom) | (TABLES_PX[:, 3] < top)
        assert apart.all()


def test_finer_octaves_make_a_field_more_ragged() -> None:
    smooth, ragged = (
        smooth_noise((200, 300), 40, np.random.default_rng(0), finer) for finer in (0.3, 0.9)
    )
    for field in (smooth, ragged):
        assert field.mean() == pytest.approx(0, abs=1e-4)
        assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(ragged)).mean() > 2 * np.abs(np.diff(smooth)).mean()
