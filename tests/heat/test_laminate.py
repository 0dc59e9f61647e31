"""What a PV module is made of: losses, conductances, sources."""

import numpy as np
import pytest

from dd_livm_core.errors import InputError
from dd_livm_core.heat import laminate

K = laminate.CELL_CONDUCTANCE_W_K


def test_losses_are_those_of_the_reference_table():
    expected = {0: 18.45, 1: 23.498, 3: 33.594, 5: 43.690}
    for wind, loss in expected.items():
        assert laminate.loss_coefficient(wind) == pytest.approx(loss, abs=5e-4)


def test_layers_sum_to_the_known_conductance():
    assert pytest.approx(0.0296, abs=5e-5) == K
    assert pytest.approx(0.00295, abs=1e-5) == laminate.GAP_CONDUCTANCE_W_K


@pytest.mark.parametrize("wind", [-0.1, np.nan, np.inf])
def test_an_impossible_wind_is_refused(wind):
    with pytest.raises(InputError, match="wind"):
        laminate.loss_coefficient(wind)


def test_thin_gaps_keep_their_resistance():
    gaps = laminate.cell_gap_conductance((64, 64), (16, 16), 0.25)
    across = (1 / gaps[8]).sum()
    # Four cells' width of silicon, and four gaps of a quarter pixel (one at the border halved).
    extra = (1 / laminate.GAP_CONDUCTANCE_W_K - 1 / K) * 0.25 * 4
    assert across == pytest.approx(64 / K + extra, rel=1e-6)


def test_night_cannot_be_scaled_up():
    with pytest.raises(InputError, match="irradiance > 0"):
        laminate.source_ratio(0, 800)
    assert laminate.source_ratio(800, 0) == 0
