"""The network's input hardly depends on the camera's settings, and is the same in training and in serving."""

import numpy as np

from dd_livm_core.model.network_input import PairPixels, encode, prepare, resize_to_input
from tests.synthetic_store import synthetic_pair


def encode_arrays(excess: np.ndarray, visible: np.ndarray, mask: np.ndarray) -> list[np.ndarray]:
    """Return the network's infrared and visible input of arrays at its size."""
    return list(encode(PairPixels(excess.astype(np.float32), visible, mask)))


def test_exposure_and_white_balance_hardly_change_the_input() -> None:
    pair, _ = synthetic_pair(0, seed=3)
    colour = pair.visible.astype(np.float32) * 0.6
    _, as_it_was = encode_arrays(pair.infrared_excess, colour, pair.panel_mask)
    for gain, offset in ((1.4, 0.0), (0.7, 20.0)):
        _, exposed = encode_arrays(pair.infrared_excess, gain * colour + offset, pair.panel_mask)
        clean = np.abs(as_it_was).max(0) < 1
        assert np.abs(exposed - as_it_was)[:, clean].mean() < 0.15
    _, warmer = encode_arrays(
        pair.infrared_excess, colour + np.array([12.0, 0.0, -12.0]), pair.panel_mask
    )
    np.testing.assert_allclose(warmer, as_it_was, atol=1e-4)


def test_excess_is_compressed_but_ordered() -> None:
    excess = np.array([[-2.0, 0.0, 2.0, 5.0, 20.0, 60.0]])
    grey = np.zeros((1, 6, 3), np.uint8)
    infrared, _ = encode_arrays(excess, grey, np.ones((1, 6), bool))
    assert np.all(np.diff(infrared[0]) > 0)
    assert infrared[0, 0, 1] == 0.0
    assert infrared[0, 0, 5] - infrared[0, 0, 4] < infrared[0, 0, 4] - infrared[0, 0, 2]
    extreme, _ = encode_arrays(np.array([[6e4, -6e4]]), grey[:, :2], np.ones((1, 2), bool))
    assert np.isfinite(extreme).all()


def test_infrared_is_zero_off_panels() -> None:
    pair, _ = synthetic_pair(0, seed=3)
    mask = np.zeros(pair.panel_mask.shape, bool)
    mask[20:60, 30:90] = True
    infrared, _ = encode_arrays(pair.infrared_excess, pair.visible, mask)
    assert not infrared[0][~mask].any()
    assert np.array_equal(infrared[1] > 0, mask)


def test_the_mask_holds_only_0_and_1_at_any_size() -> None:
    """A pixel that is partly panel counts as panel or not, at any size, so that training and serving agree."""
    pair, _ = synthetic_pair(0, seed=3)
    mask = np.zeros(pair.panel_mask.shape, bool)
    mask[7:61, 13:90] = True
    infrared, _ = prepare(pair.infrared_excess, pair.visible, mask, (64, 48))
    assert set(np.unique(infrared[1])) == {0.0, 1.0}


def test_resizing_and_encoding_are_what_prepare_does() -> None:
    pair, _ = synthetic_pair(1, seed=3)
    parts = (pair.infrared_excess, pair.visible, pair.panel_mask, (96, 80))
    for one, other in zip(prepare(*parts), encode(resize_to_input(*parts)), strict=True):
        assert np.array_equal(one, other)


def test_no_visible_image_is_as_one_of_a_single_colour() -> None:
    excess, mask = np.random.default_rng(0).normal(0, 4, (64, 80)), np.ones((64, 80), bool)
    infrared, visible = prepare(excess, None, mask, (40, 32))
    grey, neutral = prepare(excess, np.full((64, 80, 3), 90, np.uint8), mask, (40, 32))
    assert visible.shape == (3, 32, 40)
    assert not visible.any()
    np.testing.assert_array_equal(infrared, grey)
    np.testing.assert_array_equal(visible, neutral)
