"""Temperatures come out as they went in; what declares none gives none; what is broken says so."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.errors import InputError
from dd_livm_core.records import DeclaredUnit, MeasurementParameters, TemperatureUnit
from tests import drone_files as made

WARM_C = np.linspace(5, 95, 64 * 80).reshape(64, 80)
COUNT_STEP_K = 0.03
"""More than half a count of the sensor at these temperatures."""


@pytest.mark.parametrize("raw", ["png", "tiff", "bytes"])
@pytest.mark.parametrize("order", [">", "<"])
def test_flir_temperatures_come_back(tmp_path: Path, raw: str, order: str) -> None:
    path = made.put(tmp_path / "a.jpg", made.flir_jpeg(WARM_C, raw=raw, order=order))
    thermogram = read_infrared(path, require_temperature=True)
    assert thermogram.values.dtype == np.float32
    assert thermogram.camera == "TEST"
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=COUNT_STEP_K)


def test_both_names_of_the_record_format_are_known(tmp_path: Path) -> None:
    content = made.flir_jpeg(WARM_C).replace(b"FFF\0", b"AFF\0")
    values = read_infrared(made.put(tmp_path / "a.jpg", content)).values
    np.testing.assert_allclose(values, WARM_C, atol=COUNT_STEP_K)


def test_a_png_in_its_own_byte_order_is_read_right(tmp_path: Path) -> None:
    """As of a ThermaCAM E65."""
    content = made.flir_jpeg(WARM_C, swapped=False)
    values = read_infrared(made.put(tmp_path / "a.jpg", content)).values
    np.testing.assert_allclose(values, WARM_C, atol=COUNT_STEP_K)


@pytest.mark.parametrize("raw", ["png", "bytes"])
def test_flir_pixels_that_do_not_fit_their_checksum_are_refused(tmp_path: Path, raw: str) -> None:
    content = made.flir_jpeg(WARM_C, raw=raw, checksums=True)
    thermogram = read_infrared(made.put(tmp_path / "a.jpg", content))
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=COUNT_STEP_K)
    assert thermogram.remark is None
    damaged = bytearray(content)
    damaged[content.index(struct.pack("<HHH", 2, 80, 64)) + 8] ^= 64
    with pytest.raises(InputError, match="checksum"):
        read_infrared(made.put(tmp_path / "b.jpg", bytes(damaged)))


def test_what_the_mission_declares_takes_the_place_of_what_a_flir_file_says(tmp_path: Path) -> None:
    given = MeasurementParameters(emissivity=0.8, reflected_c=-30.0, distance_m=40.0)
    content = made.flir_jpeg(WARM_C)
    found = read_infrared(made.put(tmp_path / "a.jpg", content), parameters=given)
    declared = made.flir_jpeg(WARM_C, emissivity=0.8, reflected_c=-30.0, distance_m=40.0)
    right = read_infrared(made.put(tmp_path / "b.jpg", declared))
    np.testing.assert_allclose(found.values, right.values, atol=1e-3)
    assert (found.emissivity, found.distance_m) == (0.8, 40.0)
    assert found.relative_humidity == right.relative_humidity
    with pytest.raises(InputError, match="emissivity"):
        read_infrared(tmp_path / "a.jpg", parameters=MeasurementParameters(emissivity=1.4))


def test_an_edited_emissivity_costs_no_flir_frame_and_is_told(tmp_path: Path) -> None:
    """Programs that edit the camera record leave its checksum as it was."""
    stale = made.flir_jpeg(WARM_C, emissivity=0.75, reflected_c=-30.0, checksums=True).replace(
        struct.pack("<f", 0.75), struct.pack("<f", 0.9)
    )
    fresh = made.flir_jpeg(WARM_C, emissivity=0.9, reflected_c=-30.0, checksums=True)
    found, right = (
        read_infrared(made.put(tmp_path / name, content))
        for name, content in (("a.jpg", stale), ("b.jpg", fresh))
    )
    np.testing.assert_array_equal(found.values, right.values)
    assert found.emissivity == pytest.approx(0.9)
    assert "checksum" in str(found.remark)
    assert right.remark is None


def test_an_object_at_the_temperature_of_what_it_reflects_needs_no_emissivity(
    tmp_path: Path,
) -> None:
    """In a room of one temperature emissivity, reflection and air do not matter (Kirchhoff)."""
    room_c = np.full((64, 80), 20.0)
    content = made.flir_jpeg(room_c, emissivity=0.6, distance_m=30.0, reflected_c=20.0)
    values = read_infrared(made.put(tmp_path / "a.jpg", content)).values
    np.testing.assert_allclose(values, 20.0, atol=2 * COUNT_STEP_K)


def test_a_poor_emitter_above_a_cold_sky_is_warmer_than_it_looks(tmp_path: Path) -> None:
    looks_c = np.full((64, 80), 40.0)
    content = made.flir_jpeg(looks_c, emissivity=0.85, reflected_c=-30.0)
    assert (read_infrared(made.put(tmp_path / "a.jpg", content)).values > 44).all()


@pytest.mark.filterwarnings("error")
def test_counts_below_what_any_temperature_gives_are_an_error(tmp_path: Path) -> None:
    """At the count -O the sensor sees no radiation at all: 0 K."""
    content = made.flir_jpeg(np.full((64, 80), -250.0), raw="bytes")
    path = made.put(tmp_path / "a.jpg", content)
    with pytest.raises(InputError, match="temperatures"):
        read_infrared(path)


def test_a_missing_flir_segment_is_an_error_and_no_shifted_image(tmp_path: Path) -> None:
    content = made.flir_jpeg(WARM_C, raw="bytes")
    first = content.index(b"FLIR\0\1\1") - 4
    (length,) = struct.unpack_from(">H", content, first + 2)
    cut = content[:first] + content[first + 2 + length :]
    with pytest.raises(InputError, match="segments"):
        read_infrared(made.put(tmp_path / "a.jpg", cut))


def test_a_flipped_bit_in_the_raw_png_is_an_error(tmp_path: Path) -> None:
    content = bytearray(made.flir_jpeg(WARM_C))
    content[content.index(b"IDAT") + 40] ^= 4
    with pytest.raises(InputError):
        read_infrared(made.put(tmp_path / "a.jpg", bytes(content)))


@pytest.mark.parametrize(
    ("unit", "stored"),
    [
        ("centikelvin", np.rint((WARM_C + 273.15) * 100).astype(np.uint16)),
        ("kelvin", (WARM_C + 273.15).astype(np.float32)),
        ("celsius", WARM_C.astype(np.float32)),
    ],
)
def test_declared_units_give_the_same_temperatures(
    tmp_path: Path, unit: str, stored: np.ndarray
) -> None:
    values = read_infrared(made.put(tmp_path / "a.tiff", made.tiff(stored, unit))).values
    np.testing.assert_allclose(values, WARM_C, atol=0.006)


def test_a_declared_scale_is_used(tmp_path: Path) -> None:
    stored = np.rint((WARM_C + 273.15) / 0.04).astype(np.uint16)
    values = read_infrared(made.put(tmp_path / "a.tiff", made.tiff(stored, "kelvin", scale=0.04)))
    np.testing.assert_allclose(values.values, WARM_C, atol=0.021)


def test_an_undeclared_tiff_gives_shape_and_the_reason(tmp_path: Path) -> None:
    path = made.put(tmp_path / "a.tiff", made.tiff((WARM_C * 100).astype(np.uint16)))
    thermogram = read_infrared(path)
    assert not thermogram.radiometric
    assert "declares no unit" in str(thermogram.reason)
    assert (np.diff(thermogram.values.ravel()) >= 0).all()
    with pytest.raises(InputError, match="declares no unit"):
        read_infrared(path, require_temperature=True)


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        (np.rint((WARM_C + 273.15) * 100).astype(np.uint16), "celsius"),
        (np.rint((WARM_C + 273.15) * 100).astype(np.uint16), "kelvin"),
        (np.rint((WARM_C + 273.15) * 100).astype(np.uint16), "decikelvin"),
        (np.rint((WARM_C + 273.15) * 10).astype(np.uint16), "centikelvin"),
        ((WARM_C + 273.15).astype(np.float32), "celsius"),
        (WARM_C.astype(np.float32), "kelvin"),
    ],
)
@pytest.mark.parametrize("by", ["file", "mission"])
def test_a_wrongly_declared_unit_is_refused(
    tmp_path: Path, values: np.ndarray, wrong: TemperatureUnit, by: str
) -> None:
    path = made.put(tmp_path / "a.tiff", made.tiff(values, wrong if by == "file" else None))
    with pytest.raises(InputError, match="unit"):
        read_infrared(path, declared=DeclaredUnit(unit=wrong))


def test_the_mission_declares_what_its_files_do_not(tmp_path: Path) -> None:
    stored = np.rint((WARM_C + 273.15) / 0.04).astype(np.uint16)
    path = made.put(tmp_path / "a.tiff", made.tiff(stored))
    declared = DeclaredUnit(unit="kelvin", scale=0.04)
    thermogram = read_infrared(path, declared=declared, require_temperature=True)
    np.testing.assert_allclose(thermogram.values, WARM_C, atol=0.021)


def test_a_mission_and_a_file_that_disagree_are_an_error(tmp_path: Path) -> None:
    stored = np.rint((WARM_C + 273.15) * 100).astype(np.uint16)
    path = made.put(tmp_path / "a.tiff", made.tiff(stored, "centikelvin"))
    assert read_infrared(path, declared=DeclaredUnit(unit="centikelvin")).radiometric
    with pytest.raises(InputError, match="mission's unit"):
        read_infrared(path, declared=DeclaredUnit(unit="decikelvin"))


@pytest.mark.parametrize("said", [{"unit": "fahrenheit"}, {"unit": "kelvin", "scale": -1}])
def test_a_unit_that_is_none_is_an_error(tmp_path: Path, said: dict[str, object]) -> None:
    with pytest.raises(InputError, match="centikelvin"):
        read_infrared(made.put(tmp_path / "a.tiff", made.tiff(WARM_C.astype(np.float32), **said)))


@pytest.mark.parametrize("gain_k", [0.04, 0.4])
def test_the_tlinear_gain_of_flir_is_used(tmp_path: Path, gain_k: float) -> None:
    """FLIR's TLinear mode: kelvin per count, in XMP."""
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:Camera="http://pix4d.com/camera/1.0/">'
        f"<Camera:TlinearGain>{gain_k}</Camera:TlinearGain></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    counts = np.rint((WARM_C + 273.15) / gain_k).astype(np.uint16)
    out = io.BytesIO()
    tifffile.imwrite(out, counts, extratags=[(700, "B", len(xmp), xmp.encode(), True)])
    values = read_infrared(made.put(tmp_path / "a.tiff", out.getvalue())).values
    np.testing.assert_allclose(values, WARM_C, atol=gain_k / 2 + 1e-3)


