"""How whole missions of real pairs are registered under other rigs: ``python -m benchmarks.alignment_warps``.

Runs of 10 and of 30 consecutive real pairs (``DD_LIVM_REAL_DATA`` names them) are given a new rig: one random
similarity for all pairs of a mission, laid on the visible or on the infrared images, half of the missions cropped.
The truth is the project's own alignment of the pairs as they are, composed with the known warp; that alignment was
verified by eye on overlays and by the real arm of ``benchmarks.alignment``. Every finished mission is kept under
``benchmarks/.parts`` by the commit, so that a run that was stopped goes on. ``--development`` uses other seeds, prints,
and writes no result: what is reported was never developed on.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.alignment_measures import FRAME, applied, distance, place, spread
from benchmarks.results_file import commit, write_result
from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.parallel import map_pairs
from dd_livm_core.registration.alignment import align_pairs
from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.placement import Alignment

Floats = NDArray[np.float64]
DEVELOPMENT_SEED, REPORTED_SEED = 7, 2026
MISSIONS = {10: 40, 30: 16}
"""Pairs of a mission, and how many missions are made."""
SCALE, TURN_DEG, SHIFT_PX = (0.8, 1.25), 3.0, 30.0
CROP_SHARE, CROP_SHIFT_PX = (0.55, 0.9), 40
"""Share of its sides that a cropped infrared frame keeps, and how far from the middle it may lie in x and y."""
OFF_PX = 5.0
"""A placed pair further off than this, in infrared px, is wrong."""
PLACED = ("aligned", "consensus")
PARTS = Path(__file__).parent / ".parts" / "alignment_warps"


@dataclass(frozen=True)
class Warp:
    """What is done to all pairs of a mission: a similarity (3, 3) of one of the images, then a crop of the infrared."""

    image: str
    matrix: Floats
    corner: tuple[int, int]
    size: tuple[int, int]

    def read(self, pair: PairFiles) -> PairView:
        """Read a pair and lay the warp on it."""
        thermogram, visible = read_infrared(pair.infrared), read_visible(pair.visible)
        infrared = thermogram.values
        if self.image == "visible":
            size = (visible.shape[1], visible.shape[0])
            visible = np.asarray(cv2.warpAffine(visible, self.matrix[:2], size), np.uint8)
        else:
            size = (infrared.shape[1], infrared.shape[0])
            infrared = np.asarray(cv2.warpAffine(infrared, self.matrix[:2], size), np.float32)
        (x, y), (width, height) = self.corner, self.size
        return PairView(
            pair.pair_id, infrared[y : y + height, x : x + width], visible, thermogram.radiometric
        )

    def lay_on(self, plain: Alignment) -> tuple[Floats, Floats]:
        """Return points (N, 2) of the cropped infrared frame that both images show, and where they truly lie."""
        width, height = self.size
        axes = np.linspace(0, width - 1, 14), np.linspace(0, height - 1, 11)
        points = np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)
        uncropped = points + self.corner
        frame = np.array(FRAME[::-1]) - 1
        if self.image == "visible":
            seen, target = uncropped, applied(self.matrix, place(plain, uncropped, FRAME))
        else:
            seen = applied(np.linalg.inv(self.matrix), uncropped)
            target = place(plain, seen, FRAME)
        both = np.all((seen >= 0) & (seen <= frame) & (target >= 0) & (target <= frame), axis=1)
        return points[both], target[both]


@dataclass(frozen=True)
class Job:
    """One mission: how many pairs, and its number among those of this length."""

    length: int
    number: int

    def draw(self, seed: int, flights: list[list[PairFiles]]) -> tuple[list[PairFiles], Warp]:
        """Draw the pairs and their warp; the four kinds of warp take turns."""
        rng = np.random.default_rng([seed, self.length, self.number])
        runs = [
            flight[first : first + self.length]
            for flight in flights
            for first in range(len(flight) - self.length + 1)
        ]
        pairs = runs[int(rng.integers(len(runs)))]
        scale = float(np.exp(rng.uniform(*np.log(SCALE))))
        turn = np.radians(rng.uniform(-TURN_DEG, TURN_DEG))
        shift = rng.uniform(-SHIFT_PX, SHIFT_PX, 2)
        frame, share = np.array(FRAME[::-1]), rng.uniform(*CROP_SHARE)
        size, moved = np.rint(share * frame), rng.integers(-CROP_SHIFT_PX, CROP_SHIFT_PX + 1, 2)
        corner = np.clip((frame - size) // 2 + moved, 0, frame - size)
        cropped, image = self.number % 2 == 1, ("visible", "infrared")[self.number // 2 % 2]
        if not cropped:
            size, corner = frame, np.zeros(2)
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        matrix, centre = np.eye(3), (frame - 1) / 2
        matrix[:2, :2], matrix[:2, 2] = linear, centre + shift - linear @ centre
        (x, y), (width, height) = corner, size
        return pairs, Warp(image, matrix, (int(x), int(y)), (int(width), int(height)))


def read_flights(root: Path) -> list[list[PairFiles]]:
    """Return the real pairs, one list per folder that was flown on its own, the longest first."""
    flights: dict[str, list[PairFiles]] = {}
    for pair in pair_folder(root / "pv_pairs").pairs:
        flights.setdefault(pair.infrared.parent.name, []).append(pair)
    return sorted(flights.values(), key=len, reverse=True)


def read_plain(pair: PairFiles) -> PairView:
    """Read a pair as it is."""
    return Warp("visible", np.eye(3), (0, 0), FRAME[::-1]).read(pair)


def align_as_they_are(flights: list[list[PairFiles]]) -> dict[str, Alignment]:
    """Return the alignment of each pair as it is: with the warp, this is the truth."""
    found: dict[str, Alignment] = {}
    for flight in flights:
        for alignment in align_pairs(read_plain, flight)[0]:
            if isinstance(alignment, Alignment) and alignment.status in PLACED:
                found[alignment.pair_id] = alignment
    return found


def rows_of_mission(
    job: Job, seed: int, flights: list[list[PairFiles]], truth: dict[str, Alignment]
) -> list[dict[str, Any]]:
    """Align one warped mission; return a row per pair whose truth is known."""
    cv2.setNumThreads(1)
    pairs, warp = job.draw(seed, flights)
    started = time.process_time()
    found, rig = align_pairs(warp.read, pairs)
    seconds = (time.process_time() - started) / len(pairs)
    rows = []
    for pair, alignment in zip(pairs, found, strict=True):
        if not isinstance(alignment, Alignment) or pair.pair_id not in truth:
            continue
        points, target = warp.lay_on(truth[pair.pair_id])
        placed = place(alignment, points, warp.size[::-1])
        true_scale = spread(target) / spread(points)
        rows.append(
            {
                "length": job.length,
                "mission": job.number,
                "kind": warp.image + (", cropped" if warp.size != FRAME[::-1] else ""),
                "pair_id": pair.pair_id,
                "status": alignment.status,
                "confidence": alignment.confidence,
                "error_px": distance(placed, target) / true_scale,
                "true_scale": true_scale,
                "rig_scale_error_pct": 100 * (spread(placed) / spread(target) - 1),
                "scale": rig.scale,
                "rotation_deg": rig.rotation_deg,
                "seconds": seconds,
            }
        )
    return rows


def summarise(table: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of a table of pairs."""
    placed = table[table.status.isin(PLACED)]
    off = placed.error_px > OFF_PX
    scale_error = table.rig_scale_error_pct.abs()
    return {
        "missions": int(table.groupby(["length", "mission"]).ngroups),
        "pairs": len(table),
        "placed_off_by_more_than_5_px": int(off.sum()),
        "ambiguous_or_failed_pct": round(100 * (1 - len(placed) / len(table)), 2),
        "median_px": round(float(placed.error_px.median()), 3) if len(placed) else None,
        "p95_px": round(float(placed.error_px.quantile(0.95)), 3) if len(placed) else None,
        "rig_scale_error_median_pct": round(float(scale_error.median()), 3),
        "rig_scale_error_max_pct": round(float(scale_error.max()), 3),
        "seconds_per_pair": round(float(table.seconds.mean()), 3),
        "status": {str(k): int(v) for k, v in table.status.value_counts().items()},
    }


