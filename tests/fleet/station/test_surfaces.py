"""Textures: periodic, of the colour asked for, with the spectrum asked for."""

from typing import get_args

import numpy as np
import pytest

from dd_livm_core.fleet.profile import Surface
from dd_livm_core.fleet.station.surfaces import TILE_PX, ground_texture, power_noise


@pytest.mark.parametrize("exponent", [0.6, 1.6, 2.4])
def test_the_power_of_noise_falls_as_asked(exponent: float) -> None:
    noise = power_noise(np.random.default_rng(0), exponent)
    assert noise.mean() == pytest.approx(0, abs=1e-5)
    assert noise.std() == pytest.approx(1, abs=1e-4)
    power = np.abs(np.fft.rfft2(noise)) ** 2
    fy, fx = np.fft.fftfreq(TILE_PX)[:, None], np.fft.rfftfreq(TILE_PX)[None, :]
    frequency = np.hypot(fx, fy)
    used = (frequency > 0.01) & (frequency < 0.4)
    slope, _ = np.polyfit(np.log(frequency[used]), np.log(power[used]), 1)
    assert slope == pytest.approx(-exponent, abs=0.05)


@pytest.mark.parametrize("surface", get_args(Surface))
def test_a_surface_has_its_colour_and_no_seam(surface: Surface) -> None:
    rgb = (120, 110, 90)
    colour, warmth = ground_texture(surface, rgb, 0.025, (3.0, -8.0), np.random.default_rng(1))
    assert colour.shape == (TILE_PX, TILE_PX, 3)
    assert np.abs(colour.mean(axis=(0, 1)) - rgb).max() < 25
    assert warmth.mean() == pytest.approx(0, abs=1e-3)
    assert 0.1 < warmth.std() < 3
    grey = colour.mean(axis=-1)
    inside = np.abs(np.diff(grey, axis=0)).mean(axis=1)
    seam = np.abs(grey[0] - grey[-1]).mean()
    assert seam <= inside.max() * 1.01
