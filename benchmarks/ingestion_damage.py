"""Damaged files of every kind, read by everything that reads files: what must not happen, and what cannot be told.

A kind of file is damaged in a process of its own. Whatever differs without a word is counted by what differs and by the
kind of damage; what a check could have told is a failure, as is anything raised but an InputError.
"""

import os
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.ingestion_damage_images import judge_image, radiometric_jpegs, tiffs
from dd_livm_core.camera_files.dji_program import PROGRAM_VARIABLE
from tests.camera_files.mutations import mutate
from tests.damage.labels import judge_labels, make_label_files
from tests.damage.positions import judge_packet, make_packets
from tests.damage.texts import mutate_text
from tests.damage.verdict import UNTOLD, Verdict
from tests.peak_memory import read_peak_mib

HANG_S = 10.0
"""Of the processor, for one file."""
KINDS = ("radiometric JPEG", "TIFF", "labels", "XMP")
Judge = Callable[[bytes, str], Verdict]
"""Takes damaged bytes and the kind of damage."""


@dataclass(frozen=True)
class Source:
    """A whole file, its name in the counts, and what reads it when it is damaged."""

    name: str
    content: bytes
    judge: Judge


def sources_of(kind: str, real: Path | None, folder: Path) -> list[Source]:
    """Return the whole files of a kind."""
    if kind == "labels":
        return [
            Source(
                of.kind,
                of.files[of.damaged],
                lambda b, k, of=of: judge_labels(of, b, k, folder / "d"),
            )
            for of in make_label_files(folder)
        ]
    if kind == "XMP":
        return [
            Source(kind, of.xmp, lambda b, k, of=of: judge_packet(of, b))
            for of in make_packets(real)
        ]
    images = tiffs() if kind == "TIFF" else radiometric_jpegs(real)
    return [Source(kind, of.content, lambda b, k, of=of: judge_image(of, b, k)) for of in images]


def fuzz(kind: str, count: int, real: Path | None, seed: int) -> dict[str, Any]:
    """Return what came of reading ``count`` damaged files of a kind."""
    warnings.simplefilter("ignore")  # Pillow says of damaged metadata that it is damaged
    os.environ.pop(PROGRAM_VARIABLE, None)  # another's program, started thousands of times
    os.environ["PATH"] = ""
    with tempfile.TemporaryDirectory() as folder:
        return fuzz_sources(sources_of(kind, real, Path(folder)), kind, count, seed)


def fuzz_sources(sources: Sequence[Source], kind: str, count: int, seed: int) -> dict[str, Any]:
    """Damage and read the sources in turn."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    damage = mutate if kind in KINDS[:2] else mutate_text
    outcomes: Counter[str] = Counter()
    untold: Counter[str] = Counter()
    failures: list[str] = []
    slowest_s = 0.0
    for number in range(count):
        source = sources[number % len(sources)]
        how, broken = damage(source.content, rng)
        begun = time.process_time()  # other work on the machine does not count
        try:
            verdict = source.judge(broken, how)
        except Exception as error:
            fault = f"{type(error).__name__}: {error}"[:200]
            verdict = Verdict("an error of another kind", fault=fault)
        taken_s = time.process_time() - begun
        slowest_s = max(slowest_s, taken_s)
        outcomes[verdict.outcome] += 1
        if verdict.outcome == UNTOLD:
            untold[f"{source.name}: {verdict.differs}, after {how}"] += 1
        fault = verdict.fault or (f"took {taken_s:.1f} s" if taken_s > HANG_S else None)
        if fault is not None:
            failures.append(f"{number} {source.name}, {how}: {fault}")
    return {
        "files": count,
        "sources": len(sources),
        "outcomes": dict(outcomes),
        "untold": dict(untold.most_common()),
        "slowest_s": slowest_s,
        "peak_mib": read_peak_mib(),
        "failures": failures[:20],
        "failure_count": len(failures),
    }
