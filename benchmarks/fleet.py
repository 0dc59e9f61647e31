"""How fast, how true and how leaky the simulated fleet is. ``python -m benchmarks.fleet``."""

import json
import os
import resource
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from benchmarks.fleet_controls import (
    context_features,
    leave_one_site_out,
    patch_features,
    tell_apart,
)
from benchmarks.fleet_truth import corner_errors
from benchmarks.results_file import write_result
from dd_livm_core.fleet import FLEET_SIZES, bundled_profiles, write_fleet
from dd_livm_core.fleet.defects import Workshop
from dd_livm_core.fleet.missions import SimulatedMission
from dd_livm_core.fleet.writing import FULL_PAIRS
from dd_livm_core.records import DEFECT_CLASSES

SEED = 20
PAIRS_PER_SITE = 40
LIKE_THE_REAL_PAIRS = "plain_meadow"


def speed(root: Path) -> dict[str, object]:
    """Render the small fleet with two processes, truth included; memory of the processes."""
    load = os.getloadavg()[0]
    start = time.perf_counter()
    write_fleet(root / "data", size="small", seed=SEED, truth_root=root / "truth", processes=2)
    seconds = time.perf_counter() - start
    pairs = FLEET_SIZES["small"] * len(bundled_profiles())
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = used.ru_utime + used.ru_stime
    return {
        "pairs": pairs,
        "seconds": seconds,
        "pairs_per_s": pairs / seconds,
        "cpu_seconds": cpu_s,
        "pairs_per_s_of_two_free_cores": 2 * pairs / cpu_s,
        "load_average_before": load,
        "peak_mib_of_a_process": used.ru_maxrss / 1024,
    }


def energy_errors(mission: SimulatedMission) -> list[float]:
    """Compare what enters and what leaves the sheet, for every class."""
    workshop: Workshop = mission.station.workshop
    sheet = workshop.sheet
    errors: list[float] = []
    solve = sheet.excess_k

    def watched(source: np.ndarray) -> np.ndarray:
        excess = solve(source)
        if source.sum() > 0:
            errors.append(float(abs(excess.sum() * sheet.losses_w_m2k / source.sum() - 1)))
        return excess

    sheet.excess_k = watched  # type: ignore[method-assign]
    for defect_class in DEFECT_CLASSES:
        for seed in range(10):
            workshop.make(defect_class, np.random.default_rng(seed))
    sheet.excess_k = solve  # type: ignore[method-assign]
    return errors


def leaks(root: Path) -> dict[str, object]:
    """Train on background and position alone, with the defects blanked."""
    rows = [
        features
        for path in sorted((root / "data").glob("*/*/labels.json"))
        for features in context_features(path)
    ]
    table = pd.DataFrame(rows)
    return leave_one_site_out(table)


def likeness(root: Path) -> dict[str, object]:
    """Tell real from simulated with a small classifier that sees patches of one image."""
    real = os.environ.get("DD_LIVM_REAL_DATA")
    if not real:
        return {"skipped": "DD_LIVM_REAL_DATA is not set"}
    folder = Path(real) / "pv_pairs"
    result: dict[str, object] = {}
    geometry = pd.concat(
        pd.read_parquet(p)
        for p in sorted((root / "truth" / LIKE_THE_REAL_PAIRS).glob("*/truth.parquet"))
    ).reset_index(drop=True)
    paths = sorted((root / "data" / LIKE_THE_REAL_PAIRS).glob("*/infrared/*.jpg"))
    for kind, real_folder in (("infrared", "T"), ("visible", "V")):
        real_images = [
            cv2.imread(str(p)) for p in sorted((folder / real_folder).glob("*.JPG"))[::2]
        ]
        simulated = [cv2.imread(str(p.parent.parent / kind / p.name)) for p in paths]
        if kind == "visible":
            # The real visible frames were brought onto the infrared grid by their author.
            maps = (
                geometry[[f"h{i}{j}" for i in range(3) for j in range(3)]]
                .to_numpy()
                .reshape(-1, 3, 3)
            )
            flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
            simulated = [
                cv2.warpPerspective(i, m, (640, 512), flags=flags)
                for i, m in zip(simulated, maps, strict=True)
            ]
        result[f"{kind}_accuracy"] = tell_apart(
            [patch_features(i) for i in real_images], [patch_features(i) for i in simulated]
        )
    return result


def main() -> None:
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rendering = speed(root)
        leak, like = leaks(root), likeness(root)
        sizes = sum(p.stat().st_size for p in (root / "data").rglob("*") if p.is_file())
    corner: dict[str, float] = {}
    residual: dict[str, float] = {}
    energy: list[float] = []
    for profile in bundled_profiles():
        mission = SimulatedMission(profile, 0, 12, SEED)
        pairs = [mission.render(i) for i in (1, 5, 9)]
        errors = np.concatenate([corner_errors(mission, pair) for pair in pairs])
        corner[profile.site_id] = float(errors.max()) if len(errors) else float("nan")
        residual[profile.site_id] = max(pair.homography_residual_px for pair in pairs)
        energy += energy_errors(mission)
    pairs_per_s = float(rendering["pairs_per_s"])  # type: ignore[arg-type]
    path = write_result(
        "fleet",
        seeds=[SEED],
        figures={
            "pairs_per_s": round(pairs_per_s, 2),
            "full_minutes": round(FULL_PAIRS / pairs_per_s / 60, 1),
            "corner_error_px_max": float(np.nanmax(list(corner.values()))),
            "energy_error_max": max(energy),
            "blind_control_accuracy": float(leak["leave_one_site_out"]),  # type: ignore[arg-type]
        },
        arms={
            "rendering": rendering
            | {"processes": 2, "full_minutes_is": "extrapolated", "data_mib": sizes / 2**20},
            "corner_error_px": corner,
            "homography_residual_px": residual,
            "blind_control": leak,
            "real_or_simulated": like,
        },
    )
    print(json.dumps(json.loads(path.read_text())["figures"], indent=1))


if __name__ == "__main__":
    main()
