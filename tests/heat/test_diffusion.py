"""The heat equation's known answers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import i0, i1, k0, k1

from dd_livm_core.errors import InputError
from dd_livm_core.heat import laminate
from dd_livm_core.heat.diffusion import steady_excess, transient_excess
from tests.heat.fields import grid, random_field

K = laminate.CELL_CONDUCTANCE_W_K


def test_open_circuit_lands_on_2_to_7_kelvin_in_light_wind():
    for wind in (1.5, 3, 5):
        theta = steady_excess(
            np.full((8, 8), 0.18 * 1000.0), 0.03, K, laminate.loss_coefficient(wind)
        )
        assert 2 <= theta.mean() <= 7


class TestSteadyAgainstAnalyticCases:
    def test_uniform(self):
        theta = steady_excess(np.full((12, 17), 180.0), 0.01, K, 23.5)
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
            steady_excess(source, pixel_m, K, loss), source / (loss + K * kappa2), atol=1e-10
        )

    def strip_error(self, count: int, per_pixel: bool) -> float:
        half, loss, power, half_width = 0.5, 23.5, 400.0, 0.05
        x, pixel_m = grid(half, count)
        source = np.tile(power * (np.abs(x) < half_width), (4, 1))
        conductance = np.full(source.shape, K) if per_pixel else K
        theta = steady_excess(source, pixel_m, conductance, loss)[1]
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
        theta = steady_excess(source, pixel_m, K, loss)
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
        theta = steady_excess(source, pixel_m, conductance, loss)
        assert theta.dtype == dtype
        assert np.abs(theta - exact).max() < 0.004 * exact.max()

    def test_a_point_falls_off_as_the_bessel_function(self):
        count, loss, watts = 401, 23.5, 6.0
        x, pixel_m = grid(0.4, count)
        source = np.zeros((count, count))
        source[200, 200] = watts / pixel_m**2
        theta = steady_excess(source, pixel_m, K, loss)[200]
        far = (x > 0.02) & (x < 0.15)
        exact = watts / (2 * np.pi * K) * k0(x[far] / np.sqrt(K / loss))
        np.testing.assert_allclose(theta[far], exact, rtol=0.02)

    @given(st.integers(0, 2**32 - 1), st.floats(10, 120), st.sampled_from([0.005, 0.03, 0.2]))
    @settings(max_examples=20, deadline=None)
    def test_energy(self, seed, loss, pixel_m):
        source = np.abs(random_field(seed)) * 300
        gaps = laminate.cell_gap_conductance(source.shape, (8, 8), 0.4)
        for conductance in (K, gaps):
            theta = steady_excess(source, pixel_m, conductance, loss)
            assert loss * theta.sum() == pytest.approx(source.sum(), rel=1e-10)


class TestTransient:
    @pytest.mark.parametrize("elapsed_s", [0.0, 60.0, 468.0, 5000.0])
    def test_uniform_relaxes_with_the_time_constant(self, elapsed_s):
        source = np.full((6, 9), 180.0)
        theta = transient_excess(np.zeros_like(source), source, 0.03, K, 23.5, elapsed_s)
        tau = laminate.HEAT_CAPACITY_J_M2K / 23.5
        np.testing.assert_allclose(theta, 180 / 23.5 * (1 - np.exp(-elapsed_s / tau)), atol=1e-12)

    def test_two_short_times_make_a_long_one(self):
        start, source = random_field(1), np.abs(random_field(2)) * 100
        sheet = (0.02, K, 30.0)
        once = transient_excess(start, source, *sheet, 150)
        half = transient_excess(start, source, *sheet, 60)
        np.testing.assert_allclose(transient_excess(half, source, *sheet, 90), once, atol=1e-10)


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
def test_an_impossible_sheet_is_refused(pixel_m, conductance, loss):
    with pytest.raises(InputError):
        steady_excess(np.ones((4, 4)), pixel_m, conductance, loss)
