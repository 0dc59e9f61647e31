"""A fleet on disk: missions in the folder format that ingestion reads, and the truth apart."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from dd_livm_core.errors import InputError
from dd_livm_core.fleet.files import write_json
from dd_livm_core.fleet.missions import INFRARED_PX, RenderedPair, SimulatedMission, truth_row
from dd_livm_core.fleet.profile import Profile, bundled_profiles
from dd_livm_core.records import DEFECT_CLASSES, Site

FLEET_SIZES: dict[str, tuple[int, int]] = {"tiny": (3, 24), "small": (9, 40), "full": (9, 787)}
"""Number of stations and pairs per station; ``full`` is cut to 7,078 pairs, as in the article."""
FULL_PAIRS = 7078
TINY_SITES = ("gobi_west", "plain_meadow", "roof_sheet")
_CHUNK = 12

Job = tuple[Profile, int, int, int, range, Path, Path | None]
Result = tuple[list[dict[str, object]], list[dict[str, object]]]


def plan(profiles: Sequence[Profile], size: str) -> list[tuple[Profile, int, int]]:
    """Return (profile, mission number, pairs) for every mission of a fleet of that size."""
    if size not in FLEET_SIZES:
        raise InputError(
            f"one of {', '.join(FLEET_SIZES)}", repr(size), "fleet size", "Choose a size."
        )
    _, pairs = FLEET_SIZES[size]
    planned = []
    left = FULL_PAIRS
    for profile in profiles:
        here = min(pairs, left) if size == "full" else pairs
        left -= here
        flights = 1 if size == "tiny" else profile.missions
        for number in range(flights):
            share = here // flights + (number < here % flights)
            if share:
                planned.append((profile, number, share))
    return planned


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
        Unknown size, two profiles of one site, or a truth folder inside the data.
    """
    if profiles is None:
        bundled = bundled_profiles()
        profiles = [p for p in bundled if p.site_id in TINY_SITES] if size == "tiny" else bundled
    _check(profiles, data_root, truth_root)
    missions = plan(profiles, size)
    jobs: list[Job] = []
    for profile, number, pairs in missions:
        for start in range(0, pairs, _CHUNK):
            jobs.append((profile, number, pairs, seed, range(start, min(start + _CHUNK, pairs)), data_root, truth_root))  # fmt: skip
    total, done = sum(m[2] for m in missions), 0
    collected: dict[tuple[str, int], list[Result]] = {}
    for job, result in zip(jobs, _run(jobs, processes), strict=True):
        collected.setdefault((job[0].site_id, job[1]), []).append(result)
        done += len(job[4])
        if progress is not None:
            progress(done, total)
    folders = [
        _finish(
            profile, number, pairs, seed, collected[profile.site_id, number], data_root, truth_root
        )
        for profile, number, pairs in missions
    ]
    _write_sites(data_root, profiles)
    return folders


def _check(profiles: Sequence[Profile], data_root: Path, truth_root: Path | None) -> None:
    names = [p.site_id for p in profiles]
    if len(set(names)) != len(names):
        raise InputError(
            "one profile per site", f"{sorted(names)}", "profiles", "Rename a site_id."
        )
    if truth_root is not None and truth_root.resolve().is_relative_to(data_root.resolve()):
        raise InputError(
            "truth outside the data", str(truth_root), data_root, "Truth must never reach training: choose another folder."
        )  # fmt: skip


def _run(jobs: list[Job], processes: int):  # type: ignore[no-untyped-def]
    if processes <= 1:
        yield from map(_render_chunk, jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_render_chunk, jobs)


