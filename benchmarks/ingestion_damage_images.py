"""Damaged radiometric JPEGs and TIFFs: whole files, and what reading a damaged one must not give."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from dd_livm_core.camera_files.radiometry import PLAUSIBLE_C, infrared_from_bytes
from dd_livm_core.errors import InputError
from dd_livm_core.missions.pair_facts import facts_from_bytes
from tests import drone_files as made
from tests.damage.positions import FIELDS
from tests.damage.verdict import REFUSED, SAME, TOLD, UNTOLD, Verdict

NOTICED_K = 0.1
PATH = Path("damaged")


@dataclass(frozen=True)
class WholeImage:
    """A file, and what it holds."""

    content: bytes
    values: NDArray[np.float32]
    metadata: ImageMetadata


def _whole(content: bytes) -> WholeImage:
    """Return a file with what it holds."""
    return WholeImage(
        content, infrared_from_bytes(content, PATH).values, metadata_from_bytes(content, (80, 64))
    )


def radiometric_jpegs(real: Path | None) -> list[WholeImage]:
    """Return made files of every storage of FLIR's raw image, a picture, and real files of below 3 MiB."""
    celsius = np.linspace(5, 95, 64 * 80).reshape(64, 80)
    contents = [
        made.flir_jpeg(celsius, checksums=True),
        made.flir_jpeg(celsius, raw="tiff", order="<"),
        made.flir_jpeg(celsius, raw="bytes"),
        made.jpeg(made.picture(), at="2026:06:01 12:00:00", xmp=made.dji_xmp(GpsLatitude=40)),
    ]
    if real:
        files = sorted((real / "radiometric").rglob("*.[jJ][pP][gG]"))
        contents += [path.read_bytes() for path in files if path.stat().st_size < 3 * 2**20]
        contents += [(real / "pv_pairs" / "T/DJI_1_T.JPG").read_bytes()]
    return [_whole(content) for content in contents]


def tiffs() -> list[WholeImage]:
    """Return TIFFs in all the forms that cameras and programs write, each with its unit declared."""
    celsius = np.linspace(5, 95, 64 * 80, dtype=np.float32).reshape(64, 80)
    counts = np.rint((celsius + 273.15) * 100).astype(np.uint16)
    said = '{"unit": "centikelvin"}'
    item = '<Item name="{0}" sample="0" role="{0}">{1}</Item>'
    gdal = "".join(
        item.format(*of) for of in (("unittype", "K"), ("scale", "0.01"), ("offset", "0"))
    )
    tags = [(42112, "s", 0, f"<GDALMetadata>{gdal}</GDALMetadata>", True)]
    forms: list[dict[str, object]] = [
        {},
        {"rowsperstrip": 7},
        {"tile": (32, 32)},
        {"compression": "zlib", "rowsperstrip": 16},
        {"byteorder": ">"},
        {"bigtiff": True},
    ]
    contents = [made.tiff(celsius, "celsius")]
    for form in forms:
        out = io.BytesIO()
        tifffile.imwrite(out, counts, description=said, metadata=None, **form)  # type: ignore[arg-type]
        contents.append(out.getvalue())
    out = io.BytesIO()
    tifffile.imwrite(out, counts, metadata=None, extratags=tags)  # type: ignore[arg-type]
    contents.append(out.getvalue())
    for compression in ("tiff_lzw", "packbits"):
        out = io.BytesIO()
        named = {270: said}
        Image.fromarray(counts).save(out, "TIFF", compression=compression, tiffinfo=named)
        contents.append(out.getvalue())
    return [_whole(content) for content in contents]


def judge_image(of: WholeImage, broken: bytes, kind: str) -> Verdict:
    """Read a damaged image in all ways; anything but an InputError is raised."""
    found = None
    try:
        found = infrared_from_bytes(broken, PATH)
        facts_from_bytes((broken, PATH), (broken, PATH), hashes=("", ""))
    except InputError:
        pass
    metadata = metadata_from_bytes(broken, (80, 64))
    if found is None:
        return Verdict(REFUSED)
    low, high = float(found.values.min()), float(found.values.max())
    bounds = PLAUSIBLE_C if found.radiometric else (0.0, 255.01)
    if not bounds[0] <= low <= high <= bounds[1]:
        return Verdict(UNTOLD, "implausible values", f"values {low} to {high}")
    place = _judge_metadata(of.metadata, metadata)
    if not found.radiometric:  # a picture is said to be one
        return (
            place
            if place.fault
            else Verdict(TOLD if place.outcome == SAME else place.outcome, place.differs)
        )
    same = (
        found.values.shape == of.values.shape
        and np.abs(found.values - of.values).max() <= NOTICED_K
    )
    if same:
        return place
    fault = "a cut file gives other temperatures" if kind == "cut" else None
    return Verdict(TOLD if found.remark else UNTOLD, "other temperatures", fault)


def _judge_metadata(whole: ImageMetadata, found: ImageMetadata) -> Verdict:
    """Return what became of position, height and gimbal."""
    differing = [name for name in FIELDS if getattr(found, name) != getattr(whole, name)]
    if not differing:
        return Verdict(TOLD if set(found.dropped) - set(whole.dropped) else SAME)
    lost = [name for name in differing if getattr(found, name) is None]
    what = f"no {lost[0]}" if len(lost) == len(differing) else "another position or direction"
    return Verdict(TOLD if found.dropped else UNTOLD, what)
