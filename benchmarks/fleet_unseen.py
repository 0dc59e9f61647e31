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

import cv2
import numpy as np

from benchmarks.results_file import write_result
from dd_livm_core.errors import InputError
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.profile import Profile
from dd_livm_core.fleet.profile_files import load_profile
from tests.fleet.missions.photographed_corners import measure_corner_errors_px
from tests.fleet.promises import PAIRS, find_broken_promises
from tests.fleet.random_profiles import draw_random_tables, write_profile

SEED = 77


def corner_error_px(profile: Profile, seed: int) -> float:
    """Return the largest error of photographed corners under the stored truth, infrared px."""
    mission = SimulatedMission(profile, 0, PAIRS, seed)
    errors = measure_corner_errors_px(mission, mission.render(0))
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
            path = write_profile(root / "unseen.toml", draw_random_tables(rng))
            try:
                profile = load_profile(path)
            except InputError as error:
                refused[error.where.rpartition("(")[2].rstrip(")")] += 1
                continue
            start = time.process_time()
            try:
                found = find_broken_promises(profile, root, SEED)
                corner.append(corner_error_px(profile, SEED))
            except Exception as error:
                found = [f"{type(error).__name__}: {error}"]
            seconds.append(time.process_time() - start)
            if found:
                broken[profile.site_id] = found
                print(path.read_text(encoding="utf-8"), found)
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
    print(json.dumps(json.loads(result.read_text(encoding="utf-8"))["figures"], indent=1))


if __name__ == "__main__":
    main()
