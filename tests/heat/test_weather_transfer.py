"""What the transfer to other weather must keep, whatever the field."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from dd_livm_core.errors import InputError
from dd_livm_core.heat import laminate
from dd_livm_core.heat.diffusion import steady_excess, weather_transfer
from tests.heat.fields import grid, random_field

K = laminate.CELL_CONDUCTANCE_W_K
losses = st.floats(10, 120)
ratios = st.floats(0.05, 5)
seeds = st.integers(0, 2**32 - 1)


@given(seeds, losses, losses, losses, ratios, ratios)
@settings(max_examples=40, deadline=None)
def test_composes(seed, a, b, c, first, second):
    field = random_field(seed)
    sheet = (0.02, K)
    direct = weather_transfer(field, *sheet, a, c, first * second)
    stepped = weather_transfer(weather_transfer(field, *sheet, a, b, first), *sheet, b, c, second)
    np.testing.assert_allclose(stepped, direct, atol=1e-10 * (1 + np.abs(direct).max()))


def test_composes_across_cell_gaps():
    field = random_field(5)
    sheet = (0.02, laminate.cell_gap_conductance(field.shape, (8, 8), 0.3))
    direct = weather_transfer(field, *sheet, 20, 60, 0.5)
    stepped = weather_transfer(weather_transfer(field, *sheet, 20, 35), *sheet, 35, 60, 0.5)
    np.testing.assert_allclose(stepped, direct, atol=1e-10)


@given(seeds, losses)
@settings(max_examples=20, deadline=None)
def test_same_weather_changes_nothing(seed, loss):
    field = random_field(seed).astype(np.float32)
    assert np.array_equal(weather_transfer(field, 0.03, K, loss, loss), field)


@given(seeds, seeds, losses, losses, st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_is_linear(one, two, before, after, factor):
    a, b = random_field(one), random_field(two)

    def there(field):
        return weather_transfer(field, 0.03, K, before, after, 0.8)

    np.testing.assert_allclose(there(a + factor * b), there(a) + factor * there(b), atol=1e-9)


@given(losses, losses, st.floats(0.005, 0.2))
@settings(max_examples=40, deadline=None)
def test_gain_lies_between_the_ratio_of_losses_and_one(before, after, pixel_m):
    impulse = np.zeros((16, 20))
    impulse[0, 0] = 1  # holds every mode
    gain = dctn(weather_transfer(impulse, pixel_m, K, before, after)) / dctn(impulse)
    low, high = sorted((before / after, 1.0))
    assert gain.min() >= low - 1e-9
    assert gain.max() <= high + 1e-9


@given(seeds, losses, losses, ratios)
@settings(max_examples=20, deadline=None)
def test_equals_a_new_solution_of_the_source(seed, before, after, ratio):
    source = np.abs(random_field(seed)) * 400
    seen = steady_excess(source, 0.03, K, before)
    expected = steady_excess(ratio * source, 0.03, K, after)
    np.testing.assert_allclose(
        weather_transfer(seen, 0.03, K, before, after, ratio),
        expected,
        rtol=1e-8,
        atol=1e-9,
    )


def test_more_wind_is_cooler_and_more_sun_hotter_everywhere_in_a_hotspot():
    source = np.zeros((64, 64))
    source[20:40, 25:50] = 300
    seen = steady_excess(source, 0.01, K, laminate.loss_coefficient(1))
    hot = seen > 0.1
    winds = [
        weather_transfer(seen, 0.01, K, laminate.loss_coefficient(1), laminate.loss_coefficient(v))[
            hot
        ]
        for v in (0, 1, 2, 4, 8)
    ]
    suns = [
        weather_transfer(seen, 0.01, K, 23.5, 23.5, laminate.source_ratio(700, g))[hot]
        for g in (200, 500, 900)
    ]
    assert np.all(np.diff(winds, axis=0) < 0)
    assert np.all(np.diff(suns, axis=0) > 0)


def test_commutes_with_the_camera():
    x, pixel_m = grid(0.5, 128)
    sharp = np.exp(-np.add.outer(x**2, x**2) / (2 * 0.03**2)) * 12
    blurred = np.exp(-np.add.outer(x**2, x**2) / (2 * 0.05**2)) * 12 * (0.03 / 0.05) ** 2
    # The camera's Gaussian of 4 cm turns the first into the second.
    after = gaussian_filter(weather_transfer(sharp, pixel_m, K, 20, 44), 0.04 / pixel_m)
    np.testing.assert_allclose(weather_transfer(blurred, pixel_m, K, 20, 44), after, atol=2e-3)


def test_a_batch_is_its_images():
    batch = np.stack([random_field(k) for k in range(3)])
    together = weather_transfer(batch, 0.03, K, 20, 33)
    alone = [weather_transfer(image, 0.03, K, 20, 33) for image in batch]
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_zero_sun_leaves_nothing():
    assert not weather_transfer(random_field(1), 0.03, K, 20, 33, 0.0).any()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_fields_that_are_not_finite_are_refused(value):
    field = np.zeros((4, 4))
    field[1, 2] = value
    with pytest.raises(InputError, match="finite"):
        weather_transfer(field, 0.03, K, 20, 33)
