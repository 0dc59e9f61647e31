"""The README's first command from a fresh clone: set-up, then the demo in the warm environment.

    python -m benchmarks.main_job

Clones the committed state into a temporary folder, sets it up there, runs the demo, runs it again (all steps
reused), and samples the memory of the whole process tree.
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.results_file import write_result

ROOT = Path(__file__).parents[1]
SAMPLE_S = 0.2


class TreeMemory:
    """Samples the resident memory of a process and all its descendants; keeps the peak, in GiB.

    Pages that processes share are counted once for each of them, so the peak errs upwards.
    """

    def __init__(self, pid: int) -> None:
        self.peak_gib = 0.0
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_S):
            total = 0
            try:
                tree = [self._root, *self._root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for process in tree:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            self.peak_gib = max(self.peak_gib, total / 2**30)

    def stop(self) -> float:
        self._ended.set()
        self._thread.join()
        return self.peak_gib


def timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """Return wall seconds and peak GiB of a command that must succeed."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=cwd)
    memory = TreeMemory(process.pid)
    code = process.wait()
    seconds = time.monotonic() - started
    peak = memory.stop()
    if code:
        sys.exit(f"{' '.join(command)} ended with {code}")
    return seconds, peak


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "dd-livm"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        bootstrap = [getattr(sys, "_base_executable", sys.executable), "bootstrap.py"]
        setup_s, _ = timed([*bootstrap, "--help"], clone)
        warm_s, _ = timed([*bootstrap, "--help"], clone)
        demo_s, demo_peak_gib = timed([*bootstrap, "demo"], clone)
        again_s, _ = timed([*bootstrap, "demo"], clone)
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
