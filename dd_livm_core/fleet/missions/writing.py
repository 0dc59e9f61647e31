"""Writes simulated missions in the folder format that ingestion reads, and their truth to a place apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dd_livm_core.errors import InputError
from dd_livm_core.files import write_json
from dd_livm_core.fleet.cameras.flight import INFRARED_PX
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import write_images
from dd_livm_core.fleet.missions.truth_files import (
    Row,
    geometry_row,
    hotspot_rows,
    write_table,
    write_truth_arrays,
)
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.labels.coco import CATEGORIES
from dd_livm_core.missions.sites import require_simulated_sites, write_sites
from dd_livm_core.parallel import map_pairs
from dd_livm_core.records import DEFECT_CLASSES, Progress, Site

FULL_PAIRS = 7078
"""Pairs of the whole fleet at size ``full``, as in the article."""
FLEET_SIZES: dict[str, int] = {"tiny": 24, "small": 40, "full": FULL_PAIRS // 9 + 1}
"""Pairs per station; ``full`` ends at ``FULL_PAIRS``."""
TINY_SITES = ("gobi_west", "plain_meadow", "roof_sheet")
"""Stations of size ``tiny``: sand, grass and a metal roof."""
_MOST_PAIRS_PER_JOB = 48
"""About 6 s at the 0.12 to 0.15 s a pair of docs/fleet.md: progress moves, and all processes end together."""
_JOBS_PER_PROCESS = 2
"""About so many at least: with one each, all would wait for the slowest."""


@dataclass(frozen=True)
class Job:
    """Pairs ``indices`` out of the ``pairs`` of one mission, rendered by one process."""

    profile: Profile
    number: int
    pairs: int
    seed: int
    indices: range
    data_root: Path
    truth_root: Path | None

    @property
    def is_last(self) -> bool:
        """Return whether the mission ends with this job."""
        return self.indices.stop == self.pairs


@dataclass(frozen=True)
class RenderedJob:
    """What a process hands back: the mission's folder, and rows of both tables of truth."""

    folder: Path
    geometry: list[Row]
    hotspots: list[Row]


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
    progress: Progress | None = None,
) -> list[Path]:
    """Render simulated missions and write them and their truth.

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
        Called after every job with pairs written, pairs in all, and ``<site>/<mission>``.

    Returns
    -------
    mission_dirs
        Folders of the missions, in the order of the profiles.

    Raises
    ------
    InputError
        Unknown size, no profile or two of one site, a seed below zero, a truth folder inside the
        data, a ``sites.json`` there that cannot be read, or a real station of the same name.
    """
    if profiles is None:
        bundled = bundled_profiles()
        profiles = [p for p in bundled if p.site_id in TINY_SITES] if size == "tiny" else bundled
    _check_request(profiles, seed, data_root, truth_root)
    missions = [
        Job(profile, number, pairs, seed, range(pairs), data_root, truth_root)
        for profile, number, pairs in plan_missions(profiles, size)
    ]
    mission_dirs = _render_missions(missions, processes, progress)
    write_sites(data_root, [_site_record(profile) for profile in profiles])
    return mission_dirs


def _check_request(
    profiles: Sequence[Profile], seed: int, data_root: Path, truth_root: Path | None
) -> None:
    """Raise InputError for what would otherwise fail only after hours of rendering."""
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
    require_simulated_sites(data_root, names)


def _render_missions(missions: list[Job], processes: int, progress: Progress | None) -> list[Path]:
    """Render missions, write each one's tables with its last job, and return their folders."""
    jobs = _split_missions(missions, processes)
    total, done = sum(mission.pairs for mission in missions), 0
    geometry: list[Row] = []
    hotspots: list[Row] = []
    mission_dirs: list[Path] = []
    for job, part in zip(jobs, map_pairs(_render_job, jobs, processes=processes), strict=True):
        geometry += part.geometry
        hotspots += part.hotspots
        done += len(job.indices)
        if job.is_last:
            _write_tables(job, RenderedJob(part.folder, geometry, hotspots))
            geometry, hotspots = [], []
            mission_dirs.append(part.folder)
        if progress is not None:
            progress(done, total, part.folder.relative_to(job.data_root).as_posix())
    _LATEST.clear()
    return mission_dirs


