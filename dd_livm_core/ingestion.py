"""Take a mission's files into ``data/``: paired, decoded once to be sure of them, copied byte for byte."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.labels import Label, read_labels, write_labels
from dd_livm_core.metadata import read_metadata
from dd_livm_core.pairing import FoundPair, pair_folder
from dd_livm_core.radiometry import read_infrared, read_visible
from dd_livm_core.records import Mission
from dd_livm_core.sites import require_site

MISSION, LABELS, QUARANTINE = "mission.json", "labels.json", "quarantine.json"

Progress = Callable[[int, int, str], None]
R = TypeVar("R", bound=BaseModel)


@dataclass(frozen=True)
class IngestionReport:
    """What an ingestion did; nothing is silently left out."""

    mission_dir: Path
    added: int
    unchanged: int
    quarantined: tuple[tuple[Path, str], ...]
    single: tuple[tuple[Path, str], ...]


def read_record(path: Path, kind: type[R]) -> R:
    """Read one stored record.

    Raises
    ------
    InputError
        The file is missing or broken, or holds unknown keys.
    """
    try:
        return kind.model_validate_json(path.read_text())
    except (OSError, ValueError, ValidationError) as error:
        raise InputError(
            f"a {kind.__name__} record", str(error), path, "Ingest the mission anew."
        ) from error


def ingest_mission(
    source: Path,
    data_root: Path,
    mission: Mission,
    *,
    labels: Path | None = None,
    progress: Progress | None = None,
) -> IngestionReport:
    """Copy a folder's image pairs into ``data_root/<site>/<mission>``.

    Each pair is decoded whole before it is taken, so that no broken file gets in; a broken one is set aside with
    its reason. Originals are only read. Repeated after a break, only what is missing is done.

    Raises
    ------
    InputError
        The folder or the site does not exist, there is no pair, or labels are broken.
    """
    source = source.expanduser()
    require_site(data_root, mission.site_id)
    found = pair_folder(source)
    if not found.pairs:
        raise InputError(
            "pairs of an infrared and a visible image",
            f"none ({len(found.single)} single images)" if found.single else "none",
            source,
            "Name them as the drone does (..._T.JPG with ..._V.JPG), or use folders infrared/ and visible/.",
        )
    known_labels = read_labels(_labels_of(source, labels)) if _labels_of(source, labels) else None
    mission_dir = data_root / mission.site_id / mission.mission_id
    for side in ("infrared", "visible"):
        (mission_dir / side).mkdir(parents=True, exist_ok=True)
    added = unchanged = 0
    quarantined: list[tuple[Path, str]] = []
    for done, pair in enumerate(found.pairs, 1):
        try:
            new = _take(pair, mission_dir)
            added, unchanged = added + new, unchanged + (not new)
        except InputError as error:
            quarantined.append((Path(error.where), str(error)))
        if progress:
            progress(done, len(found.pairs), pair.pair_id)
    _write_json(mission_dir / MISSION, mission.model_dump(mode="json"))
    _write_json(
        mission_dir / QUARANTINE,
        [{"file": str(p), "reason": why} for p, why in (*quarantined, *found.single)],
    )
    if known_labels is not None:
        _take_labels(mission_dir, known_labels)
    return IngestionReport(mission_dir, added, unchanged, tuple(quarantined), found.single)


def _labels_of(source: Path, labels: Path | None) -> Path | None:
    if labels is not None:
        return labels
    beside = source / LABELS
    return beside if beside.exists() else None


def _take(pair: FoundPair, mission_dir: Path) -> bool:
    """Check and copy one pair; False when both files are there already."""
    targets = [
        (pair.infrared, mission_dir / "infrared" / f"{pair.pair_id}{pair.infrared.suffix.lower()}"),
        (pair.visible, mission_dir / "visible" / f"{pair.pair_id}{pair.visible.suffix.lower()}"),
    ]
    before = [(path.stat().st_size, path.stat().st_mtime_ns) for path, _ in targets]
    if all(target.exists() and _same(path, target) for path, target in targets):
        return False
    read_infrared(pair.infrared)
    read_visible(pair.visible)
    for path, target in targets:
        _copy(path, target)
    if before != [(path.stat().st_size, path.stat().st_mtime_ns) for path, _ in targets]:
        for _, target in targets:
            target.unlink()
        raise InputError(
            "files at rest", "one still being written", pair.infrared, "Ingest again later."
        )
    return True


def _same(path: Path, target: Path) -> bool:
    return path.stat().st_size == target.stat().st_size and _digest(path) == _digest(target)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copy(path: Path, target: Path) -> None:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    shutil.copyfile(path, unfinished)
    unfinished.replace(target)


def _take_labels(mission_dir: Path, labels: dict[str, list[Label]]) -> None:
    """Keep the labels of the pairs that were taken; labels are matched by pair id or by the file's own stem."""
    kept: dict[str, Sequence[Label]] = {}
    files: dict[str, str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for path in sorted((mission_dir / "infrared").iterdir()):
        if path.name.startswith("."):
            continue
        names = [path.stem, *(f"{path.stem}_{mark}" for mark in ("T", "IR"))]
        of_pair = next((labels[name] for name in names if name in labels), None)
        if of_pair is None:
            continue  # not labelled, which is not the same as without defects
        metadata = read_metadata(path)
        kept[path.stem], files[path.stem] = of_pair, f"infrared/{path.name}"
        sizes[path.stem] = (metadata.width_px, metadata.height_px)
    write_labels(mission_dir / LABELS, kept, files, sizes)


def _write_json(path: Path, content: object) -> None:
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    unfinished.replace(path)
