"""Pixels that no scene has are told, in every kind of radiometric file; a scene's own are not."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from dd_livm_core.camera_files.doubtful_pixels import describe_lone_pixels, describe_zeros
from dd_livm_core.camera_files.radiometry import infrared_from_bytes, read_infrared
from tests import drone_files as made
from tests.camera_files.flyr_comparison import find_flir_files

PATH = Path("a")


def flat_c() -> np.ndarray:
    return np.full((64, 80), 30.0) + np.linspace(0, 5, 80)


@pytest.mark.parametrize("kelvin", [40.0, -40.0])
@pytest.mark.parametrize("place", [(30, 40), (0, 0), (63, 79)])
def test_a_pixel_far_off_all_its_neighbours_is_told(kelvin: float, place: tuple[int, int]) -> None:
    celsius = flat_c()
    celsius[place] += kelvin
    counts = np.rint((celsius + 273.15) * 100).astype(np.uint16)
    for content in (made.flir_jpeg(celsius), made.tiff(counts, "centikelvin")):
        assert str(infrared_from_bytes(content, PATH).remark).startswith("1 pixels lie over 30 K")


def test_two_damaged_pixels_beside_each_other_are_told() -> None:
    celsius = flat_c()
    celsius[20, 30:32] = 480.0, 260.0
    assert "pixels lie over 30 K" in str(describe_lone_pixels(celsius.astype(np.float32)))


def test_a_small_hot_spot_behind_a_lens_is_none() -> None:
    spot = np.zeros((64, 80), np.float32)
    spot[30, 40] = 1
    blurred = cv2.GaussianBlur(spot, (0, 0), 0.7)
    hot = flat_c() + 60 * blurred / blurred.max()
    assert describe_lone_pixels(hot.astype(np.float32)) is None
    assert infrared_from_bytes(made.flir_jpeg(hot), PATH).remark is None


def test_a_region_of_zeros_in_a_float_frame_is_told() -> None:
    celsius = flat_c().astype(np.float32)
    assert infrared_from_bytes(made.tiff(celsius, "celsius"), PATH).remark is None
    celsius[10:12, 10:30] = 0
    assert "40 pixels hold exactly 0" in str(
        infrared_from_bytes(made.tiff(celsius, "celsius"), PATH).remark
    )


def test_a_number_that_nothing_measures_is_told() -> None:
    celsius = flat_c()
    celsius[5, 5] = -4e-32
    assert "nothing measures" in str(describe_zeros(celsius))
    celsius[5, 5] = 0.0
    assert describe_zeros(celsius) is None


@pytest.mark.real_data
def test_real_files_have_none(real_data: Path) -> None:
    for path in find_flir_files(real_data):
        assert "around them" not in str(read_infrared(path).remark)
