"""TIFF in all its forms: the one frame is read right, or it is said why not."""

import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from dd_livm_core.camera_files.frames import read_infrared_frame
from dd_livm_core.camera_files.palettes import curve
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
    stored = values if values.dtype == np.uint16 else values.astype(np.float32)
    thermogram = read(pages(stored, extratags=gdal(items)), None)
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=0.006)


def gdal(metadata: dict[str, str], nodata: str | None = None) -> list[tuple[object, ...]]:
    """Return TIFF tags as GDAL writes them."""
    said = "".join(
        f'<Item name="{name}" sample="0" role="{name}">{value}</Item>'
        for name, value in metadata.items()
    )
    tags: list[tuple[object, ...]] = [(42112, "s", 0, f"<GDALMetadata>{said}</GDALMetadata>", True)]
    return tags + ([(42113, "s", 0, nodata, True)] if nodata is not None else [])


def test_a_scale_in_the_file_goes_with_the_unit_of_the_mission() -> None:
    content = pages(COUNTS, extratags=gdal({"scale": "0.01", "offset": "0"}))
    kelvin = read(content, DeclaredUnit(unit="kelvin"))
    np.testing.assert_allclose(kelvin.values, WARM_C, atol=0.006)
    same = read(content, DeclaredUnit(unit="kelvin", scale=0.01))
    np.testing.assert_array_equal(same.values, kelvin.values)
    with pytest.raises(InputError, match=r"0\.04 kelvin"):
        read(content, DeclaredUnit(unit="kelvin", scale=0.04))
    assert not read(content, None).radiometric


@pytest.mark.parametrize(
    "said",
    [
        {"unittype": "degF"},
        {"unittype": "K", "scale": "0"},
        {"unittype": "K", "scale": "a tenth"},
        {"scale": "-0.01"},
    ],
)
def test_a_scale_or_unit_that_cannot_be_is_not_passed_over(said: dict[str, str]) -> None:
    with pytest.raises(InputError, match="GDAL"):
        read(pages(COUNTS, extratags=gdal(said)), DeclaredUnit(unit="centikelvin"))


@pytest.mark.parametrize(
    ("kind", "mark", "written"),
    [
        (np.float32, np.nan, "nan"),
        (np.float32, -9999.0, "-9999"),
        (np.float32, np.float32(-3.4028235e38), "-3.4028234663852886e+38"),
        (np.float64, 1e30, "1e+30"),
        (np.uint16, 0, "0 "),
    ],
)
def test_declared_gaps_take_the_median_and_are_told(kind: type, mark: float, written: str) -> None:
    values = (COUNTS if kind is np.uint16 else WARM_C).astype(kind)
    values[:8, :40] = mark
    said = {"unittype": "K", "scale": "0.01"} if kind is np.uint16 else {"unittype": "degC"}
    thermogram = read(pages(values, extratags=gdal(said, written)), None)
    gaps = np.zeros(values.shape, bool)
    gaps[:8, :40] = True
    np.testing.assert_allclose(thermogram.values[~gaps], WARM_C[~gaps], atol=0.006)
    np.testing.assert_allclose(thermogram.values[gaps], np.median(WARM_C[~gaps]), atol=0.02)
    assert "6.2% of the pixels" in str(thermogram.remark)


def test_gaps_that_nobody_declared_or_that_are_most_of_the_frame_are_refused() -> None:
    values = WARM_C.astype(np.float32)
    values[:40] = -9999
    with pytest.raises(InputError, match="-9999"):
        read(pages(values, extratags=gdal({"unittype": "degC"})), None)
    with pytest.raises(InputError, match="62% marked as missing"):
        read(pages(values, extratags=gdal({"unittype": "degC"}, "-9999")), None)


def test_a_mark_that_the_frame_does_not_hold_changes_nothing() -> None:
    content = pages(COUNTS, extratags=gdal({"unittype": "K", "scale": "0.01"}, "nan"))
    thermogram = read(content, None)
    assert thermogram.remark is None
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=0.006)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize(("kind", "predictor"), [(np.float32, 3), (np.uint16, 2), (np.float32, 2)])
def test_predictors(compression: str, kind: type, predictor: int) -> None:
    out = io.BytesIO()
    stored = (COUNTS / 1 if kind is np.float32 else COUNTS).astype(kind)
    Image.fromarray(stored).save(out, "TIFF", compression=compression, tiffinfo={317: predictor})
    thermogram = read(out.getvalue())
    assert thermogram.stored_dtype == np.dtype(kind).name
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=0.006)


