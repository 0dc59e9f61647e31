"""What the files of a pair say, decoded once and kept in the mission's folder by their hashes."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from dd_livm_core.camera_files.dji import has_reader
from dd_livm_core.camera_files.images import checked_size_px
from dd_livm_core.camera_files.metadata import ImageMetadata, metadata_from_bytes
from dd_livm_core.camera_files.picture_values import require_no_photograph
from dd_livm_core.camera_files.radiometry import (
    examine_infrared,
    infrared_from_bytes,
)
from dd_livm_core.errors import InputError
from dd_livm_core.files import write_text
from dd_livm_core.missions.image_modality import sure_modality
from dd_livm_core.missions.image_names import OTHER, Modality
from dd_livm_core.records import FROM_FILE, DeclaredUnit, MeasurementParameters

READER_VERSION = "8"
"""Change it whenever a reader returns something else: facts kept by another version are read anew."""
PAIR_FACTS = "pairs.jsonl"
PairHashes = tuple[str, str | None]
"""SHA-256 of the infrared and of the visible file, hexadecimal; None where there is no visible one."""
FileContent = tuple[bytes, Path]
"""A file's bytes, and the path that errors name."""


@dataclass(frozen=True)
class PairFacts:
    """What the files of one pair say; None is what they do not say, and all of a visible file that is not there.

    Position and height are the infrared image's, else the visible one's; gimbal and camera are the infrared one's.

    Attributes
    ----------
    infrared_dtype
        Type of the numbers in the infrared file.
    infrared_remark
        What a person should know of its temperatures, see `Thermogram`.
    taken_at
        ISO 8601, with the zone where the file says it.
    pair_gap_s
        Time of the infrared image minus time of the visible one, in seconds, by the cameras' own clocks.
    metadata_dropped
        Tags of either file that are broken and were left out, each with the reason.
    """

    infrared_sha256: str
    visible_sha256: str | None
    infrared_width_px: int
    infrared_height_px: int
    visible_width_px: int | None
    visible_height_px: int | None
    infrared_dtype: str
    radiometric: bool
    infrared_median_c: float | None
    infrared_max_c: float | None
    infrared_remark: str | None
    taken_at: str | None
    pair_gap_s: float | None
    latitude_deg: float | None
    longitude_deg: float | None
    relative_altitude_m: float | None
    gimbal_pitch_deg: float | None
    gimbal_yaw_deg: float | None
    gimbal_roll_deg: float | None
    camera_model: str | None
    focal_length_mm: float | None
    focal_length_35mm_mm: float | None
    metadata_dropped: str | None


def hash_contents(contents: Sequence[bytes]) -> PairHashes:
    """Return the hashes of a pair's files: of the infrared one and, where there is one, of the visible one."""
    infrared, *visible = (hashlib.sha256(content).hexdigest() for content in contents)
    return infrared, visible[0] if visible else None


def facts_from_bytes(
    infrared: FileContent,
    visible: FileContent | None,
    *,
    hashes: PairHashes,
    declared: DeclaredUnit | None = None,
    parameters: MeasurementParameters = FROM_FILE,
) -> PairFacts:
    """Return the facts of a pair from the bytes of its files; each is decoded once.

    Parameters
    ----------
    visible
        None for an infrared image alone.
    declared
        Unit of the mission's TIFF files that do not say it themselves.
    parameters
        Take the place of those in FLIR's and DJI's files, where they are not None.

    Raises
    ------
    InputError
        One of the files is broken, no image of a drone camera, or by its own word of the other kind; or the infrared
        image is alone and a photograph.
    """
    held = examine_infrared(*infrared, declared, parameters)
    own = metadata_from_bytes(infrared[0], (held.width_px, held.height_px))
    _require_modality(own, "infrared", infrared[1])
    seen_px: tuple[int, int] | None = None
    other = ImageMetadata(0, 0)
    if visible is not None:
        seen_px = checked_size_px(*visible)
        other = metadata_from_bytes(visible[0], seen_px)
        _require_modality(other, "visible", visible[1])
    elif not held.radiometric:
        require_no_photograph(infrared_from_bytes(*infrared, declared=declared), infrared[1])
    position = own if own.latitude_deg is not None and own.longitude_deg is not None else other
    height = own if own.relative_altitude_m is not None else other
    taken_at = own.taken_at or other.taken_at
    return PairFacts(
        infrared_sha256=hashes[0],
        visible_sha256=hashes[1],
        infrared_width_px=held.width_px,
        infrared_height_px=held.height_px,
        visible_width_px=seen_px[0] if seen_px else None,
        visible_height_px=seen_px[1] if seen_px else None,
        infrared_dtype=held.stored_dtype,
        radiometric=held.radiometric,
        infrared_median_c=held.median_c,
        infrared_max_c=held.max_c,
        infrared_remark=held.remark,
        taken_at=str(taken_at) if taken_at else None,
        pair_gap_s=_gap_s(own.taken_at, other.taken_at),
        latitude_deg=position.latitude_deg,
        longitude_deg=position.longitude_deg,
        relative_altitude_m=height.relative_altitude_m,
        gimbal_pitch_deg=own.gimbal_pitch_deg,
        gimbal_yaw_deg=own.gimbal_yaw_deg,
        gimbal_roll_deg=own.gimbal_roll_deg,
        camera_model=own.camera_model or held.camera,
        focal_length_mm=own.focal_length_mm,
        focal_length_35mm_mm=own.focal_length_35mm_mm,
        metadata_dropped=_join_dropped(own, other),
    )


