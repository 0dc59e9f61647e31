"""What one image pair's two files say, read and decoded once; kept beside the mission under their hashes."""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from dd_livm_core.dji_sdk import sdk_path
from dd_livm_core.image_files import read_bytes
from dd_livm_core.metadata import metadata_from_bytes
from dd_livm_core.radiometry import infrared_from_bytes, visible_from_bytes

READER_VERSION = "1"
"""To be changed with every change of what a reader returns: kept facts of an earlier version are read anew."""
PAIR_FACTS = "pairs.jsonl"


@dataclass(frozen=True)
class PairFacts:
    """The facts of one pair; None is what the files do not say. Times are ISO 8601."""

    infrared_sha256: str
    visible_sha256: str
    infrared_width_px: int
    infrared_height_px: int
    visible_width_px: int
    visible_height_px: int
    radiometric: bool
    taken_at: str | None
    latitude_deg: float | None
    longitude_deg: float | None
    relative_altitude_m: float | None
    gimbal_pitch_deg: float | None
    camera_model: str | None
    focal_length_mm: float | None


def read_facts(infrared: Path, visible: Path) -> PairFacts:
    """Read and decode both files of a pair, each once.

    Raises
    ------
    InputError
        One of them cannot be used.
    """
    return facts_from_bytes(read_bytes(infrared), infrared, read_bytes(visible), visible)


def facts_from_bytes(
    infrared: bytes,
    infrared_path: Path,
    visible: bytes,
    visible_path: Path,
    hashes: tuple[str, str] | None = None,
) -> PairFacts:
    """Decode both files of a pair; the paths are only named in errors, known SHA-256 are not taken again."""
    infrared_sha256, visible_sha256 = hashes or (
        hashlib.sha256(infrared).hexdigest(),
        hashlib.sha256(visible).hexdigest(),
    )
    thermogram = infrared_from_bytes(infrared, infrared_path)
    seen = visible_from_bytes(visible, visible_path)
    own = metadata_from_bytes(infrared, infrared_path)
    other = metadata_from_bytes(visible, visible_path)
    position = own if own.latitude_deg is not None and own.longitude_deg is not None else other
    height = own if own.relative_altitude_m is not None else other
    taken_at = own.taken_at or other.taken_at
    return PairFacts(
        infrared_sha256=infrared_sha256,
        visible_sha256=visible_sha256,
        infrared_width_px=thermogram.values.shape[1],
        infrared_height_px=thermogram.values.shape[0],
        visible_width_px=seen.shape[1],
        visible_height_px=seen.shape[0],
        radiometric=thermogram.radiometric,
        taken_at=str(taken_at) if taken_at else None,
        latitude_deg=position.latitude_deg,
        longitude_deg=position.longitude_deg,
        relative_altitude_m=height.relative_altitude_m,
        gimbal_pitch_deg=own.gimbal_pitch_deg,
        camera_model=own.camera_model or thermogram.camera,
        focal_length_mm=own.focal_length_mm,
    )


def _reader() -> str:
    """Name what read the facts: with DJI's SDK the same file may hold temperatures."""
    return READER_VERSION + ("+dji" if sdk_path() else "")


def read_kept_facts(folder: Path) -> dict[tuple[str, str], PairFacts]:
    """Return the facts kept in a mission's folder, by (infrared hash, visible hash).

    Lines that are broken, as after a power cut, or of an earlier reader are left out: those pairs are read anew.
    """
    path = folder / PAIR_FACTS
    known: dict[tuple[str, str], PairFacts] = {}
    if not path.exists():
        return known
    names = {field.name for field in fields(PairFacts)}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            content = json.loads(line)
        except ValueError:
            continue
        if not isinstance(content, dict) or content.pop("reader", None) != _reader():
            continue
        if set(content) == names:
            facts = PairFacts(**content)
            known[facts.infrared_sha256, facts.visible_sha256] = facts
    return known


def facts_line(facts: PairFacts) -> str:
    """Return the line that keeps the facts of one pair."""
    return json.dumps({"reader": _reader(), **asdict(facts)}, sort_keys=True) + "\n"


def write_kept_facts(folder: Path, known: dict[tuple[str, str], PairFacts]) -> None:
    """Write a mission's facts in one move, sorted, so that the same pairs give the same file."""
    unfinished = folder / f".{PAIR_FACTS}.tmp"
    unfinished.write_text("".join(facts_line(known[key]) for key in sorted(known)))
    unfinished.replace(folder / PAIR_FACTS)
