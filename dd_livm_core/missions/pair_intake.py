"""Takes one pair, or infrared image alone, into a mission: read, hashed, decoded once to check it, copied.

It imports little, so that worker processes start in a fraction of a second.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from dd_livm_core.camera_files.dji import keep_dji_temperatures
from dd_livm_core.camera_files.images import read_bytes
from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from dd_livm_core.missions.pair_facts import (
    PAIR_FACTS,
    PairFacts,
    PairHashes,
    facts_from_bytes,
    facts_line,
    hash_contents,
    read_kept_facts,
    reader_version,
)
from dd_livm_core.missions.pair_files import PairFiles, concerns_visible
from dd_livm_core.records import FROM_FILE, DeclaredUnit, MeasurementParameters

NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""Disk full, quota used up, or not writable at all."""
Stamp = tuple[int, int]
"""Size in bytes and time of change in ns: by them an unchanged file is known again without reading."""


@dataclass(frozen=True)
class Taken:
    """A pair that was taken in.

    Attributes
    ----------
    new
        Whether the mission held other files or none for it before.
    radiometric
        Whether its infrared file holds temperatures.
    metadata_dropped
        Broken tags of its files that were left out, each with the reason; None without any.
    remark
        What a person should know of its temperatures, or None.
    without_visible
        Why its visible file could not be used, so that the infrared one was taken alone; else None.
    """

    new: bool
    radiometric: bool
    metadata_dropped: str | None
    remark: str | None
    without_visible: InputError | None = None


@dataclass(frozen=True)
class Intake:
    """Takes pairs into one mission, in any number of processes at once.

    Attributes
    ----------
    declared
        Unit of the mission's TIFF files that do not say it themselves.
    journal_stamp
        Of the mission's kept facts when this began, or None without any; pairs that they hold are not decoded.
    parameters
        Take the place of those in FLIR's and DJI's files, where they are not None.
    """

    mission_dir: Path
    declared: DeclaredUnit | None
    journal_stamp: Stamp | None
    parameters: MeasurementParameters = FROM_FILE

    def is_unchanged(self, pair: PairFiles) -> bool:
        """Return whether the mission holds the files of a pair, with the size and time they have now."""
        return all(
            stamp_of(source) == stamp_of(target)
            for source, target in zip(pair.paths, self.targets(pair), strict=True)
        )

    def take_all(self, pairs: Sequence[PairFiles]) -> list[Taken | InputError]:
        """Take pairs one after another; return the outcome of each, as `take` does."""
        keep_dji_temperatures([pair.infrared for pair in pairs], self.parameters)
        return [self.take(pair) for pair in pairs]

    def take(self, pair: PairFiles) -> Taken | InputError:
        """Check and copy one pair; return what it is, or why it cannot be used.

        Where only the visible file cannot be used, and the mission holds none, the infrared one is taken alone.

        Raises
        ------
        InputError
            There is no room to write.
        """
        outcome = self._take(pair)
        if not isinstance(outcome, InputError) or not concerns_visible(outcome, pair):
            return outcome
        if any((self.mission_dir / "visible").glob(f"{pair.pair_id}.*")):
            return outcome
        alone = self._take(replace(pair, visible=None, paired_by=None))
        return replace(alone, without_visible=outcome) if isinstance(alone, Taken) else outcome

    def _take(self, pair: PairFiles) -> Taken | InputError:
        """Check and copy the files of one pair as they are named."""
        sources, targets = pair.paths, self.targets(pair)
        try:
            stamps = [stamp_of(path) for path in sources]
            contents, facts = self._read_and_check(pair)
            if stamps != [stamp_of(path) for path in sources]:
                raise InputError(
                    "files at rest", "one still being written", pair.infrared, "Ingest again later."
                )
            same = all(map(_same_bytes, targets, contents))
            # infrared last: after a break, a pair is not taken for an infrared image alone
            for target, content, stamp in reversed([*zip(targets, contents, stamps, strict=True)]):
                if stamp is not None:
                    _write(target, content, stamp[1])
        except InputError as error:
            return error
        except OSError as error:
            if error.errno in NO_ROOM:  # not this pair's fault; every later pair would fail too
                raise InputError(
                    "room to write", str(error), self.mission_dir, "Make room, then ingest again."
                ) from error
            return InputError("readable files", str(error), pair.infrared, "Check disk and rights.")
        return Taken(not same, facts.radiometric, facts.metadata_dropped, facts.infrared_remark)

    def targets(self, pair: PairFiles) -> tuple[Path, ...]:
        """Return the paths of the copies of a pair's files, whether they exist or not."""
        return tuple(
            self.mission_dir / side / f"{pair.pair_id}{path.suffix.lower()}"
            for side, path in zip(("infrared", "visible"), pair.paths, strict=False)
        )

    def _read_and_check(self, pair: PairFiles) -> tuple[list[bytes], PairFacts]:
        """Return the bytes and the facts of a pair; files whose content was decoded before are not decoded again."""
        contents = [read_bytes(path) for path in pair.paths]
        infrared, *seen = zip(contents, pair.paths, strict=True)
        hashes = hash_contents(contents)
        version = reader_version(self.declared, self.parameters)
        facts = _facts_at_start(self.mission_dir, version, self.journal_stamp).get(hashes)
        if facts is None:
            facts = facts_from_bytes(
                infrared,
                seen[0] if seen else None,
                hashes=hashes,
                declared=self.declared,
                parameters=self.parameters,
            )
            # before the copies are made: after a break, every copy has its facts
            self._append_to_journal(facts_line(facts, version))
        return contents, facts

    def _append_to_journal(self, line: str) -> None:
        """Append a line in one write, so that lines of several processes do not mix."""
        journal = os.open(
            self.mission_dir / PAIR_FACTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666
        )
        try:
            os.write(journal, line.encode())
        finally:
            os.close(journal)


@lru_cache(maxsize=1)
def _facts_at_start(
    mission_dir: Path, version: str, stamp: Stamp | None
) -> dict[PairHashes, PairFacts]:
    """Return the kept facts, read once in each process; ``stamp`` tells one ingestion from the next."""
    return read_kept_facts(mission_dir, version) if stamp else {}


def stamp_of(path: Path) -> Stamp | None:
    """Return a file's size and time of change, or None where there is no file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def _same_bytes(target: Path, content: bytes) -> bool:
    """Return whether a file exists and holds exactly this content."""
    stamp = stamp_of(target)
    return stamp is not None and stamp[0] == len(content) and target.read_bytes() == content


def _write(target: Path, content: bytes, mtime_ns: int) -> None:
    """Write a copy in one move, with its original's time, by which `Intake.is_unchanged` knows it again."""
    with atomic(target) as unfinished:
        unfinished.write_bytes(content)
        os.utime(unfinished, ns=(mtime_ns, mtime_ns))
