"""What cameras make of a scene: point spread, noise, gain control, exposure."""

import numpy as np
import pytest

from dd_livm_core.fleet.cameras.sensors import (
    InfraredSampler,
    blur_reach_px,
    expose,
    infrared_noise,
    to_grey,
    view_window,
)
from dd_livm_core.fleet.cameras.views import Camera, View, look_down
from dd_livm_core.fleet.profile import InfraredCamera, VisibleCamera

STEP_M = (0.01, 0.01)
PLAIN = VisibleCamera.model_validate(
    {
        "focal_px": 1260,
        "exposure": [1, 1],
        "warmth": [0, 0],
        "sharpening": 0,
        "noise": 0,
        "motion_blur_px": [0, 0],
    }
)


def view() -> View:
    """Return a view in which an infrared pixel covers four raster pixels along each axis."""
    camera = Camera(640, 512, 750, (319.5, 255.5))
    return look_down(camera, np.array([0.0, 0.0, 30.0]), 0, 0, 0)


def line_spread(blur_px: float) -> tuple[np.ndarray, np.ndarray]:
    """Return place in infrared pixels, and how much of an edge's height lies there, four times per pixel."""
    seen = view()
    window = view_window(seen, STEP_M, blur_reach_px(seen, STEP_M, blur_px))
    sampler = InfraredSampler(seen, STEP_M, window, blur_px)
    edges = []
    for shift in range(4):
        layer = np.zeros((window.height, window.width), np.float32)
        layer[:, shift - window.x :] = 1
        edges.append(sampler.sample(layer)[256])
    # A pixel sees an edge that lies a quarter farther as it would see the first from a quarter nearer.
    edge = np.stack(edges[::-1], axis=1).ravel()
    return np.arange(len(edge) - 1) / 4, np.diff(edge)


@pytest.mark.parametrize("blur_px", [0.0, 0.55, 2.0])
def test_an_edge_is_spread_by_optics_and_pixel_area(blur_px: float) -> None:
    """Variances add: that of the optics, and 1/12 of a square pixel."""
    place, spread = line_spread(blur_px)
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    middle = (spread * place).sum()
    variance = (spread * (place - middle) ** 2).sum()
    assert variance == pytest.approx(blur_px**2 + 1 / 12, abs=0.02)


def test_a_surface_of_one_temperature_stays_what_it_is() -> None:
    seen = view()
    window = view_window(seen, STEP_M, blur_reach_px(seen, STEP_M, 1.0))
    sampler = InfraredSampler(seen, STEP_M, window, 1.0)
    layer = np.full((window.height, window.width), 41.5, np.float32)
    np.testing.assert_allclose(sampler.sample(layer), 41.5, atol=1e-4)


def test_numbers_of_pv_modules_are_not_mixed() -> None:
    seen = view()
    window = view_window(seen, STEP_M)
    layer = np.zeros((window.height, window.width), np.uint16)
    layer[:, -window.x :] = 900
    numbers = InfraredSampler(seen, STEP_M, window, 2.0).nearest(layer)
    assert set(np.unique(numbers)) == {0, 900}


def test_noise_is_as_strong_as_the_camera_s() -> None:
    camera = InfraredCamera.model_validate(
        {"focal_px": 900, "noise_k": 0.3, "fixed_pattern_k": 0.4, "drift_k": 0}
    )
    rng = np.random.default_rng(0)
    pattern = rng.standard_normal((512, 640), dtype=np.float32)
    first, second = (infrared_noise(camera, 2.0, pattern, rng) for _ in range(2))
    assert first.mean() == pytest.approx(2.0, abs=0.01)
    assert first.std() == pytest.approx(0.5, rel=0.02)
    assert (first - second).std() == pytest.approx(0.3 * np.sqrt(2), rel=0.02)


def test_warmer_is_brighter_in_grey_whatever_the_temperature_of_the_whole() -> None:
    ramp = np.tile(np.linspace(20, 60, 640, dtype=np.float32), (512, 1))
    grey = to_grey(ramp)
    assert (np.diff(grey[256].astype(int)) >= 0).all()
    assert np.ptp(grey) > 150
    assert np.abs(to_grey(ramp + 30).astype(int) - grey).max() <= 1


def test_a_frame_of_one_temperature_is_not_stretched_to_noise() -> None:
    noise = np.random.default_rng(0).normal(30, 0.05, (512, 640)).astype(np.float32)
    assert to_grey(noise).std() < 12


def test_a_neutral_exposure_gives_the_colours_back() -> None:
    scene = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    photograph = expose(scene, PLAIN, 0.0, 1.0, np.random.default_rng(1))
    assert np.abs(photograph.astype(int) - scene).max() <= 1


def test_less_light_is_darker_and_haze_lifts_the_shadows() -> None:
    dark, bright = np.full((8, 8, 3), 20, np.uint8), np.full((8, 8, 3), 180, np.uint8)

    def level(scene: np.ndarray, haze: float, light: float) -> float:
        return float(expose(scene, PLAIN, haze, light, np.random.default_rng(1)).mean())

    assert level(bright, 0, 0.5) < level(bright, 0, 1)
    assert level(dark, 0.2, 1) > level(dark, 0, 1) + 20


def test_grain_is_grey_and_as_strong_as_the_camera_s() -> None:
    grainy = PLAIN.model_copy(update={"noise": 6.0})
    scene = np.full((300, 300, 3), 128, np.uint8)
    photograph = expose(scene, grainy, 0.0, 1.0, np.random.default_rng(1))
    grain = photograph.astype(int) - expose(scene, PLAIN, 0.0, 1.0, np.random.default_rng(1))
    assert grain.std() == pytest.approx(6, rel=0.05)
    assert grain.mean() == pytest.approx(0, abs=0.6)
    assert (np.ptp(grain, axis=-1) == 0).all()
