"""Damaged files, read by everything that reads files: what must not happen, and what cannot be told."""

import contextlib
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from dd_livm_core.camera_files.metadata import metadata_from_bytes
from dd_livm_core.camera_files.radiometry import PLAUSIBLE_C, infrared_from_bytes
from dd_livm_core.errors import InputError
from dd_livm_core.missions.pair_facts import facts_from_bytes
from tests import drone_files as made
from tests.camera_files.mutations import mutate
from tests.peak_memory import read_peak_mib

HANG_S = 10.0
NOTICED_K = 0.1


def sources(real: Path | None) -> list[bytes]:
    """Return the whole files that are going to be damaged."""
    celsius = np.linspace(5, 95, 64 * 80).reshape(64, 80)
    centikelvin = np.rint((celsius + 273.15) * 100).astype(np.uint16)
    contents = [
        made.flir_jpeg(celsius, checksums=True),
        made.flir_jpeg(celsius, raw="tiff", order="<"),
        made.flir_jpeg(celsius, raw="bytes"),
        made.tiff(centikelvin, "centikelvin"),
        made.tiff(celsius.astype(np.float32), "celsius"),
        made.jpeg(made.picture(), at="2026:06:01 12:00:00", xmp=made.dji_xmp(GpsLatitude=40)),
    ]
    if real:
        files = sorted((real / "radiometric").rglob("*.[jJ][pP][gG]"))
        contents += [path.read_bytes() for path in files if path.stat().st_size < 3 * 2**20]
        contents += [(real / "pv_pairs" / "T/DJI_1_T.JPG").read_bytes()]
    return contents


def read_all(content: bytes, whole: np.ndarray) -> tuple[str, str | None]:
    """Read damaged content all ways; return what came of it, and what must not have come of it, or None."""
    path = Path("damaged")
    try:
        found = infrared_from_bytes(content, path)
    except InputError:
        found = None
    metadata_from_bytes(content, (80, 64))
    with contextlib.suppress(InputError):
        facts_from_bytes((content, path), (content, path), hashes=("", ""))
    if found is None:
        return "refused", None
    low, high = float(found.values.min()), float(found.values.max())
    bounds = PLAUSIBLE_C if found.radiometric else (0.0, 255.01)
    if not bounds[0] <= low <= high <= bounds[1]:
        return "wrong", f"values {low} to {high}"
    if not found.radiometric:
        return "a picture", None
    same = found.values.shape == whole.shape and np.abs(found.values - whole).max() <= NOTICED_K
    return "the same temperatures" if same else "other temperatures", None


def fuzz(count: int, real: Path | None, seed: int) -> dict[str, object]:
    """Read damaged files; anything but an InputError or a plausible image is a failure.

    ``outcomes`` also counts plausible temperatures that differ from the whole file's: damage to pixels or constants
    that carry no checksum cannot be told.
    """
    warnings.simplefilter("ignore")  # Pillow says of damaged metadata that it is damaged
    rng = np.random.default_rng(seed)
    contents = sources(real)
    whole = [infrared_from_bytes(content, Path("whole")).values for content in contents]
    failures: list[str] = []
    outcomes: Counter[str] = Counter()
    slowest_s = 0.0
    for number in range(count):
        which = number % len(contents)
        kind, broken = mutate(contents[which], rng)
        begun = time.perf_counter()
        try:
            outcome, wrong = read_all(broken, whole[which])
        except Exception as error:
            outcome, wrong = "an error of another kind", f"{type(error).__name__}: {error}"[:200]
        taken_s = time.perf_counter() - begun
        slowest_s = max(slowest_s, taken_s)
        outcomes[outcome] += 1
        if wrong is None and outcome == "other temperatures" and kind == "cut":
            wrong = "a cut file gave other temperatures"
        if wrong is None and taken_s > HANG_S:
            wrong = f"took {taken_s:.1f} s"
        if wrong is not None:
            failures.append(f"{number} {kind}: {wrong}")
    return {
        "files": count,
        "outcomes": dict(outcomes),
        "slowest_s": slowest_s,
        "peak_mib": read_peak_mib(),
        "failures": failures[:20],
        "failure_count": len(failures),
    }
