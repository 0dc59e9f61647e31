"""Reads single fields of an image's XMP packets; what is broken in a packet costs no field but itself."""

import re
from collections.abc import Collection, Iterator
from html import unescape
from typing import NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dd_livm_core.camera_files.xmp_packets import find_packets

HOLDS_NO_TEXT = ("}RDF", "}Description")
"""Elements in which text is a field that lost its mark."""
ATTRIBUTE = re.compile(
    r"""(?<![\w:.-])([\w:.-]{1,100}+)\s{0,9}+=\s{0,9}+(?:"([^"<]{0,999}+)"|'([^'<]{0,999}+)')"""
)
ELEMENT = re.compile(r"<([\w:.-]{1,100}+)(?:\s[^<>]{0,999}+)?>([^<]{0,999}+)</\1\s{0,9}+>")
"""Both are bounded and never go back, so that no packet takes long."""
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.I)
MAX_QUOTED_CHARACTERS = 40


class XmpFields(NamedTuple):
    """Texts of the wanted fields by name without namespace, and what was left out, each with its reason."""

    texts: dict[str, str]
    dropped: tuple[str, ...]


def read_xmp(content: bytes, names: Collection[str]) -> XmpFields:
    """Return the texts of some fields of an image's XMP packets.

    A packet that is no well-formed XML (an attribute twice, a prefix that nobody declared, NUL, a stray ``&``, no end),
    has text between its fields or goes on behind its end is searched for each field by itself, and so is one without
    RDF. A field with two values is left out, in one packet or in two.

    Parameters
    ----------
    names
        Without their namespaces, which differ between makers.
    """
    packets, faults = find_packets(content)
    dropped = list(faults)
    fields: list[tuple[str, str]] = []
    for packet in packets:
        try:
            fields += _fields_of_xml(packet)
        except DefusedXmlException:
            return XmpFields({}, (*dropped, "XMP declares entities and was not read"))
        except (ParseError, ValueError, LookupError) as error:
            dropped.append(
                f"XMP is no well-formed XML ({error}): its fields were searched one by one"
            )
            fields += _fields_of_text(packet)
    found: dict[str, list[str]] = {}
    for name, value in fields:
        if name not in names:
            continue
        text = value.strip("\0 \t\r\n")
        if text and not _is_among(text, found.setdefault(name, [])):
            found[name].append(text)
    for name, texts in found.items():
        if len(texts) > 1:
            dropped.append(f"XMP {name} has several values: {', '.join(map(quote, texts[:3]))}")
    return XmpFields({name: t[0] for name, t in found.items() if len(t) == 1}, tuple(dropped))


def parse_number(text: str, unit: str = "") -> float | None:
    """Return the finite number that a text holds, with or without its unit behind it, or None."""
    number = text.removesuffix(unit).rstrip()
    value = float(number) if NUMBER.fullmatch(number) else None
    return value if value is not None and abs(value) < float("inf") else None


def quote(text: str) -> str:
    """Return a field's text as it is shown to people: quoted and cut."""
    return repr(text[:MAX_QUOTED_CHARACTERS])


def _fields_of_xml(packet: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and text of every element and attribute; raise where the packet is no well-formed XML or no RDF."""
    for element in fromstring(packet).iter():
        between = [element.text] if str(element.tag).endswith(HOLDS_NO_TEXT) else []
        if any((said or "").strip() for said in (*between, *(inner.tail for inner in element))):
            raise ValueError("text between its fields")
        for name, text in [(element.tag, element.text or ""), *element.attrib.items()]:
            yield str(name).rpartition("}")[2], str(text)


def _fields_of_text(packet: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and text of what looks like an attribute or an element without children."""
    first, *others = packet.decode("utf-8", "replace").replace("\0", " ").split("<!--")
    text = first + " ".join(other.partition("-->")[2] for other in others)
    text = text.replace("<![CDATA[", "").replace("]]>", "")
    for name, double, single in ATTRIBUTE.findall(text):
        yield name.rpartition(":")[2], unescape(double or single)
    for name, inner in ELEMENT.findall(text):
        yield name.rpartition(":")[2], unescape(inner)


def _is_among(text: str, others: list[str]) -> bool:
    """Return whether a text, or the number that it holds, is among others."""
    value = parse_number(text)
    return text in others or (value is not None and value in map(parse_number, others))
