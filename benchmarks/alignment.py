"""How well pairs are registered, against what a user would pick instead, in one run.

``python -m benchmarks.alignment`` renders simulated missions (the bundled stations with a seed of its own, stations
that nobody wrote, and some without a row end in view), aligns them, and lets the rivals try some pairs of each. Where
``DD_LIVM_REAL_DATA`` names real pairs, these are cropped, scaled, turned and shifted by known amounts: the figure there
is the consistency between the estimate for the warped pair, the warp taken out, and that for the pair as it is.
Mutual information needs ``pip install SimpleITK``. Writes ``benchmarks/results/alignment.json``.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from benchmarks.alignment_hard import (
    earlier_mission,
    endless_missions,
    growth,
    half_wrong,
    missions_before,
    wrong_pairs,
)
from benchmarks.alignment_measures import (
    FRAME,
    LEAST_POINTS,
    WarpedPair,
    applied,
    calibration,
    distance,
    pairs_of,
    place,
    random_profiles,
    read,
    rendered,
    rival_table,
    spread,
    summary,
    tried,
)
from benchmarks.alignment_real import real_missions, real_rows
from benchmarks.alignment_rivals import RIVALS
from benchmarks.results_file import write_result
from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.fleet.missions.truth_files import read_correspondences
from dd_livm_core.fleet.profile_files import bundled_profiles
from dd_livm_core.parallel import map_pairs
from dd_livm_core.registration.alignment import align_pairs
from dd_livm_core.registration.placement import Alignment

SEED = 31
PAIRS = 36
UNSEEN = 6
RIVAL_PAIRS = 3


def render(root: Path, processes: int) -> list[tuple[Path, Path]]:
    """Render all missions; return (mission, truth) folders."""
    profiles = [p.model_copy(update={"missions": 1}) for p in bundled_profiles()]
    rng = np.random.default_rng(SEED)
    profiles += random_profiles(rng, UNSEEN, root / "unseen.toml", lambda _: None)
    return rendered(root, profiles, PAIRS, SEED, processes)


def rows_of_mission(
    folders: tuple[Path, Path], before: Mapping[str, Path] | None = None
) -> list[dict[str, Any]]:
    """Align a mission as a whole and in small parts; return a row per pair and arm.

    ``before`` names, by site, missions that the same drone flew earlier: what these tell is used.
    """
    mission, truth = folders
    known = (before or {}).get(mission.parent.name)
    if before is not None and known is None:
        return []
    earlier = earlier_mission(known) if known else None
    geometry = pd.read_parquet(truth / "truth.parquet").set_index("pair_id")
    pairs = pairs_of(mission)
    parts = {
        "whole": [pairs],
        "three": [pairs[3:6], pairs[20:23]],
        "two": [pairs[14:16], pairs[30:32]],
        "alone": [[pairs[n]] for n in (1, 9, 18, 27)],
    }
    rows: list[dict[str, Any]] = []
    for arm, groups in parts.items():
        for group in groups:
            started = time.process_time()
            found, _ = align_pairs(read, group, earlier=earlier)
            seconds = (time.process_time() - started) / len(group)
            for pair, alignment in zip(group, found, strict=True):
                points, target = read_correspondences(truth, pair.pair_id)
                true = geometry.loc[pair.pair_id]
                if len(points) < LEAST_POINTS or not isinstance(alignment, Alignment):
                    continue
                placed = place(alignment, points, FRAME)
                rows.append(
                    {
                        "site": mission.parent.name,
                        "pair_id": pair.pair_id,
                        "arm": arm,
                        "status": alignment.status,
                        "confidence": alignment.confidence,
                        "error_px": distance(placed, target) / float(true.scale),
                        "scale_error_pct": 100 * abs(spread(placed) / spread(target) - 1),
                        "period_px": float(min(true.module_along_px, true.module_across_px)),
                        "seconds": seconds,
                    }
                )
    return rows


def rival_rows(folders: tuple[Path, Path], names: Sequence[str]) -> list[dict[str, Any]]:
    """Let every rival try a few pairs of a mission."""
    mission, truth = folders
    geometry = pd.read_parquet(truth / "truth.parquet").set_index("pair_id")
    pairs = pairs_of(mission)
    rows: list[dict[str, Any]] = []
    for pair in pairs[2 :: len(pairs) // RIVAL_PAIRS][:RIVAL_PAIRS]:
        points, target = read_correspondences(truth, pair.pair_id)
        if len(points) < LEAST_POINTS:
            continue
        view, scale = read(pair), float(geometry.loc[pair.pair_id].scale)
        for name, matrix, seconds in tried(view, exif_ratio(pair), names):
            error = distance(applied(matrix, points), target) / scale
            rows.append(
                {"rival": name, "pair": pair.pair_id, "error_px": error, "seconds": seconds,
                 "site": mission.parent.name}
            )  # fmt: skip
    return rows


def exif_ratio(pair: WarpedPair) -> float:
    """Return visible over infrared pixels per angle, from both files' focal lengths and sizes."""
    infrared, visible = read_metadata(pair.infrared), read_metadata(pair.visible)
    widths = infrared.width_px, visible.width_px
    focal = infrared.focal_length_35mm_mm, visible.focal_length_35mm_mm
    if not all(widths) or not all(focal):
        return float(widths[1] or 1) / float(widths[0] or 1)
    return float(focal[1] / focal[0] * widths[1] / widths[0])  # type: ignore[operator]


