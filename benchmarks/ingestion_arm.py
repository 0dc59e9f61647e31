"""One timed pass over a folder of pairs, in a fresh process; prints its seconds and memory as JSON.

``python -m benchmarks.ingestion_arm pillow|opencv|ours SOURCE [--data FOLDER] [--known]``. What is imported here is
imported by every process that ingestion starts, so that only the arm that is timed imports what it needs.
"""

import argparse
import hashlib
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path


def cpu_s() -> float:
    """Return the processor seconds of this process and of those it started that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def decoder(name: str) -> Callable[[bytes], object]:
    """Return what decodes a whole image: Pillow, which tells of cut files, or OpenCV, which does not."""
    if name == "pillow":
        from PIL import Image

        return lambda content: Image.open(io.BytesIO(content)).load()
    import cv2
    import numpy as np

    cv2.setNumThreads(1)
    return lambda content: cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def bare(source: Path, decoder_name: str) -> dict[str, float]:
    """Time only reading, hashing and decoding of all files, in as many threads as cores."""
    from concurrent.futures import ThreadPoolExecutor

    decode = decoder(decoder_name)

    def one(path: Path) -> None:
        content = path.read_bytes()
        hashlib.sha256(content).hexdigest()
        decode(content)

    begun, cpu = time.perf_counter(), cpu_s()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(one, sorted(source.iterdir())))
    return {"wall_s": time.perf_counter() - begun, "cpu_s": cpu_s() - cpu}


def ours(source: Path, data: Path, known: bool) -> dict[str, float]:
    """Time from folder to manifest. ``known``: the manifest of last time is there, as in a workspace in use."""
    from benchmarks.memory import MemoryWatch
    from dd_livm_core.missions.ingestion import ingest_mission
    from dd_livm_core.missions.manifest import build_manifest, read_manifest, write_manifest
    from dd_livm_core.missions.sites import write_site
    from dd_livm_core.records import Mission, Site

    write_site(data, Site(site_id="s"))
    kept, mission = data / "manifest.parquet", Mission(mission_id="m", site_id="s")
    with MemoryWatch() as memory:
        begun, cpu = time.perf_counter(), cpu_s()
        report = ingest_mission(source, data, mission, processes=os.cpu_count() or 1)
        manifest = build_manifest(data, previous=read_manifest(kept) if known else None)
        write_manifest(manifest, kept)
        found = {"wall_s": time.perf_counter() - begun, "cpu_s": cpu_s() - cpu}
    if report.quarantined or len(manifest) != report.added + report.unchanged:
        raise RuntimeError(f"{len(report.quarantined)} pairs set aside of {len(manifest)}")
    return {**found, "peak_mib": sum(memory.peak_by_process_mib.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arm", choices=("pillow", "opencv", "ours"))
    parser.add_argument("source", type=Path)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--known", action="store_true")
    chosen = parser.parse_args()
    if chosen.arm == "ours":
        print(json.dumps(ours(chosen.source, chosen.data, chosen.known)))
    else:
        print(json.dumps(bare(chosen.source, chosen.arm)))


if __name__ == "__main__":
    main()
