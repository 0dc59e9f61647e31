"""Pairs as the alignment benchmark reads them, and what it measures of them."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.alignment_rivals import RIVALS, frames_coincide, scaled_by, stretched
from dd_livm_core.camera_files.images import grey
from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.errors import InputError
from dd_livm_core.fleet.missions.writing import FLEET_SIZES, write_fleet
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import load_profile
from dd_livm_core.missions.pair_files import PairFiles
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.registration.candidates import PairView
from dd_livm_core.registration.placement import Alignment
from dd_livm_core.registration.rig import distort
from tests.fleet.random_profiles import Tables, draw_random_tables, write_profile

Floats = NDArray[np.float64]
FRAME = (512, 640)
LEAST_POINTS = 20
CONFIDENCE_BINS = (0.0, 0.2, 0.5, 0.8, 0.9, 0.95, 1.01)
REAL_CROP = (slice(100, 412), slice(125, 515))
"""Rows and columns of the infrared frame that are kept, so that it lies inside the visible one."""


@dataclass(frozen=True)
class WarpedPair(PairFiles):
    """A pair's files, and for real pairs the warp to apply to the visible one (or none)."""

    warp: Floats | None = None


def read(pair: WarpedPair) -> PairView:
    """Read a pair, the visible image warped where that is asked for."""
    thermogram, visible = read_infrared(pair.infrared), read_visible(pair.visible)
    infrared = thermogram.values
    if pair.warp is not None:
        size = (visible.shape[1], visible.shape[0])
        visible = np.asarray(cv2.warpAffine(visible, pair.warp[:2], size), np.uint8)
        infrared = infrared[REAL_CROP]
    return PairView(pair.pair_id, infrared, visible, thermogram.radiometric)


def pairs_of(mission: Path) -> list[WarpedPair]:
    """List a mission's pairs."""
    return [WarpedPair(p.pair_id, p.infrared, p.visible) for p in pair_folder(mission).pairs]


def place(alignment: Alignment, points_px: Floats, shape: tuple[int, ...]) -> Floats:
    """Map infrared points to visible ones."""
    bent = distort(points_px, alignment.radial, shape)
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


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Return the figures of one table of pairs: errors of those that were placed, in infrared px."""
    ours = table[table.status.isin(["aligned", "consensus"])]
    bound = np.minimum(5.0, 0.4 * ours.get("period_px", pd.Series(99.0, ours.index)))
    off = ours.error_px > bound
    aligned = off[ours.status == "aligned"]
    return {
        "pairs": len(table),
        "median_px": round(float(ours.error_px.median()), 3) if len(ours) else None,
        "p95_px": round(float(ours.error_px.quantile(0.95)), 3) if len(ours) else None,
        "scale_error_pct": round(float(ours.scale_error_pct.quantile(0.95)), 3)
        if len(ours)
        else None,
        "alias_rate_pct": round(100 * float(aligned.mean()), 2) if len(aligned) else None,
        "alias_rate_with_consensus_pct": round(100 * float(off.mean()), 2) if len(ours) else None,
        "unaligned_pct": round(100 * (1 - len(ours) / len(table)), 2),
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


def random_profiles(
    rng: np.random.Generator, count: int, path: Path, change: Callable[[Tables], None]
) -> list[Profile]:
    """Draw stations that nobody wrote, their tables changed by ``change``; those the fleet refuses are drawn again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    profiles: list[Profile] = []
    while len(profiles) < count:
        tables = draw_random_tables(rng)
        change(tables)
        try:
            profiles.append(load_profile(write_profile(path, tables)))
        except InputError:
            continue
    return profiles


def rendered(
    root: Path, profiles: Sequence[Profile], pairs: int, seed: int, processes: int
) -> list[tuple[Path, Path]]:
    """Render one mission of so many pairs per station; return (mission, truth) folders."""
    with patch.dict(FLEET_SIZES, tiny=pairs):
        folders = write_fleet(
            root / "data",
            profiles=profiles,
            seed=seed,
            truth_root=root / "truth",
            processes=processes,
        )
    return [(folder, root / "truth" / folder.relative_to(root / "data")) for folder in folders]
