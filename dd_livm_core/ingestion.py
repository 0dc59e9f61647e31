"""Take a mission's files into ``data/``: paired, decoded once to be sure of them, copied byte for byte."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dd_livm_core.errors import InputError
from dd_livm_core.image_files import read_bytes
from dd_livm_core.labels import Label, read_labels, write_labels
from dd_livm_core.metadata import read_metadata
from dd_livm_core.pair_facts import (
    PAIR_FACTS,
    PairFacts,
    facts_from_bytes,
    facts_line,
    read_kept_facts,
    reader,
    write_kept_facts,
)
from dd_livm_core.pairing import FoundPair, pair_folder
from dd_livm_core.records import DeclaredUnit, Mission
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
    label_file = _labels_of(source, labels)
    known_labels = read_labels(label_file) if label_file else None
    mission_dir = data_root / mission.site_id / mission.mission_id
    for side in ("infrared", "visible"):
        (mission_dir / side).mkdir(parents=True, exist_ok=True)
    added = unchanged = 0
    quarantined: list[tuple[Path, str]] = []
    by = reader(mission.infrared_unit)
    known = read_kept_facts(mission_dir, by)
    kept: dict[tuple[str, str], PairFacts] = {}
    with (
        (mission_dir / PAIR_FACTS).open("a", encoding="utf-8") as journal,
        ThreadPoolExecutor(os.cpu_count() or 1) as pool,
    ):
        outcomes = pool.map(
            lambda pair: _try(pair, mission_dir, mission.infrared_unit, known), found.pairs
        )
        for done, (pair, outcome) in enumerate(zip(found.pairs, outcomes, strict=True), 1):
            if isinstance(outcome, InputError):
                quarantined.append((Path(outcome.where), str(outcome)))
            else:
                facts, new = outcome
                added, unchanged = added + new, unchanged + (not new)
                key = (facts.infrared_sha256, facts.visible_sha256)
                kept[key] = facts
                if key not in known:  # at once, so that nothing is decoded twice after a break
                    journal.write(facts_line(facts, by))
                    journal.flush()
            if progress:
                progress(done, len(found.pairs), pair.pair_id)
    write_kept_facts(mission_dir, {**known, **kept}, by)
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


Outcome = tuple[PairFacts, bool]


def _try(
    pair: FoundPair,
    mission_dir: Path,
    declared: DeclaredUnit | None,
    known: dict[tuple[str, str], PairFacts],
) -> Outcome | InputError:
    try:
        return _take(pair, mission_dir, declared, known)
    except InputError as error:
        return error
    except OSError as error:
        return InputError("readable files", str(error), pair.infrared, "Check disk and rights.")


def _take(
    pair: FoundPair,
    mission_dir: Path,
    declared: DeclaredUnit | None,
    known: dict[tuple[str, str], PairFacts],
) -> Outcome:
    """Check and copy one pair; the flag says whether it is new."""
    sources = (pair.infrared, pair.visible)
    targets = (
        mission_dir / "infrared" / f"{pair.pair_id}{pair.infrared.suffix.lower()}",
        mission_dir / "visible" / f"{pair.pair_id}{pair.visible.suffix.lower()}",
    )
    before = [_stamp(path) for path in sources]
    infrared, visible = (read_bytes(path) for path in sources)
    hashes = (hashlib.sha256(infrared).hexdigest(), hashlib.sha256(visible).hexdigest())
    facts = known.get(hashes) or facts_from_bytes(
        infrared, sources[0], visible, sources[1], hashes=hashes, declared=declared
    )
    if before != [_stamp(path) for path in sources]:
        raise InputError(
            "files at rest", "one still being written", pair.infrared, "Ingest again later."
        )
    same = [
        _holds(target, content)
        for target, content in zip(targets, (infrared, visible), strict=True)
    ]
    for target, content, there in zip(targets, (infrared, visible), same, strict=True):
        if not there:
            _write(target, content)
    return facts, not all(same)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _holds(target: Path, content: bytes) -> bool:
    return (
        target.exists() and target.stat().st_size == len(content) and target.read_bytes() == content
    )


def _write(target: Path, content: bytes) -> None:
    unfinished = target.with_name(f".{target.name}.tmp")
    unfinished.write_bytes(content)
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
