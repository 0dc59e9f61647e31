"""Speed, memory and robustness of taking missions in.

``python -m benchmarks.ingestion``; with DD_LIVM_REAL_DATA set, real files are compared and damaged too.
"""

import argparse
import hashlib
import io
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.mutations import mutated
from benchmarks.results_file import write_result
from dd_livm_core.errors import InputError
from dd_livm_core.ingestion import ingest_mission
from dd_livm_core.manifest import build_manifest, read_manifest, write_manifest
from dd_livm_core.radiometry import PLAUSIBLE_C, infrared_from_bytes, read_infrared
from dd_livm_core.records import Mission, Site
from dd_livm_core.sites import write_site
from tests import drone_files as made

SEED = 20261123
DIFFERENT = 40
HANG_S = 10.0
FLIR_FILES = (
    "camera_models/FLIR.jpg",
    "camera_models/DJI_XT2.jpg",
    *(f"xt2_india/RJPG/DJI_000{n}_R.JPG" for n in (2, 4, 6)),
)


def write_source(folder: Path, pairs: int, first: int = 0) -> Path:
    """Write simulated pairs of 640 x 512 pixels from number ``first``, no two files of one content."""
    kinds = []
    for seed in range(DIFFERENT):
        pixels = made.picture(seed, (640, 512)).astype(np.int16)
        grain = np.random.default_rng(seed).normal(0, 6, pixels.shape)
        kinds.append(np.clip(pixels + grain, 0, 255).astype(np.uint8))
    xmp = made.dji_xmp(RelativeAltitude="+40.0", GimbalPitchDegree="-90.0", GpsLatitude="40.0")
    contents = [made.jpeg(pixels, at="2026:06:01 12:00:00", xmp=xmp) for pixels in kinds]
    for number in range(first, first + pairs):
        for side, mark in enumerate("TV"):
            content = contents[(2 * number + side) % DIFFERENT]
            comment = f"{number}{mark}".encode()
            segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
            made.put(folder / f"DJI_{number:05d}_{mark}.JPG", content[:2] + segment + content[2:])
    return folder


