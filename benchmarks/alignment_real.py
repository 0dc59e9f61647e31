"""Real pairs, cropped, scaled, turned and shifted by known amounts: how consistent the estimates are."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.alignment_measures import (
    FRAME,
    REAL_CROP,
    WarpedPair,
    applied,
    distance,
    place,
    read,
    spread,
    tried,
)
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.registration.alignment import align_pairs
from dd_livm_core.registration.placement import Alignment

REAL_WARP = {"scale": (0.8, 1.5), "rotation_deg": (-2.0, 2.0), "offset_px": 20.0, "jitter_px": 5.0}
RIVAL_PAIRS = 6


def real_missions(root: Path) -> list[list[WarpedPair]]:
    """List the real pairs, one list per folder that was flown on its own."""
    missions: dict[str, list[WarpedPair]] = {}
    for pair in pair_folder(root / "pv_pairs").pairs:
        missions.setdefault(pair.infrared.parent.name, []).append(
            WarpedPair(pair.pair_id, pair.infrared, pair.visible)
        )
    return [missions[name] for name in sorted(missions)]


def warped(pairs: Sequence[WarpedPair], seed: int) -> list[WarpedPair]:
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
        result.append(WarpedPair(pair.pair_id, pair.infrared, pair.visible, warp=matrix))
    return result


def real_rows(job: tuple[list[WarpedPair], int], names: Sequence[str]) -> list[dict[str, Any]]:
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
        if number % max(1, len(pairs) // RIVAL_PAIRS):
            continue
        views = [tried(read(p), 1.0, names) for p in (pairs[number], pair)]
        for (name, before, _), (_, after, spent) in zip(*views, strict=True):
            target = applied(pair.warp, applied(before, grid + corner))
            error = distance(applied(after, grid), target) / other.scale
            rows.append({"rival": name, "error_px": error, "seconds": spent})
    return [row for row in rows if row["rival"] != "exif_scale"]
