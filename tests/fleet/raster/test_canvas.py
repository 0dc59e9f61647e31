"""Drawing over one PV module: what is covered, and what is seen of it on the raster."""

import numpy as np
import pytest

from dd_livm_core.fleet.raster.canvas import Canvas

TILE_PX, PAD_PX = (60, 100), 12
RED = np.array([200.0, 10.0, 10.0])


def test_an_ellipse_covers_its_area() -> None:
    canvas = Canvas(TILE_PX, PAD_PX)
    canvas.ellipse((0.5, 0.5), (0.3, 0.2), 30, RED)
    area = np.pi * (0.3 * 60) * (0.2 * 60)
    # Half axes are rounded up to a third of a raster pixel.
    grown = np.pi * (0.3 * 60 + 0.5) * (0.2 * 60 + 0.5)
    assert area < canvas.covered((10, 6)).mean() * 60 * 100 < grown


def test_what_is_painted_has_its_colour_and_the_rest_is_clear() -> None:
    canvas = Canvas(TILE_PX, PAD_PX)
    canvas.ellipse((0.25, 0.75), (0.2, 0.2), 0, RED)
    paint = canvas.paint()
    assert paint.shape == (100 + 2 * PAD_PX, 60 + 2 * PAD_PX, 4)
    np.testing.assert_array_equal(paint[PAD_PX + 75, PAD_PX + 15], [200, 10, 10, 255])
    assert paint[PAD_PX + 20, PAD_PX + 45, 3] == 0


def test_what_lies_beside_the_pv_module_can_be_removed() -> None:
    canvas = Canvas(TILE_PX, PAD_PX)
    canvas.ellipse((0.0, 0.0), (0.15, 0.15), 0, RED)
    assert canvas.paint()[: PAD_PX - 1, ..., 3].max() == 255
    canvas.clip_to_module()
    opacity = canvas.paint()[..., 3]
    assert opacity[: PAD_PX - 1].max() == 0
    assert opacity[PAD_PX + 1, PAD_PX + 1] == 255


def test_rows_run_from_the_upper_to_the_lower_edge() -> None:
    rows = Canvas(TILE_PX, PAD_PX).rows()[:, 0]
    inside = rows[(rows > 0) & (rows < 1)]
    assert len(inside) == 300
    assert (inside[0], inside[-1]) == pytest.approx((0, 1), abs=0.01)