def test_a_colour_tiff_is_never_a_temperature(tmp_path: Path) -> None:
    path = made.put(tmp_path / "a.tiff", made.tiff(made.picture()))
    assert not read_infrared(path).radiometric
    with pytest.raises(InputError, match="3 channels"):
        read_infrared(path, declared=DeclaredUnit(unit="celsius"))


@pytest.mark.parametrize("broken", [np.nan, np.inf, -1e38])
@pytest.mark.parametrize("unit", ["celsius", None])
def test_values_that_are_no_numbers_are_an_error(
    tmp_path: Path, broken: float, unit: str | None
) -> None:
    values = WARM_C.astype(np.float32)
    values[3, 4] = broken
    with pytest.raises(InputError, match="finite"):
        read_infrared(made.put(tmp_path / "a.tiff", made.tiff(values, unit)))


def test_sixteen_bits_in_a_png_are_not_clipped_to_eight(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.rint((WARM_C + 273.15) * 100).astype(np.uint16)).save(path)
    with pytest.raises(InputError, match="TIFF"):
        read_infrared(path)


def test_a_picture_gives_shape_only(tmp_path: Path) -> None:
    thermogram = read_infrared(made.put(tmp_path / "a.jpg", made.jpeg(made.picture())))
    assert not thermogram.radiometric
    assert 0 <= thermogram.values.min() <= thermogram.values.max() <= 255


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"GIF89a", b"%PDF-1.7", b"\0" * 4096])
def test_foreign_and_zero_byte_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = made.put(tmp_path / "a.jpg", content)
    for read in (read_infrared, read_visible):
        with pytest.raises(InputError):
            read(path)


