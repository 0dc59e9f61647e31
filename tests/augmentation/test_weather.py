"""HotspotWeather: physical, dual-target, seeded, serialisable, replayable."""

import json

import albumentations as A
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dd_livm_core.augmentation.signal import sensor_noise, separate
from dd_livm_core.augmentation.weather import HotspotWeather
from dd_livm_core.heat.diffusion import weather_transfer
from dd_livm_core.heat.laminate import CELL_CONDUCTANCE_W_K, loss_coefficient

WIDTH, HEIGHT = 20, 34
BOX = (61.0, 25.0, 7.0, 34.0)
"""COCO box of the stripe below."""
KNOWN = {
    "irradiance_w_m2": 800.0,
    "wind_m_s": 2.0,
    "pixel_m": 0.05,
    "pv_module_width_px": WIDTH,
    "pv_module_height_px": HEIGHT,
    "radiometric": True,
}


def scene(kelvin: float = 8.0, noise: float = 0.15) -> dict[str, object]:
    """Return a frame with two rows of ten PV modules and one bypassed substring."""
    rng = np.random.default_rng(3)
    excess = np.zeros((130, 240), np.float32)
    mask = np.zeros(excess.shape, np.uint8)
    visible = np.full((*excess.shape, 3), 90, np.uint8)
    for top in (25, 75):
        mask[top : top + HEIGHT, 20:220] = 1
        visible[top : top + HEIGHT, 20:220] = (30, 40, 70)
        for k in range(11):
            excess[top : top + HEIGHT, 20 + k * WIDTH - (k == 10) : 21 + k * WIDTH] = -3
        excess[[top, top + HEIGHT - 1], 20:220] = -3
    excess[25:59, 61:68] += kelvin
    visible[40:45, 62:66] = (60, 140, 40)
    excess += rng.normal(0, noise, excess.shape).astype(np.float32)
    excess *= mask
    return {
        "image": excess, "visible": visible, "panel_mask": mask, "bboxes": [BOX], "classes": ["diode"],
        "weather": KNOWN,
    }  # fmt: skip


def compose(seed: int = 0, **settings_: object) -> A.Compose:
    fixed = {"cloud_probability": 0.0, "p": 1.0, **settings_}
    return A.Compose(
        [HotspotWeather(**fixed)],
        bbox_params=A.BboxParams(format="coco", label_fields=["classes"]),
        additional_targets={"visible": "image", "panel_mask": "mask"},
        seed=seed,
    )


def at(irradiance: float, wind: float, **more: object) -> dict[str, object]:
    return {
        "irradiance_range_w_m2": (irradiance, irradiance), "wind_range_m_s": (wind, wind),
        "irradiance_exponent_range": (1.0, 1.0), **more,
    }  # fmt: skip


def hot(frame: dict) -> float:
    return float(np.median(frame["image"][30:54, 63:66]))


