"""A PV module has two sides, both positive."""

import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.panels.pv_module_px import PvModulePx


@pytest.mark.parametrize("side", [0.0, -5.0, np.nan, np.inf])
def test_sides_that_no_pv_module_has_are_refused(side: float) -> None:
    with pytest.raises(InputError, match="size of a PV module"):
        PvModulePx(side, 40.0)
    with pytest.raises(InputError, match="size of a PV module"):
        PvModulePx(24.0, side)
    with pytest.raises(InputError, match="size of a PV module"):
        PvModulePx.from_short_side(side)


def test_the_long_side_follows_from_the_short_one() -> None:
    assert PvModulePx.from_short_side(30) == PvModulePx(30.0, 51.0)
    assert PvModulePx(30.0, 51.0).area_px2 == 1530.0
