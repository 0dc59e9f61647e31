"""Temperatures of real FLIR-type files, compared with readers that others wrote."""

import json
import shutil
import subprocess
from pathlib import Path

from dd_livm_core.camera_files.radiometry import read_infrared
from tests.camera_files.flyr_comparison import compare_with_flyr, find_flir_files

CONSTANTS = {
    "Emissivity": "emissivity",
    "ReflectedApparentTemperature": "reflected_c",
    "ObjectDistance": "distance_m",
    "RelativeHumidity": "relative_humidity",
}
"""ExifTool's name → ours."""


def compare_with_exiftool(path: Path) -> float | str:
    """Return the largest difference of the constants from those that ExifTool prints, or why there is none."""
    program = shutil.which("exiftool")
    if program is None:
        return "exiftool is not installed"
    run = subprocess.run([program, "-j", "-n", "-FLIR:all", path], capture_output=True, check=True)
    (printed,) = json.loads(run.stdout)
    ours = vars(read_infrared(path))
    return max(abs(float(printed[name]) - ours[field]) for name, field in CONSTANTS.items())


def compare_readers(real: Path) -> dict[str, dict[str, float | str]]:
    """Compare every FLIR-type file with both."""
    return {
        path.relative_to(real / "radiometric").as_posix(): {
            "flyr_error_k": compare_with_flyr(path),
            "exiftool_constants_error": compare_with_exiftool(path),
        }
        for path in find_flir_files(real)
    }
