"""Picture, raster and stated size of one image: boxes go from one to another; sizes that cannot be are refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dd_livm_core.camera_files.frames import ImageFrame, read_infrared_frame
from tests import drone_files as made

ENLARGED = ImageFrame((1280, 1024), (640, 512))


def test_a_label_file_without_a_size_means_the_picture() -> None:
    assert ENLARGED.scale_from(None) == (0.5, 0.5)


@given(st.floats(0.05, 4))
def test_an_enlarged_or_reduced_copy_is_told_by_its_size(factor: float) -> None:
    stated = (round(1280 * factor), round(1024 * factor))
    across, down = ENLARGED.scale_from(stated)
    assert (stated[0] * across, stated[1] * down) == pytest.approx((640, 512))
    assert across == pytest.approx(0.5 / factor, rel=0.02)


def test_the_raster_itself_may_have_been_labelled() -> None:
    assert ENLARGED.scale_from((640, 512)) == (1, 1)
    assert ImageFrame((640, 640), (640, 512)).scale_from((640, 512)) == (1, 1)


@pytest.mark.parametrize(
    "stated", [(640, 480), (640, 640), (0, 0), (-640, -512), (5, 4), (float("nan"), 512.0)]
)
def test_a_size_that_cannot_show_the_frame_is_refused(stated: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="1280 x 1024") as refused:
        ENLARGED.scale_from(stated)
    assert "upright" not in str(refused.value)


def test_a_size_from_before_the_turn_is_told() -> None:
    with pytest.raises(ValueError, match="upright"):
        ENLARGED.scale_from((512, 640))


def test_a_picture_of_another_shape_than_its_raster_is_no_scale() -> None:
    with pytest.raises(ValueError, match="not known"):
        ImageFrame((640, 640), (640, 512)).scale_from(None)


@pytest.mark.parametrize("raw", ["png", "tiff", "plain"])
def test_both_sizes_of_a_radiometric_jpeg_are_read(tmp_path: Path, raw: str) -> None:
    content = made.flir_jpeg(np.full((64, 80), 30.0), raw=raw, enlarged=3)
    frame = read_infrared_frame(made.put(tmp_path / "a.jpg", content))
    assert (frame.picture_px, frame.raster_px) == ((240, 192), (80, 64))


def test_an_r_jpeg_has_the_raster_of_its_counts_where_a_reader_gives_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_data: Path
) -> None:
    path = real_data / "radiometric/camera_models/M30T/DJI_0001_R.JPG"
    monkeypatch.delenv("DD_LIVM_DJI_SDK", raising=False)
    monkeypatch.delenv("DD_LIVM_DJI_PROGRAM", raising=False)
    monkeypatch.setenv("PATH", "")
    assert read_infrared_frame(path) == ImageFrame((1280, 1024), (1280, 1024))
    monkeypatch.setenv("DD_LIVM_DJI_SDK", str(tmp_path / "libdirp.so"))
    assert read_infrared_frame(path) == ImageFrame((1280, 1024), (640, 512))
