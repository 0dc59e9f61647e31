"""Take a mission's files into ``data/``: paired, decoded once to be sure of them, copied byte for byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.missions.folder import MISSION, QUARANTINE
from dd_livm_core.missions.pair_facts import PAIR_FACTS, read_kept_facts, reader, write_kept_facts
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pair_intake import Intake, Taken, stamp_of
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.missions.sites import require_site
from dd_livm_core.parallel import map_pairs
from dd_livm_core.records import Mission, Progress

BATCH = 8
"""Pairs handed to a process at once."""
WORTH_PROCESSES_B = 32 * 2**20
"""From so many bytes on, reading takes longer than starting processes does."""


@dataclass(frozen=True)
class IngestionReport:
    """What an ingestion did; nothing is silently left out.

    Attributes
    ----------
    pairs
        As they were found in the source.
    without_temperatures
        Infrared files of new pairs that give shape only.
    """

    mission_dir: Path
    pairs: tuple[PairFiles, ...]
    added: int
    unchanged: int
    quarantined: tuple[tuple[Path, str], ...]
    single: tuple[tuple[Path, str], ...]
    without_temperatures: tuple[Path, ...]


def ingest_mission(
    source: Path,
    data_root: Path,
    mission: Mission,
    *,
    processes: int = 1,
    progress: Progress | None = None,
) -> IngestionReport:
    """Copy a folder's image pairs into ``data_root/<site>/<mission>``.

    Each pair is decoded whole before it is taken, so that no broken file gets in; a broken one is set aside with
    its reason. Originals are only read. Repeated after a break, only what is missing is done.

    Parameters
    ----------
    processes
        For reading large missions.

    Raises
    ------
    InputError
        The folder or the site does not exist, or there is no pair.
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
    mission_dir = data_root / mission.site_id / mission.mission_id
    for side in ("infrared", "visible"):
        (mission_dir / side).mkdir(parents=True, exist_ok=True)
    intake = Intake(mission_dir, mission.infrared_unit, stamp_of(mission_dir / PAIR_FACTS))
    outcomes = _take_all(found.pairs, intake, processes, progress)
    bad = [found for _, found in outcomes if isinstance(found, InputError)]
    quarantined = tuple((Path(error.where), _reason(error)) for error in bad)
    new = [(pair, it) for pair, it in outcomes if isinstance(it, Taken) and it.new]
    _tidy(intake, found.pairs)
    write_json(mission_dir / MISSION, mission.model_dump(mode="json"))
    write_json(
        mission_dir / QUARANTINE,
        [{"file": str(p), "reason": why} for p, why in (*quarantined, *found.single)],
    )
    return IngestionReport(
        mission_dir,
        found.pairs,
        added=len(new),
        unchanged=len(found.pairs) - len(new) - len(quarantined),
        quarantined=quarantined,
        single=found.single,
        without_temperatures=tuple(pair.infrared for pair, it in new if not it.radiometric),
    )


def _reason(error: InputError) -> str:
    return f"expected {error.expected}; found {error.found}. {error.todo}"


def _take_all(
    pairs: Sequence[PairFiles], intake: Intake, processes: int, progress: Progress | None
) -> list[tuple[PairFiles, Taken | InputError]]:
    """Take every pair that is not held already; return each with what came of it."""
    changed = [pair for pair in pairs if not intake.holds(pair)]
    done = len(pairs) - len(changed)
    if progress:
        progress(done, len(pairs), "unchanged")
    taken: list[tuple[PairFiles, Taken | InputError]] = []
    batches = [changed[at : at + BATCH] for at in range(0, len(changed), BATCH)]
    worth_it = sum(_size_b(pair) for pair in changed) > WORTH_PROCESSES_B
    outcomes = map_pairs(intake.take_all, batches, processes=processes if worth_it else 1)
    for batch, of_batch in zip(batches, outcomes, strict=True):
        taken += zip(batch, of_batch, strict=True)
        if progress:
            progress(done + len(taken), len(pairs), batch[-1].pair_id)
    return taken


def _size_b(pair: PairFiles) -> int:
    stamps = stamp_of(pair.infrared), stamp_of(pair.visible)
    return sum(stamp[0] for stamp in stamps if stamp)


def _tidy(intake: Intake, pairs: Sequence[PairFiles]) -> None:
    """Sort the journal; remove what an interrupted run began, and copies that another ending has replaced."""
    by = reader(intake.declared)
    write_kept_facts(intake.mission_dir, read_kept_facts(intake.mission_dir, by), by)
    taken = {target for pair in pairs for target in intake.targets(pair) if target.exists()}
    replaced = {(target.parent.name, target.stem) for target in taken}
    for side in ("infrared", "visible"):
        for path in (intake.mission_dir / side).iterdir():
            begun = path.name.startswith(".") and path.name.endswith(".tmp")
            if begun or (path not in taken and (side, path.stem) in replaced):
                path.unlink()
