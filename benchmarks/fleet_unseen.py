"""Stations that nobody wrote: random profiles, rendered to files and read back with their truth.

``python -m benchmarks.fleet_unseen [--profiles 60]``: every accepted profile must render, be read
by the readers of real missions, and hold the fleet's promises; every refused one must be refused
as such. Writes ``benchmarks/results/fleet_unseen.json``.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
import pandas as pd

from benchmarks.fleet_truth import corner_errors
from benchmarks.results_file import write_result
from dd_livm_core.camera_files.metadata import read_metadata
from dd_livm_core.camera_files.radiometry import read_infrared, read_visible
from dd_livm_core.errors import InputError
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.truth import THRESHOLD_K
from dd_livm_core.fleet.missions.truth_files import read_correspondences, read_truth_arrays
from dd_livm_core.fleet.missions.writing import FLEET_SIZES, write_fleet
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import load_profile
from dd_livm_core.labels.coco import read_labels
from dd_livm_core.missions.pairing import pair_folder
from dd_livm_core.records import DEFECT_CLASSES, Mission

SEED = 77
PAIRS = 2
SURFACES = ("grass", "scrub", "sand", "gravel", "concrete", "metal", "tile", "water")
PLACES = ("second_surface", "row_start", "row_end", "lower_modules", "upper_modules")
Tables = dict[str, dict[str, object]]


def _span(rng: np.random.Generator, low: float, high: float, width: float) -> list[float]:
    start = rng.uniform(low, high)
    return [round(start, 3), round(min(start + rng.uniform(0, width), high), 3)]


def random_tables(rng: np.random.Generator) -> Tables:
    """Draw a station: cameras, flight, tables, land and defects, each over its plausible range."""
    up = int(rng.integers(1, 5))
    landscape = bool(rng.random() < 0.5)
    width_m, height_m = rng.uniform(0.6, 1.35), rng.uniform(1.36, 2.4)
    tilt = rng.uniform(0, 45)
    deep_m = up * ((width_m if landscape else height_m) + 0.05) * np.cos(np.radians(tilt))
    pitch_jitter_m, table_jitter_m = float(rng.choice([0, 0.1, 1])), float(rng.choice([0, 0.3]))
    height = rng.uniform(10, 80)
    infrared_px = rng.uniform(450, 1200) * max(1, height / 35)
    visible_px = infrared_px * rng.uniform(1.1, 1.75)
    colour = lambda low, high: [int(v) for v in rng.integers(low, high, 3)]  # noqa: E731
    return {
        "": {
            "site_id": f"unseen_{rng.integers(10**6):06d}",
            "city": "Nowhere",
            "mounting": str(rng.choice(["fixed_tilt", "tracker", "rooftop", "floating"])),
            "latitude_deg": rng.uniform(-60, 70),
            "longitude_deg": rng.uniform(-180, 180),
            "missions": 1,
        },
        "pv_module": {
            "technology": str(rng.choice(["mono", "poly", "half_cell", "thin_film"])),
            "width_m": width_m,
            "height_m": height_m,
            "landscape": landscape,
            "cells_across": int(rng.integers(3, 13)),
            "cells_along": int(rng.integers(4, 41)),
            "substrings": int(rng.integers(1, 4)),
            "efficiency": rng.uniform(0.08, 0.24),
            "cell_rgb": colour(10, 110),
            "frame_rgb": colour(40, 230),
            "frame_width_m": float(rng.choice([0, 0.02, 0.035, 0.05])),
        },
        "rows": {
            "count": int(rng.integers(1, 11)),
            "length_m": rng.uniform(6, 140),
            "pitch_m": deep_m + pitch_jitter_m + table_jitter_m + rng.uniform(0.1, 6),
            "pitch_jitter_m": pitch_jitter_m,
            "table_jitter_m": table_jitter_m,
            "tracker_swing_deg": float(rng.choice([0, 0, rng.uniform(1, 20)])),
            "azimuth_deg": rng.uniform(-180, 180),
            "tilt_deg": tilt,
            "flush": bool(rng.random() < 0.2),
            "clearance_m": rng.uniform(0, 3),
            "modules_up": up,
            "modules_per_table": int(rng.integers(1, 40)),
            "module_gap_m": rng.uniform(0, 0.04),
            "table_gap_m": rng.uniform(0.02, 3),
            "ragged": rng.uniform(0, 0.6),
        }
        | ({"base_rgb": colour(90, 220)} if rng.random() < 0.3 else {}),
        "terrain": {
            "surface": str(rng.choice(SURFACES)),
            "second_surface": str(rng.choice(SURFACES)),
            "second_share": rng.uniform(0, 1),
            "patch_m": rng.uniform(1, 60),
            "rgb": colour(30, 220),
            "second_rgb": colour(30, 220),
            "heating_k": rng.uniform(-8, 30),
            "second_heating_k": rng.uniform(-8, 30),
            "slope_deg": float(rng.choice([0, rng.uniform(0, 20)])),
            "tracks": int(rng.integers(0, 4)),
            "buildings": int(rng.integers(0, 6)),
            "puddles": float(rng.choice([0, rng.uniform(0, 0.2)])),
        },
        "weather": {
            "irradiance_w_m2": _span(rng, 400, 1100, 200),
            "wind_m_s": _span(rng, 0, 9, 3),
            "ambient_c": _span(rng, -15, 42, 10),
            "sun_elevation_deg": _span(rng, 10, 85, 20),
            "sun_azimuth_deg": _span(rng, 60, 300, 60),
            "haze": _span(rng, 0, 0.2, 0.1),
            "clouds": [0, float(rng.choice([0, rng.uniform(0.1, 0.6)]))],
        },
        "infrared_camera": {
            "focal_px": infrared_px,
            "radiometric": bool(rng.random() < 0.5),
            "blur_px": rng.uniform(0, 1.5),
            "noise_k": rng.uniform(0, 0.2),
            "drift_k": rng.uniform(0, 1.5),
            "k1": rng.uniform(-0.12, 0.08),
        },
        "visible_camera": {
            "focal_px": visible_px,
            "k1": rng.uniform(-0.08, 0.08),
            "exposure": _span(rng, 0.7, 2, 0.6),
            "sharpening": rng.uniform(0, 1.5),
            "noise": rng.uniform(0, 9),
            "jpeg_quality": int(rng.integers(60, 99)),
        },
        "flight": {
            "height_m": [round(height, 2), round(height * rng.uniform(1, 1.3), 2)],
            "heading_deg": _span(rng, -180, 180, 30),
            "heading_jitter_deg": rng.uniform(0, 5),
            "tilt_jitter_deg": rng.uniform(0, 3),
            "speed_m_s": rng.uniform(0, 9),
            "time_skew_s": rng.uniform(-0.1, 0.1),
            "rig_rotation_deg": _span(rng, -4, 4, 2),
            "rig_offset_px": _span(rng, 0, 40, 10),
        },
        "defects": {
            "share": rng.uniform(0, 0.15),
            "weights": {name: round(rng.uniform(0, 5), 2) for name in DEFECT_CLASSES},
            "habits": [
                {
                    "defect_class": str(rng.choice(DEFECT_CLASSES)),
                    "near": str(rng.choice(PLACES)),
                    "strength": round(rng.uniform(1.5, 20), 2),
                }
            ],
        },
    }


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    return json.dumps(round(value, 4) if isinstance(value, float) else value)


def write_profile(path: Path, tables: Tables) -> Path:
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]"] if name else []
        lines += [f"{key} = {as_toml(value)}" for key, value in table.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def broken_promises(profile: Profile, root: Path, seed: int) -> list[str]:
    """Render two pairs to files, read them back, and name each promise that does not hold."""
    with patch.dict(FLEET_SIZES, tiny=PAIRS):
        (folder,) = write_fleet(
            root / "data", profiles=[profile], seed=seed, truth_root=root / "truth"
        )
    truth = root / "truth" / folder.relative_to(root / "data")
    Mission.model_validate_json((folder / "mission.json").read_text())
    broken = []
    pairs, labels = pair_folder(folder).pairs, read_labels(folder / "labels.json")
    if len(pairs) != PAIRS:
        broken.append("pairs found by ingestion")
    geometry = pd.read_parquet(truth / "truth.parquet").set_index("pair_id")
    hotspots = pd.read_parquet(truth / "hotspots.parquet")
    if len(hotspots) != sum(len(found) for found in labels.values()):
        broken.append("as many labels as hotspots")
    for pair in pairs:
        thermogram, visible = read_infrared(pair.infrared), read_visible(pair.visible)
        metadata = read_metadata(pair.infrared)
        if thermogram.radiometric != profile.infrared_camera.radiometric or visible.shape[2] != 3:
            broken.append("file format")
        if metadata.latitude_deg is None or abs(metadata.latitude_deg - profile.latitude_deg) > 0.1:
            broken.append("position in the file")
        mask, excess, temperature = read_truth_arrays(truth / f"{pair.pair_id}.npz")
        if not np.isfinite(temperature).all() or np.ptp(temperature) > 200:
            broken.append("finite temperature")
        here = hotspots[hotspots["pair_id"] == pair.pair_id] if len(hotspots) else hotspots
        broken += _broken_boxes(here, excess)
        seen, target = read_correspondences(truth, pair.pair_id)
        if mask.mean() > 0.001 and len(seen) < 50:
            broken.append("50 corresponding points")
        if float(geometry.loc[pair.pair_id, "scale"]) <= 0 or not np.isfinite(target).all():
            broken.append("geometry")
    return broken


def _broken_boxes(hotspots: pd.DataFrame, excess: np.ndarray) -> list[str]:
    """Hold the labels against the stored noise-free excess temperature."""
    broken = []
    hot = excess >= THRESHOLD_K
    covered = np.zeros(excess.shape, bool)
    for row in hotspots.itertuples():
        x, y, w, h = int(row.x_px), int(row.y_px), int(row.width_px), int(row.height_px)
        if x < 0 or y < 0 or x + w > 640 or y + h > 512 or not 0 < row.area_px <= w * h:
            broken.append("box inside the frame")
        part = hot[y : y + h, x : x + w]
        if not (part[0].any() and part[-1].any() and part[:, 0].any() and part[:, -1].any()):
            broken.append("box tight around what exceeds the threshold")
        covered[y : y + h, x : x + w] = True
    count, label, stats, _ = cv2.connectedComponentsWithStats(hot.astype(np.uint8), connectivity=8)
    missed = [k for k in range(1, count) if not covered[label == k].any()]
    large = [k for k in missed if stats[k, cv2.CC_STAT_AREA] > 60]
    inside = [k for k in large if stats[k, 0] > 0 and stats[k, 0] + stats[k, 2] < 640]
    inside = [k for k in inside if stats[k, 1] > 0 and stats[k, 1] + stats[k, 3] < 512]
    if inside:
        broken.append("a label at each hot area")
    return broken


def corner_error_px(profile: Profile, seed: int) -> float:
    """Return the largest error of photographed corners under the stored truth, infrared px."""
    mission = SimulatedMission(profile, 0, PAIRS, seed)
    errors = corner_errors(mission, mission.render(0))
    return float(errors.max()) if len(errors) else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=60)
    wanted = parser.parse_args().profiles
    cv2.setNumThreads(1)
    rng = np.random.default_rng(SEED)
    refused: Counter[str] = Counter()
    broken: dict[str, list[str]] = {}
    corner: list[float] = []
    seconds: list[float] = []
    while len(seconds) < wanted:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            path = write_profile(root / "unseen.toml", random_tables(rng))
            try:
                profile = load_profile(path)
            except InputError as error:
                refused[error.where.rpartition("(")[2].rstrip(")")] += 1
                continue
            start = time.process_time()
            try:
                found = broken_promises(profile, root, SEED)
                corner.append(corner_error_px(profile, SEED))
            except Exception as error:
                found = [f"{type(error).__name__}: {error}"]
            seconds.append(time.process_time() - start)
            if found:
                broken[profile.site_id] = found
                print(path.read_text(), found)
    result = write_result(
        "fleet_unseen",
        seeds=[SEED],
        figures={
            "profiles": wanted,
            "profiles_with_a_broken_promise": len(broken),
            "corner_error_px_max": float(np.nanmax(corner)),
            "cpu_seconds_per_profile_median": round(float(np.median(seconds)), 2),
        },
        arms={"broken": broken, "refused_by_key": dict(refused)},
    )
    print(json.dumps(json.loads(result.read_text())["figures"], indent=1))


if __name__ == "__main__":
    main()
