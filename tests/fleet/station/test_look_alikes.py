"""Cables, numbers and birds: seen in colour, few, and the same in every window."""

import numpy as np
import pytest

from dd_livm_core.fleet.physics.sun import Sun
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.raster.raster import Window
from dd_livm_core.fleet.station.layout import lay_out
from dd_livm_core.fleet.station.look_alikes import Markings, draw_bird


def test_a_window_shows_its_part_of_the_same_markings(profile: Profile) -> None:
    layout = lay_out(profile, 5)
    markings = Markings(layout, 1.0, 1.0, np.random.default_rng(0))
    width, height = layout.size_px
    whole, part = (np.full((h, w, 3), 90, np.uint8) for w, h in ((width, height), (400, 300)))
    markings.draw(whole, Window(0, 0, width, height))
    markings.draw(part, Window(200, 100, 400, 300))
    assert 0 < (whole != 90).any(axis=-1).mean() < 0.05
    # Antialiasing differs where the window cuts a line.
    assert (np.abs(whole[100:400, 200:600].astype(int) - part) > 40).mean() < 1e-3


def test_without_cables_and_numbers_nothing_is_drawn(profile: Profile) -> None:
    layout = lay_out(profile, 5)
    image = np.full((300, 400, 3), 90, np.uint8)
    Markings(layout, 0.0, 0.0, np.random.default_rng(0)).draw(image, Window(0, 0, 400, 300))
    assert (image == 90).all()


def test_a_bird_and_its_shadow_are_small() -> None:
    for seed in range(5):
        image = np.full((1000, 1200, 3), 120, np.uint8)
        draw_bird(image, (0.02, 0.02), Sun((0.0, -1.0)), np.random.default_rng(seed))
        changed = (image != 120).any(axis=-1)
        assert 0 < changed.mean() < 0.005


def test_the_shadow_of_a_bird_falls_away_from_the_sun() -> None:
    """Under two suns the bird is the same; what moves is its shadow, across by 2 to 6 m."""
    drawn = []
    for across in (-1.0, 1.0):
        image = np.full((1000, 1200, 3), 120, np.uint8)
        draw_bird(image, (0.02, 0.02), Sun((0.0, across)), np.random.default_rng(7))
        drawn.append((image != 120).any(axis=-1))
    bird = np.nonzero(drawn[0] & drawn[1])[0].mean()
    north, south = (np.nonzero(a & ~b)[0].mean() for a, b in (drawn, drawn[::-1]))
    assert 2 <= (bird - north) * 0.02 <= 6
    assert south - bird == pytest.approx(bird - north, abs=1)