def peak_mib() -> float:
    """Return this process's own peak memory.

    From ``VmHWM``: ``ru_maxrss`` survives fork and exec, so that a child would report its parent's memory.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024


def with_pillow(content: bytes) -> None:
    Image.open(io.BytesIO(content)).load()


def with_opencv(content: bytes) -> None:
    """Decode with the faster decoder, which takes a cut file for a whole one."""
    cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def bare_read_s(source: Path, decode: Callable[[bytes], None]) -> tuple[float, float]:
    """Return the wall and processor seconds of only reading, hashing and decoding all files."""
    cv2.setNumThreads(1)

    def one(path: Path) -> None:
        content = path.read_bytes()
        hashlib.sha256(content).hexdigest()
        decode(content)

    begun, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(one, sorted(source.iterdir())))
    return time.perf_counter() - begun, time.process_time() - cpu


def ingest_s(source: Path, data: Path, known: bool = False) -> tuple[float, float, float]:
    """Return the wall and processor seconds from folder to manifest, and this process's peak MiB.

    ``known``: the manifest of last time is there, as in a workspace that is in use.
    """
    write_site(data, Site(site_id="s"))
    kept = data / "manifest.parquet"
    begun, cpu = time.perf_counter(), time.process_time()
    report = ingest_mission(source, data, Mission(mission_id="m", site_id="s"))
    manifest = build_manifest(data, previous=read_manifest(kept) if known else None)
    write_manifest(manifest, kept)
    taken_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    if report.quarantined or len(manifest) != report.added + report.unchanged:
        raise RuntimeError(f"{len(report.quarantined)} pairs set aside of {len(manifest)}")
    return taken_s, cpu_s, peak_mib()


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
            bare_read_s(source, with_pillow)  # files into the page cache, for all
            times: list[tuple[float, ...]] = []
            peaks: list[float] = []
            for number in range(rounds):
                bare = in_own_process(bare_read_s, source, with_pillow)
                opencv = in_own_process(bare_read_s, source, with_opencv)
                *ours, peak = in_own_process(ingest_s, source, Path(folder) / f"d{count}-{number}")
                times.append((*bare, *opencv, *ours))
                peaks.append(peak)
            bare_s, bare_cpu_s, cv2_s, cv2_cpu_s, ours_s, ours_cpu_s = np.median(
                times, axis=0
            ).tolist()
            arms[f"pairs_{count}"] = {
                "bare_read_s": bare_s,
                "ingestion_s": ours_s,
                "ratio_to_bare_read": bare_s / ours_s,
                "bare_read_cpu_s": bare_cpu_s,
                "ingestion_cpu_s": ours_cpu_s,
                "cpu_ratio_to_bare_read": bare_cpu_s / ours_cpu_s,
                "bare_opencv_s": cv2_s,
                "ratio_to_bare_opencv": cv2_s / ours_s,
                "bare_opencv_cpu_s": cv2_cpu_s,
                "rounds_s": times,
                "peak_mib": max(peaks),
                "rounds": rounds,
            }
    return arms


def large(pairs: int, more: int) -> dict[str, object]:
    """Take in one large mission, once more unchanged, and once more with ``more`` pairs added."""
    with tempfile.TemporaryDirectory() as folder:
        source, data = write_source(Path(folder) / "source", pairs), Path(folder) / "data"
        first_s, _, peak = in_own_process(ingest_s, source, data)
        unchanged_s, _, _ = in_own_process(ingest_s, source, data, True)
        write_source(source, more, first=pairs)
        more_s, _, _ = in_own_process(ingest_s, source, data, True)
    return {
        "pairs": pairs,
        "ingestion_s": first_s,
        "peak_mib": peak,
        "again_unchanged_s": unchanged_s,
        "more_pairs": more,
        "again_with_more_s": more_s,
    }


def radiometry(real: Path | None) -> dict[str, object]:
    """Compare real FLIR files with the independent reader flyr, where both are there."""
    try:
        import flyr
    except ImportError:
        return {"reason": "the independent reader flyr is not installed"}
    errors: dict[str, object] = {}
    for name in FLIR_FILES if real else ():
        path = real / "radiometric" / name  # type: ignore[operator]
        try:
            other = flyr.unpack(str(path)).celsius
        except Exception as error:
            errors[name] = f"flyr cannot read it: {type(error).__name__}"
            continue
        errors[name] = float(np.abs(read_infrared(path).values - other).max())
    return errors


def sources(real: Path | None) -> list[bytes]:
    """Return the whole files that are going to be damaged."""
    celsius = np.linspace(5, 95, 64 * 80).reshape(64, 80)
    centikelvin = np.rint((celsius + 273.15) * 100).astype(np.uint16)
    contents = [
        made.flir_jpeg(celsius),
        made.flir_jpeg(celsius, raw="tiff"),
        made.tiff(centikelvin, "centikelvin"),
        made.jpeg(made.picture(), at="2026:06:01 12:00:00"),
    ]
    if real:
        files = sorted((real / "radiometric").rglob("*.[jJ][pP][gG]"))
        contents += [path.read_bytes() for path in files[:24]]
        contents += [(real / "pv_pairs" / "T/DJI_1_T.JPG").read_bytes()]
    return contents


def fuzz(count: int, real: Path | None) -> dict[str, object]:
    """Read damaged files; anything but an InputError or a plausible image is a failure."""
    warnings.simplefilter("ignore")  # Pillow says of damaged metadata that it is damaged
    rng = np.random.default_rng(SEED)
    contents = sources(real)
    failures: list[str] = []
    refused = slowest_s = 0.0
    for number in range(count):
        kind, broken = mutated(contents[number % len(contents)], rng)
        begun = time.perf_counter()
        try:
            found = infrared_from_bytes(broken, Path("damaged"))
            low, high = float(found.values.min()), float(found.values.max())
            bounds = PLAUSIBLE_C if found.radiometric else (0.0, 255.01)
            if not bounds[0] <= low <= high <= bounds[1]:
                failures.append(f"{number} {kind}: values {low} to {high}")
        except InputError:
            refused += 1
        except Exception as error:
            failures.append(f"{number} {kind}: {type(error).__name__}: {error}"[:200])
        slowest_s = max(slowest_s, time.perf_counter() - begun)
    if slowest_s > HANG_S:
        failures.append(f"one file took {slowest_s:.1f} s")
    return {
        "files": count,
        "refused": int(refused),
        "slowest_s": slowest_s,
        "peak_mib": peak_mib(),
        "failures": failures[:20],
        "failure_count": len(failures),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs=2, default=(200, 2000))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=5000, help="pairs of one large mission")
    parser.add_argument("--fuzzed", type=int, default=5000)
    chosen = parser.parse_args()
    named = os.environ.get("DD_LIVM_REAL_DATA")
    real = Path(named) if named else None
    few, many = chosen.pairs
    arms = speed((few, many), chosen.rounds)
    arms["large_mission"] = large(chosen.large, chosen.large // 100)
    errors = radiometry(real)
    numbers = [error for error in errors.values() if isinstance(error, float)]
    damaged = in_own_process(fuzz, chosen.fuzzed, real)
    figures = {
        "ratio_to_bare_read": arms[f"pairs_{many}"]["ratio_to_bare_read"],
        f"peak_mib_{few}": arms[f"pairs_{few}"]["peak_mib"],
        f"peak_mib_{many}": arms[f"pairs_{many}"]["peak_mib"],
        "radiometry_max_error_k": max(numbers, default=None),
        "fuzzed_files": damaged["files"],
        "fuzz_failures": damaged["failure_count"],
        "large_mission_pairs": chosen.large,
        "large_mission_peak_mib": arms["large_mission"]["peak_mib"],
    }
    arms |= {"independent_reader_error_k": errors, "damaged_files": damaged}
    print(write_result("ingestion", seeds=[SEED], figures=figures, arms=arms))
    print(figures, file=sys.stderr)


if __name__ == "__main__":
    main()