def _render_chunk(job: Job) -> Result:
    profile, number, pairs, seed, indices, data_root, truth_root = job
    cv2.setNumThreads(1)
    mission = SimulatedMission(profile, number, pairs, seed)
    folder = data_root / profile.site_id / mission.mission_id
    for part in ("infrared", "visible"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    truth = truth_root / profile.site_id / mission.mission_id if truth_root else None
    if truth:
        truth.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    hotspots: list[dict[str, object]] = []
    for index in indices:
        pair = mission.render(index)
        mission.write(pair, folder)
        rows.append(truth_row(pair))
        hotspots += _hotspot_rows(pair)
        if truth:
            _write_truth(truth / f"{pair.pair_id}.npz", pair)
    return rows, hotspots


def _hotspot_rows(pair: RenderedPair) -> list[dict[str, object]]:
    return [
        {
            "pair_id": pair.pair_id, "defect": h.defect, "defect_class": pair.sources[h.defect][0],
            "source": pair.sources[h.defect][1], "hotspot_shape": h.hotspot_shape,
            "x_px": h.box_xywh_px[0], "y_px": h.box_xywh_px[1], "width_px": h.box_xywh_px[2],
            "height_px": h.box_xywh_px[3], "area_px": h.area_px, "max_excess_k": h.max_excess_k,
        }
        for h in pair.hotspots
    ]  # fmt: skip


def _write_truth(path: Path, pair: RenderedPair) -> None:
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(
        temporary,
        panel_mask=np.packbits(pair.panel_mask, axis=1),
        excess_k=pair.excess_k.astype(np.float16),
        temperature_centikelvin=((pair.temperature_c + 273.15) * 100 + 0.5).astype(np.uint16),
    )
    temporary.replace(path)


def _finish(
    profile: Profile, number: int, pairs: int, seed: int, results: list[Result], data_root: Path,
    truth_root: Path | None,
) -> Path:  # fmt: skip
    mission = SimulatedMission(profile, number, pairs, seed)
    folder = data_root / profile.site_id / mission.mission_id
    rows = pd.DataFrame([row for part in results for row in part[0]])
    hotspots = pd.DataFrame([row for part in results for row in part[1]])
    write_json(folder / "mission.json", mission.record().model_dump(mode="json"))
    write_json(folder / "labels.json", _coco(mission, rows, hotspots))
    if truth_root is not None:
        for name, frame in (("truth", rows), ("hotspots", hotspots)):
            target = truth_root / profile.site_id / mission.mission_id / f"{name}.parquet"
            temporary = target.with_suffix(".tmp")
            frame.to_parquet(temporary)
            temporary.replace(target)
    return folder


def _coco(
    mission: SimulatedMission, rows: pd.DataFrame, hotspots: pd.DataFrame
) -> dict[str, object]:
    number = {str(pair_id): i + 1 for i, pair_id in enumerate(rows["pair_id"])}
    annotations = [
        {
            "id": i + 1, "image_id": number[h["pair_id"]],
            "category_id": DEFECT_CLASSES.index(h["defect_class"]) + 1,
            "bbox": [h["x_px"], h["y_px"], h["width_px"], h["height_px"]],
            "area": float(h["area_px"]), "iscrowd": 0, "hotspot_shape": h["hotspot_shape"],
        }
        for i, h in enumerate(hotspots.to_dict("records"))
    ]  # fmt: skip
    return {
        "images": [
            {"id": i, "file_name": mission.infrared_name(pair_id), "width": INFRARED_PX[0], "height": INFRARED_PX[1]}
            for pair_id, i in number.items()
        ],
        "annotations": annotations,
        "categories": [{"id": i + 1, "name": name} for i, name in enumerate(DEFECT_CLASSES)],
    }  # fmt: skip


def _write_sites(data_root: Path, profiles: Sequence[Profile]) -> None:
    path = data_root / "sites.json"
    known = json.loads(path.read_text(encoding="utf-8"))["sites"] if path.exists() else []
    sites = {entry["site_id"]: entry for entry in known}
    for profile in profiles:
        site = Site(
            site_id=profile.site_id, city=profile.city, terrain=profile.terrain.surface,
            mounting=profile.mounting, pv_module_width_m=profile.pv_module.width_m,
            pv_module_height_m=profile.pv_module.height_m, latitude_deg=profile.latitude_deg,
            longitude_deg=profile.longitude_deg, simulated=True,
        )  # fmt: skip
        sites[profile.site_id] = site.model_dump(mode="json")
    write_json(path, {"sites": [sites[name] for name in sorted(sites)]})
