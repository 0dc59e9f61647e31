"""Faces of healthy PV modules: colours of their parts, and pattern of their temperature."""

import numpy as np
import pytest

from dd_livm_core.fleet.profile import PvModule
from dd_livm_core.fleet.station.faces import module_texture, module_warmth

TILE_PX = (60, 102)


def poly(**changes: object) -> PvModule:
    values = {"technology": "poly", "width_m": 1.0, "height_m": 1.7, "frame_width_m": 0.05}
    return PvModule.model_validate(values | changes)


def test_frame_and_cells_have_their_colours() -> None:
    plain = poly(tint_spread=0, cell_rgb=(20, 40, 90), frame_rgb=(200, 200, 200))
    face = module_texture(plain, TILE_PX, 1, np.random.default_rng(0))[0].astype(int)
    border = np.concatenate([face[1, 5:-5], face[-2, 5:-5]])
    assert border.mean() > 150
    assert np.abs(np.median(face[10:-10, 10:-10], axis=(0, 1)) - (20, 40, 90)).max() < 12


def test_a_landscape_pv_module_lies_on_its_side() -> None:
    lying = module_texture(poly(landscape=True), TILE_PX[::-1], 3, np.random.default_rng(0))
    assert lying.shape == (3, 60, 102, 3)


def test_ten_cells_have_nine_bright_gaps_between_them() -> None:
    plain = poly(tint_spread=0, cells_along=10)
    face = module_texture(plain, (300, 510), 1, np.random.default_rng(0))[0]
    inner = face.mean(axis=(1, 2))[25:-25]
    bright = inner > np.median(inner) + 12
    assert np.count_nonzero(np.diff(bright.astype(int)) == 1) == 9


def test_thin_film_has_lines_along_its_long_cells_only() -> None:
    plain = poly(technology="thin_film", tint_spread=0, cells_along=10, cells_across=6)
    face = module_texture(plain, (300, 510), 1, np.random.default_rng(0))[0].mean(axis=2)
    inner = face[25:-25, 25:-25]
    across, along = inner.mean(axis=0), inner.mean(axis=1)
    assert (along - np.median(along)).max() > 5 * (across - np.median(across)).max()


def test_the_frame_is_cooler_and_cells_spread_as_the_profile_says() -> None:
    pattern, box = module_warmth(
        poly(temperature_spread_k=1.0), TILE_PX, 200, np.random.default_rng(0)
    )
    middle, rim = pattern[:, 40:60, 20:40].mean(), pattern[:, 0].mean()
    assert rim < middle - 4
    assert pattern[:, 51, 30].std() == pytest.approx(0.7, rel=0.2)
    assert np.unravel_index(box.argmax(), box.shape)[0] < 20


def test_thin_film_has_no_cells_that_differ() -> None:
    pattern, _ = module_warmth(
        poly(technology="thin_film", temperature_spread_k=1.0), TILE_PX, 5, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(pattern, np.broadcast_to(pattern[0], pattern.shape))
