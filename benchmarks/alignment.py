"""How well pairs are registered, against what a user would pick instead, in one run.

``python -m benchmarks.alignment`` renders simulated missions (the bundled stations with a seed of its own, and
stations that nobody wrote), aligns them, and lets the rivals try some pairs of each. Where ``DD_LIVM_REAL_DATA``
names real pairs, these are cropped, scaled, turned and shifted by known amounts: the figure there is the
consistency between the estimate for the warped pair, the warp taken out, and that for the pair as it is.
Mutual information needs ``pip install SimpleITK``. Writes ``benchmarks/results/alignment.json``.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.alignment_rivals import RIVALS, frames_coincide, scaled_by, stretched
from benchmarks.fleet_unseen import random_tables, write_profile
from benchmarks.results_file import write_result
from dd_livm_core.alignment import Alignment, align_pairs
from dd_livm_core.errors import InputError
from dd_livm_core.fleet import FLEET_SIZES, bundled_profiles, load_profile, write_fleet
from dd_livm_core.fleet.truth_files import read_correspondences
from dd_livm_core.mapping import map_pairs
from dd_livm_core.metadata import read_metadata
from dd_livm_core.pair_registration import PairView
from dd_livm_core.pairing import pair_folder
from dd_livm_core.radiometry import read_infrared, read_visible
from dd_livm_core.rig import bend
from dd_livm_core.structure import grey

Floats = NDArray[np.float64]
SEED = 31
PAIRS = 36
FRAME = (512, 640)
UNSEEN = 6
RIVAL_PAIRS = 3
LEAST_POINTS = 20
CONFIDENCE_BINS = (0.0, 0.2, 0.8, 0.95, 1.01)
REAL_WARP = {"scale": (0.8, 1.5), "rotation_deg": (-2.0, 2.0), "offset_px": 20.0, "jitter_px": 5.0}
REAL_CROP = (slice(100, 412), slice(125, 515))
"""Rows and columns of the infrared frame that are kept, so that it lies inside the visible one."""


@dataclass(frozen=True)
class Pair:
    """Two files, and for real pairs the warp to apply to the visible one (or none)."""

    pair_id: str
    infrared: Path
    visible: Path
    warp: Floats | None = None


def read(pair: Pair) -> PairView:
    """Read a pair, the visible image warped where that is asked for."""
    thermogram, visible = read_infrared(pair.infrared), read_visible(pair.visible)
    infrared = thermogram.values
    if pair.warp is not None:
        size = (visible.shape[1], visible.shape[0])
        visible = np.asarray(cv2.warpAffine(visible, pair.warp[:2], size), np.uint8)
        infrared = infrared[REAL_CROP]
    return PairView(pair.pair_id, infrared, visible, thermogram.radiometric)


def place(alignment: Alignment, points_px: Floats, shape: tuple[int, ...]) -> Floats:
    """Map infrared points to visible ones."""
    bent = bend(points_px, alignment.radial, shape)
    return np.asarray(bent @ alignment.matrix[:2, :2].T + alignment.matrix[:2, 2])


def applied(matrix: Floats | None, points_px: Floats) -> Floats:
    """Map points (n, 2) by an affine (3, 3) matrix."""
    return points_px if matrix is None else points_px @ matrix[:2, :2].T + matrix[:2, 2]


def distance(points_px: Floats, others_px: Floats) -> float:
    """Return the mean distance between two sets of points."""
    return float(np.linalg.norm(points_px - others_px, axis=1).mean())


def spread(points_px: Floats) -> float:
    """Return how far points lie from their middle: two maps' ratio is that of their scales, lenses included."""
    return float(np.sqrt(np.mean(np.sum((points_px - points_px.mean(axis=0)) ** 2, axis=1))))


def render(root: Path, processes: int) -> list[tuple[Path, Path]]:
    """Render all missions; return (mission, truth) folders."""
    profiles = [p.model_copy(update={"missions": 1}) for p in bundled_profiles()]
    rng = np.random.default_rng(SEED)
    while len(profiles) < len(bundled_profiles()) + UNSEEN:
        try:
            profiles.append(load_profile(write_profile(root / "unseen.toml", random_tables(rng))))
        except InputError:
            continue
    with patch.dict(FLEET_SIZES, tiny=PAIRS):
        folders = write_fleet(
            root / "data",
            profiles=profiles,
            seed=SEED,
            truth_root=root / "truth",
            processes=processes,
        )
    return [(folder, root / "truth" / folder.relative_to(root / "data")) for folder in folders]


def pairs_of(mission: Path) -> list[Pair]:
    """List a mission's pairs."""
    return [Pair(p.pair_id, p.infrared, p.visible) for p in pair_folder(mission).pairs]


