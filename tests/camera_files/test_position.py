"""A position comes from what is good in a file; what cannot be is told."""

import io

import pytest
from PIL import Image

from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from tests import drone_files as made

HERE = {1: "S", 2: (33.0, 30.0, 0.0), 3: "W", 4: (70.0, 15.0, 0.0)}


def metadata_of(gps: dict[int, object], **xmp: str) -> ImageMetadata:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update(gps)
    out = io.BytesIO()
    packet = made.dji_xmp(**xmp) if xmp else ""
    Image.fromarray(made.picture()).save(out, "JPEG", exif=exif, xmp=packet.encode())
    return metadata_from_bytes(out.getvalue(), (80, 64))


def position_of(metadata: ImageMetadata) -> tuple[float | None, float | None]:
    return metadata.latitude_deg, metadata.longitude_deg


@pytest.mark.parametrize("sides", [{}, {1: "s", 3: "w"}, {1: "South", 3: "West"}])
def test_sides_may_be_lower_case_or_whole_words(sides: dict[int, object]) -> None:
    assert position_of(metadata_of({**HERE, **sides})) == (-33.5, -70.25)


def test_xmp_gives_the_position_where_exif_says_zero_or_nothing_good() -> None:
    there = {"GpsLatitude": "+44.5", "GpsLongitude": "-64.25"}
    zero = {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}
    assert position_of(metadata_of(zero, **there)) == (44.5, -64.25)
    broken = metadata_of({**HERE, 2: (33.0, 99.0, 0.0)}, **there)
    assert position_of(broken) == (44.5, -64.25)
    assert any("GPSLatitude" in text for text in broken.dropped)


@pytest.mark.parametrize(
    "change",
    [{1: "X"}, {1: ""}, {2: (133.0, 0.0, 0.0)}, {2: (33.0, 75.0, 0.0)}, {2: (33.0, 30.0, 61.0)}],
)
def test_a_coordinate_that_cannot_be_is_told(change: dict[int, object]) -> None:
    found = metadata_of({**HERE, **change})
    assert position_of(found) == (None, -70.25)
    assert any("GPSLatitude" in text for text in found.dropped)


def test_a_void_fix_is_no_position() -> None:
    found = metadata_of({**HERE, 9: "V"}, GpsLatitude="-33.5", GpsLongitude="-70.25")
    assert position_of(found) == (None, None)
    assert any("GPSStatus" in text for text in found.dropped)
    assert position_of(metadata_of({**HERE, 9: "A"})) == (-33.5, -70.25)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Latitude": "12.5", "Longitude": "99.25"}, (12.5, 99.25)),
        ({"GPSLatitude": "44,30.5S", "GPSLongitude": "64,15.0W"}, (-44.5 - 0.5 / 60, -64.25)),
        ({"GPSLatitude": "44,30,36N", "GPSLongitude": "64,15,0E"}, (44.51, 64.25)),
        ({"GPSLatitude": "44,30.5E", "GPSLongitude": "64,15.0W"}, (None, -64.25)),
        ({"GpsLatitude": "91", "GpsLongitude": "64.25"}, (None, 64.25)),
    ],
)
def test_the_ways_xmp_writes_a_position_are_read(
    fields: dict[str, str], expected: tuple[float | None, float | None]
) -> None:
    assert position_of(metadata_of({}, **fields)) == pytest.approx(expected)


def test_two_places_are_no_position_and_are_told() -> None:
    here = {"GpsLatitude": "-33.5", "GpsLongitude": "-70.25"}
    near = metadata_of(HERE, **{**here, "GpsLatitude": "-33.5003"})
    assert (position_of(near), near.dropped) == ((-33.5, -70.25), ())
    apart = metadata_of(HERE, **{**here, "GpsLatitude": "-38.5"})
    assert position_of(apart) == (None, None)
    assert any("-33.50000" in text and "-38.50000" in text for text in apart.dropped)


def test_half_a_position_is_told() -> None:
    for half in (metadata_of({1: "S", 2: (33.0, 30.0, 0.0)}), metadata_of({}, GpsLongitude="12.5")):
        assert half.dropped == ("position: a latitude or a longitude alone",)
