"""Temperatures of FLIR-type files against readers that others wrote."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.camera_files.radiometry import infrared_from_bytes, read_infrared
from dd_livm_core.errors import InputError
from tests import drone_files as made
from tests.camera_files.flyr_comparison import (
    compare_with_flyr,
    find_flir_files,
    rewrite_for_flyr,
)

WARM_C = np.linspace(5, 95, 64 * 80).reshape(64, 80)


@pytest.mark.parametrize("raw", ["png", "bytes"])
@pytest.mark.parametrize(
    ("emissivity", "distance_m", "reflected_c"),
    [(1.0, 0.0, 20.0), (0.8, 30.0, -20.0), (0.5, 100.0, 35.0)],
)
def test_the_camera_equation_is_that_of_an_independent_reader(
    raw: str, emissivity: float, distance_m: float, reflected_c: float
) -> None:
    flyr = pytest.importorskip("flyr", reason="needs the independent reader flyr")
    content = made.flir_jpeg(
        WARM_C,
        raw=raw,
        order="<",
        emissivity=emissivity,
        distance_m=distance_m,
        reflected_c=reflected_c,
        part_bytes=60_000,
    )
    other = flyr.unpack(io.BytesIO(rewrite_for_flyr(content))).celsius
    found = infrared_from_bytes(content, Path("a.jpg"))
    assert np.abs(found.values - other).max() < 0.01


def test_a_broken_embedded_tiff_is_refused_whatever_its_reader_raises() -> None:
    content = bytearray(made.flir_jpeg(WARM_C, raw="tiff", part_bytes=60_000))
    rows_per_strip = content.index(struct.pack("<HHI", 278, 4, 1))
    struct.pack_into("<H", content, rows_per_strip + 2, 5)  # a fraction where a number stands
    with pytest.raises(InputError, match="whole FLIR data"):
        infrared_from_bytes(bytes(content), Path("a.jpg"))


FLIR_DUMPS = {
    "DJI_XT2.jpg": (1.0, 22.0, 20.0, 0.5),
    "FLIR.jpg": (0.95, 20.0, 1.0, 0.5),
}
"""(emissivity, reflected °C, distance m, humidity), as ExifTool printed them."""


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(FLIR_DUMPS))
def test_constants_of_real_files_are_those_exiftool_prints(real_data: Path, name: str) -> None:
    found = read_infrared(real_data / "radiometric/camera_models" / name, require_temperature=True)
    read = (found.emissivity, found.reflected_c, found.distance_m, found.relative_humidity)
    assert read == pytest.approx(FLIR_DUMPS[name], abs=1e-3)


EXTRACTED_C = {
    "camera_models/DJI_XT2.jpg": (21.457, 82.924, 31.484, 33.027),
    "camera_models/FLIR.jpg": (25.948, 62.320, 29.119, 26.363),
    "xt2_india/RJPG/DJI_0002_R.JPG": (17.118, 45.661, 30.151, 35.440),
}
"""Minimum, maximum, mean and pixel (100, 200), as flirimageextractor 1.5.11 gave them with ExifTool 12.57."""


@pytest.mark.real_data
@pytest.mark.parametrize("name", sorted(EXTRACTED_C))
def test_real_files_against_another_reader(real_data: Path, name: str) -> None:
    values = read_infrared(real_data / "radiometric" / name).values
    found = (values.min(), values.max(), values.mean(), values[100, 200])
    assert found == pytest.approx(EXTRACTED_C[name], abs=0.001)


@pytest.mark.real_data
def test_every_flir_type_file_against_an_independent_reader(real_data: Path) -> None:
    pytest.importorskip("flyr", reason="needs the independent reader flyr")
    errors = {path.name: compare_with_flyr(path) for path in find_flir_files(real_data)}
    assert len(errors) >= 5
    assert all(isinstance(error, float) and error < 0.1 for error in errors.values()), errors