def finished(part: Path, measure: partial[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the rows kept in ``part``; measure and keep them first where they are not there."""
    if not part.exists():
        part.parent.mkdir(parents=True, exist_ok=True)
        temporary = part.with_suffix(".tmp")
        temporary.write_text(json.dumps(measure()), encoding="utf-8")
        temporary.replace(part)
    return list(json.loads(part.read_text(encoding="utf-8")))


def run_job(
    job: Job, seed: int, flights: list[list[PairFiles]], truth: dict[str, Alignment], parts: Path
) -> list[dict[str, Any]]:
    """Return a mission's rows, kept from an earlier run of the same code where there was one."""
    part = parts / f"{seed}_{job.length}_{job.number}.json"
    rows = finished(part, partial(rows_of_mission, job, seed, flights, truth))
    print(
        f"{job.length:>3} {job.number:>3} {rows[0]['kind']:18} {rows[0]['true_scale']:.4f}",
        f"{rows[0]['scale']:.4f}",
        pd.Series([row["status"] for row in rows]).value_counts().to_dict(),
        f"worst placed {max([r['error_px'] for r in rows if r['status'] in PLACED] or [0]):.2f} px",
        f"{rows[0]['seconds']:.2f} s",
        flush=True,
    )
    return rows


def code_version() -> str:
    """Return a name for the code that is measured, uncommitted changes included."""
    where = Path(__file__).parents[1]
    changes = subprocess.run(
        ["git", "diff", "HEAD", "--", "dd_livm_core", "benchmarks"], cwd=where, capture_output=True
    )
    return hashlib.sha256(commit().encode() + changes.stdout).hexdigest()[:12]


def main() -> None:
    """Run all missions and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--development", action="store_true", help="other seeds; writes no result")
    arguments = parser.parse_args()
    real = os.environ.get("DD_LIVM_REAL_DATA")
    if not real or not (Path(real) / "pv_pairs").is_dir():
        sys.exit("set DD_LIVM_REAL_DATA to the folder that holds pv_pairs")
    cv2.setNumThreads(1)
    seed = DEVELOPMENT_SEED if arguments.development else REPORTED_SEED
    flights = read_flights(Path(real))
    truth = align_as_they_are(flights)
    jobs = [Job(length, number) for length, many in MISSIONS.items() for number in range(many)]
    run = partial(run_job, seed=seed, flights=flights, truth=truth, parts=PARTS / code_version())
    parts = map_pairs(run, jobs, processes=arguments.processes)
    table = pd.DataFrame([row for rows in parts for row in rows])
    arms = {f"missions of {n} pairs": summarise(table[table.length == n]) for n in MISSIONS}
    arms |= {
        f"missions of {length} pairs, {kind}": summarise(part)
        for (length, kind), part in table.groupby(["length", "kind"])
    }
    print(json.dumps(arms, indent=1))
    if not arguments.development:
        figures = {
            f"{name}_{n}": arms[f"missions of {n} pairs"][name]
            for n in MISSIONS
            for name in arms[f"missions of {n} pairs"]
            if name not in ("status", "pairs")
        }
        write_result("alignment_warps", seeds=[seed], figures=figures, arms=arms)


if __name__ == "__main__":
    main()