class TestPhysics:
    def test_same_weather_changes_nothing(self):
        before = scene()
        after = compose(**at(800, 2))(**before)
        np.testing.assert_allclose(after["image"], before["image"], atol=1e-5)
        assert np.array_equal(after["visible"], before["visible"])
        np.testing.assert_allclose(after["bboxes"], [BOX], atol=1e-4)

    def test_irradiance_scales_the_hotspot_and_only_it(self):
        before = scene()
        after = compose(**at(400, 2))(**before)
        assert hot(after) == pytest.approx(hot(before) / 2, abs=0.2)
        far = np.s_[75:109, 20:220]
        assert np.array_equal(after["image"][far], before["image"][far])

    def test_wind_follows_the_exact_transfer(self):
        before = scene(noise=0.0)
        after = compose(**at(800, 8))(**before)
        sheet = (0.05, CELL_CONDUCTANCE_W_K)
        alone = np.where(before["image"] > 1, before["image"], 0)
        exact = weather_transfer(alone, *sheet, loss_coefficient(2), loss_coefficient(8))
        inside = np.s_[32:52, 63:66]
        np.testing.assert_allclose(after["image"][inside], exact[inside], atol=0.25)

    @pytest.mark.parametrize("irradiance", [450, 1100])
    def test_noise_stays_as_the_camera_made_it(self, irradiance):
        before = scene(noise=0.3)
        after = compose(**at(irradiance, 2))(**before)
        inside = np.zeros((130, 240), bool)
        inside[27:57, 62:67] = True
        ratio = sensor_noise(after["image"], inside) / sensor_noise(before["image"], inside)
        assert 0.75 < ratio < 1.25

    def test_a_cloud_cools_with_time(self):
        cloud = {"cloud_probability": 1.0, "cloud_share_range": (0.3, 0.3)}
        levels = [
            hot(compose(**at(800, 2, cloud_elapsed_range_s=(t, t), **cloud))(**scene()))
            for t in (0.0, 120.0, 600.0, 3600.0)
        ]
        assert levels == sorted(levels, reverse=True)
        assert levels[0] == pytest.approx(hot(scene()), abs=0.1)
        assert levels[-1] == pytest.approx(0.3 * hot(scene()), abs=0.2)

    def test_light_follows_irradiance_less_exposure(self):
        dim = compose(**at(400, 2, exposure_compensation=0.0))(**scene())["visible"]
        # Half the light is 0.5^(1/2.2) of the encoded value.
        assert dim[0, 0, 0] == pytest.approx(90 * 0.5 ** (1 / 2.2), abs=1)
        kept = compose(**at(400, 2, exposure_compensation=1.0))(**scene())["visible"]
        assert np.array_equal(kept, scene()["visible"])


class TestLabels:
    def test_a_hotspot_that_sinks_below_the_threshold_loses_its_box(self):
        after = compose(**at(100, 8))(**scene(kelvin=4.0))
        assert len(after["bboxes"]) == len(after["classes"]) == 0

    def test_a_label_the_camera_never_saw_stays(self):
        assert len(compose(**at(400, 8))(**scene(kelvin=0.0))["bboxes"]) == 1


