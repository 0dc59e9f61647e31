"""HotspotWeather: seeded, serialisable, replayable, and sound on bad input."""

import json

import albumentations as A
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dd_livm_core.augmentation.weather import HotspotWeather
from tests.augmentation.flight_frame import KNOWN, WIDTH, at, compose, stripe_frame


class TestLibrary:
    def test_one_seed_one_result(self):
        loose = {"cloud_probability": 0.5}
        one, two = compose(11, **loose), compose(11, **loose)
        for _ in range(4):
            a, b = one(**stripe_frame()), two(**stripe_frame())
            assert np.array_equal(a["image"], b["image"])
            assert np.array_equal(a["visible"], b["visible"])
            assert np.array_equal(a["bboxes"], b["bboxes"])

    def test_parameters_survive_json(self):
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
        first = replay(**stripe_frame())
        saved = json.loads(json.dumps(first["replay"]["transforms"][0]["params"], default=list))
        assert saved["irradiance_w_m2"] > 0
        again = A.ReplayCompose.replay(first["replay"], **stripe_frame())
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
    def test_ranges_outside_their_bounds_are_refused(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            HotspotWeather(**wrong)

    def test_p_zero_touches_nothing(self):
        before = stripe_frame()
        assert compose(p=0.0)(**before)["image"] is not None
        assert np.array_equal(compose(p=0.0)(**before)["image"], before["image"])

    def test_a_channel_axis_changes_no_value(self):
        frame = stripe_frame()
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
        frame = stripe_frame()
        frame["image"][40, 64] = np.nan
        assert np.isfinite(compose(**at(500, 5))(**frame)["image"]).all()

    def test_a_hotspot_at_the_border_is_scaled_too(self):
        frame = stripe_frame()
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

    def test_a_frame_without_panels_stays(self):
        frame = stripe_frame() | {
            "panel_mask": np.zeros((130, 240), np.uint8),
            "bboxes": [],
            "classes": [],
        }
        after = compose()(**frame)
        assert np.array_equal(after["image"], frame["image"])

    def test_no_wind_to_no_wind_changes_nothing(self):
        frame = stripe_frame() | {"weather": {**KNOWN, "wind_m_s": 0.0}}
        np.testing.assert_allclose(
            compose(**at(800, 0))(**frame)["image"], frame["image"], atol=1e-5
        )


def test_a_pixel_s_size_follows_from_the_pv_module_s_width():
    known = {key: value for key, value in KNOWN.items() if key != "pixel_m"}
    width_m = KNOWN["pixel_m"] * WIDTH
    given = compose(**at(800, 8))(**stripe_frame())["image"]
    derived = compose(**at(800, 8, pv_module_width_m=width_m))(
        **stripe_frame() | {"weather": known}
    )
    np.testing.assert_allclose(derived["image"], given, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2, 7), (40, 24)])
def test_frames_may_be_smaller_than_a_pv_module(shape):
    excess = np.zeros(shape, np.float32)
    excess[shape[0] // 2, shape[1] // 2] = 9
    transform = HotspotWeather(p=1.0, pv_module_width_px=24.0)
    assert np.isfinite(transform(image=excess)["image"]).all()
