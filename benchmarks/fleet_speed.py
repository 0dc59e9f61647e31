"""How fast a fleet is written, and whether memory stays flat meanwhile."""

import os
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.memory import MemoryWatch
from dd_livm_core.fleet.missions.mission import SimulatedMission
from dd_livm_core.fleet.missions.rendered_pair import write_images
from dd_livm_core.fleet.missions.truth_files import write_truth_arrays
from dd_livm_core.fleet.missions.writing import plan_missions, write_fleet
from dd_livm_core.fleet.profile_files import bundled_profiles


def write_timed(root: Path, size: str, seed: int, processes: int = 2) -> dict[str, object]:
    """Write a fleet with its truth; return speed, processor time and memory."""
    load = os.getloadavg()[0]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    own = time.process_time()
    start = time.perf_counter()
    with MemoryWatch() as memory:
        write_fleet(
            root / "data", size=size, seed=seed, truth_root=root / "truth", processes=processes
        )
    seconds = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = (
        time.process_time()
        - own
        + used.ru_utime
        + used.ru_stime
        - before.ru_utime
        - before.ru_stime
    )
    pairs = sum(pairs for _, _, pairs in plan_missions(bundled_profiles(), size))
    written = sum(
        p.stat().st_size
        for part in ("data", "truth")
        for p in (root / part).rglob("*")
        if p.is_file()
    )
    return {
        "size": size,
        "processes": processes,
        "pairs": pairs,
        "minutes": round(seconds / 60, 2),
        "pairs_per_s": round(pairs / seconds, 2),
        "cpu_seconds_per_pair": round(cpu_s / pairs, 4),
        "load_average_before": round(load, 2),
        "peak_mib_of_all_processes": round(memory.most_mib, 1),
        "peak_mib_of_one_process": round(memory.largest_mib, 1),
        "median_mib_by_quarter_of_the_run": memory.medians_by_quarter_mib(),
        "written_mib": round(written / 2**20, 1),
    }


def cpu_ms_by_station(seed: int, pairs: int = 40) -> dict[str, dict[str, float]]:
    """Return the processor time per station, in milliseconds: its start, and each pair after it.

    Rendering and writing of the first pairs of a long mission, in this process.
    """
    result = {}
    for profile in bundled_profiles():
        with TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("infrared", "visible"):
                (root / name).mkdir()
            start = time.process_time()
            mission = SimulatedMission(profile, 0, 394, seed)
            ready = time.process_time()
            for index in range(pairs):
                pair = mission.render(index)
                write_images(pair, mission.profile, root)
                write_truth_arrays(root / f"{pair.pair_id}.npz", pair)
            per_pair = (time.process_time() - ready) / pairs
        result[profile.site_id] = {
            "start": round(1000 * (ready - start), 1),
            "pair": round(1000 * per_pair, 1),
        }
    return result
