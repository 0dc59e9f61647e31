"""Where the radiometric raster lies on the shown picture is found from the pixels, or said not to be known."""

from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.camera_files.frames import ImageFrame, read_infrared_frame
from dd_livm_core.camera_files.orientation import turn_upright
from tests import drone_files as made


@pytest.mark.parametrize("enlarged", [1, 2])
@pytest.mark.parametrize(("dx", "dy"), [(11, -6), (0, 17), (-30, 24)])
def test_an_offset_is_found_from_the_pixels(
    tmp_path: Path, dx: int, dy: int, enlarged: int
) -> None:
    frame = read_infrared_frame(
        made.put(tmp_path / "a.jpg", made.offset_flir_jpeg(dx, dy, enlarged=enlarged))
    )
    assert frame.offset_px == pytest.approx((dx, dy), abs=0.25)


@pytest.mark.parametrize("orientation", [3, 6])
def test_an_offset_is_told_as_the_upright_picture_has_it(tmp_path: Path, orientation: int) -> None:
    content = made.offset_flir_jpeg(11, -6, orientation=orientation)
    frame = read_infrared_frame(made.put(tmp_path / "a.jpg", content))
    spot = np.zeros((101, 101))
    spot[50 - 6, 50 + 11] = 1
    down, right = (int(place[0]) - 50 for place in np.nonzero(turn_upright(spot, orientation)))
    assert frame.offset_px == pytest.approx((right, down), abs=0.25)


def test_a_raster_that_lies_right_has_no_offset_at_all(tmp_path: Path) -> None:
    frame = read_infrared_frame(made.put(tmp_path / "a.jpg", made.offset_flir_jpeg(0, 0)))
    assert (frame.offset_px, frame.remark) == ((0.0, 0.0), None)


@pytest.mark.parametrize("shown", ["another scene", "nothing", "rows that all look alike"])
def test_an_offset_that_is_not_sure_is_none_and_is_told(tmp_path: Path, shown: str) -> None:
    raster = made.frame_at(made.scene_c(), 0, 0)
    picture = made.in_palette(made.frame_at(made.scene_c(1), 0, 0))
    if shown == "nothing":
        picture = np.full_like(picture, 128)
    if shown == "rows that all look alike":
        raster = np.broadcast_to(
            30 + 10 * np.sin(np.arange(made.SCENE_PX[1]) / 3)[:, None], made.SCENE_PX[::-1]
        )
        picture = made.in_palette(np.roll(raster, 9, axis=0))
    content = made.flir_jpeg(raster, raw="tiff", shown=picture, part_bytes=60000)
    frame = read_infrared_frame(made.put(tmp_path / "a.jpg", content))
    assert frame.offset_px is None
    assert "could not be found" in str(frame.remark)
    assert frame.offset_from(None) == (0, 0)


def test_an_r_jpeg_has_an_offset_where_a_reader_gives_its_raster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = made.scene_c()
    counts = np.rint((made.frame_at(scene, 0, 0) + 273.15) * 64).astype(np.uint16)
    shown = made.in_palette(made.frame_at(scene, -12, 5))
    path = made.put(tmp_path / "a_R.JPG", made.dji_rjpeg(counts, shown=shown))
    for name in ("DD_LIVM_DJI_SDK", "DD_LIVM_DJI_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    assert read_infrared_frame(path).offset_px == (0, 0)  # the picture itself is read
    monkeypatch.setenv("DD_LIVM_DJI_SDK", str(tmp_path / "libdirp.so"))
    assert read_infrared_frame(path).offset_px == pytest.approx((12, -5), abs=0.25)


def test_only_boxes_drawn_on_the_picture_are_moved() -> None:
    enlarged = ImageFrame((1280, 1024), (640, 512), (3.0, 17.0))
    assert enlarged.offset_from(None) == enlarged.offset_from((1280, 1024)) == (3, 17)
    assert enlarged.offset_from((640, 512)) == (0, 0)  # the raster itself was labelled
    alike = ImageFrame((640, 512), (640, 512), (3.0, 17.0))
    assert alike.offset_from(None) == alike.offset_from((640, 512)) == (3, 17)
    assert enlarged.draw_box((10, 20, 4, 5)) == (26, 74, 8, 10)
    assert ImageFrame((640, 640), (640, 512)).draw_box((1, 2, 3, 4)) == (1, 2, 3, 4)


@pytest.mark.real_data
def test_real_rasters_lie_where_they_were_measured(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By eye on the offset ones: 17 and 34 px lower on the picture; cars and modules 12 px to its right."""
    monkeypatch.setenv(
        "DD_LIVM_DJI_SDK", "libdirp.so"
    )  # as if there were a reader; it is not asked
    models = real_data / "radiometric/camera_models"
    plant = real_data / "plants/plant_01/labelled"
    for path, right, down in [
        (plant / "anh144.JPG", 0, 17),
        (plant / "anh241.JPG", 1.5, 34),
        (plant / "anh141.JPG", 0, 0),
        (models / "FLIR.jpg", 0, 0),
        (models / "DJI_XT2.jpg", 0, 0),
        (real_data / "radiometric/xt2_india/RJPG/DJI_0004_R.JPG", 0, 0),
        (models / "XTS/DJI_0004_R.JPG", 11.7, -0.7),
        (models / "H20N/DJI_0001_R.JPG", 11.7, 4),
        (models / "M30T/DJI_0001_R.JPG", 0, 0),
    ]:
        offset_px = read_infrared_frame(path).offset_px
        assert offset_px == pytest.approx((right, down), abs=0.5)
