"""The heat equation's known answers, and what the weather transfer must keep."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter
from scipy.special import i0, i1, k0, k1

from dd_livm_core.errors import InputError
from dd_livm_core.heat import diffusion as heat

K = heat.CELL_CONDUCTANCE_W_K
losses = st.floats(10, 120)
ratios = st.floats(0.05, 5)
seeds = st.integers(0, 2**32 - 1)


def random_field(seed: int, shape: tuple[int, int] = (24, 31)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def grid(half_m: float, count: int) -> tuple[np.ndarray, float]:
    pixel_m = 2 * half_m / count
    return (np.arange(count) + 0.5) * pixel_m - half_m, pixel_m


class TestLoss:
    def test_values_of_the_reference_table(self):
        expected = {0: 18.45, 1: 23.498, 3: 33.594, 5: 43.690}
        for wind, loss in expected.items():
            assert heat.loss_coefficient(wind) == pytest.approx(loss, abs=5e-4)

    def test_open_circuit_lands_on_2_to_7_kelvin_in_light_wind(self):
        for wind in (1.5, 3, 5):
            theta = heat.steady_excess(
                np.full((8, 8), 0.18 * 1000.0), 0.03, K, heat.loss_coefficient(wind)
            )
            assert 2 <= theta.mean() <= 7

    def test_layers_sum_to_the_known_conductance(self):
        assert pytest.approx(0.0296, abs=5e-5) == K
        assert pytest.approx(0.00295, abs=1e-5) == heat.GAP_CONDUCTANCE_W_K

    @pytest.mark.parametrize("wind", [-0.1, np.nan, np.inf])
    def test_impossible_wind(self, wind):
        with pytest.raises(InputError, match="wind"):
            heat.loss_coefficient(wind)


class TestSteadyAgainstAnalyticCases:
    def test_uniform(self):
        theta = heat.steady_excess(np.full((12, 17), 180.0), 0.01, K, 23.5)
        np.testing.assert_allclose(theta, 180 / 23.5, rtol=1e-12)

    @pytest.mark.parametrize("modes", [(0, 1), (3, 0), (4, 7)])
    def test_cosine_mode(self, modes):
        shape, pixel_m, loss = (40, 56), 0.004, 31.0
        waves = [
            np.cos(np.pi * m * (np.arange(n) + 0.5) / n) for m, n in zip(modes, shape, strict=True)
        ]
        source = 250 * np.outer(*waves)
        kappa2 = sum((np.pi * m / (n * pixel_m)) ** 2 for m, n in zip(modes, shape, strict=True))
        np.testing.assert_allclose(
            heat.steady_excess(source, pixel_m, K, loss), source / (loss + K * kappa2), atol=1e-10
        )

    def strip_error(self, count: int, per_pixel: bool) -> float:
        half, loss, power, half_width = 0.5, 23.5, 400.0, 0.05
        x, pixel_m = grid(half, count)
        source = np.tile(power * (np.abs(x) < half_width), (4, 1))
        conductance = np.full(source.shape, K) if per_pixel else K
        theta = heat.steady_excess(source, pixel_m, conductance, loss)[1]
        length = np.sqrt(K / loss)
        inside = 1 - np.exp(-half_width / length) * np.cosh(x / length)
        outside = np.sinh(half_width / length) * np.exp(-np.abs(x) / length)
        exact = power / loss * np.where(np.abs(x) < half_width, inside, outside)
        return float(np.abs(theta - exact).max())

    @pytest.mark.parametrize("per_pixel", [False, True], ids=["cosines", "finite volumes"])
    def test_strip_converges_with_second_order(self, per_pixel):
        errors = np.array([self.strip_error(count, per_pixel) for count in (80, 160, 320, 640)])
        assert errors[-1] < 0.01
        assert np.mean(np.log2(errors[:-1] / errors[1:])) > 1.8

    def disk_error(self, count: int) -> float:
        half, loss, power, radius = 0.3, 23.498, 500.0, 0.04
        x, pixel_m = grid(half, count)
        distance = np.hypot(*np.meshgrid(x, x))
        # A pixel's share of the disk, to first order: the edge is no staircase.
        source = power * np.clip((radius - distance) / pixel_m + 0.5, 0, 1)
        theta = heat.steady_excess(source, pixel_m, K, loss)
        a, r = radius / np.sqrt(K / loss), distance / np.sqrt(K / loss)
        exact = power / loss * np.where(
            r < a, 1 - a * k1(a) * i0(np.minimum(r, a)), a * i1(a) * k0(np.maximum(r, a))
        )  # fmt: skip
        return float(np.abs(theta - exact).max())

    def test_disk_converges(self):
        errors = np.array([self.disk_error(count) for count in (60, 120, 240)])
        assert errors[-1] < 0.02
        assert np.log2(errors[0] / errors[-1]) / 2 > 1.2

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize(
        ("conductance", "loss", "radius", "pixel_m", "centre_m", "shape"),
        [
            (0.0296, 60.0, 0.025, 0.002, (0.13, 0.21), (181, 320)),
            (0.01, 100.0, 0.015, 0.001, (0.11, 0.09), (220, 200)),
        ],
    )
    def test_disk_anywhere(self, dtype, conductance, loss, radius, pixel_m, centre_m, shape):
        y, x = ((np.arange(n) + 0.5) * pixel_m - c for n, c in zip(shape, centre_m, strict=True))
        distance = np.hypot(y[:, None], x[None])
        source = (400 * np.clip((radius - distance) / pixel_m + 0.5, 0, 1)).astype(dtype)
        a, r = radius / np.sqrt(conductance / loss), distance / np.sqrt(conductance / loss)
        exact = 400 / loss * np.where(
            r < a, 1 - a * k1(a) * i0(np.minimum(r, a)), a * i1(a) * k0(np.maximum(r, a))
        )  # fmt: skip
        theta = heat.steady_excess(source, pixel_m, conductance, loss)
        assert theta.dtype == dtype
        assert np.abs(theta - exact).max() < 0.004 * exact.max()

    def test_a_point_falls_off_as_the_bessel_function(self):
        count, loss, watts = 401, 23.5, 6.0
        x, pixel_m = grid(0.4, count)
        source = np.zeros((count, count))
        source[200, 200] = watts / pixel_m**2
        theta = heat.steady_excess(source, pixel_m, K, loss)[200]
        far = (x > 0.02) & (x < 0.15)
        exact = watts / (2 * np.pi * K) * k0(x[far] / np.sqrt(K / loss))
        np.testing.assert_allclose(theta[far], exact, rtol=0.02)

    @given(seeds, losses, st.sampled_from([0.005, 0.03, 0.2]))
    @settings(max_examples=20, deadline=None)
    def test_energy(self, seed, loss, pixel_m):
        source = np.abs(random_field(seed)) * 300
        gaps = heat.cell_gap_conductance(source.shape, (8, 8), 0.4)
        for conductance in (K, gaps):
            theta = heat.steady_excess(source, pixel_m, conductance, loss)
            assert loss * theta.sum() == pytest.approx(source.sum(), rel=1e-10)


class TestCellGaps:
    def test_heat_stays_in_its_cell(self):
        source = np.zeros((48, 48))
        source[16:32, 16:32] = 500
        gaps = heat.cell_gap_conductance(source.shape, (16, 16), 0.2)
        theta = heat.steady_excess(source, 0.156 / 16, gaps, 23.5)
        free = heat.steady_excess(source, 0.156 / 16, K, 23.5)
        assert theta[24, 24] > free[24, 24]
        assert theta[24, 12] < free[24, 12]

    def test_finite_volumes_and_cosines_meet(self):
        source = heat.steady_excess(np.eye(40) * 900, 0.005, K, 20)
        volumes = heat.steady_excess(source, 0.005, np.full(source.shape, K), 20)
        np.testing.assert_allclose(volumes, heat.steady_excess(source, 0.005, K, 20), rtol=0.02)

    def test_finite_volumes_are_never_cold(self):
        source = np.zeros((30, 30))
        source[0, 0] = 1e4
        gaps = heat.cell_gap_conductance(source.shape, (10, 10), 0.5)
        assert heat.steady_excess(source, 0.01, gaps, 40).min() > 0

    def test_thin_gaps_keep_their_resistance(self):
        gaps = heat.cell_gap_conductance((64, 64), (16, 16), 0.25)
        across = (1 / gaps[8]).sum()
        # Four cells' width of silicon, and four gaps of a quarter pixel (one at the border halved).
        extra = (1 / heat.GAP_CONDUCTANCE_W_K - 1 / K) * 0.25 * 4
        assert across == pytest.approx(64 / K + extra, rel=1e-6)


class TestTransient:
    @pytest.mark.parametrize("elapsed_s", [0.0, 60.0, 468.0, 5000.0])
    def test_uniform_relaxes_with_the_time_constant(self, elapsed_s):
        source = np.full((6, 9), 180.0)
        theta = heat.transient_excess(np.zeros_like(source), source, 0.03, K, 23.5, elapsed_s)
        tau = heat.HEAT_CAPACITY_J_M2K / 23.5
        np.testing.assert_allclose(theta, 180 / 23.5 * (1 - np.exp(-elapsed_s / tau)), atol=1e-12)

    def test_two_short_times_make_a_long_one(self):
        start, source = random_field(1), np.abs(random_field(2)) * 100
        sheet = (0.02, K, 30.0)
        once = heat.transient_excess(start, source, *sheet, 150)
        half = heat.transient_excess(start, source, *sheet, 60)
        np.testing.assert_allclose(
            heat.transient_excess(half, source, *sheet, 90), once, atol=1e-10
        )

    def test_gaps_end_in_the_steady_state_and_start_at_the_start(self):
        start, source = random_field(3), np.abs(random_field(4)) * 100
        gaps = heat.cell_gap_conductance(source.shape, (8, 8), 0.3)
        sheet = (0.03, gaps, 25.0)
        np.testing.assert_allclose(
            heat.transient_excess(start, source, *sheet, 0), start, atol=1e-9
        )
        np.testing.assert_allclose(
            heat.transient_excess(start, source, *sheet, 1e5),
            heat.steady_excess(source, *sheet),
            atol=1e-6,
        )


class TestWeatherTransfer:
    @given(seeds, losses, losses, losses, ratios, ratios)
    @settings(max_examples=40, deadline=None)
    def test_composes(self, seed, a, b, c, first, second):
        field = random_field(seed)
        sheet = (0.02, K)
        direct = heat.weather_transfer(field, *sheet, a, c, first * second)
        stepped = heat.weather_transfer(
            heat.weather_transfer(field, *sheet, a, b, first), *sheet, b, c, second
        )
        np.testing.assert_allclose(stepped, direct, atol=1e-10 * (1 + np.abs(direct).max()))

    def test_composes_across_cell_gaps(self):
        field = random_field(5)
        sheet = (0.02, heat.cell_gap_conductance(field.shape, (8, 8), 0.3))
        direct = heat.weather_transfer(field, *sheet, 20, 60, 0.5)
        stepped = heat.weather_transfer(
            heat.weather_transfer(field, *sheet, 20, 35), *sheet, 35, 60, 0.5
        )
        np.testing.assert_allclose(stepped, direct, atol=1e-10)

    @given(seeds, losses)
    @settings(max_examples=20, deadline=None)
    def test_same_weather_changes_nothing(self, seed, loss):
        field = random_field(seed).astype(np.float32)
        assert np.array_equal(heat.weather_transfer(field, 0.03, K, loss, loss), field)

    @given(seeds, seeds, losses, losses, st.floats(-3, 3))
    @settings(max_examples=20, deadline=None)
    def test_is_linear(self, one, two, before, after, factor):
        a, b = random_field(one), random_field(two)

        def there(field):
            return heat.weather_transfer(field, 0.03, K, before, after, 0.8)

        np.testing.assert_allclose(there(a + factor * b), there(a) + factor * there(b), atol=1e-9)

    @given(losses, losses, st.floats(0.005, 0.2))
    @settings(max_examples=40, deadline=None)
    def test_gain_lies_between_the_ratio_of_losses_and_one(self, before, after, pixel_m):
        impulse = np.zeros((16, 20))
        impulse[0, 0] = 1  # holds every mode
        gain = dctn(heat.weather_transfer(impulse, pixel_m, K, before, after)) / dctn(impulse)
        low, high = sorted((before / after, 1.0))
        assert gain.min() >= low - 1e-9
        assert gain.max() <= high + 1e-9

    @given(seeds, losses, losses, ratios)
    @settings(max_examples=20, deadline=None)
    def test_equals_a_new_solution_of_the_source(self, seed, before, after, ratio):
        source = np.abs(random_field(seed)) * 400
        seen = heat.steady_excess(source, 0.03, K, before)
        expected = heat.steady_excess(ratio * source, 0.03, K, after)
        np.testing.assert_allclose(
            heat.weather_transfer(seen, 0.03, K, before, after, ratio),
            expected,
            rtol=1e-8,
            atol=1e-9,
        )

    def test_more_wind_is_cooler_and_more_sun_hotter_everywhere_in_a_hotspot(self):
        source = np.zeros((64, 64))
        source[20:40, 25:50] = 300
        seen = heat.steady_excess(source, 0.01, K, heat.loss_coefficient(1))
        hot = seen > 0.1
        winds = [
            heat.weather_transfer(
                seen, 0.01, K, heat.loss_coefficient(1), heat.loss_coefficient(v)
            )[hot]
            for v in (0, 1, 2, 4, 8)
        ]
        suns = [
            heat.weather_transfer(seen, 0.01, K, 23.5, 23.5, heat.source_ratio(700, g))[hot]
            for g in (200, 500, 900)
        ]
        assert np.all(np.diff(winds, axis=0) < 0)
        assert np.all(np.diff(suns, axis=0) > 0)

    def test_commutes_with_the_camera(self):
        x, pixel_m = grid(0.5, 128)
        sharp = np.exp(-np.add.outer(x**2, x**2) / (2 * 0.03**2)) * 12
        blurred = np.exp(-np.add.outer(x**2, x**2) / (2 * 0.05**2)) * 12 * (0.03 / 0.05) ** 2
        # The camera's Gaussian of 4 cm turns the first into the second.
        after = gaussian_filter(heat.weather_transfer(sharp, pixel_m, K, 20, 44), 0.04 / pixel_m)
        np.testing.assert_allclose(
            heat.weather_transfer(blurred, pixel_m, K, 20, 44), after, atol=2e-3
        )

    def test_a_batch_is_its_images(self):
        batch = np.stack([random_field(k) for k in range(3)])
        together = heat.weather_transfer(batch, 0.03, K, 20, 33)
        alone = [heat.weather_transfer(image, 0.03, K, 20, 33) for image in batch]
        np.testing.assert_allclose(together, alone, atol=1e-12)

    def test_zero_sun_leaves_nothing(self):
        assert not heat.weather_transfer(random_field(1), 0.03, K, 20, 33, 0.0).any()


class TestBadInput:
    def test_night_cannot_be_scaled_up(self):
        with pytest.raises(InputError, match="irradiance > 0"):
            heat.source_ratio(0, 800)
        assert heat.source_ratio(800, 0) == 0

    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_not_finite(self, value):
        field = np.zeros((4, 4))
        field[1, 2] = value
        with pytest.raises(InputError, match="finite"):
            heat.weather_transfer(field, 0.03, K, 20, 33)

    @pytest.mark.parametrize(
        ("pixel_m", "conductance", "loss"),
        [
            (0, K, 20),
            (-1, K, 20),
            (0.03, -K, 20),
            (0.03, K, 0),
            (0.03, np.full((2, 2), K), 20),
            (0.03, np.nan, 20),
        ],
    )
    def test_impossible_sheet(self, pixel_m, conductance, loss):
        with pytest.raises(InputError):
            heat.steady_excess(np.ones((4, 4)), pixel_m, conductance, loss)
