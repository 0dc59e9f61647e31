"""Which warm pixels are one hotspot, and where its outline runs."""

import cv2
import numpy as np

from dd_livm_core.hotspots.limits import HotspotLimits
from dd_livm_core.hotspots.outlines import group_hot_pixels, regions
from dd_livm_core.panels.pv_module_px import PvModulePx


def test_what_only_a_leaf_separates_is_one_hotspot():
    hot, leaf = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    hot[10:20, 10:20] = hot[10:20, 32:42] = True
    assert len(group_hot_pixels(hot, leaf, 4)) == 2
    leaf[8:22, 21:31] = True
    ((window, member),) = group_hot_pixels(hot, leaf, 4)
    assert window == (slice(10, 20), slice(10, 42))
    assert member.sum() == hot.sum()


def test_a_leaf_alone_is_none():
    leaf = np.ones((20, 20), bool)
    assert group_hot_pixels(np.zeros_like(leaf), leaf, 4) == []


def test_nothing_reaches_over_a_border():
    hot = np.zeros((20, 20), bool)
    hot[0:4, 0:4] = hot[16:, 16:] = True
    windows = [window for window, _ in group_hot_pixels(hot, np.zeros_like(hot), 3)]
    assert windows == [(slice(0, 4), slice(0, 4)), (slice(16, 20), slice(16, 20))]


def test_a_frame_is_no_leaf():
    excess = np.zeros((60, 80), np.float32)
    modules = np.zeros(excess.shape, np.int32)
    modules[5:55, 5:75] = 1
    excess[7:12, 20:26] = excess[7:12, 50:56] = 5.0
    excess[5:7, 5:75] = -5.0  # the upper frame, beside which both lie
    both = regions(excess, excess > 1.5, excess < -1, modules, PvModulePx(50, 70), HotspotLimits())
    assert [one.window[1] for one in both] == [slice(20, 26), slice(50, 56)]


def test_the_shape_is_named_at_half_the_hotspot_s_own_level():
    hot = np.zeros((60, 60), np.float32)
    hot[20:26, 20:30] = 40.0
    blurred = cv2.GaussianBlur(hot, (0, 0), 2.0)
    modules = np.ones(hot.shape, np.int32)
    (one,) = regions(
        blurred, blurred > 1.5, blurred < -1, modules, PvModulePx(40, 90), HotspotLimits()
    )
    assert one.hot.sum() > 2 * (hot > 0).sum(), "the threshold's contour grows with the blur"
    assert one.outline.sum() < 0.6 * one.hot.sum()
    assert one.shape == "point"
