"""What the network sees does not depend on the camera's settings."""

import numpy as np

from dd_livm_core.model.network_input import infrared_input, visible_input
from tests.synthetic_store import synthetic_pair


def test_exposure_and_white_balance_hardly_show() -> None:
    pair, _ = synthetic_pair(0, seed=3)
    colour = pair.visible.astype(np.float32) * 0.6
    for gain, offset in ((1.4, 0.0), (0.7, 20.0)):
        seen = visible_input(gain * colour + offset, pair.panel_mask)
        as_it_was = visible_input(colour, pair.panel_mask)
        clean = np.abs(as_it_was).max(0) < 1
        assert np.abs(seen - as_it_was)[:, clean].mean() < 0.15
    warmer = visible_input(colour + np.array([12.0, 0.0, -12.0]), pair.panel_mask)
    np.testing.assert_allclose(warmer, visible_input(colour, pair.panel_mask), atol=1e-4)


def test_excess_is_compressed_but_ordered() -> None:
    excess = np.array([[-2.0, 0.0, 2.0, 5.0, 20.0, 60.0]], np.float32)
    seen = infrared_input(excess, np.ones_like(excess))
    assert np.all(np.diff(seen[0]) > 0)
    assert seen[0, 0, 1] == 0.0
    assert seen[0, 0, 5] - seen[0, 0, 4] < seen[0, 0, 4] - seen[0, 0, 2]
    assert np.isfinite(infrared_input(np.array([[6e4, -6e4]]), np.ones((1, 2)))).all()
