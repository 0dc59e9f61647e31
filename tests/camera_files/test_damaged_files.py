"""Damaged files end in an InputError or a plausible image: no crash, no hang, no memory beyond a bound."""

import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.camera_files.dji_program import PROGRAM_VARIABLE
from dd_livm_core.camera_files.images import checked_size_px
from dd_livm_core.camera_files.metadata import metadata_from_bytes
from dd_livm_core.camera_files.radiometry import (
    PLAUSIBLE_C,
    infrared_from_bytes,
    visible_from_bytes,
)
from dd_livm_core.errors import InputError
from tests import drone_files as made
from tests.camera_files.mutations import mutate
from tests.peak_memory import read_peak_mib

MAX_SECONDS = 5.0
HANG_S = 120.0
MAX_GROWTH_MIB = 600


def accepts(read: Callable[[bytes, Path], object], content: bytes) -> bool:
    try:
        read(content, Path("damaged"))
    except InputError:
        return False
    return True


def read_all(content: bytes, whole: np.ndarray, kind: str) -> None:
    """Read damaged content all ways and hold the outcome against what is allowed."""
    path = Path("damaged")
    begun = time.process_time()  # other work on the machine does not count
    try:
        thermogram = infrared_from_bytes(content, path)
    except InputError:
        thermogram = None
    whole_image = [accepts(read, content) for read in (visible_from_bytes, checked_size_px)]
    assert whole_image[0] == whole_image[1]  # the quick look refuses what the full one refuses
    metadata_from_bytes(content, (80, 64))
    assert time.process_time() - begun < MAX_SECONDS
    if thermogram is None:
        return
    assert thermogram.values.dtype == np.float32
    assert np.isfinite(thermogram.values).all()
    if thermogram.radiometric:
        assert (
            PLAUSIBLE_C[0] <= thermogram.values.min() <= thermogram.values.max() <= PLAUSIBLE_C[1]
        )
        if kind == "cut":  # a part of a file never gives other temperatures than the whole
            np.testing.assert_array_equal(thermogram.values, whole)


def damage(contents: list[bytes], count: int, seed: int) -> None:
    """Damage and read ``count`` files; the memory bound is on the peak of the process that this runs in.

    A program that reads DJI's files is another's, and left out: started so often it takes minutes.
    """
    os.environ.pop(PROGRAM_VARIABLE, None)
    os.environ["PATH"] = ""
    rng = np.random.default_rng(seed)
    whole = [infrared_from_bytes(content, Path("whole")).values for content in contents]
    before_mib = read_peak_mib()
    for number in range(count):
        which = number % len(contents)
        kind, broken = mutate(contents[which], rng)
        read_all(broken, whole[which], kind)
    assert read_peak_mib() - before_mib < MAX_GROWTH_MIB


def damage_in_a_process(contents: list[bytes], count: int, seed: int) -> None:
    """Run `damage` in a process of its own, which is ended when it hangs."""
    process = multiprocessing.get_context("spawn").Process(
        target=damage, args=(contents, count, seed)
    )
    process.start()
    process.join(HANG_S)
    hangs = process.is_alive()
    process.kill()
    process.join()
    assert not hangs, f"no end after {HANG_S:.0f} s"
    assert process.exitcode == 0


def test_damaged_made_files_are_refused_or_read_plausibly_in_bounded_time() -> None:
    celsius = np.linspace(5, 95, 64 * 80).reshape(64, 80)
    kelvin = (celsius + 273.15) * 100
    damage_in_a_process(
        [
            made.flir_jpeg(celsius),
            made.flir_jpeg(celsius, raw="tiff", order="<"),
            made.flir_jpeg(celsius, raw="bytes"),
            made.tiff(np.rint(kelvin).astype(np.uint16), "centikelvin"),
            made.tiff(celsius.astype(np.float32), "celsius"),
            made.jpeg(
                made.picture(), at="2024:06:01 12:00:00", xmp=made.dji_xmp(GimbalPitchDegree=-90)
            ),
        ],
        count=400,
        seed=1,
    )


@pytest.mark.real_data
def test_damaged_real_files_are_refused_or_read_plausibly_in_bounded_time(real_data: Path) -> None:
    names = ["camera_models/DJI_XT2.jpg", "camera_models/FLIR.jpg", "xt2_india/RJPG/DJI_0002_R.JPG"]
    names += ["h20t_chile/DJI_20220902151742_0028_T.JPG", "camera_models/M3TD/DJI_0001_R.JPG"]
    damage_in_a_process(
        [(real_data / "radiometric" / name).read_bytes() for name in names], count=200, seed=2
    )