def _require_modality(metadata: ImageMetadata, modality: Modality, path: Path) -> None:
    """Raise an InputError where what an image holds, or DJI's own word, says that it is of the other kind."""
    if sure_modality(metadata) == OTHER[modality]:
        source = metadata.image_source
        raise InputError(
            f"the {modality} image of a pair",
            f"an image whose XMP says ImageSource {source}" if source else "a radiometric image",
            path,
            "Give files and folders their own marks (_T with _V), or leave it out.",
        )


def _join_dropped(infrared: ImageMetadata, visible: ImageMetadata) -> str | None:
    """Return what was left out of both files' metadata as one text, or None where that is nothing."""
    told = [f"infrared: {text}" for text in infrared.dropped]
    told += [f"visible: {text}" for text in visible.dropped]
    return "; ".join(told) or None


def _gap_s(infrared: datetime | None, visible: datetime | None) -> float | None:
    """Return the first time minus the second, or None where one is not known.

    Zones count where both say one and that brings the times closer: of one drone's cameras, one may leave its zone
    out, or write a wrong one.
    """
    if infrared is None or visible is None:
        return None
    gap_s = (infrared.replace(tzinfo=None) - visible.replace(tzinfo=None)).total_seconds()
    if infrared.tzinfo and visible.tzinfo:
        return min(gap_s, (infrared - visible).total_seconds(), key=abs)
    return gap_s


def reader_version(
    declared: DeclaredUnit | None, parameters: MeasurementParameters = FROM_FILE
) -> str:
    """Return the version of what reads files here and now.

    It names a reader of DJI's files and what the mission declares, since with them the same file may hold other
    temperatures.
    """
    said = [str(given) for given in (declared, parameters) if given is not None and str(given)]
    return "+".join([READER_VERSION, *(["dji"] if has_reader() else []), *said])


def read_kept_facts(folder: Path, version: str) -> dict[PairHashes, PairFacts]:
    """Return the facts kept in a mission's folder, by the hashes of the files.

    Lines that are broken, as after a power cut, or of another `reader_version` are left out: those pairs are read
    anew.
    """
    known: dict[PairHashes, PairFacts] = {}
    names = {field.name for field in fields(PairFacts)}
    for content in _read_lines(folder):
        if content.pop("reader", None) == version and set(content) == names:
            facts = PairFacts(**content)
            known[facts.infrared_sha256, facts.visible_sha256] = facts
    return known


def read_known_hashes(folder: Path) -> set[str]:
    """Return the SHA-256 of the infrared images that were taken into a mission, by whatever reader."""
    return {str(content.get("infrared_sha256")) for content in _read_lines(folder)}


def _read_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects in the lines of a mission's kept facts, but broken ones."""
    path = folder / PAIR_FACTS
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    for line in text.splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if isinstance(content, dict):
            yield content


def facts_line(facts: PairFacts, version: str) -> str:
    """Return the line of JSON that keeps the facts of one pair, as read by a `reader_version`."""
    return json.dumps({"reader": version, **vars(facts)}, sort_keys=True) + "\n"


def write_kept_facts(folder: Path, known: dict[PairHashes, PairFacts], version: str) -> None:
    """Write a mission's facts in one move, sorted by their hashes: the same pairs give the same file."""
    text = "".join(
        facts_line(known[key], version)
        for key in sorted(known, key=lambda key: (key[0], key[1] or ""))
    )
    write_text(folder / PAIR_FACTS, text)
