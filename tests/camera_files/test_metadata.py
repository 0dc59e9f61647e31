"""What a file says is read; what it does not say stays None."""

import io
import struct
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from dd_livm_core.camera_files.metadata import (
    ImageMetadata,
    focal_length_px,
    ground_sampling_distance_m,
    metadata_from_bytes,
    read_metadata,
)
from dd_livm_core.errors import InputError
from tests import drone_files as made


def test_what_a_file_does_not_say_is_none(tmp_path: Path) -> None:
    found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture())))
    assert (found.width_px, found.height_px) == (80, 64)
    assert found == ImageMetadata(80, 64)


def test_height_and_gimbal_come_from_xmp_and_time_from_exif(tmp_path: Path) -> None:
    xmp = made.dji_xmp(RelativeAltitude="+41.10", GimbalPitchDegree="-89.90", GpsLatitude="-35.3")
    content = made.jpeg(made.picture(), at="2024:06:01 12:30:05", xmp=xmp)
    found = read_metadata(made.put(tmp_path / "a.jpg", content))
    assert (found.relative_altitude_m, found.gimbal_pitch_deg, found.latitude_deg) == (
        41.1,
        -89.9,
        -35.3,
    )
    assert found.taken_at == datetime(2024, 6, 1, 12, 30, 5)


def test_a_zone_is_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x9003: "2024:06:01 12:30:05", 0x9011: "+02:00"})
    path = tmp_path / "a.jpg"
    Image.fromarray(made.picture()).save(path, exif=exif)
    taken_at = read_metadata(path).taken_at
    assert taken_at is not None
    assert taken_at.utcoffset() == timedelta(hours=2)


def times(original: str, zone: str, of_file: str = "") -> ImageMetadata:
    exif = Image.Exif()
    exif[0x0132] = of_file
    exif.get_ifd(0x8769).update({0x9003: original, 0x9011: zone})
    out = io.BytesIO()
    Image.fromarray(made.picture()).save(out, "JPEG", exif=exif)
    return metadata_from_bytes(out.getvalue(), (80, 64))


@pytest.mark.parametrize("zone", ["+25:00", "local", "08:00", "+02:75"])
def test_a_bad_zone_leaves_the_time_and_is_told(zone: str) -> None:
    found = times("2024:06:01 12:30:05", zone)
    assert found.taken_at == datetime(2024, 6, 1, 12, 30, 5)
    assert [text for text in found.dropped if "OffsetTimeOriginal" in text]


@pytest.mark.parametrize(
    ("zone", "hours"), [("Z", 0), ("+0200", 2), ("UTC-3", -3), ("+05:30", 5.5), ("+2:00", 2)]
)
def test_zones_are_read_as_they_are_written(zone: str, hours: float) -> None:
    taken_at = times("2024:06:01 12:30:05", zone).taken_at
    assert taken_at is not None
    assert taken_at.utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("zone", ["", "   :  ", ":"])
def test_a_blank_zone_is_none_and_nothing_to_tell(zone: str) -> None:
    found = times("2024:06:01 12:30:05", zone)
    assert (found.taken_at, found.dropped) == (datetime(2024, 6, 1, 12, 30, 5), ())


def test_the_time_of_the_file_stands_in_for_a_broken_time_of_exposure() -> None:
    found = times("2024:13:41 12:30:05", "+02:00", of_file="2024:06:01 12:30:06")
    assert found.taken_at is not None
    assert found.taken_at.replace(tzinfo=None) == datetime(2024, 6, 1, 12, 30, 6)
    assert any("DateTimeOriginal" in text for text in found.dropped)
    assert times("0000:00:00 00:00:00", "").dropped == ()


def test_a_directory_that_points_nowhere_costs_no_other() -> None:
    exif = Image.Exif()
    exif[0x0110] = "A camera"
    exif.get_ifd(0x8769)[0x9003] = "2024:06:01 12:30:05"
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 30.0, 0.0), 3: "W", 4: (70.0, 15.0, 0.0)})
    out = io.BytesIO()
    Image.fromarray(made.picture()).save(out, "JPEG", exif=exif)
    content = bytearray(out.getvalue())
    entry = content.index(bytes.fromhex("8769 0004 00000001"))
    content[entry + 8 : entry + 12] = b"\x7f\xff\xff\xff"
    found = metadata_from_bytes(bytes(content), (80, 64))
    assert (found.camera_model, found.taken_at, found.latitude_deg) == ("A camera", None, -33.5)


