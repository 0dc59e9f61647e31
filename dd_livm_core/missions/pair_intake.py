"""What is done for each pair that a mission takes in: read, hashed, decoded once to be sure of it, copied.

Imports little, so that processes which only do this start in a fraction of a second.
"""

import errno
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dd_livm_core.camera_files.images import read_bytes
from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.missions.pair_facts import (
    PAIR_FACTS,
    PairFacts,
    facts_from_bytes,
    facts_line,
    read_kept_facts,
    reader,
)
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.records import DeclaredUnit

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
Stamp = tuple[int, int]
"""Size in bytes and time in ns: by them an unchanged file is known again without reading."""


@dataclass(frozen=True)
class Taken:
    """A usable pair: whether it is new, and whether it holds temperatures."""

    new: bool
    radiometric: bool


@dataclass(frozen=True)
class Intake:
    """Takes pairs into one mission, in any number of processes at once.

    Attributes
    ----------
    journal_stamp
        Of the mission's kept facts when this began, or None; what they hold is not decoded again.
    """

    mission_dir: Path
    declared: DeclaredUnit | None
    journal_stamp: Stamp | None

    def holds(self, pair: PairFiles) -> bool:
        """Return whether the pair was taken before and its files have not changed since."""
        return all(
            stamp_of(source) == stamp_of(target)
            for source, target in zip(_sources(pair), self.targets(pair), strict=True)
        )

    def take_all(self, pairs: Sequence[PairFiles]) -> list[Taken | InputError]:
        """Take some pairs; see `take`."""
        return [self.take(pair) for pair in pairs]

    def take(self, pair: PairFiles) -> Taken | InputError:
        """Check and copy one pair; return what it is, or why it cannot be used.

        Raises
        ------
        InputError
            There is no room to write.
        """
        sources, targets = _sources(pair), self.targets(pair)
        try:
            stamps = [stamp_of(path) for path in sources]
            contents, facts = self._checked(sources)
            if stamps != [stamp_of(path) for path in sources]:
                raise InputError(
                    "files at rest", "one still being written", pair.infrared, "Ingest again later."
                )
            same = [
                _holds(target, content) for target, content in zip(targets, contents, strict=True)
            ]
            for target, content, stamp in zip(targets, contents, stamps, strict=True):
                if stamp is not None:
                    _write(target, content, stamp[1])
        except InputError as error:
            return error
        except OSError as error:
            if error.errno in NO_ROOM:  # no fault of this pair, and so of all that follow
                raise InputError(
                    "room to write", str(error), self.mission_dir, "Make room, then ingest again."
                ) from error
            return InputError("readable files", str(error), pair.infrared, "Check disk and rights.")
        return Taken(not all(same), facts.radiometric)

    def targets(self, pair: PairFiles) -> tuple[Path, Path]:
        """Return where a pair's two files are kept."""
        return (
            self.mission_dir / "infrared" / f"{pair.pair_id}{pair.infrared.suffix.lower()}",
            self.mission_dir / "visible" / f"{pair.pair_id}{pair.visible.suffix.lower()}",
        )

    def _checked(self, sources: tuple[Path, Path]) -> tuple[tuple[bytes, bytes], PairFacts]:
        """Read both files and decode them, unless files of this content were decoded before."""
        infrared, visible = (read_bytes(path) for path in sources)
        hashes = (hashlib.sha256(infrared).hexdigest(), hashlib.sha256(visible).hexdigest())
        known = _known(self.mission_dir, reader(self.declared), self.journal_stamp)
        facts = known.get(hashes)
        if facts is None:
            facts = facts_from_bytes(
                infrared, sources[0], visible, sources[1], hashes=hashes, declared=self.declared
            )
            # before the copies are there: after a break, what is there is known
            self._note(facts_line(facts, reader(self.declared)))
        return (infrared, visible), facts

    def _note(self, line: str) -> None:
        """Append one line to the journal, in one write, so that lines of several processes do not mix."""
        journal = os.open(
            self.mission_dir / PAIR_FACTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666
        )
        try:
            os.write(journal, line.encode())
        finally:
            os.close(journal)


@lru_cache(maxsize=1)
def _known(mission_dir: Path, by: str, stamp: Stamp | None) -> dict[tuple[str, str], PairFacts]:
    return read_kept_facts(mission_dir, by) if stamp else {}


def stamp_of(path: Path) -> Stamp | None:
    """Return a file's size and time, or None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _sources(pair: PairFiles) -> tuple[Path, Path]:
    return pair.infrared, pair.visible


def _holds(target: Path, content: bytes) -> bool:
    stamp = stamp_of(target)
    return stamp is not None and stamp[0] == len(content) and target.read_bytes() == content


def _write(target: Path, content: bytes, mtime_ns: int) -> None:
    """Write in one move, with the original's time: by size and time it is known again without reading."""
    with atomic(target) as unfinished:
        unfinished.write_bytes(content)
        os.utime(unfinished, ns=(mtime_ns, mtime_ns))
