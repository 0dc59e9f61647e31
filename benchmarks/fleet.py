"""How fast and how true the simulated fleet is: ``python -m benchmarks.fleet``.

With ``--full`` the whole fleet is written as well. ``python -m docs.build.fleet_tables`` brings the
results into docs/fleet.md.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from benchmarks.fleet_leak import blind_control_accuracy
from benchmarks.fleet_likeness import patch_features, tell_apart
from benchmarks.fleet_speed import cpu_ms_by_station, write_timed
from benchmarks.results_file import write_result
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.truth import THRESHOLD_K
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import bundled_profiles
from tests.fleet.missions.photographed_corners import measure_corner_errors_px
from tests.fleet.physics.heat_balance import measure_energy_errors

SEED = 20
LIKE_THE_REAL_PAIRS = "plain_meadow"


def likeness(root: Path) -> dict[str, object]:
    """Tell real from simulated with a small classifier that sees patches of one image."""
    real = os.environ.get("DD_LIVM_REAL_DATA")
    if not real:
        return {"skipped": "set DD_LIVM_REAL_DATA to the folder that holds pv_pairs"}
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


def open_circuit_k(seed: int) -> dict[str, float]:
    """Return how much warmer open PV modules look at 1000 W/m² and 1 m/s, per station.

    From the truth of rendered frames: the middle of every whole PV module that is open, median.
    """
    weather = {"irradiance_w_m2": [1000.0, 1000.0], "wind_m_s": [1.0, 1.0]}
    defects = {"share": 0.03, "weights": {"open_circuit": 1.0}}
    result = {}
    for profile in bundled_profiles():
        tables = profile.model_dump(exclude={"defects"}) | {"defects": defects}
        tables["weather"] = profile.weather.model_dump() | weather | {"clouds": [0.0, 0.0]}
        mission = SimulatedMission(Profile.model_validate(tables), 0, 12, seed)
        seen = []
        for pair in (mission.render(i) for i in range(12)):
            for hotspot in pair.hotspots:
                opened = pair.sources[hotspot.defect][1] == "open circuit"
                if opened and hotspot.hotspot_shape == "block":
                    x, y, w, h = (int(v) for v in hotspot.box_xywh_px)
                    part = pair.excess_k[y : y + h, x : x + w]
                    seen.append(np.median(part[part >= THRESHOLD_K]))
        result[profile.site_id] = round(float(np.median(seen)), 2)
    return result


def measured_truth(seed: int) -> dict[str, dict[str, float]]:
    """Hold three pairs of every station against the stored truth."""
    corner: dict[str, float] = {}
    residual: dict[str, float] = {}
    energy: dict[str, float] = {}
    for profile in bundled_profiles():
        mission = SimulatedMission(profile, 0, 12, seed)
        pairs = [mission.render(i) for i in (1, 5, 9)]
        errors = np.concatenate([measure_corner_errors_px(mission, pair) for pair in pairs])
        corner[profile.site_id] = float(errors.max()) if len(errors) else float("nan")
        residual[profile.site_id] = max(pair.homography_residual_px for pair in pairs)
        energy[profile.site_id] = max(measure_energy_errors(mission.station.workshop, seeds=10))
    return {"corner_error_px": corner, "homography_residual_px": residual, "energy_error": energy}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="also write all 7,078 pairs (12 GiB)")
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rendering = write_timed(root, "small", SEED)
        like = likeness(root)
    full: dict[str, object] = {"skipped": "run with --full"}
    if wanted.full:
        with tempfile.TemporaryDirectory() as folder:
            full = write_timed(Path(folder), "full", SEED)
    truth = measured_truth(SEED)
    open_k = open_circuit_k(SEED)
    opened = list(open_k.values())
    blind = blind_control_accuracy(SEED)
    path = write_result(
        "fleet",
        seeds=[SEED],
        figures={
            "pairs_per_s": full.get("pairs_per_s", rendering["pairs_per_s"]),
            "pairs_per_s_small": rendering["pairs_per_s"],
            "full_minutes": full.get("minutes"),
            "corner_error_px_max": float(np.nanmax(list(truth["corner_error_px"].values()))),
            "energy_error_max": max(truth["energy_error"].values()),
            "open_circuit_k_min": min(opened),
            "open_circuit_k_max": max(opened),
            "blind_control_accuracy": blind,
            "real_or_simulated_infrared_accuracy": like.get("infrared_accuracy"),
            "real_or_simulated_visible_accuracy": like.get("visible_accuracy"),
        },
        arms={
            "small": rendering,
            "full": full,
            "cpu_ms": cpu_ms_by_station(SEED),
            **truth,
            "open_circuit_k": open_k,
            "real_or_simulated": like,
        },
    )
    print(json.dumps(json.loads(path.read_text(encoding="utf-8"))["figures"], indent=1))


if __name__ == "__main__":
    main()
