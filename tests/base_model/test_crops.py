"""Crops keep every label on what it labels, at every scale, turn and mirror."""

import numpy as np

from dd_livm_core.base_model.crops import CROP_PX, draw_crop
from dd_livm_core.base_model.painting import paint_hotspots
from tests.base_model.made_frames import made_frame


def test_peaks_lie_on_the_hot_squares_and_panels_on_the_warm_part() -> None:
    frame, seen = made_frame(), 0
    for number in range(40):
        channels, targets = draw_crop(frame, np.random.default_rng(number), painted_share=0)
        assert channels.shape == (3, CROP_PX, CROP_PX)
        level, wide = channels[0, 1::2, 1::2], channels[1, 1::2, 1::2]
        small = targets.log_module < np.log(18 / 28)  # a hot square is below 5 px
        for down, across in () if small else np.argwhere(targets.centre == 1):
            assert wide[down, across] > np.quantile(wide[targets.panel > 0], 0.9)
            seen += 1
        on, off = (targets.panel_weight * (targets.panel == kind) > 0 for kind in (1, 0))
        if min(on.sum(), off.sum()) > 500:
            assert np.median(level[on]) > np.median(level[off])
    assert seen > 20


def test_the_size_of_a_pv_module_follows_the_scale() -> None:
    """Two hot squares are 108 px apart in the frame, and as far in the crop as the size says."""
    frame = made_frame()
    for number in range(25):
        _, targets = draw_crop(frame, np.random.default_rng(number), painted_share=0)
        peaks = np.argwhere(targets.centre == 1)
        if len(peaks) == 2:
            apart_px = 2 * np.hypot(*(peaks[0] - peaks[1]))
            scale = np.exp(targets.log_module) * 28 / frame.module_short_px
            assert abs(apart_px / scale / np.hypot(90, 60) - 1) < 0.06


def test_a_crop_follows_from_its_draw() -> None:
    first, second = (
        draw_crop(made_frame(), np.random.default_rng(5), painted_share=1) for _ in "ab"
    )
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1].centre, second[1].centre)


def test_painted_hotspots_are_warm_in_their_box_and_lie_on_panels() -> None:
    frame = made_frame()
    for number in range(20):
        values = frame.values.copy()
        painted = paint_hotspots(values, frame.panel, 30, 0, np.random.default_rng(number))
        added = values - frame.values
        boxes = np.concatenate([painted.sure, painted.faint])
        assert 1 <= len(boxes) <= 6
        for x, y, width, height in boxes.astype(int):
            window = added[y : y + height, x : x + width]
            assert window.mean() > 0.3 * window.max() > 0
            assert frame.panel[y : y + height, x : x + width].any()


def test_a_frame_without_panels_gets_no_painted_hotspot() -> None:
    values = made_frame().values
    before = values.copy()
    painted = paint_hotspots(values, np.zeros(values.shape, bool), 30, 0, np.random.default_rng(1))
    assert not len(painted.sure) + len(painted.faint)
    assert np.array_equal(values, before)