def difference_bytes(values: np.ndarray) -> bytes:
    """Return rows of floats as TIFF's floating point predictor stores them (Adobe, Technical Note 3)."""
    rows, columns = values.shape
    size = values.dtype.itemsize
    most_significant_first = values.astype(values.dtype.newbyteorder(">")).view(np.uint8)
    planes = most_significant_first.reshape(rows, columns, size).transpose(0, 2, 1)
    flat = planes.reshape(rows, columns * size)
    return np.diff(flat, axis=1, prepend=np.uint8(0)).tobytes()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("form", [{"tile": (32, 32)}, {"rowsperstrip": 16}])
def test_floats_predicted_in_tiles_and_strips(
    kind: type, byteorder: str, form: dict[str, object]
) -> None:
    """As GDAL writes them with PREDICTOR=3."""
    values = WARM_C.astype(kind)
    size = values.dtype.itemsize
    rows, columns = (32, 32) if "tile" in form else (16, 80)
    padded = np.pad(values, ((0, 0), (0, -80 % columns)))
    parts = [
        zlib.compress(difference_bytes(padded[y : y + rows, x : x + columns]))
        for y in range(0, 64, rows)
        for x in range(0, 80, columns)
    ]
    out = io.BytesIO()
    with tifffile.TiffWriter(out, byteorder=byteorder) as writer:
        writer.write(
            iter(parts), shape=values.shape, dtype=f"i{size}", compression="zlib", predictor=2,
            metadata=None, **form,  # type: ignore[arg-type]
        )  # fmt: skip
    content = bytearray(out.getvalue())
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        for tag in (317, 339):  # predictor and sample format; tifffile itself predicts no floats
            struct.pack_into(f"{byteorder}H", content, tiff.pages[0].tags[tag].valueoffset, 3)
    thermogram = read(bytes(content), DeclaredUnit(unit="celsius"))
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=1e-4)


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


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_numbers_that_stand_for_colours_are_read_by_these(compression: str) -> None:
    """A palette's colours may stand in any order in the file."""
    values = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    places = np.random.default_rng(0).permutation(256)
    stored = np.zeros((256, 3), np.uint8)
    stored[places] = curve("rainbow")
    image = Image.fromarray(places.astype(np.uint8)[values])
    image.putpalette(stored.ravel().tolist())
    out = io.BytesIO()
    image.save(out, "TIFF", compression=compression)
    found = read(out.getvalue(), None)
    assert found.palette == "rainbow"
    np.testing.assert_allclose(found.values, values, atol=3)


@pytest.mark.parametrize("compression", [None, "zlib", "packbits", "tiff_lzw"])
def test_a_negative_is_turned_over(compression: str | None) -> None:
    shown = np.tile(np.linspace(0, 255, 80).astype(np.uint8), (64, 1))
    if compression in ("tiff_lzw", "packbits"):
        out = io.BytesIO()
        Image.fromarray(shown).save(out, "TIFF", compression=compression, tiffinfo={262: 0})
        content = out.getvalue()
    else:
        content = pages(255 - shown, photometric="miniswhite", compression=compression)
    assert np.corrcoef(read(content, None).values.ravel(), shown.ravel())[0, 1] > 0.99


@pytest.mark.parametrize("name", ["Celsius", "degC", "°C", " C"])
def test_a_description_may_name_the_unit_as_people_write_it(name: str) -> None:
    said = json.dumps({"unit": name})
    found = read(pages(WARM_C.astype(np.float32), description=said), None)
    np.testing.assert_allclose(found.values, WARM_C, atol=1e-4)


def test_more_rows_than_the_frame_says_are_refused() -> None:
    """The tag of the height was damaged: half of the frame is not the frame."""
    content = pages(COUNTS)
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        tag = tiff.pages[0].tags[257]
        broken = bytearray(content)
        struct.pack_into("<H", broken, tag.valueoffset, 32)
    with pytest.raises(InputError, match=r"32 rows .* found 64"):
        read(bytes(broken))
