"""Speed, memory and robustness of taking missions in.

``python -m benchmarks.ingestion``; with DD_LIVM_REAL_DATA set, real files are compared and damaged too.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.ingestion_damage import KINDS, fuzz
from benchmarks.ingestion_readers import compare_readers
from benchmarks.results_file import write_result
from tests import drone_files as made
from tests.damage.verdict import UNTOLD

SEED = 20261123
DIFFERENT = 40


def write_source(folder: Path, pairs: int, first: int = 0) -> Path:
    """Write simulated pairs of 640 x 512 pixels from number ``first``, no two files of one content."""
    kinds = []
    for seed in range(DIFFERENT):
        pixels = made.picture(seed, (640, 512)).astype(np.int16)
        grain = np.random.default_rng(seed).normal(0, 6, pixels.shape)
        kinds.append(np.clip(pixels + grain, 0, 255).astype(np.uint8))
    said = {"RelativeAltitude": "+40.0", "GimbalPitchDegree": "-90.0"}
    xmp = made.dji_xmp(**said, GpsLatitude="40.0", GpsLongitude="-3.5")
    contents = [made.jpeg(pixels, at="2026:06:01 12:00:00", xmp=xmp) for pixels in kinds]
    for number in range(first, first + pairs):
        for side, mark in enumerate("TV"):
            content = contents[(2 * number + side) % DIFFERENT]
            comment = f"{number}{mark}".encode()
            segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
            made.put(folder / f"DJI_{number:05d}_{mark}.JPG", content[:2] + segment + content[2:])
    return folder


def run_arm(name: str, source: Path, *more: str | Path) -> dict[str, float]:
    """Time one pass in a fresh interpreter, so that its memory and its imports are its own."""
    command = [sys.executable, "-m", "benchmarks.ingestion_arm", name, str(source), *map(str, more)]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    if run.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{run.stderr}")
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def in_own_process(function, *arguments):  # type: ignore[no-untyped-def]
    """Run in a fresh process, so that its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def speed(pairs: tuple[int, ...], rounds: int) -> dict[str, dict[str, object]]:
    """Time all ways, alternating so that a busy machine slows all; the medians count."""
    arms: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in pairs:
            source = write_source(Path(folder) / f"source{count}", count)
            run_arm("pillow", source)  # files into the page cache, for all
            times: list[dict[str, dict[str, float]]] = []
            for number in range(rounds):
                data = Path(folder) / f"data{count}-{number}"
                ours = run_arm("ours", source, "--data", data)
                bare = {name: run_arm(name, source) for name in ("pillow", "opencv")}
                times.append({**bare, "ours": ours})
            arms[f"pairs_{count}"] = summary(times)
    return arms


def summary(times: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    """Return medians over the rounds, and the ratio within each round."""

    def median(arm: str, name: str) -> float:
        return float(np.median([of_round[arm][name] for of_round in times]))

    def ratio(arm: str, name: str) -> float:
        return float(np.median([of[arm][name] / of["ours"][name] for of in times]))

    return {
        "bare_read_s": median("pillow", "wall_s"),
        "bare_opencv_s": median("opencv", "wall_s"),
        "ingestion_s": median("ours", "wall_s"),
        "ratio_to_bare_read": ratio("pillow", "wall_s"),
        "ratio_to_bare_opencv": ratio("opencv", "wall_s"),
        "cpu_ratio_to_bare_read": ratio("pillow", "cpu_s"),
        "peak_mib": max(of_round["ours"]["peak_mib"] for of_round in times),
        "rounds": times,
    }


def large(pairs: int, more: int) -> dict[str, object]:
    """Take in one large mission, once more unchanged, and once more with ``more`` pairs added."""
    with tempfile.TemporaryDirectory() as folder:
        source, data = write_source(Path(folder) / "source", pairs), Path(folder) / "data"
        first = run_arm("ours", source, "--data", data)
        unchanged = run_arm("ours", source, "--data", data, "--known")
        write_source(source, more, first=pairs)
        again = run_arm("ours", source, "--data", data, "--known")
    return {
        "pairs": pairs,
        "ingestion_s": first["wall_s"],
        "peak_mib": first["peak_mib"],
        "again_unchanged_s": unchanged["wall_s"],
        "more_pairs": more,
        "again_with_more_s": again["wall_s"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs=2, default=(200, 2000))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=5000, help="pairs of one large mission")
    parser.add_argument("--fuzzed", type=int, default=10_000, help="damaged files of all kinds")
    chosen = parser.parse_args()
    named = os.environ.get("DD_LIVM_REAL_DATA")
    real = Path(named) if named else None
    few, many = chosen.pairs
    arms = speed((few, many), chosen.rounds)
    arms["large_mission"] = large(chosen.large, chosen.large // 100)
    readers = compare_readers(real) if real else {}
    errors = [of_file["flyr_error_k"] for of_file in readers.values()]
    numbers = [error for error in errors if isinstance(error, float)]
    damaged = {
        kind: in_own_process(fuzz, kind, chosen.fuzzed // len(KINDS), real, SEED) for kind in KINDS
    }
    figures = {
        "ratio_to_bare_read": arms[f"pairs_{many}"]["ratio_to_bare_read"],
        f"peak_mib_{few}": arms[f"pairs_{few}"]["peak_mib"],
        f"peak_mib_{many}": arms[f"pairs_{many}"]["peak_mib"],
        "radiometry_max_error_k": max(numbers, default=None),
        "radiometry_files": len(errors),
        "radiometry_files_compared": len(numbers),
        "fuzzed_files": sum(of["files"] for of in damaged.values()),
        "fuzz_failures": sum(of["failure_count"] for of in damaged.values()),
        "fuzz_changed_unnoticed": sum(of["outcomes"].get(UNTOLD, 0) for of in damaged.values()),
        "large_mission_pairs": chosen.large,
        "large_mission_peak_mib": arms["large_mission"]["peak_mib"],
    }
    arms |= {"independent_readers": readers, "damaged_files": damaged}
    print(write_result("ingestion", seeds=[SEED], figures=figures, arms=arms))
    print(figures, file=sys.stderr)


if __name__ == "__main__":
    main()
