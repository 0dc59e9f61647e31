"""Takes a mission's files into ``data/``: paired, each decoded once to check it, copied byte for byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.files import hash_file, write_json
from dd_livm_core.missions.folder import MISSION, QUARANTINE, files_by_pair, image_pairs
from dd_livm_core.missions.identity import (
    Overlap,
    compare_or_refuse,
    recorded_sources,
    source_name,
)
from dd_livm_core.missions.pair_facts import (
    PAIR_FACTS,
    read_kept_facts,
    read_known_hashes,
    reader_version,
    write_kept_facts,
)
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pair_intake import Intake, Taken, stamp_of
from dd_livm_core.missions.pairing import (
    PairingReport,
    has_same_content,
    pair_folder,
    sample_content,
)
from dd_livm_core.missions.replaced_labels import (
    LabelsAside,
    list_labelled,
    put_labels_back,
    set_labels_aside,
)
from dd_livm_core.missions.sites import require_site
from dd_livm_core.parallel import map_pairs
from dd_livm_core.records import Mission, Progress

PAIRS_PER_TASK = 8
"""Pairs handed to a process at once: few enough that progress still moves."""
SHOWN = 3
"""Of the files that are in no pair, so many are named where there is no pair at all."""
PARALLEL_FROM_B = 32 * 2**20
"""From so many bytes on, reading takes longer than starting processes does."""


@dataclass(frozen=True)
class IngestionReport:
    """What an ingestion did with every image of its source.

    Attributes
    ----------
    pairs
        All that were found in the source, infrared images alone included.
    infrared_alone
        Infrared files of the source for which the mission holds no visible image.
    added, unchanged
        Pairs taken in or replaced, and pairs that the mission held already.
    quarantined, single
        Broken files and those of broken pairs, and files in no pair, each with the reason. The infrared file of a pair
        of which only the visible one is broken is taken alone.
    without_temperatures
        Infrared files of added pairs that give shape only.
    labels_aside
        Labels of pairs whose infrared image was replaced: they are of the image before.
    metadata_dropped
        Infrared files of added pairs with broken tags in one of their two files, and what was left out of them.
    remarks
        Infrared files of added pairs whose temperatures a person should know something of, with what that is.
    """

    mission_dir: Path
    pairs: tuple[PairFiles, ...]
    infrared_alone: tuple[Path, ...]
    added: int
    unchanged: int
    quarantined: tuple[tuple[Path, str], ...]
    single: tuple[tuple[Path, str], ...]
    without_temperatures: tuple[Path, ...]
    labels_aside: LabelsAside
    metadata_dropped: tuple[tuple[Path, str], ...]
    remarks: tuple[tuple[Path, str], ...]


def ingest_mission(
    source: Path,
    data_root: Path,
    mission: Mission,
    *,
    found: PairingReport | None = None,
    processes: int = 1,
    progress: Progress | None = None,
) -> IngestionReport:
    """Copy a folder's image pairs into ``data_root/<site>/<mission>``, of an infrared image alone this one.

    Each pair is decoded whole before it is copied; a broken one is set aside with its reason. Originals are only
    read. Called again after a break, it does only what is missing. The record names the folder among its sources.
    Where an infrared image takes the place of another one, that one's labels are set aside.

    Parameters
    ----------
    found
        The folder's pairs, where they are known already.
    processes
        Used when there is enough to read, see `PARALLEL_FROM_B`.

    Raises
    ------
    InputError
        The folder or the site does not exist, there is no pair, no room to write, or the mission is another flight
        with images of the same names.
    """
    source = source.expanduser()
    require_site(data_root, mission.site_id)
    found = found or find_pairs(source)
    mission_dir = data_root / mission.site_id / mission.mission_id
    overlap = compare_or_refuse(mission_dir, source, found.pairs)
    found = _set_renamed_aside(mission_dir, found)
    for side in ("infrared", "visible"):
        (mission_dir / side).mkdir(parents=True, exist_ok=True)
    intake = Intake(
        mission_dir,
        mission.infrared_unit,
        stamp_of(mission_dir / PAIR_FACTS),
        mission.measurement_parameters,
    )
    aside = set_labels_aside(mission_dir, _find_stale_labels(mission_dir, found.pairs, overlap))
    outcomes = _take_all(found.pairs, intake, processes, progress)
    aside = put_labels_back(mission_dir, aside, _find_kept(outcomes, overlap))
    broken = [outcome for _, outcome in outcomes if isinstance(outcome, InputError)]
    halves = [t.without_visible for _, t in outcomes if isinstance(t, Taken) and t.without_visible]
    errors = [*broken, *halves]
    quarantined = tuple((Path(error.where), _reason(error)) for error in errors)
    new = [(pair, taken) for pair, taken in outcomes if isinstance(taken, Taken) and taken.new]
    _tidy_mission(intake, found.pairs)
    _write_record(mission_dir, mission, source)
    write_json(
        mission_dir / QUARANTINE,
        [{"file": str(p), "reason": why} for p, why in (*quarantined, *found.single)],
    )
    return IngestionReport(
        mission_dir,
        found.pairs,
        infrared_alone=_list_alone(mission_dir, found.pairs),
        added=len(new),
        unchanged=len(found.pairs) - len(new) - len(broken),
        quarantined=quarantined,
        single=found.single,
        without_temperatures=tuple(pair.infrared for pair, taken in new if not taken.radiometric),
        labels_aside=aside,
        metadata_dropped=tuple(
            (pair.infrared, taken.metadata_dropped) for pair, taken in new if taken.metadata_dropped
        ),
        remarks=tuple((pair.infrared, taken.remark) for pair, taken in new if taken.remark),
    )


def _set_renamed_aside(mission_dir: Path, found: PairingReport) -> PairingReport:
    """Return a folder's pairs without those whose infrared image the mission holds under another name."""
    held, ids = files_by_pair(mission_dir / "infrared"), {pair.pair_id for pair in found.pairs}
    others = {sample_content(path): path for name, path in held.items() if name not in ids}
    renamed: dict[PairFiles, Path] = {}
    for pair in found.pairs if others else ():
        twin = None if pair.pair_id in held else others.get(sample_content(pair.infrared))
        if twin is not None and has_same_content(pair.infrared, twin):
            renamed[pair] = twin
    single = [
        (pair.infrared, f"the same content as {twin.name} of the mission, which is kept")
        for pair, twin in renamed.items()
    ]
    pairs = tuple(pair for pair in found.pairs if pair not in renamed)
    return PairingReport(pairs, (*found.single, *single))


