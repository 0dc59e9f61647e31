"""TIFF in all its forms: the one frame is read right, or it is said why not."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from dd_livm_core.camera_files.frames import read_infrared_frame
from dd_livm_core.camera_files.radiometry import infrared_from_bytes, read_infrared
from dd_livm_core.camera_files.thermogram import Thermogram
from dd_livm_core.errors import InputError
from dd_livm_core.records import DeclaredUnit
from tests import drone_files as made

WARM_C = np.linspace(5, 95, 64 * 80).reshape(64, 80)
COUNTS = np.rint((WARM_C + 273.15) * 100).astype(np.uint16)
DECLARED = DeclaredUnit(unit="centikelvin")


def read(content: bytes, declared: DeclaredUnit | None = DECLARED) -> Thermogram:
    return infrared_from_bytes(content, Path("a.tif"), declared=declared)


def pages(*images: np.ndarray, **more: object) -> bytes:
    out = io.BytesIO()
    with tifffile.TiffWriter(out) as writer:
        for image in images:
            thumbnail = int(image.shape[0] < 64)
            writer.write(image, subfiletype=thumbnail, metadata=None, **more)  # type: ignore[arg-type]
    return out.getvalue()


def packed(values: np.ndarray, compression: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(values).save(out, "TIFF", compression=compression)
    return out.getvalue()


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_compressions(compression: str, kind: type) -> None:
    thermogram = read(packed(COUNTS.astype(kind), compression))
    assert thermogram.stored_dtype == np.dtype(kind).name
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=0.006)


@pytest.mark.parametrize("form", [{"tile": (32, 32)}, {"rowsperstrip": 7}, {"compression": "zlib"}])
def test_tiles_and_strips(form: dict[str, object]) -> None:
    np.testing.assert_allclose(read(pages(COUNTS, **form)).values, WARM_C, atol=0.006)


def test_an_unknown_compression_is_named() -> None:
    with pytest.raises(InputError, match="LZMA"):
        read(pages(COUNTS, compression="lzma"))


def test_a_thumbnail_is_not_the_frame(tmp_path: Path) -> None:
    small = made.picture(size=(40, 32))
    for content in (pages(small, COUNTS), pages(COUNTS, small), pages(made.picture(), COUNTS)):
        np.testing.assert_allclose(read(content).values, WARM_C, atol=0.006)
        assert read_infrared_frame(made.put(tmp_path / "a.tif", content)).raster_px == (80, 64)


def test_a_sequence_of_frames_is_not_one_frame(tmp_path: Path) -> None:
    path = made.put(tmp_path / "a.tif", pages(COUNTS, COUNTS + 7, COUNTS))
    for function in (read_infrared, read_infrared_frame):
        with pytest.raises(InputError, match=r"one frame.*found 3"):
            function(path)


def test_an_offset_is_declared() -> None:
    """40 counts a kelvin from -100 degrees."""
    counts = np.rint((WARM_C + 100) * 40).astype(np.uint16)
    declared = DeclaredUnit(unit="celsius", scale=0.025, offset=-100)
    np.testing.assert_allclose(read(made.tiff(counts), declared).values, WARM_C, atol=0.013)
    content = made.tiff(counts, "celsius", scale=0.025, offset=-100)
    np.testing.assert_allclose(read(content, None).values, WARM_C, atol=0.013)


@pytest.mark.parametrize(
    ("values", "items"),
    [
        (WARM_C, {"unittype": "degC"}),
        (COUNTS, {"unittype": "K", "scale": "0.01"}),
        (COUNTS, {"unittype": "C", "scale": "0.01", "offset": "-273.15"}),
    ],
)
def test_what_gdal_says(values: np.ndarray, items: dict[str, str]) -> None:
    said = "".join(
        f'<Item name="{name}" sample="0" role="{name}">{value}</Item>'
        for name, value in items.items()
    )
    tag = (42112, "s", 0, f"<GDALMetadata>{said}</GDALMetadata>", True)
    stored = values if values.dtype == np.uint16 else values.astype(np.float32)
    thermogram = read(pages(stored, extratags=[tag]), None)
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=0.006)


def test_eight_bits_are_never_temperatures() -> None:
    thermogram = read(made.tiff(WARM_C.astype(np.uint8)), DeclaredUnit(unit="celsius"))
    assert not thermogram.radiometric
    assert "8-bit" in str(thermogram.reason)


def test_a_deflate_bomb_is_not_unpacked() -> None:
    """16 KB that unpack to 16 MB, in a frame of 80 x 64."""
    content = bytearray(pages(COUNTS, compression="zlib"))
    packer = zlib.compressobj(9)
    bomb = packer.compress(bytes(2**24)) + packer.flush()
    with tifffile.TiffFile(io.BytesIO(bytes(content))) as tiff:
        tags = [tiff.pages[0].tags[name] for name in ("StripOffsets", "StripByteCounts")]
    for tag, value in zip(tags, (len(content), min(len(bomb), 65535)), strict=True):
        struct.pack_into("<H" if int(tag.dtype) == 3 else "<I", content, tag.valueoffset, value)
    with pytest.raises(InputError, match="strip of over"):
        read(bytes(content) + bomb)


def test_a_jpeg_of_thousands_of_scans_is_refused() -> None:
    content = made.jpeg(made.picture())
    start = content.index(b"\xff\xda")
    scan = content[start:-2]
    with pytest.raises(InputError, match="scans"):
        read(content[:start] + 2000 * scan + b"\xff\xd9")
