"""Missions that make registration hard: wrong pairs mixed in, rows without an end in view, many pairs."""

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from benchmarks.alignment_measures import WarpedPair, pairs_of, random_profiles, read, rendered
from dd_livm_core.errors import InputError
from dd_livm_core.fleet.profile_files import load_profile
from dd_livm_core.registration.alignment import align_pairs
from dd_livm_core.registration.earlier_mission import EarlierMission
from dd_livm_core.registration.frame_sizes import FrameSizes
from dd_livm_core.registration.placement import Alignment
from tasks.earlier_rig import LEAST_CONFIDENCE
from tests.fleet.random_profiles import Tables, write_profile
from tests.peak_memory import read_peak_mib

ENDLESS = 5


def wrong_pairs(all_folders: Sequence[tuple[Path, Path]]) -> dict[str, float | int]:
    """Mix wrong pairs into missions, and count how many are found and how many right ones are lost."""
    counts = {"wrong": 0, "wrong_kept": 0, "right": 0, "right_failed": 0}
    for number, (mission, _) in enumerate(all_folders):
        pairs = pairs_of(mission)
        other = pairs_of(all_folders[(number + 1) % len(all_folders)][0])
        mixed = list(pairs)
        mixed[4] = WarpedPair(pairs[4].pair_id, pairs[4].infrared, pairs[20].visible)
        mixed[13] = WarpedPair(pairs[13].pair_id, pairs[13].infrared, other[13].visible)
        mixed[22] = WarpedPair(pairs[22].pair_id, other[22].infrared, other[22].visible)
        found, _ = align_pairs(read, mixed)
        for place_, alignment in enumerate(found):
            kind = "wrong" if place_ in (4, 13, 22) else "right"
            failed = not isinstance(alignment, Alignment) or alignment.status == "failed"
            counts[kind] += 1
            counts["wrong_kept"] += kind == "wrong" and not failed
            counts["right_failed"] += kind == "right" and failed
    return counts


def half_wrong(all_folders: Sequence[tuple[Path, Path]]) -> dict[str, float | int]:
    """Give every other pair of a mission the visible image of another place, or of another station."""
    counts = {"wrong": 0, "wrong_kept": 0, "right": 0, "right_failed": 0}
    for number, (mission, _) in enumerate(all_folders):
        pairs = pairs_of(mission)
        other = pairs_of(all_folders[(number + 1) % len(all_folders)][0])
        mixed = list(pairs)
        for k in range(1, len(pairs), 2):
            donor = (
                other[k % len(other)] if k % 4 == 1 else pairs[(k + len(pairs) // 3) % len(pairs)]
            )
            mixed[k] = replace(pairs[k], visible=donor.visible)
        found, _ = align_pairs(read, mixed)
        for k, alignment in enumerate(found):
            kind = "wrong" if k % 2 else "right"
            kept = isinstance(alignment, Alignment) and alignment.status in ("aligned", "consensus")
            counts[kind] += 1
            counts["wrong_kept"] += kind == "wrong" and kept
            counts["right_failed"] += kind == "right" and not kept
    return counts


def _endless(tables: Tables) -> None:
    """Make rows so long, and ground so even, that no pair shows an end."""
    tables["rows"] |= {
        "length_m": 1500.0,
        "count": 40,
        "table_gap_m": 0.03,
        "modules_per_table": 60,
    }
    tables["rows"] |= {"ragged": 0.0, "table_jitter_m": 0.0, "pitch_jitter_m": 0.0}
    tables["terrain"] |= {"tracks": 0, "buildings": 0, "puddles": 0.0, "second_share": 0.0}
    tables["weather"]["clouds"] = [0, 0.0]


def endless_missions(root: Path, pairs: int, seed: int, processes: int) -> list[tuple[Path, Path]]:
    """Render stations without a row end in view; return (mission, truth) folders."""
    rng = np.random.default_rng(seed)
    profiles = random_profiles(rng, ENDLESS, root / "endless.toml", _endless)
    return rendered(root, profiles, pairs, seed, processes)


def missions_before(root: Path, pairs: int, seed: int, processes: int) -> dict[str, Path]:
    """Render the endless stations as they were drawn, with row ends: flown with the same rig; by site."""
    drawn: dict[str, Tables] = {}

    def keep(tables: Tables) -> None:
        drawn[str(tables[""]["site_id"])] = deepcopy(tables)
        _endless(tables)

    root.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    profiles = []
    for profile in random_profiles(rng, ENDLESS, root / "endless.toml", keep):
        try:
            profiles.append(load_profile(write_profile(root / "ends.toml", drawn[profile.site_id])))
        except InputError:
            continue  # the fleet refuses the station without the change
    folders = rendered(root, profiles, pairs, seed, processes)
    return {mission.parent.name: mission for mission, _ in folders}


def earlier_mission(mission: Path) -> EarlierMission:
    """Align a mission and return what it tells of the next one with the same cameras."""
    pairs = pairs_of(mission)
    found, rig = align_pairs(read, pairs)
    offsets = [
        alignment.offset_px
        for alignment in found
        if isinstance(alignment, Alignment) and alignment.confidence >= LEAST_CONFIDENCE
    ]
    return EarlierMission(
        rig, FrameSizes.of(read(pairs[0])), np.array(offsets, np.float64).reshape(-1, 2)
    )


def growth(mission: Path) -> dict[str, dict[str, float]]:
    """Align one mission's pairs once, twice and four times over: seconds a pair and peak memory of a fresh process."""
    pairs = pairs_of(mission)
    measured = {}
    for times in (1, 2, 4):
        many = [replace(p, pair_id=f"{p.pair_id}_{n}") for n in range(times) for p in pairs]
        with get_context("spawn").Pool(1) as pool:
            seconds, mib = pool.apply(_spent, (many,))
        measured[f"{len(many)} pairs"] = {"seconds_per_pair": seconds, "peak_mib": mib}
    return measured


def _spent(pairs: Sequence[WarpedPair]) -> tuple[float, float]:
    cv2.setNumThreads(1)
    started = time.process_time()
    align_pairs(read, pairs)
    seconds = (time.process_time() - started) / len(pairs)
    return round(seconds, 3), round(read_peak_mib(), 1)
