"""A fleet on disk: missions in the folder format that ingestion reads, and the truth apart."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.fleet.cameras.flight import INFRARED_PX
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.truth_files import (
    Row,
    geometry_row,
    hotspot_rows,
    write_table,
    write_truth_arrays,
)
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.missions.sites import read_sites, write_sites
from dd_livm_core.records import DEFECT_CLASSES, Site

FULL_PAIRS = 7078
"""Pairs of the whole fleet at size ``full``, as in the article."""
FLEET_SIZES: dict[str, int] = {"tiny": 24, "small": 40, "full": FULL_PAIRS // 9 + 1}
"""Pairs per station; ``full`` ends at ``FULL_PAIRS``."""
TINY_SITES = ("gobi_west", "plain_meadow", "roof_sheet")
_MOST_PAIRS_PER_JOB = 48


@dataclass(frozen=True)
class Job:
    """Some pairs of one mission, rendered by one process."""

    profile: Profile
    number: int
    pairs: int
    seed: int
    indices: range
    data_root: Path
    truth_root: Path | None


def plan_missions(profiles: Sequence[Profile], size: str) -> list[tuple[Profile, int, int]]:
    """Return (profile, mission number, pairs) for every mission of a fleet of that size.

    Raises
    ------
    InputError
        Unknown size.
    """
    if size not in FLEET_SIZES:
        names = ", ".join(FLEET_SIZES)
        raise InputError(f"one of {names}", repr(size), "fleet size", "Choose a size.")
    planned = []
    left = FULL_PAIRS if size == "full" else FLEET_SIZES[size] * len(profiles)
    for profile in profiles:
        here = min(FLEET_SIZES[size], left)
        left -= here
        flights = 1 if size == "tiny" else min(profile.missions, max(here, 1))
        for number in range(flights):
            planned.append((profile, number, here // flights + (number < here % flights)))
    return [mission for mission in planned if mission[2] > 0]


def write_fleet(
    data_root: Path,
    *,
    profiles: Sequence[Profile] | None = None,
    size: str = "tiny",
    seed: int = 0,
    truth_root: Path | None = None,
    processes: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Render simulated missions.

    Parameters
    ----------
    data_root
        Receives ``<site>/<mission>/{infrared,visible,labels.json,mission.json}`` and adds to
        ``sites.json``.
    profiles
        Stations; the bundled ones by default (three of them for ``tiny``).
    size
        One of ``FLEET_SIZES``.
    seed
        The same seed gives the same files, for any number of processes.
    truth_root
        Receives ``<site>/<mission>/truth.parquet``, ``hotspots.parquet`` and one ``.npz`` per
        pair; must not lie inside ``data_root``. Without it no truth is written.
    processes
        How many processes render.
    progress
        Called with (pairs written, pairs in all).

    Returns
    -------
    mission_dirs

    Raises
    ------
    InputError
        Unknown size, no profile or two of one site, a seed below zero, a truth folder inside the
        data, or a ``sites.json`` there that cannot be read.
    """
    if profiles is None:
        bundled = bundled_profiles()
        profiles = [p for p in bundled if p.site_id in TINY_SITES] if size == "tiny" else bundled
    _check(profiles, seed, data_root, truth_root)
    missions = plan_missions(profiles, size)
    # Few jobs, as a new mission builds its station anew, but enough to keep all processes busy.
    parts = math.ceil(2 * processes / len(missions)) if processes > 1 and missions else 1
    most = max((pairs for _, _, pairs in missions), default=1)
    chunk = min(math.ceil(most / parts), _MOST_PAIRS_PER_JOB)
    jobs = [
        Job(profile, number, pairs, seed, range(start, min(start + chunk, pairs)), data_root, truth_root)
        for profile, number, pairs in missions
        for start in range(0, pairs, chunk)
    ]  # fmt: skip
    total, done = sum(pairs for _, _, pairs in missions), 0
    geometry: dict[Path, list[Row]] = {}
    hotspots: dict[Path, list[Row]] = {}
    mission_dirs: list[Path] = []
    for job, (folder, geometry_part, hotspot_part) in zip(jobs, _run(jobs, processes), strict=True):
        geometry.setdefault(folder, []).extend(geometry_part)
        hotspots.setdefault(folder, []).extend(hotspot_part)
        done += len(job.indices)
        if job.indices.stop == job.pairs:
            _finish(job, folder, geometry.pop(folder), hotspots.pop(folder))
            mission_dirs.append(folder)
        if progress is not None:
            progress(done, total)
    _AT_WORK.clear()
    write_sites(data_root, [_declared(profile) for profile in profiles])
    return mission_dirs


