"""The healthy panel's level and spread do not follow hotspots and frames."""

import numpy as np
import pytest

from dd_livm_core.panels.baseline import healthy_baseline, robust_spread


@pytest.mark.parametrize("side", [1.0, -1.0], ids=["hotspots", "frames"])
def test_the_spread_is_that_of_the_bulk_whatever_one_side_holds(side: float) -> None:
    values = np.random.default_rng(0).normal(40, 0.5, 20_000)
    assert robust_spread(values) == pytest.approx(0.5, rel=0.05)
    values[::10] += side * 10
    assert robust_spread(values) == pytest.approx(0.5, rel=0.15)
    assert robust_spread(np.zeros(0)) == 0


def test_lens_shading_and_a_slope_are_part_of_the_baseline() -> None:
    y, x = np.mgrid[:240, :320]
    shading = 0.01 * x - 3.0 * ((x - 159.5) ** 2 + (y - 119.5) ** 2) / 160**2
    valid = np.zeros(x.shape, bool)
    for top in range(10, 230, 55):
        valid[top : top + 40, 10:310] = True
    noise = np.random.default_rng(1).normal(0, 0.1, x.shape)
    panels = np.where(valid, 40 + shading + noise, 0).astype(np.float32)
    baseline = healthy_baseline(panels, valid)
    assert np.abs(baseline - 40 - shading)[valid].max() < 0.15


def test_the_baseline_spans_the_frame_and_ignores_what_is_off_the_panels() -> None:
    valid = np.zeros((60, 80), bool)
    valid[10:50, 10:70] = True
    values = np.where(valid, 35.0, 0).astype(np.float32)
    baseline = healthy_baseline(values, valid)
    assert baseline.dtype == np.float32
    np.testing.assert_array_equal(
        baseline, healthy_baseline(np.where(valid, values, 99).astype(np.float32), valid)
    )
    np.testing.assert_allclose(baseline, 35.0)
