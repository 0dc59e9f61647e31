"""Every reader gives images upright, as EXIF's orientation asks for and as viewers and labelling tools show them."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from dd_livm_core.camera_files.frames import read_infrared_frame, read_visible_frame
from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.camera_files.orientation import turn_upright, upright_size_px
from dd_livm_core.camera_files.radiometry import examine_infrared, read_infrared, read_visible
from tests import drone_files as made

ALL = range(1, 9)
WARM_C = np.full((64, 80), 30.0)
WARM_C[4:20, 8:16] = 60.0
"""A hotspot near one corner: no turn or mirror image is like another."""


@pytest.mark.parametrize("orientation", ALL)
def test_turns_are_those_of_an_independent_reader(orientation: int) -> None:
    pixels = made.picture()
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(out.getvalue()))))
    turned = turn_upright(pixels, orientation)
    np.testing.assert_array_equal(turned, expected)
    assert turned.flags.c_contiguous
    assert upright_size_px((80, 64), orientation) == turned.shape[1::-1]


def stored_picture(kind: str, pixels: np.ndarray, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    options: dict[str, object] = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    Image.fromarray(pixels).save(out, kind, exif=exif, **options)  # type: ignore[arg-type]
    return out.getvalue()


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_pictures_are_read_upright_with_their_sizes(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    pixels = np.full((64, 80, 3), 40, np.uint8)
    pixels[4:20, 8:16] = 220
    path = made.put(tmp_path / "a.img", stored_picture(kind, pixels, orientation))
    expected = turn_upright(pixels, orientation)
    size_px = expected.shape[1::-1]
    assert np.abs(read_visible(path).astype(int) - expected).max() < 30  # JPEG's own noise
    grey = read_infrared(path).values
    assert ((grey > 130) == (expected[..., 0] > 130)).all()
    held = examine_infrared(path.read_bytes(), path)
    metadata = read_metadata(path)
    assert (held.width_px, held.height_px) == size_px
    assert (metadata.width_px, metadata.height_px) == size_px
    assert read_visible_frame(path).raster_px == size_px
    assert read_infrared_frame(path).picture_px == size_px


@pytest.mark.parametrize("orientation", ALL)
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_temperatures_of_a_tiff_are_upright(
    tmp_path: Path, orientation: int, compression: str | None
) -> None:
    out = io.BytesIO()
    if compression == "lzw":
        exif = Image.Exif()
        exif[0x0112] = orientation
        exif[0x010E] = '{"unit": "celsius"}'
        image = Image.fromarray(WARM_C.astype(np.float32))
        image.save(out, "TIFF", compression="tiff_lzw", exif=exif)
    else:
        tifffile.imwrite(
            out,
            WARM_C.astype(np.float32),
            description='{"unit": "celsius"}',
            metadata=None,
            compression=compression,
            extratags=[(274, "H", 1, orientation, True)],
        )
    path = made.put(tmp_path / "a.tif", out.getvalue())
    expected = turn_upright(WARM_C, orientation)
    thermogram = read_infrared(path)
    assert thermogram.radiometric
    np.testing.assert_allclose(thermogram.values, expected)
    assert read_infrared_frame(path).raster_px == expected.shape[1::-1]


@pytest.mark.parametrize("orientation", ALL)
def test_temperatures_in_a_jpeg_turn_with_its_picture(tmp_path: Path, orientation: int) -> None:
    content = made.flir_jpeg(WARM_C, enlarged=2, orientation=orientation)
    path = made.put(tmp_path / "a.jpg", content)
    expected = turn_upright(WARM_C, orientation)
    np.testing.assert_allclose(read_infrared(path).values, expected, atol=0.05)
    held = examine_infrared(content, path)
    assert (held.width_px, held.height_px) == expected.shape[1::-1]
    frame = read_infrared_frame(path)
    assert frame.raster_px == expected.shape[1::-1]
    assert frame.picture_px == tuple(2 * side for side in frame.raster_px)


@pytest.mark.parametrize("broken", [0, 9, 700])
def test_an_orientation_that_is_none_counts_as_upright(tmp_path: Path, broken: int) -> None:
    pixels = made.picture()
    path = made.put(tmp_path / "a.jpg", made.jpeg(pixels, orientation=broken))
    assert read_visible(path).shape == pixels.shape