@given(st.floats(0.05, 0.95))
@settings(max_examples=25, deadline=None)
def test_a_cut_jpeg_is_never_taken(share: float) -> None:
    """Decoders like to fill the rest with grey."""
    from dd_livm_core.camera_files.radiometry import visible_from_bytes

    content = made.jpeg(made.picture())
    with pytest.raises(InputError):
        visible_from_bytes(content[: int(share * len(content))], Path("cut.jpg"))


def bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(1_000_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_a_decompression_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    path = made.put(tmp_path / "a.png", bomb())
    for read in (read_infrared, read_visible):
        with pytest.raises(InputError, match=r"megapixels|exceeds"):
            read(path)


def test_a_bomb_in_flir_data_is_refused_from_its_header(tmp_path: Path) -> None:
    """The record says 80 x 64, its TIFF says 20000 x 20000."""
    content = made.flir_jpeg(WARM_C, raw="tiff", part_bytes=60_000)
    out = io.BytesIO()
    tifffile.imwrite(out, WARM_C.astype(np.uint16))
    swollen = bytearray(content)
    start = swollen.index(b"II*\0")
    with tifffile.TiffFile(io.BytesIO(out.getvalue())) as tiff:
        places = [tiff.pages[0].tags[name].valueoffset for name in ("ImageWidth", "ImageLength")]
    for place in places:
        struct.pack_into("<H", swollen, start + place, 20_000)
    path = made.put(tmp_path / "a.jpg", bytes(swollen))
    tracemalloc.start()
    with pytest.raises(InputError, match="20000"):
        read_infrared(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_visible_is_rgb(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 10)).save(out, "JPEG", quality=95)
    seen = read_visible(made.put(tmp_path / "a.jpg", out.getvalue()))
    assert seen.shape == (64, 64, 3)
    assert seen[..., 0].mean() > 190 > 40 > seen[..., 1].mean()