def test_the_misspelt_longitude_of_dji_is_read(tmp_path: Path) -> None:
    xmp = made.dji_xmp(GpsLatitude="37.2", GpsLongtitude="-93.1")
    found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), xmp=xmp)))
    assert (found.latitude_deg, found.longitude_deg) == (37.2, -93.1)


def test_zero_north_zero_east_is_no_fix(tmp_path: Path) -> None:
    xmp = made.dji_xmp(GpsLatitude="0.0", GpsLongitude="-0.0")
    found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), xmp=xmp)))
    assert (found.latitude_deg, found.longitude_deg) == (None, None)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_tags_of_a_tiff_are_read_in_either_byte_order_and_size(
    tmp_path: Path, big: bool, order: str
) -> None:
    out = io.BytesIO()
    pixels = np.zeros((16, 16), np.uint16)
    tags = [(0x0110, "s", 0, "A thermal camera", True)]
    with tifffile.TiffWriter(out, bigtiff=big, byteorder=order) as writer:
        writer.write(pixels, datetime="2024:06:01 12:30:05", extratags=tags, metadata=None)
    found = metadata_from_bytes(out.getvalue(), (16, 16))
    assert found.camera_model == "A thermal camera"
    assert found.taken_at == datetime(2024, 6, 1, 12, 30, 5)


@pytest.mark.parametrize(
    "text", ["2022:09:02 15:17:42", "2022-09-02 15:17:42", "2022/09/02 15:17:42"]
)
def test_times_are_read_with_colons_hyphens_or_slashes(tmp_path: Path, text: str) -> None:
    """EXIF asks for colons; some H20T write hyphens."""
    path = made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), at=text))
    assert read_metadata(path).taken_at == datetime(2022, 9, 2, 15, 17, 42)


def test_no_time_is_made_up(tmp_path: Path) -> None:
    for text in ("0000:00:00 00:00:00", "yesterday at noon!!", "2022:09:02", "2022:13:02 15:17:42"):
        path = made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), at=text))
        assert read_metadata(path).taken_at is None


def gps(altitude: float, below: bytes) -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({5: below, 6: altitude})
    out = io.BytesIO()
    Image.fromarray(made.picture()).save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_below_the_sea_is_negative(tmp_path: Path) -> None:
    assert read_metadata(made.put(tmp_path / "a.jpg", gps(30.0, b"\0"))).altitude_m == 30
    assert read_metadata(made.put(tmp_path / "b.jpg", gps(30.0, b"\1"))).altitude_m == -30
    assert read_metadata(made.put(tmp_path / "c.jpg", gps(30.0, b"\3"))).altitude_m == -30


def of(name: str, value: float) -> float | IFDRational:
    return int(value) if name == "film_mm" else IFDRational(round(10 * value), 10)


def lens(**tags: float) -> bytes:
    exif = Image.Exif()
    numbers = {"film_mm": 0xA405, "zoom": 0xA404, "focal_mm": 0x920A}
    exif.get_ifd(0x8769).update({numbers[name]: of(name, value) for name, value in tags.items()})
    out = io.BytesIO()
    Image.fromarray(made.picture()).save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"film_mm": 40, "zoom": 1.0}, 40),
        ({"film_mm": 40, "zoom": 0.0}, 40),
        ({"film_mm": 40, "zoom": 2.0}, None),
        ({"film_mm": 0}, None),
        ({"focal_mm": 9.1}, None),
    ],
)
def test_the_film_equivalent_holds_only_without_digital_zoom(
    tmp_path: Path, tags: dict[str, float], expected: float | None
) -> None:
    found = read_metadata(made.put(tmp_path / "a.jpg", lens(**tags)))
    assert found.focal_length_35mm_mm == expected


