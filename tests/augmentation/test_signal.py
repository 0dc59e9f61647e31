"""Hotspot signal and sensor noise are separated."""

import numpy as np
import pytest

from dd_livm_core.augmentation.signal import extent, sensor_noise, separate
from tests.augmentation.flight_frame import PV_MODULE, stripe_frame


def test_signal_leaves_healthy_panels_out():
    frame = stripe_frame()
    separated = separate(frame["image"], frame["panel_mask"].astype(bool), PV_MODULE)
    assert len(separated.hotspots) == 1
    assert separated.noise == pytest.approx(0.15, rel=0.2)
    assert not separated.signal[75:109].any()
    assert np.median(separated.signal[30:54, 63:66]) == pytest.approx(8, abs=0.3)


@pytest.mark.parametrize("noise", [0.05, 0.4])
def test_sensor_noise_is_blind_to_slopes_and_steps(noise):
    y, x = np.mgrid[:120, :160]
    excess = (0.3 * x - 0.2 * y + 6.0 * (x > 80)).astype(np.float32)
    excess += np.random.default_rng(2).normal(0, noise, excess.shape).astype(np.float32)
    everywhere = np.ones(excess.shape, bool)
    assert sensor_noise(excess, everywhere) == pytest.approx(noise, rel=0.05)
    assert sensor_noise(excess, ~everywhere) == 0


def test_warmth_in_a_labelled_box_is_signal_also_below_the_threshold():
    frame = stripe_frame(kelvin=0.0)
    faint = frame["image"].copy()
    faint[80:90, 105:115] += 1.0
    panels = frame["panel_mask"].astype(bool)
    assert not separate(faint, panels, PV_MODULE).signal[80:90, 105:115].any()
    labelled = separate(faint, panels, PV_MODULE, boxes_xyxy_px=[(105, 80, 115, 90)])
    assert np.median(labelled.signal[80:90, 105:115]) == pytest.approx(1.0, abs=0.15)


def test_the_extent_stays_inside_at_the_upper_left_and_is_none_without_pixels():
    pixels = np.zeros((20, 30), bool)
    assert extent(pixels, 3) is None
    pixels[2, 10] = pixels[5, 14] = True
    assert extent(pixels, 3) == (slice(0, 9), slice(7, 18))