class TestLibrary:
    def test_one_seed_one_result(self):
        loose = {"cloud_probability": 0.5}
        one, two = compose(11, **loose), compose(11, **loose)
        for _ in range(4):
            a, b = one(**scene()), two(**scene())
            assert np.array_equal(a["image"], b["image"])
            assert np.array_equal(a["visible"], b["visible"])
            assert np.array_equal(a["bboxes"], b["bboxes"])

    def test_round_trip_through_json(self):
        stored = json.loads(json.dumps(A.to_dict(compose(irradiance_range_w_m2=(300.0, 500.0)))))
        (transform,) = A.from_dict(stored).transforms
        assert tuple(transform.irradiance_range_w_m2) == (300.0, 500.0)
        assert transform.cloud_probability == 0.0

    def test_replay_is_plain_numbers_and_gives_the_same(self):
        replay = A.ReplayCompose(
            [HotspotWeather(p=1.0)],
            bbox_params=A.BboxParams(format="coco", label_fields=["classes"]),
            additional_targets={"visible": "image", "panel_mask": "mask"},
        )
        first = replay(**scene())
        saved = json.loads(json.dumps(first["replay"]["transforms"][0]["params"], default=list))
        assert saved["irradiance_w_m2"] > 0
        again = A.ReplayCompose.replay(first["replay"], **scene())
        assert np.array_equal(again["image"], first["image"])
        assert np.array_equal(again["visible"], first["visible"])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"irradiance_range_w_m2": (900.0, 300.0)},
            {"wind_range_m_s": (-1.0, 3.0)},
            {"irradiance_exponent_range": (0.2, 1.0)},
            {"cloud_share_range": (0.0, 1.5)},
            {"exposure_compensation": 2.0},
        ],
    )
    def test_bounds_of_the_configuration(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            HotspotWeather(**wrong)

    def test_p_zero_touches_nothing(self):
        before = scene()
        assert compose(p=0.0)(**before)["image"] is not None
        assert np.array_equal(compose(p=0.0)(**before)["image"], before["image"])

    def test_alone_and_with_a_channel_axis(self):
        frame = scene()
        flat = HotspotWeather(p=1.0)
        deep = HotspotWeather(p=1.0)
        for transform in (flat, deep):
            transform.set_random_seed(4)
        one = flat(image=frame["image"], weather=KNOWN)["image"]
        two = deep(image=frame["image"][..., None], weather=KNOWN)["image"]
        assert two.shape == (130, 240, 1)
        np.testing.assert_array_equal(two[..., 0], one)


class TestBadInput:
    @given(st.floats(-300, 300), st.integers(0, 2**16))
    @settings(max_examples=15, deadline=None)
    def test_constant_images_stay(self, level, seed):
        flat = np.full((40, 50), level, np.float32)
        after = compose(seed, cloud_probability=0.5)(image=flat, bboxes=[], classes=[])
        assert np.isfinite(after["image"]).all()
        if level <= 1.4:
            assert np.array_equal(after["image"], flat)

    def test_nan_counts_as_no_excess(self):
        frame = scene()
        frame["image"][40, 64] = np.nan
        assert np.isfinite(compose(**at(500, 5))(**frame)["image"]).all()

    def test_at_night_the_weather_stays(self):
        frame = scene() | {"weather": {**KNOWN, "irradiance_w_m2": 0.0}}
        after = compose(**at(500, 5))(**frame)
        assert np.array_equal(after["image"], frame["image"])
        assert np.array_equal(after["visible"], frame["visible"])

    def test_hotspot_at_the_border(self):
        frame = scene()
        frame["image"], frame["panel_mask"] = (
            frame["image"][25:, 62:].copy(),
            frame["panel_mask"][25:, 62:].copy(),
        )
        frame["visible"], frame["bboxes"] = (
            frame["visible"][25:, 62:].copy(),
            [(0.0, 0.0, 6.0, 34.0)],
        )
        after = compose(**at(400, 2))(**frame)
        assert np.median(after["image"][5:30, 1:4]) == pytest.approx(4, abs=0.4)

    def test_no_panels(self):
        frame = scene() | {
            "panel_mask": np.zeros((130, 240), np.uint8),
            "bboxes": [],
            "classes": [],
        }
        after = compose()(**frame)
        assert np.array_equal(after["image"], frame["image"])

    def test_zero_wind_to_zero_wind(self):
        frame = scene() | {"weather": {**KNOWN, "wind_m_s": 0.0}}
        np.testing.assert_allclose(
            compose(**at(800, 0))(**frame)["image"], frame["image"], atol=1e-5
        )


def test_signal_leaves_healthy_panels_out():
    frame = scene()
    separated = separate(frame["image"], frame["panel_mask"].astype(bool), WIDTH)
    assert len(separated.hotspots) == 1
    assert separated.noise == pytest.approx(0.15, rel=0.2)
    assert not separated.signal[75:109].any()
    assert np.median(separated.signal[30:54, 63:66]) == pytest.approx(8, abs=0.3)


def test_a_pixel_s_size_follows_from_the_pv_module_s_width():
    known = {key: value for key, value in KNOWN.items() if key != "pixel_m"}
    width_m = KNOWN["pixel_m"] * WIDTH
    given = compose(**at(800, 8))(**scene())["image"]
    derived = compose(**at(800, 8, pv_module_width_m=width_m))(**scene() | {"weather": known})
    np.testing.assert_allclose(derived["image"], given, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (40, 24)])
def test_frames_smaller_than_a_module(shape):
    excess = np.zeros(shape, np.float32)
    excess[shape[0] // 2, shape[1] // 2] = 9
    transform = HotspotWeather(p=1.0, pv_module_width_px=24.0)
    assert np.isfinite(transform(image=excess)["image"]).all()


def test_irradiance_of_stripes_is_linear_and_of_points_steeper():
    exponent = {"irradiance_exponent_range": (1.6, 1.6)}
    stripe = compose(**{**at(400, 2), **exponent})(**scene())
    assert hot(stripe) == pytest.approx(hot(scene()) / 2, abs=0.2)
    frame = scene(kelvin=0.0)
    frame["image"][40:43, 64:67] += 12
    frame |= {"bboxes": [(64.0, 40.0, 3.0, 3.0)]}
    point = compose(**{**at(400, 2), **exponent})(**frame)["image"]
    assert point[41, 65] == pytest.approx(12 * 0.5**1.6, abs=0.6)
