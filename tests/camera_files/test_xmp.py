"""What is broken in an XMP packet costs no field but itself, and is told."""

import time

import pytest

from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from dd_livm_core.camera_files.xmp import parse_number, read_xmp
from tests import drone_files as made


def metadata_of(xmp: str) -> ImageMetadata:
    return metadata_from_bytes(made.jpeg(made.picture(), xmp=xmp), (80, 64))


GOOD = made.dji_xmp(RelativeAltitude="+30.00", GimbalPitchDegree="-89.9")
BROKEN = {
    "an attribute twice": ("/></rdf", ' drone-dji:Roll="1" drone-dji:Roll="1"/></rdf'),
    "a prefix that nobody declares": ("/></rdf", ' Camera:Pitch="1"/></rdf'),
    "a stray &": ("/></rdf", ' drone-dji:Note="row A & B"/></rdf'),
    "a NUL between fields": ("/></rdf", "\0/></rdf"),
    "a NUL in a field": ("+30.00", "+30.00\0\0"),
    "no end": ("/></rdf:RDF></x:xmpmeta>", ""),
    "a stray <": ("/></rdf", ' drone-dji:Note="a < b"/></rdf'),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_one_broken_field_leaves_the_others_and_is_told(kind: str) -> None:
    found = metadata_of(GOOD.replace(*BROKEN[kind]))
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (30.0, -89.9)
    assert [text for text in found.dropped if "XMP is no well-formed XML" in text]


@pytest.mark.parametrize(
    ("whole", "broken", "told"),
    [
        ("<rdf:RDF", "<rdf:RDG", "holds no RDF"),
        ("<rdf:Description", ">rdf:Description", "text between its fields"),
        ("drone-dji:R", "></rdf:Description></rdf:RDF></x:xmpmeta>  R", "goes on behind its end"),
    ],
)
def test_fields_that_fell_out_of_the_packet_are_found_and_told(
    whole: str, broken: str, told: str
) -> None:
    found = metadata_of(GOOD.replace(whole, broken, 1))
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (30.0, -89.9)
    assert any(told in text for text in found.dropped)


def test_a_packet_of_elements_with_a_stray_ampersand_is_read() -> None:
    inner = "<drone-dji:RelativeAltitude>+30.0</drone-dji:RelativeAltitude><Note>A & B</Note>"
    found = metadata_of(f"<rdf:RDF><rdf:Description>{inner}</rdf:Description></rdf:RDF>")
    assert found.relative_altitude_m == 30.0


def test_a_whole_packet_has_nothing_to_tell() -> None:
    assert metadata_of(GOOD).dropped == ()


def test_rdf_without_xmps_wrapper_is_read() -> None:
    bare = GOOD.removeprefix('<x:xmpmeta xmlns:x="adobe:ns:meta/">').removesuffix("</x:xmpmeta>")
    found = metadata_of(bare)
    assert (found.relative_altitude_m, found.dropped) == (30.0, ())


def test_a_field_in_a_comment_or_within_another_text_is_not_read() -> None:
    stray = """drone-dji:Note='A & RelativeAltitude="99"' /><!-- RelativeAltitude="77" --></rdf"""
    assert metadata_of(GOOD.replace("/></rdf", stray)).relative_altitude_m == 30.0


def test_a_field_with_two_values_is_left_out_and_told() -> None:
    twice = GOOD.replace("/></rdf", ' drone-dji:RelativeAltitude="+31.00"/></rdf')
    found = metadata_of(twice)
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (None, -89.9)
    assert any("RelativeAltitude has several values" in text for text in found.dropped)


@pytest.mark.parametrize("value", ["30,5", "abc", "nan", "1e300", "+30.0 ft"])
def test_what_is_no_plausible_number_is_told(value: str) -> None:
    found = metadata_of(made.dji_xmp(RelativeAltitude=value, GimbalPitchDegree="-90"))
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (None, -90)
    assert any("RelativeAltitude" in text for text in found.dropped)


def test_a_number_may_carry_its_unit() -> None:
    assert parse_number("+30.0 m", "m") == 30.0
    assert parse_number("-90°", "°") == -90.0
    assert parse_number("30 s", "m") is None


@pytest.mark.parametrize("unit", [b"a", b'a="', b"<a ", b"<a>", b"a ", b'="', b"<!--"])
def test_no_packet_takes_long(unit: bytes) -> None:
    begun = time.perf_counter()
    read_xmp(b"<rdf:RDF" + unit * (2**20 // len(unit) - 50) + b"</rdf:RDF>", {"RelativeAltitude"})
    assert time.perf_counter() - begun < 2
