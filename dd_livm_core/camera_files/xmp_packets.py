"""Finds the XMP packets of an image file, in whatever encoding and however many parts they were written."""

import re
from collections import defaultdict

from dd_livm_core.camera_files.jpeg_segments import application_segments

XMP_START, EXTENSION_START = (
    b"http://ns.adobe.com/xap/1.0/\0",
    b"http://ns.adobe.com/xmp/extension/\0",
)
"""Of the segments in a JPEG that hold XMP, and the part of it that one segment did not take (XMP, part 3)."""
EXTENSION_FIELDS = slice(0, 32), slice(36, 40), slice(40, None)
"""In an extension's segment: MD5 of the whole extension, place of this part in it, and the part."""
PACKET = re.compile(rb"<([\w.-]{1,20}):(xmpmeta|RDF)(?=[\s>])")
"""The wrapper of XMP's standard, or the RDF within, which some writers leave bare; prefixes are free in XML."""
RDF = re.compile(rb"<[\w.-]{1,20}:RDF(?=[\s>])")
BETWEEN_PACKETS = re.compile(rb"<\?xpacket[^>]{0,200}>|[ \t\r\n\0]|\xef\xbb\xbf|\xef\xbf\xbd")
"""What may stand between packets: their marks, blanks, and the rest of another encoding."""
UTF_16_MARK, WRAPPER_CHARACTERS = ":RDF".encode("utf-16-le"), 256
"""What tells a packet in UTF-16, which XMP's standard allows, and how far before it the wrapper begins at most."""
MAX_XMP_BYTES = 2**20
"""Hundreds of times a drone's packet."""
MAX_OPEN_BYTES = 2**16
"""Of a JPEG's segment: so far a packet without an end is read."""
MAX_PACKETS = 8
"""Of one file. Cameras write one or two."""


def find_packets(content: bytes) -> tuple[list[bytes], list[str]]:
    """Return the XMP packets of an image file in UTF-8, and what is wrong with them.

    Of a JPEG they are those of the first picture. A packet that is split over segments is joined, and what stands in
    extension segments is a packet of its own. A part without RDF, or with text behind a packet, is returned whole.
    """
    if content[:2] != b"\xff\xd8":
        return _cut_packets(_as_utf8(content))[0][:MAX_PACKETS], []
    of_xmp, others = _parts_of_jpeg(content)
    packets: list[bytes] = []
    faults: list[str] = []
    for part in map(_as_utf8, of_xmp or others):
        found, behind = _cut_packets(part)
        if of_xmp and not RDF.search(part):
            faults.append("XMP is there and holds no RDF")
            found = [part]
        elif of_xmp and behind:
            faults.append("XMP goes on behind its end")
            found = [part]
        packets += found
    return packets[:MAX_PACKETS], faults


def _parts_of_jpeg(content: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return what the XMP segments of a JPEG hold together, with each whole extension; and its other APP1 segments."""
    first, others = b"", []
    extensions: dict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
    for number, body in application_segments(content):
        if number == 1 and body.startswith(XMP_START):
            first += body[len(XMP_START) :]
        elif number == 1 and body.startswith(EXTENSION_START):
            digest, place, text = (body[len(EXTENSION_START) :][of] for of in EXTENSION_FIELDS)
            extensions[digest].append((int.from_bytes(place, "big"), text))
        elif number == 1:
            others.append(body)
    whole = [b"".join(text for _, text in sorted(parts)) for parts in extensions.values()]
    return [part for part in (first, *whole) if part], others


def _as_utf8(part: bytes) -> bytes:
    """Return what of a part of a file holds a packet in UTF-16, in UTF-8; other parts as they are.

    Big-endian text is little-endian one, read a byte later, as long as it is ASCII, as fields are.
    """
    found = part.find(UTF_16_MARK)
    if found < 0:
        return part
    begin = found - 2 * min(found // 2, WRAPPER_CHARACTERS)
    return part[begin : begin + 2 * MAX_XMP_BYTES].decode("utf-16-le", "replace").encode()


def _cut_packets(part: bytes) -> tuple[list[bytes], bool]:
    """Return the packets in a part of a file, of which the last may have no end, and whether text stands behind one."""
    packets: list[bytes] = []
    at, behind = 0, b""
    while len(packets) < MAX_PACKETS and (found := PACKET.search(part, at)):
        behind += part[at : found.start()] if packets else b""
        closing = b"</" + found[1] + b":" + found[2] + b">"
        end = part.find(closing, found.end(), found.start() + MAX_XMP_BYTES)
        if end < 0:
            packets.append(part[found.start() : found.start() + MAX_OPEN_BYTES])
            return packets, False
        at = end + len(closing)
        packets.append(part[found.start() : at])
    behind += part[at:] if packets else b""
    return packets, bool(BETWEEN_PACKETS.sub(b"", behind))
