"""The README's first command from a fresh clone: set-up, then the demo in the warm environment.

    python -m benchmarks.main_job

Clones the committed state into a temporary folder, sets it up there, runs the demo, runs it again (all steps
reused), and samples the memory of the whole process tree.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import MemoryWatch
from benchmarks.results_file import write_result

ROOT = Path(__file__).parents[1]


def run_timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """Return wall seconds and peak GiB of a command that must succeed."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd)
    with MemoryWatch(process.pid) as memory:
        code = process.wait()
        seconds = time.monotonic() - started
    if code:
        sys.exit(f"{' '.join(command)} ended with {code}")
    return seconds, memory.most_mib / 1024


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "dd-livm"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        bootstrap = [getattr(sys, "_base_executable", sys.executable), "bootstrap.py"]
        setup_s, _ = run_timed([*bootstrap, "--help"], clone)
        warm_s, _ = run_timed([*bootstrap, "--help"], clone)
        demo_s, demo_peak_gib = run_timed([*bootstrap, "demo"], clone)
        again_s, _ = run_timed([*bootstrap, "demo"], clone)
    figures = {
        "setup_s": round(setup_s, 1),
        "warm_start_s": round(warm_s, 2),
        "demo_s": round(demo_s, 1),
        "demo_again_s": round(again_s, 1),
        "demo_peak_gib": round(demo_peak_gib, 2),
    }
    write_result("main_job", seeds=[2025], figures=figures, arms={})
    print(figures)


if __name__ == "__main__":
    main()