def rows_of_mission(folders: tuple[Path, Path]) -> list[dict[str, Any]]:
    """Align a mission as a whole and in small parts; return a row per pair and arm."""
    mission, truth = folders
    geometry = pd.read_parquet(truth / "truth.parquet").set_index("pair_id")
    pairs = pairs_of(mission)
    parts = {
        "whole": [pairs],
        "three": [pairs[3:6], pairs[20:23]],
        "alone": [[pairs[9]], [pairs[27]]],
    }
    rows: list[dict[str, Any]] = []
    for arm, groups in parts.items():
        for group in groups:
            started = time.process_time()
            found, _ = align_pairs(read, group)
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


def exif_ratio(pair: Pair) -> float:
    """Return visible over infrared pixels per angle, from both files' focal lengths and sizes."""
    infrared, visible = read_metadata(pair.infrared), read_metadata(pair.visible)
    widths = infrared.width_px, visible.width_px
    focal = infrared.focal_length_35mm_mm, visible.focal_length_35mm_mm
    if not all(widths) or not all(focal):
        return float(widths[1] or 1) / float(widths[0] or 1)
    return float(focal[1] / focal[0] * widths[1] / widths[0])  # type: ignore[operator]


def tried(view: PairView, ratio: float, names: Sequence[str]) -> list[tuple[str, Floats, float]]:
    """Return each rival's matrix and time; one that gives up is left at its start."""
    shape, visible_shape = view.infrared.shape, view.visible.shape
    start = scaled_by(ratio, shape, visible_shape)
    size = (shape[1], shape[0])
    flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
    infrared = stretched(view.infrared)
    visible = stretched(cv2.warpAffine(grey(view.visible), start[:2], size, flags=flags))
    found = [
        ("no_alignment", frames_coincide(shape, visible_shape), 0.0),
        ("exif_scale", start, 0.0),
    ]
    for name in names:
        started = time.process_time()
        matrix = RIVALS[name](infrared, visible)
        seconds = time.process_time() - started
        found.append((name, start if matrix is None else start @ matrix, seconds))
    return found


def real_missions(root: Path) -> list[list[Pair]]:
    """List the real pairs, one list per folder that was flown on its own."""
    missions: dict[str, list[Pair]] = {}
    for pair in pair_folder(root / "pv_pairs").pairs:
        missions.setdefault(pair.infrared.parent.name, []).append(
            Pair(pair.pair_id, pair.infrared, pair.visible)
        )
    return [missions[name] for name in sorted(missions)]


def warped(pairs: Sequence[Pair], seed: int) -> list[Pair]:
    """Give a mission a new rig, and each pair its own offset; the visible frame keeps its size."""
    rng = np.random.default_rng(seed)
    scale = float(np.exp(rng.uniform(*np.log(REAL_WARP["scale"]))))
    turn = np.radians(rng.uniform(*REAL_WARP["rotation_deg"]))
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shared = rng.uniform(-REAL_WARP["offset_px"], REAL_WARP["offset_px"], 2)
    centre, result = np.array([319.5, 255.5]), []
    for pair in pairs:
        matrix = np.eye(3)
        matrix[:2, :2] = linear
        offset = shared + rng.normal(0, REAL_WARP["jitter_px"], 2)
        matrix[:2, 2] = centre + offset - linear @ centre
        result.append(Pair(pair.pair_id, pair.infrared, pair.visible, matrix))
    return result


