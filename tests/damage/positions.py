"""Images whose XMP packet is damaged, with and without a position in EXIF, read again."""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from tests import drone_files as made
from tests.damage.verdict import SAME, TOLD, UNTOLD, Verdict

XMP_START = b"http://ns.adobe.com/xap/1.0/\0"
FIELDS = (
    "latitude_deg",
    "longitude_deg",
    "altitude_m",
    "relative_altitude_m",
    "gimbal_pitch_deg",
    "gimbal_yaw_deg",
    "gimbal_roll_deg",
    "image_source",
)
ELEMENTS = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    '  <rdf:Description rdf:about="" xmlns:d="http://www.dji.com/drone-dji/1.0/">\n'
    "   <d:GpsLatitude>40.1234567</d:GpsLatitude>\n   <d:GpsLongitude>-3.7654321</d:GpsLongitude>\n"
    "   <d:RelativeAltitude>+41.30</d:RelativeAltitude>\n   <d:GimbalPitchDegree>-89.90</d:GimbalPitchDegree>\n"
    "   <d:GimbalYawDegree>+12.60</d:GimbalYawDegree>\n  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
    '<?xpacket end="w"?>'
)


@dataclass(frozen=True)
class Packet:
    """An XMP packet, the JPEG that it goes into, whether EXIF has a position, too, and what the whole file says."""

    xmp: bytes
    picture: bytes
    in_exif: bool
    whole: ImageMetadata


def make_packets(real: Path | None) -> list[Packet]:
    """Return packets of the made and, where they are at hand, of real files."""
    attributes = made.dji_xmp(
        GpsLatitude="+40.1234567",
        GpsLongitude="-3.7654321",
        AbsoluteAltitude="+712.34",
        RelativeAltitude="+41.30",
        GimbalPitchDegree="-89.90",
        GimbalYawDegree="+12.60",
        GimbalRollDegree="+0.00",
        ImageSource="InfraredCamera",
    )
    packets = [attributes.replace('" ', '"\n   ').encode(), ELEMENTS.encode()]
    if real is not None:
        for name in ("h20t_chile/DJI_20220902151742_0028_T.JPG", "xt2_india/RJPG/DJI_0002_R.JPG"):
            packets.append(_packet_of((real / "radiometric" / name).read_bytes()))
    plain = made.jpeg(made.picture())
    placed = _with_exif_position(plain)
    return [
        Packet(xmp, picture, in_exif, metadata_from_bytes(embed(picture, xmp), (80, 64)))
        for number, xmp in enumerate(packets)
        for picture, in_exif in (
            [(plain, False), (placed, True)] if number < 2 else [(plain, False)]
        )
    ]


def _packet_of(content: bytes) -> bytes:
    """Return the XMP packet of a file."""
    start = content.index(b"<x:xmpmeta")
    return content[start : content.index(b"</x:xmpmeta>", start) + 12]


def _with_exif_position(content: bytes) -> bytes:
    """Return a JPEG whose EXIF says the same position as the packets."""
    exif = Image.Exif()
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (40.0, 7.0, 24.444), 3: "W", 4: (3.0, 45.0, 55.556)})
    out = io.BytesIO()
    Image.open(io.BytesIO(content)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def embed(picture: bytes, xmp: bytes) -> bytes:
    """Return a JPEG with an XMP packet."""
    body = XMP_START + xmp
    return picture[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + picture[2:]


def judge_packet(of: Packet, broken: bytes) -> Verdict:
    """Read an image with a damaged packet; anything that is raised is a fault."""
    found = metadata_from_bytes(embed(of.picture, broken), (80, 64))
    told = " ".join(found.dropped)
    differing = [name for name in FIELDS if getattr(found, name) != getattr(of.whole, name)]
    if not differing:
        return Verdict(TOLD if found.dropped else SAME)
    lost = [name for name in differing if getattr(found, name) is None]
    fault = None
    if (found.latitude_deg is None) != (found.longitude_deg is None) and not told:
        fault = "half a position"
    if not told and len(lost) > 2:
        fault = f"fields lost without a word: {', '.join(lost)}"
    apart = [abs((getattr(found, n) or 0) - (getattr(of.whole, n) or 0)) for n in FIELDS[:2]]
    if of.in_exif and found.latitude_deg is not None and max(apart) > 0.01 and not told:
        fault = "a position that EXIF and XMP say differently"
    changed = [name for name in differing if name not in lost]
    if changed:
        return Verdict(UNTOLD if not told else TOLD, f"another {changed[0]}", fault)
    return Verdict(UNTOLD if not told else TOLD, f"no {lost[0]}", fault)