def _list_alone(mission_dir: Path, pairs: Sequence[PairFiles]) -> tuple[Path, ...]:
    """Return the infrared files of those pairs that the mission holds without a visible image."""
    alone = {pair.pair_id for pair in image_pairs(mission_dir) if pair.visible is None}
    return tuple(pair.infrared for pair in pairs if pair.pair_id in alone)


def _find_stale_labels(mission_dir: Path, pairs: Sequence[PairFiles], overlap: Overlap) -> set[str]:
    """Return the pairs whose labels were drawn on another image: it is replaced now, or was taken away before."""
    held = files_by_pair(mission_dir / "infrared")
    missing = {pair.pair_id for pair in pairs if pair.pair_id not in held}
    orphans = missing & list_labelled(mission_dir) if missing else set()
    changed = [pair for pair in pairs if pair.pair_id in overlap.changed_infrared]
    return {*overlap.changed_infrared, *orphans} - _find_repaired(mission_dir, changed)


def _find_repaired(mission_dir: Path, pairs: Sequence[PairFiles]) -> set[str]:
    """Return the pairs whose held infrared image was damaged, and which get the one back that was taken in before."""
    known = read_known_hashes(mission_dir) if pairs else set()
    held = files_by_pair(mission_dir / "infrared")
    return {
        pair.pair_id
        for pair in pairs
        if hash_file(held[pair.pair_id]) not in known and hash_file(pair.infrared) in known
    }


def _find_kept(
    outcomes: Sequence[tuple[PairFiles, Taken | InputError]], overlap: Overlap
) -> set[str]:
    """Return the pairs that keep the infrared image they had, as the new one is broken."""
    failed = {pair.pair_id for pair, outcome in outcomes if isinstance(outcome, InputError)}
    return failed & set(overlap.changed_infrared)


def _write_record(mission_dir: Path, mission: Mission, source: Path) -> None:
    """Write a mission's record, with the folder among the sources that it names already."""
    sources = (*recorded_sources(mission_dir), source_name(source, mission_dir.parents[1]))
    named = mission.model_copy(update={"sources": tuple(dict.fromkeys(sources))})
    write_json(mission_dir / MISSION, named.model_dump(mode="json"))


def find_pairs(source: Path) -> PairingReport:
    """Return the pairs of a folder, infrared images alone included.

    Raises
    ------
    InputError
        There is no such folder, or no infrared image in it.
    """
    found = pair_folder(source)
    if not found.pairs:
        first = "; ".join(f"{path.name}: {why}" for path, why in found.single[:SHOWN])
        raise InputError(
            "infrared images, with visible ones or alone",
            f"none ({len(found.single)} files set aside: {first})" if found.single else "none",
            source,
            "Name them as the drone does (..._T.JPG with ..._V.JPG), or use folders infrared/ and visible/.",
        )
    return found


def _reason(error: InputError) -> str:
    """Return an error's words without its place, which stands beside them."""
    return f"expected {error.expected}; found {error.found}. {error.todo}"


def _take_all(
    pairs: Sequence[PairFiles], intake: Intake, processes: int, progress: Progress | None
) -> list[tuple[PairFiles, Taken | InputError]]:
    """Take the pairs that are not held unchanged; return each of them with its outcome."""
    changed = [pair for pair in pairs if not intake.is_unchanged(pair)]
    done = len(pairs) - len(changed)
    if progress:
        progress(done, len(pairs), "unchanged")
    taken: list[tuple[PairFiles, Taken | InputError]] = []
    batches = [changed[at : at + PAIRS_PER_TASK] for at in range(0, len(changed), PAIRS_PER_TASK)]
    worth_it = sum(_size_b(pair) for pair in changed) > PARALLEL_FROM_B
    outcomes = map_pairs(intake.take_all, batches, processes=processes if worth_it else 1)
    for batch, of_batch in zip(batches, outcomes, strict=True):
        taken += zip(batch, of_batch, strict=True)
        if progress:
            progress(done + len(taken), len(pairs), batch[-1].pair_id)
    return taken


def _size_b(pair: PairFiles) -> int:
    """Return the bytes of a pair's files; a missing one counts as none."""
    stamps = map(stamp_of, pair.paths)
    return sum(stamp[0] for stamp in stamps if stamp)


def _tidy_mission(intake: Intake, pairs: Sequence[PairFiles]) -> None:
    """Sort the kept facts; remove half-written files, and copies whose pair now has a file of another ending."""
    version = reader_version(intake.declared, intake.parameters)
    write_kept_facts(intake.mission_dir, read_kept_facts(intake.mission_dir, version), version)
    current = {target for pair in pairs for target in intake.targets(pair) if target.exists()}
    replaced = {(target.parent.name, target.stem) for target in current}
    for side in ("infrared", "visible"):
        for path in (intake.mission_dir / side).iterdir():
            half_written = path.name.startswith(".") and path.name.endswith(".tmp")
            if half_written or (path not in current and (side, path.stem) in replaced):
                path.unlink()