def test_a_pixel_on_the_ground_grows_with_height_and_shrinks_with_focal_length() -> None:
    """An XT2 of 19 mm over 10.88 mm sees 0.5726 m a metre of height, over 640 pixels."""
    camera = ImageMetadata(640, 512, camera_model="XT2", focal_length_mm=19.0)
    at_41_m = ground_sampling_distance_m(replace(camera, relative_altitude_m=41.1))
    assert at_41_m == pytest.approx(41.1 * 10.88 / 19 / 640)
    twice = replace(camera, relative_altitude_m=82.2, focal_length_mm=38.0)
    assert ground_sampling_distance_m(twice) == pytest.approx(at_41_m)


@pytest.mark.parametrize(
    "unknown",
    [
        {"camera_model": "another"},
        {"focal_length_mm": None},
        {"relative_altitude_m": None},
        {"relative_altitude_m": -3.0},
    ],
)
def test_no_pixel_size_on_the_ground_is_made_up(unknown: dict[str, object]) -> None:
    known = {"camera_model": "XT2", "focal_length_mm": 19.0, "relative_altitude_m": 41.1}
    assert ground_sampling_distance_m(ImageMetadata(640, 512, **{**known, **unknown})) is None


@pytest.mark.parametrize("value", ["nan", "inf", "1e300", "abc", ""])
def test_numbers_that_are_not_finite_are_left_out(tmp_path: Path, value: str) -> None:
    xmp = made.dji_xmp(RelativeAltitude=value, GpsLatitude=value)
    found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), xmp=xmp)))
    assert found.relative_altitude_m is None
    assert found.latitude_deg is None


def test_an_entity_bomb_in_xmp_is_not_expanded(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "boom">{entities}]>'
    xmp = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{bomb}<RelativeAltitude>&e9;</RelativeAltitude></x:xmpmeta>"
    for text in (xmp, bomb + xmp):
        found = read_metadata(made.put(tmp_path / "a.jpg", made.jpeg(made.picture(), xmp=text)))
        assert found.relative_altitude_m is None


def test_no_image_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_metadata(made.put(tmp_path / "a.jpg", b"text"))


@pytest.mark.real_data
def test_a_real_xt2_file_says_where_it_was_taken(real_data: Path) -> None:
    found = read_metadata(real_data / "pv_pairs/T/DJI_1_T.JPG")
    assert found.latitude_deg == pytest.approx(37.246, abs=0.002)
    assert found.longitude_deg == pytest.approx(-93.167, abs=0.002)
    assert found.relative_altitude_m == pytest.approx(41.1, abs=0.2)
    assert (found.camera_model, found.focal_length_mm) == ("XT2", 19.0)


@pytest.mark.real_data
def test_focal_lengths_are_within_3_percent_of_calibrations(real_data: Path) -> None:
    """OpenCV calibrations of an M3T and an M30T gave 765 and 741 px; the film equivalent is rounded to 40 mm."""
    for name, calibrated_px in (("M3T_IR.JPG", 765.35), ("M30T_IR.JPG", 740.95)):
        found = read_metadata(real_data / "radiometric/calibrated" / name)
        assert focal_length_px(found) == pytest.approx(calibrated_px, rel=0.03)


@pytest.mark.real_data
def test_a_real_h20t_file_says_its_time_and_film_equivalent(real_data: Path) -> None:
    found = read_metadata(real_data / "radiometric/h20t_chile/DJI_20220902151742_0028_T.JPG")
    assert found.taken_at == datetime(2022, 9, 2, 15, 17, 42)
    assert found.focal_length_35mm_mm == 58


def test_exif_that_cannot_be_read_is_told() -> None:
    """Its mark is there; its header, its first directory or where that points to the position's is damaged."""
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (40.0, 0.0, 0.0), 3: "E", 4: (3.0, 0.0, 0.0)})
    out = io.BytesIO()
    Image.fromarray(made.picture()).save(out, "JPEG", exif=exif)
    whole = out.getvalue()
    assert metadata_from_bytes(whole, (80, 64)).dropped == ()
    start = whole.index(b"Exif\0\0") + 6
    gps = whole.index(struct.pack("<H" if whole[start:][:2] == b"II" else ">H", 0x8825), start)
    for place, said in (
        (start, "first directory"),
        (start + 4, "first directory"),
        (gps + 2, "GPS"),
    ):
        broken = whole[:place] + b"\xee\xee" + whole[place + 2 :]
        found = metadata_from_bytes(broken, (80, 64))
        assert found.latitude_deg is None
        assert any(said in text for text in found.dropped)