def _check(
    profiles: Sequence[Profile], seed: int, data_root: Path, truth_root: Path | None
) -> None:
    """Refuse before hours of rendering what would fail after them."""
    names = [profile.site_id for profile in profiles]
    if not names or len(set(names)) != len(names):
        raise InputError(
            "one profile per site", ", ".join(names) or "none", "profiles", "Rename a site_id."
        )
    if seed < 0:
        raise InputError("a seed from 0", str(seed), "seed", "Choose a whole number from 0.")
    if truth_root is not None and truth_root.resolve().is_relative_to(data_root.resolve()):
        todo = "Truth must never reach training: choose a folder outside the data."
        raise InputError("truth outside the data", str(truth_root), data_root, todo)
    read_sites(data_root)


Rendered = tuple[Path, list[Row], list[Row]]


def _run(jobs: list[Job], processes: int) -> Iterator[Rendered]:
    if processes <= 1:
        yield from map(_render, jobs)
        return
    # Spawned, not forked: OpenCV's threads do not survive a fork.
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_single_thread) as pool:
        yield from pool.map(_render, jobs)


def _single_thread() -> None:
    cv2.setNumThreads(1)


_AT_WORK: list[tuple[object, SimulatedMission]] = []
"""The mission that this process rendered last: its next part often comes next."""


def _mission(job: Job) -> SimulatedMission:
    key = (job.profile, job.number, job.pairs, job.seed)
    if not _AT_WORK or _AT_WORK[0][0] != key:
        _AT_WORK.clear()
        _AT_WORK.append((key, SimulatedMission(job.profile, job.number, job.pairs, job.seed)))
    return _AT_WORK[0][1]


def _render(job: Job) -> Rendered:
    mission = _mission(job)
    folder = job.data_root / job.profile.site_id / mission.mission_id
    truth = _truth_folder(job, folder)
    for part in (folder / "infrared", folder / "visible", *([truth] if truth else [])):
        part.mkdir(parents=True, exist_ok=True)
    geometry: list[Row] = []
    hotspots: list[Row] = []
    for index in job.indices:
        pair = mission.render(index)
        mission.write(pair, folder)
        geometry.append(geometry_row(pair))
        hotspots += hotspot_rows(pair)
        if truth:
            write_truth_arrays(truth / f"{pair.pair_id}.npz", pair)
    if job.indices.stop == job.pairs:
        write_json(folder / "mission.json", mission.record().model_dump(mode="json"))
    return folder, geometry, hotspots


def _truth_folder(job: Job, folder: Path) -> Path | None:
    return job.truth_root / folder.relative_to(job.data_root) if job.truth_root else None


def _finish(job: Job, folder: Path, geometry: list[Row], hotspots: list[Row]) -> None:
    write_json(folder / "labels.json", _coco(job.profile, geometry, hotspots))
    truth = _truth_folder(job, folder)
    if truth is not None:
        write_table(truth / "truth.parquet", geometry)
        write_table(truth / "hotspots.parquet", hotspots)


def _coco(profile: Profile, geometry: list[Row], hotspots: list[Row]) -> dict[str, object]:
    """Return the labels over the infrared frames in COCO's format."""
    number = {str(row["pair_id"]): index + 1 for index, row in enumerate(geometry)}
    suffix = profile.infrared_camera.file_suffix
    width, height = INFRARED_PX
    images = [
        {"id": i, "file_name": f"infrared/{pair_id}.{suffix}", "width": width, "height": height}
        for pair_id, i in number.items()
    ]
    annotations = [
        {
            "id": index + 1,
            "image_id": number[str(row["pair_id"])],
            "category_id": [*DEFECT_CLASSES].index(row["defect_class"]) + 1,  # type: ignore[arg-type]
            "bbox": [row["x_px"], row["y_px"], row["width_px"], row["height_px"]],
            "area": row["area_px"],
            "iscrowd": 0,
            "hotspot_shape": row["hotspot_shape"],
        }
        for index, row in enumerate(hotspots)
    ]
    categories = [{"id": i + 1, "name": name} for i, name in enumerate(DEFECT_CLASSES)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _declared(profile: Profile) -> Site:
    return Site(
        site_id=profile.site_id,
        city=profile.city,
        terrain=profile.terrain.surface,
        mounting=profile.mounting,
        pv_module_width_m=profile.pv_module.width_m,
        pv_module_height_m=profile.pv_module.height_m,
        latitude_deg=profile.latitude_deg,
        longitude_deg=profile.longitude_deg,
        radius_m=3000.0,
        simulated=True,
    )