def _split_missions(missions: list[Job], processes: int) -> list[Job]:
    """Cut missions into few jobs, as every process builds a mission's station anew, but enough for all processes."""
    parts = (
        math.ceil(_JOBS_PER_PROCESS * processes / len(missions))
        if processes > 1 and missions
        else 1
    )
    longest = max((mission.pairs for mission in missions), default=1)
    size = min(math.ceil(longest / parts), _MOST_PAIRS_PER_JOB)
    return [
        replace(mission, indices=mission.indices[start : start + size])
        for mission in missions
        for start in range(0, mission.pairs, size)
    ]


_LATEST: list[tuple[object, SimulatedMission]] = []
"""The mission that this process rendered last, or none: its next job is often of the same one."""


def _mission(job: Job) -> SimulatedMission:
    """Return the job's mission, built anew only if this process did not render it last."""
    key = (job.profile, job.number, job.pairs, job.seed)
    if not _LATEST or _LATEST[0][0] != key:
        _LATEST.clear()
        _LATEST.append((key, SimulatedMission(job.profile, job.number, job.pairs, job.seed)))
    return _LATEST[0][1]


def _render_job(job: Job) -> RenderedJob:
    """Render a job's pairs and write their images and arrays; the last job writes ``mission.json``, too."""
    mission = _mission(job)
    folder = job.data_root / job.profile.site_id / mission.mission_id
    truth = _truth_folder(job, folder)
    for part in (folder / "infrared", folder / "visible", *([truth] if truth else [])):
        part.mkdir(parents=True, exist_ok=True)
    rendered = RenderedJob(folder, [], [])
    for index in job.indices:
        pair = mission.render(index)
        write_images(pair, job.profile, folder)
        rendered.geometry.append(geometry_row(pair))
        rendered.hotspots.extend(hotspot_rows(pair))
        if truth:
            write_truth_arrays(truth / f"{pair.pair_id}.npz", pair)
    if job.is_last:
        write_json(folder / "mission.json", mission.record().model_dump(mode="json"))
    return rendered


def _truth_folder(job: Job, folder: Path) -> Path | None:
    """Return where the truth of a mission's folder goes, or None if no truth is wanted."""
    return job.truth_root / folder.relative_to(job.data_root) if job.truth_root else None


def _write_tables(job: Job, mission: RenderedJob) -> None:
    """Write the labels of a whole mission, and its tables of truth if wanted."""
    labels = _coco_labels(job.profile, mission.geometry, mission.hotspots)
    write_json(mission.folder / "labels.json", labels)
    truth = _truth_folder(job, mission.folder)
    if truth is not None:
        write_table(truth / "truth.parquet", mission.geometry)
        write_table(truth / "hotspots.parquet", mission.hotspots)


def _coco_labels(profile: Profile, geometry: list[Row], hotspots: list[Row]) -> dict[str, object]:
    """Return the content of a COCO file of the labels over the infrared frames.

    `labels.coco.write_labels` takes boxes and would give the area of the box; here ``area`` is the number of warm
    pixels, as COCO means it for a region.
    """
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
            "category_id": DEFECT_CLASSES.index(row["defect_class"]) + 1,
            "bbox": [row["x_px"], row["y_px"], row["width_px"], row["height_px"]],
            "area": row["area_px"],
            "iscrowd": 0,
        }
        | ({"hotspot_shape": row["hotspot_shape"]} if row["hotspot_shape"] else {})
        for index, row in enumerate(hotspots)
    ]
    return {"images": images, "annotations": annotations, "categories": CATEGORIES}


def _site_record(profile: Profile) -> Site:
    """Return a station's entry of ``sites.json``."""
    return Site(
        site_id=profile.site_id,
        city=profile.city,
        terrain=profile.terrain.surface,
        mounting=profile.mounting,
        pv_module_width_m=profile.pv_module.width_m,
        pv_module_height_m=profile.pv_module.height_m,
        latitude_deg=profile.latitude_deg,
        longitude_deg=profile.longitude_deg,
        simulated=True,
    )
