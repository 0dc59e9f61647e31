"""DJI's counts become temperatures through DJI's own SDK, and only through it."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.errors import InputError
from tests import drone_files as made


def test_dji_counts_without_the_sdk_are_no_temperatures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DD_LIVM_DJI_SDK", raising=False)
    counts = np.full((512, 640), 64 * 300, np.uint16)
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(counts))
    assert not read_infrared(path).radiometric
    with pytest.raises(InputError, match="DD_LIVM_DJI_SDK"):
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
int32_t dirp_get_measurement_params(void *h, float *p) { p[0] = 25; p[1] = 70; p[2] = 0.95f; p[3] = 23; return 0; }
"""


def test_the_sdk_is_called_as_its_header_says(tmp_path: Path) -> None:
    """Against a simulated library with the header's functions: it shows the calls, not DJI's numbers."""
    source = made.put(tmp_path / "dirp.c", STAND_IN.encode())
    library = tmp_path / "libdirp.so"
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("needs a C compiler")
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(np.zeros((512, 640), np.uint16)))
    thermogram = read_infrared(path, require_temperature=True, dji_library=library)
    assert thermogram.values.shape == (512, 640)
    np.testing.assert_allclose(thermogram.values[7], np.arange(640) * 0.1, rtol=1e-5)
    assert (thermogram.distance_m, thermogram.reflected_c) == (25, 23)
    assert thermogram.relative_humidity == pytest.approx(0.7)


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
