"""DJI's counts become temperatures through DJI's own SDK or dji-thermal-cli, and only through these."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.camera_files.dji_program import find_program
from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.errors import InputError
from dd_livm_core.records import MeasurementParameters
from tests import drone_files as made

COMPILER, PROGRAM = shutil.which("cc"), find_program()


@pytest.fixture(autouse=True)
def no_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the readers that this machine has: each test names its own."""
    for name in ("DD_LIVM_DJI_SDK", "DD_LIVM_DJI_PROGRAM", "DD_LIVM_TEMPERATURES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_dji_counts_without_a_reader_are_no_temperatures(tmp_path: Path) -> None:
    counts = np.full((512, 640), 64 * 300, np.uint16)
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(counts))
    assert not read_infrared(path).radiometric
    with pytest.raises(InputError, match=r"pipx install dji-thermal-cli.*DD_LIVM_DJI_SDK"):
        read_infrared(path, require_temperature=True)


STAND_IN = r"""
#include <stdint.h>
#include <stdlib.h>
typedef struct { int32_t width, height; } size_2d;
int32_t dirp_create_from_rjpeg(const uint8_t *d, int32_t n, void **h) {
  if (n < 3 || d[0] != 0xff) return -1; *h = malloc(8); return 0; }
int32_t dirp_destroy(void *h) { free(h); return 0; }
int32_t dirp_get_rjpeg_resolution(void *h, size_2d *s) { s->width = 640; s->height = 512; return 0; }
int32_t dirp_measure_ex(void *h, float *t, int32_t bytes) {
  if (bytes != 640 * 512 * 4) return -3; for (int i = 0; i < 640 * 512; i++) t[i] = i % 640 * 0.1f; return 0; }
static float used[4] = {25, 70, 0.95f, 23};
int32_t dirp_get_measurement_params(void *h, float *p) { for (int i = 0; i < 4; i++) p[i] = used[i]; return 0; }
int32_t dirp_set_measurement_params(void *h, const float *p) {
  if (p[0] > 25) return -5; for (int i = 0; i < 4; i++) used[i] = p[i]; return 0; }
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """Return a simulated library with the header's functions: it shows the calls, not DJI's numbers."""
    source = made.put(tmp_path / "dirp.c", STAND_IN.encode())
    library = tmp_path / "libdirp.so"
    if COMPILER is None:
        pytest.skip("needs a C compiler")
    path = str(Path(COMPILER).parent)
    command = [COMPILER, "-shared", "-fPIC", "-o", library, source]
    subprocess.run(command, check=True, timeout=60, env={"PATH": path})
    return library


def test_the_sdk_is_called_as_its_header_says(tmp_path: Path, stand_in: Path) -> None:
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(np.zeros((512, 640), np.uint16)))
    thermogram = read_infrared(path, require_temperature=True, dji_library=stand_in)
    assert thermogram.values.shape == (512, 640)
    np.testing.assert_allclose(thermogram.values[7], np.arange(640) * 0.1, rtol=1e-5)
    assert (thermogram.distance_m, thermogram.reflected_c) == (25, 23)
    assert thermogram.relative_humidity == pytest.approx(0.7)


def test_the_sdk_takes_what_the_mission_declares_and_keeps_the_rest(
    tmp_path: Path, stand_in: Path
) -> None:
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(np.zeros((512, 640), np.uint16)))
    given = MeasurementParameters(emissivity=0.85, relative_humidity=0.4)
    thermogram = read_infrared(path, parameters=given, dji_library=stand_in)
    assert (thermogram.distance_m, thermogram.reflected_c) == (25, 23)
    assert thermogram.emissivity == pytest.approx(0.85)
    assert thermogram.relative_humidity == pytest.approx(0.4)
    far = MeasurementParameters(distance_m=80.0)
    with pytest.raises(InputError, match="setting distance_m 80"):
        read_infrared(path, parameters=far, dji_library=stand_in)


@pytest.mark.real_data
def test_readers_that_differ_are_told(
    real_data: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulated library gives other temperatures than the real program."""
    if PROGRAM is None:
        pytest.skip("needs dji-thermal-cli: on the PATH, or named by DD_LIVM_DJI_PROGRAM")
    monkeypatch.setenv("DD_LIVM_DJI_PROGRAM", str(PROGRAM))
    path = real_data / "radiometric/camera_models/M3T/DJI_0001_R.JPG"
    thermogram = read_infrared(path, dji_library=stand_in)
    np.testing.assert_allclose(thermogram.values[7], np.arange(640) * 0.1, rtol=1e-5)
    assert "differ by up to" in str(thermogram.remark)


def test_counts_of_another_maker_are_no_matter_of_the_sdk(tmp_path: Path) -> None:
    content = made.dji_rjpeg(np.zeros((512, 640), np.uint16), make="Autel Robotics")
    path = made.put(tmp_path / "a.jpg", content)
    thermogram = read_infrared(path, dji_library=tmp_path / "libdirp.so")
    assert not thermogram.radiometric
    assert "8-bit" in str(thermogram.reason)


def test_a_library_that_is_none_is_named(tmp_path: Path) -> None:
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(np.zeros((512, 640), np.uint16)))
    with pytest.raises(InputError, match="Thermal SDK"):
        read_infrared(path, dji_library=made.put(tmp_path / "libdirp.so", b"no library"))
