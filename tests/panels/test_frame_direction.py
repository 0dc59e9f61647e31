"""Frames have one direction, whatever way their edges point."""

import cv2
import numpy as np
import pytest

from dd_livm_core.panels.frame_direction import (
    direction_deg,
    fourfold_mean,
    typical_gradient,
    upright_turn,
)
from tests.panels.tables import tables


def gradient(image: np.ndarray) -> np.ndarray:
    return cv2.Scharr(image, cv2.CV_32F, 1, 0) + 1j * cv2.Scharr(image, cv2.CV_32F, 0, 1)


@pytest.mark.parametrize("turn_deg", [-30.0, 0.0, 12.0])
def test_both_flanks_of_frames_in_both_directions_agree(turn_deg: float) -> None:
    edges = 5.0 * np.exp(1j * (np.radians(turn_deg) + np.arange(4) * np.pi / 2))
    assert direction_deg(edges) == pytest.approx(turn_deg, abs=1e-6)
    assert abs(fourfold_mean(edges)) == pytest.approx(1.0)


def test_edges_of_any_direction_cancel() -> None:
    edges = np.exp(1j * np.linspace(0, 2 * np.pi, 400, endpoint=False))
    assert abs(fourfold_mean(edges)) < 1e-9
    assert fourfold_mean(np.zeros(5, complex)) == 0


def test_the_upright_turn_brings_frames_to_the_axes_and_cuts_nothing_off() -> None:
    image, mask = tables(turn_deg=15.0)
    turn, side = upright_turn((300, 420), direction_deg(gradient(image)))
    upright = cv2.warpAffine(image, turn, (side, side), borderValue=10)
    inside = cv2.warpAffine(mask.astype(np.float32), turn, (side, side))
    assert direction_deg(gradient(upright)) == pytest.approx(0.0, abs=0.5)
    assert inside.sum() == pytest.approx(mask.sum(), rel=0.01)


def test_the_typical_gradient_is_above_noise_and_not_zero_on_flat_images() -> None:
    noise = np.abs(np.random.default_rng(0).normal(0, 1, 10_000))
    assert 1.0 < typical_gradient(noise) < 3.0
    few_levels = np.zeros(100)
    few_levels[:10] = 8.0
    assert typical_gradient(few_levels) == pytest.approx(0.2)
    assert typical_gradient(np.zeros(0)) == 0