def simulated(
    processes: int, names: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """Render and align all simulated missions: a table of ours, one of the rivals', and what the hard ones gave."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        folders = render(root / "fleet", processes)
        endless = endless_missions(root / "endless", PAIRS, SEED, processes)
        print(f"rendered {len(folders) + len(endless)} missions", flush=True)
        parts = map_pairs(rows_of_mission, folders, processes=processes)
        table = pd.DataFrame([row for rows in parts for row in rows])
        print(summary(table[table.arm == "whole"]), flush=True)
        parts = map_pairs(rows_of_mission, endless, processes=processes)
        no_end = pd.DataFrame([row for rows in parts for row in rows])
        no_end["arm"] = "endless, " + no_end["arm"]
        before = missions_before(root / "before", PAIRS, SEED, processes)
        parts = map_pairs(partial(rows_of_mission, before=before), endless, processes=processes)
        known = pd.DataFrame([row for rows in parts for row in rows])
        known["arm"] = "endless, earlier known, " + known["arm"]
        tries = map_pairs(partial(rival_rows, names=names), folders, processes=processes)
        rivals = pd.DataFrame([row for rows in tries for row in rows])
        hard = {
            "wrong pairs mixed in": wrong_pairs(folders),
            "every other pair wrong": half_wrong(folders[::3]),
            "growth": growth(folders[0][0]),
        }
    return pd.concat([table, no_end, known], ignore_index=True), rivals, hard


def main() -> None:
    """Run everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    names = [n for n in RIVALS if n != "mutual_information" or find_spec("SimpleITK")]
    cv2.setNumThreads(1)
    table, rivals, hard = simulated(arguments.processes, names)
    whole = table[table.arm == "whole"]
    same = whole.merge(
        rivals[["site", "pair"]].drop_duplicates(),
        left_on=["site", "pair_id"],
        right_on=["site", "pair"],
    )
    endless = table[table.arm == "endless, whole"]
    arms: dict[str, Any] = {
        "simulated": summary(whole),
        "simulated by station": {
            str(site): summary(part) for site, part in whole.groupby("site", sort=False)
        },
        "simulated, missions of three pairs": summary(table[table.arm == "three"]),
        "simulated, missions of two pairs": summary(table[table.arm == "two"]),
        "simulated, single pairs": summary(table[table.arm == "alone"]),
        "simulated, no row end in view": summary(endless),
        "simulated, no row end in view, earlier mission known": summary(
            table[table.arm == "endless, earlier known, whole"]
        ),
        "simulated, no row end in view, by station": {
            str(site): summary(part) for site, part in endless.groupby("site", sort=False)
        },
        "simulated, rivals' pairs": {"ours": summary(same), **rival_table(rivals)},
        "confidence": calibration(table),
        **hard,
    }
    figures = {k: v for k, v in summary(whole).items() if k not in ("pairs", "status")}
    real = os.environ.get("DD_LIVM_REAL_DATA")
    if real:
        jobs = [(pairs, SEED + n) for pairs in real_missions(Path(real)) for n in range(2)]
        parts = map_pairs(partial(real_rows, names=names), jobs, processes=arguments.processes)
        seen = pd.DataFrame([row for rows in parts for row in rows])
        ours = seen[seen.rival == "ours"]
        arms["real, consistency"] = {**summary(ours), "rivals": rival_table(seen)}
        figures |= {
            f"real_{k}": v for k, v in summary(ours).items() if k not in ("pairs", "status")
        }
    path = write_result("alignment", seeds=[SEED], figures=figures, arms=arms)
    print(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