def real_rows(job: tuple[list[Pair], int], names: Sequence[str]) -> list[dict[str, Any]]:
    """Align a real mission as it is and warped; return how far apart the two are, per pair."""
    pairs, seed = job
    moved, rows = warped(pairs, seed), []
    plain, _ = align_pairs(read, pairs)
    started = time.process_time()
    again, _ = align_pairs(read, moved)
    seconds = (time.process_time() - started) / len(pairs)
    shape = tuple(part.stop - part.start for part in REAL_CROP)
    corner = np.array([REAL_CROP[1].start, REAL_CROP[0].start])
    axes = np.linspace(10, shape[1] - 10, 8), np.linspace(10, shape[0] - 10, 6)
    grid = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
    for number, (pair, one, other) in enumerate(zip(moved, plain, again, strict=True)):
        if not isinstance(one, Alignment) or not isinstance(other, Alignment):
            continue
        target = applied(pair.warp, place(one, grid + corner, FRAME))
        placed = place(other, grid, shape)
        rows.append(
            {
                "rival": "ours",
                "status": other.status,
                "status_as_it_is": one.status,
                "error_px": distance(placed, target) / other.scale,
                "seconds": seconds,
                "scale_error_pct": 100 * abs(spread(placed) / spread(target) - 1),
            }
        )
        if number % max(1, len(pairs) // (2 * RIVAL_PAIRS)):
            continue
        views = [tried(read(p), 1.0, names) for p in (pairs[number], pair)]
        for (name, before, _), (_, after, spent) in zip(*views, strict=True):
            target = applied(pair.warp, applied(before, grid + corner))
            error = distance(applied(after, grid), target) / other.scale
            rows.append({"rival": name, "error_px": error, "seconds": spent})
    return [row for row in rows if row["rival"] != "exif_scale"]


def wrong_pairs(all_folders: Sequence[tuple[Path, Path]]) -> dict[str, float | int]:
    """Mix wrong pairs into missions, and count how many are found and how many right ones are lost."""
    counts = {"wrong": 0, "wrong_kept": 0, "right": 0, "right_failed": 0}
    for number, (mission, _) in enumerate(all_folders):
        pairs = pairs_of(mission)
        other = pairs_of(all_folders[(number + 1) % len(all_folders)][0])
        mixed = list(pairs)
        mixed[4] = Pair(pairs[4].pair_id, pairs[4].infrared, pairs[20].visible)
        mixed[13] = Pair(pairs[13].pair_id, pairs[13].infrared, other[13].visible)
        mixed[22] = Pair(pairs[22].pair_id, other[22].infrared, other[22].visible)
        found, _ = align_pairs(read, mixed)
        for place_, alignment in enumerate(found):
            kind = "wrong" if place_ in (4, 13, 22) else "right"
            failed = not isinstance(alignment, Alignment) or alignment.status == "failed"
            counts[kind] += 1
            counts["wrong_kept"] += kind == "wrong" and not failed
            counts["right_failed"] += kind == "right" and failed
    return counts


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Return the issue's figures of one table of pairs."""
    ours = table[table.status.isin(["aligned", "consensus"])]
    aligned = ours[ours.status == "aligned"]
    aliased = aligned.error_px > np.minimum(
        5.0, 0.4 * aligned.get("period_px", pd.Series(99.0, aligned.index))
    )
    return {
        "pairs": len(table),
        "median_px": round(float(ours.error_px.median()), 3),
        "p95_px": round(float(ours.error_px.quantile(0.95)), 3),
        "scale_error_pct": round(float(ours.scale_error_pct.quantile(0.95)), 3),
        "alias_rate_pct": round(100 * float(aliased.mean()), 2) if len(aligned) else None,
        "unaligned_pct": round(
            100 * float((~table.status.isin(["aligned", "consensus"])).mean()), 2
        ),
        "seconds_per_pair": round(float(table.seconds.mean()), 3),
        "status": table.status.value_counts().to_dict(),
    }


def calibration(table: pd.DataFrame) -> dict[str, Any]:
    """Return, per confidence bin, pairs and the share within 2 px."""
    cut = pd.cut(table.confidence, CONFIDENCE_BINS, right=False)
    return {
        str(interval): {
            "pairs": len(part),
            "mean_confidence": round(float(part.confidence.mean()), 3),
            "within_2_px_pct": round(100 * float((part.error_px <= 2).mean()), 1),
            "median_px": round(float(part.error_px.median()), 2),
        }
        for interval, part in table.groupby(cut, observed=True)
    }


def rival_table(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return every rival's median, 95th percentile and time."""
    return {
        str(name): {
            "pairs": len(part),
            "median_px": round(float(part.error_px.median()), 2),
            "p95_px": round(float(part.error_px.quantile(0.95)), 2),
            "seconds_per_pair": round(float(part.seconds.mean()), 3),
        }
        for name, part in table.groupby("rival")
    }


def main() -> None:
    """Run everything and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    names = [n for n in RIVALS if n != "mutual_information" or find_spec("SimpleITK")]
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        folders = render(Path(folder), arguments.processes)
        print(f"rendered {len(folders)} missions", flush=True)
        parts = map_pairs(rows_of_mission, folders, processes=arguments.processes)
        table = pd.DataFrame([row for rows in parts for row in rows])
        print(summary(table[table.arm == "whole"]), flush=True)
        tries = map_pairs(partial(rival_rows, names=names), folders, processes=arguments.processes)
        rivals = pd.DataFrame([row for rows in tries for row in rows])
        wrong = wrong_pairs(folders)
    whole = table[table.arm == "whole"]
    same = whole.merge(
        rivals[["site", "pair"]].drop_duplicates(),
        left_on=["site", "pair_id"],
        right_on=["site", "pair"],
    )
    arms: dict[str, Any] = {
        "simulated": summary(whole),
        "simulated by station": {
            str(site): summary(part) for site, part in whole.groupby("site", sort=False)
        },
        "simulated, missions of three pairs": summary(table[table.arm == "three"]),
        "simulated, single pairs": summary(table[table.arm == "alone"]),
        "simulated, rivals' pairs": {"ours": summary(same), **rival_table(rivals)},
        "confidence": calibration(table),
        "wrong pairs mixed in": wrong,
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
    print(path.read_text())


if __name__ == "__main__":
    main()
