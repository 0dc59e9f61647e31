"""Take a mission's files into ``data/``: paired, decoded once to be sure of them, copied byte for byte."""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TextIO

from dd_livm_core.errors import InputError
from dd_livm_core.image_files import read_bytes
from dd_livm_core.mission_folder import LABELS, MISSION, QUARANTINE, write_json
from dd_livm_core.mission_labels import LabelReport, Names, take_labels
from dd_livm_core.pair_facts import (
    PAIR_FACTS,
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
    for path in (labels, visible_labels):
        if path is not None and not path.exists():
            raise InputError("a label file or folder", "none", path, "Check the path.")
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
    with (mission_dir / PAIR_FACTS).open("a", encoding="utf-8") as journal:
        intake = _Intake(mission_dir, declared, journal)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            outcomes = pool.map(intake.take, pairs)
            for done, (pair, outcome) in enumerate(zip(pairs, outcomes, strict=True), 1):
                if isinstance(outcome, InputError):
                    quarantined.append((Path(outcome.where), str(outcome)))
                else:
                    new.append(outcome)
                if progress:
                    progress(done, len(pairs), pair.pair_id)
    write_kept_facts(mission_dir, intake.known, intake.by)
    return new, quarantined


class _Intake:
    """Takes pairs into one mission, from several threads; what was learned of them goes into a journal at once."""

    def __init__(self, mission_dir: Path, declared: DeclaredUnit | None, journal: TextIO) -> None:
        self.mission_dir, self.declared, self.journal = mission_dir, declared, journal
        self.by = reader(declared)
        self.known = read_kept_facts(mission_dir, self.by)
        self.lock = Lock()

    def take(self, pair: FoundPair) -> bool | InputError:
        """Check and copy one pair; return whether it is new, or why it cannot be used."""
        sources = (pair.infrared, pair.visible)
        targets = (
            self.mission_dir / "infrared" / f"{pair.pair_id}{pair.infrared.suffix.lower()}",
            self.mission_dir / "visible" / f"{pair.pair_id}{pair.visible.suffix.lower()}",
        )
        try:
            stamps = [_stamp(path) for path in sources]
            if stamps == [_stamp(path) if path.exists() else None for path in targets]:
                return False
            contents = self._checked(sources)
            if stamps != [_stamp(path) for path in sources]:
                raise InputError(
                    "files at rest", "one still being written", pair.infrared, "Ingest again later."
                )
            same = [
                _holds(target, content) for target, content in zip(targets, contents, strict=True)
            ]
            for target, content, stamp in zip(targets, contents, stamps, strict=True):
                _write(target, content, stamp[1])
        except InputError as error:
            return error
        except OSError as error:
            return InputError("readable files", str(error), pair.infrared, "Check disk and rights.")
        return not all(same)

    def _checked(self, sources: tuple[Path, Path]) -> tuple[bytes, bytes]:
        """Read both files and decode them, unless files of this content were decoded before."""
        infrared, visible = (read_bytes(path) for path in sources)
        hashes = (hashlib.sha256(infrared).hexdigest(), hashlib.sha256(visible).hexdigest())
        if hashes not in self.known:
            facts = facts_from_bytes(
                infrared, sources[0], visible, sources[1], hashes=hashes, declared=self.declared
            )
            with self.lock:  # before the copies are there: after a break, what is there is known
                self.known[hashes] = facts
                self.journal.write(facts_line(facts, self.by))
                self.journal.flush()
        return infrared, visible


def _names(pairs: Sequence[FoundPair], source: Path) -> Names:
    """Return what label files may call each pair's two images: by folder and name, or by name."""
    return {
        pair.pair_id: (
            (pair.infrared.relative_to(source).with_suffix("").as_posix(), pair.infrared.stem),
            (pair.visible.relative_to(source).with_suffix("").as_posix(), pair.visible.stem),
        )
        for pair in pairs
    }


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _holds(target: Path, content: bytes) -> bool:
    return (
        target.exists() and target.stat().st_size == len(content) and target.read_bytes() == content
    )


def _write(target: Path, content: bytes, mtime_ns: int) -> None:
    """Write in one move, with the original's time: by size and time it is known again without reading."""
    unfinished = target.with_name(f".{target.name}.tmp")
    unfinished.write_bytes(content)
    os.utime(unfinished, ns=(mtime_ns, mtime_ns))
    unfinished.replace(target)
