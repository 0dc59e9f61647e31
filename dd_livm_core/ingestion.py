"""Take a mission's files into ``data/``: paired, decoded once to be sure of them, copied byte for byte."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.image_files import read_bytes
from dd_livm_core.mission_folder import LABELS, MISSION, QUARANTINE, write_json
from dd_livm_core.mission_labels import LabelReport, Names, take_labels
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

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class IngestionReport:
    """What an ingestion did; nothing is silently left out."""

    mission_dir: Path
    added: int
    unchanged: int
    quarantined: tuple[tuple[Path, str], ...]
    single: tuple[tuple[Path, str], ...]
    labels: LabelReport | None


def ingest_mission(
    source: Path,
    data_root: Path,
    mission: Mission,
    *,
    labels: Path | None = None,
    visible_labels: Path | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> IngestionReport:
    """Copy a folder's image pairs into ``data_root/<site>/<mission>``.

    Each pair is decoded whole before it is taken, so that no broken file gets in; a broken one is set aside with
    its reason. Originals are only read. Repeated after a break, only what is missing is done.

    Parameters
    ----------
    labels, visible_labels
        As in `take_labels`; by default the ``labels.json`` beside the images, where there is one.
    processes
        For registering pairs that have visible labels.

    Raises
    ------
    InputError
        The folder or the site does not exist, there is no pair, or labels are broken.
    """
    source = source.expanduser()
    require_site(data_root, mission.site_id)
    labels, found = _labels_beside(source, labels, visible_labels), pair_folder(source)
    if not found.pairs:
        raise InputError(
            "pairs of an infrared and a visible image",
            f"none ({len(found.single)} single images)" if found.single else "none",
            source,
            "Name them as the drone does (..._T.JPG with ..._V.JPG), or use folders infrared/ and visible/.",
        )
    mission_dir = data_root / mission.site_id / mission.mission_id
    for side in ("infrared", "visible"):
        (mission_dir / side).mkdir(parents=True, exist_ok=True)
    new, quarantined = _take_all(found.pairs, mission_dir, mission.infrared_unit, progress)
    write_json(mission_dir / MISSION, mission.model_dump(mode="json"))
    write_json(
        mission_dir / QUARANTINE,
        [{"file": str(p), "reason": why} for p, why in (*quarantined, *found.single)],
    )
    taken = None
    if labels is not None:
        names = _names(found.pairs, source)
        taken = take_labels(
            mission_dir,
            labels,
            visible_labels,
            names=names,
            processes=processes,
            progress=progress,
        )
    return IngestionReport(
        mission_dir, sum(new), len(new) - sum(new), tuple(quarantined), found.single, taken
    )


def _labels_beside(source: Path, labels: Path | None, visible_labels: Path | None) -> Path | None:
    if labels is None and (source / LABELS).exists():
        labels = source / LABELS
    if visible_labels is not None and labels is None:
        raise InputError(
            "labels drawn on infrared, which give the place",
            "visible ones only",
            visible_labels,
            "Give --labels, too.",
        )
    return labels


def _take_all(
    pairs: Sequence[FoundPair],
    mission_dir: Path,
    declared: DeclaredUnit | None,
    progress: Progress | None,
) -> tuple[list[bool], list[tuple[Path, str]]]:
    """Take every pair; return for the good ones whether they are new, for the others file and reason."""
    new: list[bool] = []
    quarantined: list[tuple[Path, str]] = []
    by = reader(declared)
    known = read_kept_facts(mission_dir, by)
    kept: dict[tuple[str, str], PairFacts] = {}
    with (
        (mission_dir / PAIR_FACTS).open("a", encoding="utf-8") as journal,
        ThreadPoolExecutor(os.cpu_count() or 1) as pool,
    ):
        outcomes = pool.map(lambda pair: _try(pair, mission_dir, declared, known), pairs)
        for done, (pair, outcome) in enumerate(zip(pairs, outcomes, strict=True), 1):
            if isinstance(outcome, InputError):
                quarantined.append((Path(outcome.where), str(outcome)))
            else:
                facts, is_new = outcome
                new.append(is_new)
                key = (facts.infrared_sha256, facts.visible_sha256)
                kept[key] = facts
                if key not in known:  # at once, so that nothing is decoded twice after a break
                    journal.write(facts_line(facts, by))
                    journal.flush()
            if progress:
                progress(done, len(pairs), pair.pair_id)
    write_kept_facts(mission_dir, {**known, **kept}, by)
    return new, quarantined


def _names(pairs: Sequence[FoundPair], source: Path) -> Names:
    """Return what label files may call each pair's two images: by folder and name, or by name."""
    return {
        pair.pair_id: (
            (pair.infrared.relative_to(source).with_suffix("").as_posix(), pair.infrared.stem),
            (pair.visible.relative_to(source).with_suffix("").as_posix(), pair.visible.stem),
        )
        for pair in pairs
    }


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
