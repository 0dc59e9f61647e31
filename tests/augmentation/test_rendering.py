"""Weather changes hotspots, light and labels as physics says, and nothing else."""

import numpy as np
import pytest

from dd_livm_core.augmentation.rendering import relight
from dd_livm_core.augmentation.signal import sensor_noise
from dd_livm_core.heat.diffusion import weather_transfer
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K, loss_coefficient
from tests.augmentation.flight_frame import BOX, KNOWN, at, compose, hot, stripe_frame


class TestPhysics:
    def test_same_weather_changes_nothing(self):
        before = stripe_frame()
        after = compose(**at(800, 2))(**before)
        np.testing.assert_allclose(after["image"], before["image"], atol=1e-5)
        assert np.array_equal(after["visible"], before["visible"])
        np.testing.assert_allclose(after["bboxes"], [BOX], atol=1e-4)

    def test_irradiance_scales_the_hotspot_and_only_it(self):
        before = stripe_frame()
        after = compose(**at(400, 2))(**before)
        assert hot(after) == pytest.approx(hot(before) / 2, abs=0.2)
        far = np.s_[75:109, 20:220]
        assert np.array_equal(after["image"][far], before["image"][far])

    def test_wind_follows_the_exact_transfer(self):
        before = stripe_frame(noise=0.0)
        after = compose(**at(800, 8))(**before)
        sheet = (0.05, CELL_CONDUCTANCE_W_K)
        alone = np.where(before["image"] > 1, before["image"], 0)
        exact = weather_transfer(alone, *sheet, loss_coefficient(2), loss_coefficient(8))
        inside = np.s_[32:52, 63:66]
        np.testing.assert_allclose(after["image"][inside], exact[inside], atol=0.25)

    @pytest.mark.parametrize("irradiance", [450, 1100])
    def test_noise_stays_as_the_camera_made_it(self, irradiance):
        before = stripe_frame(noise=0.3)
        after = compose(**at(irradiance, 2))(**before)
        inside = np.zeros((130, 240), bool)
        inside[27:57, 62:67] = True
        ratio = sensor_noise(after["image"], inside) / sensor_noise(before["image"], inside)
        assert 0.75 < ratio < 1.25

    def test_a_cloud_cools_with_time(self):
        cloud = {"cloud_probability": 1.0, "cloud_share_range": (0.3, 0.3)}
        levels = [
            hot(compose(**at(800, 2, cloud_elapsed_range_s=(t, t), **cloud))(**stripe_frame()))
            for t in (0.0, 120.0, 600.0, 3600.0)
        ]
        assert levels == sorted(levels, reverse=True)
        assert levels[0] == pytest.approx(hot(stripe_frame()), abs=0.1)
        assert levels[-1] == pytest.approx(0.3 * hot(stripe_frame()), abs=0.2)

    def test_light_follows_irradiance_less_exposure(self):
        dim = compose(**at(400, 2, exposure_compensation=0.0))(**stripe_frame())["visible"]
        # Half the light is 0.5^(1/2.2) of the encoded value.
        assert dim[0, 0, 0] == pytest.approx(90 * 0.5 ** (1 / 2.2), abs=1)
        kept = compose(**at(400, 2, exposure_compensation=1.0))(**stripe_frame())["visible"]
        assert np.array_equal(kept, stripe_frame()["visible"])


class TestLabels:
    def test_a_hotspot_that_falls_below_the_threshold_loses_its_box(self):
        after = compose(**at(100, 8))(**stripe_frame(kelvin=4.0))
        assert len(after["bboxes"]) == len(after["classes"]) == 0

    def test_a_label_the_camera_never_saw_stays(self):
        assert len(compose(**at(400, 8))(**stripe_frame(kelvin=0.0))["bboxes"]) == 1


def test_irradiance_of_stripes_is_linear_and_of_points_steeper():
    exponent = {"irradiance_exponent_range": (1.6, 1.6)}
    stripe = compose(**{**at(400, 2), **exponent})(**stripe_frame())
    assert hot(stripe) == pytest.approx(hot(stripe_frame()) / 2, abs=0.2)
    frame = stripe_frame(kelvin=0.0)
    frame["image"][40:43, 64:67] += 12
    frame |= {"bboxes": [(64.0, 40.0, 3.0, 3.0)]}
    point = compose(**{**at(400, 2), **exponent})(**frame)["image"]
    assert point[41, 65] == pytest.approx(12 * 0.5**1.6, abs=0.6)


def test_at_night_the_weather_stays():
    frame = stripe_frame() | {"weather": {**KNOWN, "irradiance_w_m2": 0.0}}
    after = compose(**at(500, 5))(**frame)
    assert np.array_equal(after["image"], frame["image"])
    assert np.array_equal(after["visible"], frame["visible"])


def test_the_same_light_leaves_every_grey_value_and_more_light_darkens_none():
    values = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(relight(values, 1.0), values)
    brighter = relight(values, 2.0)
    assert (brighter >= values).all()
    assert (np.diff(brighter.astype(int)) >= 0).all()
