"""What is broken in an XMP packet costs no field but itself, and is told."""

import hashlib
import struct
import time

import pytest

from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from dd_livm_core.camera_files.xmp import parse_number, read_xmp
from dd_livm_core.camera_files.xmp_packets import EXTENSION_START, XMP_START
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


def segment(body: bytes) -> bytes:
    """Return an APP1 segment of a JPEG."""
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def with_segments(*bodies: bytes) -> ImageMetadata:
    """Return the metadata of a JPEG that begins with these APP1 segments."""
    plain = made.jpeg(made.picture())
    content = plain[:2] + b"".join(map(segment, bodies)) + plain[2:]
    return metadata_from_bytes(content, (80, 64))


def extension_parts(packet: bytes, part_bytes: int) -> list[bytes]:
    """Return extended XMP as XMP's part 3 has it: MD5 of the whole, length, place, part."""
    digest = hashlib.md5(packet).hexdigest().upper().encode()
    return [
        EXTENSION_START + digest + struct.pack(">II", len(packet), at) + packet[at:][:part_bytes]
        for at in range(0, len(packet), part_bytes)
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_a_packet_in_utf_16_is_read(encoding: str) -> None:
    text = f'<?xpacket begin="\ufeff"?>{GOOD}<?xpacket end="w"?>'
    found = with_segments(XMP_START + text.encode(encoding))
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (30.0, -89.9)


def test_all_packets_of_a_file_are_read() -> None:
    title = GOOD.replace("drone-dji:RelativeAltitude", "drone-dji:Title").replace("Pitch", "Roll")
    found = with_segments(XMP_START + title.encode(), XMP_START + GOOD.encode())
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (30.0, -89.9)
    assert found.dropped == ()


def test_two_packets_that_contradict_each_other_are_told() -> None:
    other = made.dji_xmp(RelativeAltitude="+50.00")
    found = with_segments(XMP_START + GOOD.encode(), XMP_START + other.encode())
    assert (found.relative_altitude_m, found.gimbal_pitch_deg) == (None, -89.9)
    assert any("RelativeAltitude has several values" in text for text in found.dropped)


def test_a_packet_split_over_segments_is_joined() -> None:
    at = GOOD.index("GimbalPitch") + 4
    found = with_segments(XMP_START + GOOD[:at].encode(), XMP_START + GOOD[at:].encode())
    assert (found.gimbal_pitch_deg, found.dropped) == (-89.9, ())


@pytest.mark.parametrize("part_bytes", [100, 60_000])
def test_extended_xmp_is_read_in_the_order_of_its_places(part_bytes: int) -> None:
    parts = extension_parts(made.dji_xmp(GimbalYawDegree="12").encode(), part_bytes)
    found = with_segments(XMP_START + GOOD.encode(), *parts[::-1])
    assert (found.relative_altitude_m, found.gimbal_yaw_deg, found.dropped) == (30.0, 12.0, ())


def test_the_packet_of_a_second_picture_in_the_file_is_not_read() -> None:
    content = made.jpeg(made.picture()) + made.jpeg(made.picture(), xmp=GOOD)
    assert metadata_from_bytes(content, (80, 64)).gimbal_pitch_deg is None


def test_rdf_may_have_another_prefix() -> None:
    assert metadata_of(GOOD.replace("rdf:", "r:").replace(":rdf", ":r")).relative_altitude_m == 30.0


def test_references_to_characters_are_read_in_a_broken_packet_too() -> None:
    broken = GOOD.replace("+30.00", "&#43;30.00").replace("/></rdf", ' Camera:Pitch="1"/></rdf')
    assert metadata_of(broken).relative_altitude_m == 30.0
    inner = "<RelativeAltitude><![CDATA[+30.0]]></RelativeAltitude><Note>A & B</Note>"
    bare = f"<rdf:RDF><rdf:Description>{inner}</rdf:Description></rdf:RDF>"
    assert metadata_of(bare).relative_altitude_m == 30.0
