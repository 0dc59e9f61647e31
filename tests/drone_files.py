"""Files as drones and thermal cameras write them, made here from known temperatures. All simulated."""

import io
import json
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

R1, B, F, OFFSET, R2 = 17096.453, 1428.0, 1.0, -267, 0.046582058
"""Planck constants of one XT2."""


def picture(seed: int = 0, size: tuple[int, int] = (80, 64)) -> NDArray[np.uint8]:
    """Return smooth random uint8 (height, width, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 10, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC))


def jpeg(
    pixels: NDArray[np.uint8],
    *,
    at: str | None = None,
    xmp: str = "",
    make: str | None = None,
    orientation: int | None = None,
) -> bytes:
    """Return a JPEG with a time (EXIF's form), a maker, an orientation and XMP."""
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    if make:
        exif[0x010F] = make
    if at:
        exif[0x0132] = at
        exif.get_ifd(0x8769)[0x9003] = at
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=92, exif=exif, xmp=xmp.encode())
    return out.getvalue()


def dji_xmp(**fields: object) -> str:
    """Return XMP as DJI writes it."""
    values = " ".join(f'drone-dji:{name}="{value}"' for name, value in fields.items())
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        f'xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" {values}/></rdf:RDF></x:xmpmeta>'
    )


def counts_of(celsius: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Return the counts a FLIR sensor gives at emissivity 1 and distance 0 (Planck forwards)."""
    return np.rint(R1 / (R2 * (np.exp(B / (celsius + 273.15)) - F)) - OFFSET).astype(np.uint16)


def flir_jpeg(
    celsius: NDArray[np.float64],
    *,
    raw: str = "png",
    order: str = ">",
    emissivity: float = 1.0,
    distance_m: float = 0.0,
    reflected_c: float = 20.0,
    part_bytes: int = 4000,
    swapped: bool = True,
    checksums: bool = False,
    enlarged: int = 1,
    orientation: int | None = None,
    shown: NDArray[np.uint8] | None = None,
) -> bytes:
    """Return a FLIR radiometric JPEG: FFF records over several APP1 segments.

    ``swapped``: PNG samples little-endian, as most cameras store them. ``checksums``: of both records. ``enlarged``:
    pixels of the shown picture for each of the raw image. ``orientation``: EXIF's. ``shown``: the picture, (H, W, 3);
    by default it is flat.
    """
    height, width = celsius.shape
    counts = counts_of(celsius)
    if raw == "png":
        out = io.BytesIO()
        Image.fromarray(counts.byteswap() if swapped else counts).save(out, "PNG")
        body = out.getvalue()
    elif raw == "tiff":
        out = io.BytesIO()
        tifffile.imwrite(out, counts)
        body = out.getvalue()
    else:
        body = counts.astype("<u2").tobytes()
    image = struct.pack("<HHH", 2, width, height).ljust(32, b"\0") + body
    camera = bytearray(0x340)
    struct.pack_into("<H", camera, 0, 2)
    struct.pack_into(
        "<7f", camera, 0x20, emissivity, distance_m, reflected_c + 273.15, 293.15, 293.15, 1.0, 0.5
    )
    struct.pack_into("<3f", camera, 0x58, R1, B, F)
    struct.pack_into("<5f", camera, 0x70, 0.006569, 0.01262, -0.002276, -0.00667, 1.9)
    struct.pack_into("<if", camera, 0x308, OFFSET, R2)
    camera[0xD4:0xD8] = b"TEST"
    records = [(1, image), (32, bytes(camera))]
    start = 64 + 32 * len(records)
    table = b""
    for kind, content in records:
        place = (kind, 0, 0, 0, start, len(content), 0, 0, zlib.crc32(content) if checksums else 0)
        table += struct.pack(f"{order}HHIIIIIII", *place)
        start += len(content)
    header = b"FFF\0" + bytes(16) + struct.pack(f"{order}III", 100, 64, len(records))
    data = header.ljust(64, b"\0") + table + image + bytes(camera)
    parts = [data[i : i + part_bytes] for i in range(0, len(data), part_bytes)]
    segments = b"".join(
        b"\xff\xe1"
        + struct.pack(">H", 10 + len(part))
        + b"FLIR\0\1"
        + bytes([number, len(parts) - 1])
        + part
        for number, part in enumerate(parts)
    )
    flat = np.full((enlarged * height, enlarged * width, 3), 128, np.uint8)
    picture_file = jpeg(flat if shown is None else shown, orientation=orientation)
    return picture_file[:2] + segments + picture_file[2:]


SCENE_PX, MARGIN_PX = (320, 256), 40
"""(width, height) of the frames of `scene_c`, and how far they can be moved on it."""


def scene_c(seed: int = 0) -> NDArray[np.float64]:
    """Return temperatures of more ground than one frame shows, with edges of many directions."""
    rng = np.random.default_rng(seed)
    width, height = (side + 2 * MARGIN_PX for side in SCENE_PX)
    coarse = rng.uniform(15, 55, (height // 12, width // 12)).astype(np.float32)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return smooth + rng.normal(0, 0.3, (height, width))


def frame_at(scene: NDArray[np.float64], x: int, y: int) -> NDArray[np.float64]:
    """Return the temperatures that a camera sees whose frame is moved by x and y pixels from the scene's middle."""
    rows, columns = (
        slice(MARGIN_PX + at, MARGIN_PX + at + side)
        for at, side in ((y, SCENE_PX[1]), (x, SCENE_PX[0]))
    )
    return scene[rows, columns]


def in_palette(celsius: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return temperatures of 10 to 60 °C as a picture, uint8 RGB."""
    grey = np.clip((celsius - 10) / 50 * 255, 0, 255).astype(np.uint8)
    return cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[..., ::-1]


def offset_flir_jpeg(
    dx: int,
    dy: int,
    *,
    enlarged: int = 1,
    orientation: int | None = None,
    scene: NDArray[np.float64] | None = None,
) -> bytes:
    """Return a FLIR file on whose picture things lie dx right of and dy below where the raster has them."""
    scene = scene_c() if scene is None else scene
    shown = in_palette(frame_at(scene, -dx, -dy))
    shown = shown.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    return flir_jpeg(
        frame_at(scene, 0, 0), raw="tiff", part_bytes=60000, shown=shown, orientation=orientation
    )


def dji_rjpeg(
    counts: NDArray[np.uint16], make: str = "DJI", shown: NDArray[np.uint8] | None = None
) -> bytes:
    """Return a JPEG with counts in APP3 segments, as newer DJI cameras write them; ``shown`` as of `flir_jpeg`."""
    data = counts.astype("<u2").tobytes()
    parts = [data[i : i + 60000] for i in range(0, len(data), 60000)]
    segments = b"".join(b"\xff\xe3" + struct.pack(">H", 2 + len(part)) + part for part in parts)
    flat = np.full((*counts.shape, 3), 128, np.uint8)
    picture_file = jpeg(flat if shown is None else shown, make=make)
    return picture_file[:2] + segments + picture_file[2:]


def tiff(values: NDArray[np.generic], unit: str | None = None, **more: object) -> bytes:
    """Return a TIFF, with its unit declared where given."""
    out = io.BytesIO()
    description = json.dumps({"unit": unit, **more}) if unit else None
    tifffile.imwrite(out, values, description=description, metadata=None)
    return out.getvalue()


def put(path: Path, content: bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def mission_folder(folder: Path, pairs: int, first: int = 0) -> Path:
    """Write pairs as ``DJI_0001_T.JPG`` with ``DJI_0001_V.JPG``."""
    for number in range(first, first + pairs):
        at = f"2024:06:01 12:{number // 60:02d}:{number % 60:02d}"
        for mark, seed in (("T", 2 * number), ("V", 2 * number + 1)):
            name = f"DJI_{number:04d}_{mark}.JPG"
            put(folder / name, jpeg(picture(seed), at=at, xmp=dji_xmp(RelativeAltitude="+41.1")))
    return folder
