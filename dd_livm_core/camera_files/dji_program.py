"""Reads DJI R-JPEG through dji-thermal-cli, a program that the user installs.

It stands under the AGPL-3.0 and needs Python 3.12: it runs as a process of its own, and is never imported. Its
temperatures are those of DJI's Thermal SDK 1.8, as it says. Written for its version 1.4.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from dd_livm_core.camera_files.tiff import read_tiff_frame
from dd_livm_core.camera_files.xmp import parse_number, read_xmp
from dd_livm_core.errors import InputError
from dd_livm_core.records import MeasurementParameters

PROGRAM = "dji-thermal-cli"
PROGRAM_VARIABLE = "DD_LIVM_DJI_PROGRAM"
"""Names the program where it is not on the PATH."""
KEPT_VARIABLE = "DD_LIVM_TEMPERATURES"
"""Names the folder in which results are kept; the commands set it to one in their workspace."""
TODO = (
    f"Install {PROGRAM} (`pipx install {PROGRAM}`, with Python 3.12 or newer) so that it is on the PATH, "
    f"or set {PROGRAM_VARIABLE} to it."
)
START_LIMIT_S, FILE_LIMIT_S = 60.0, 20.0
"""Chosen: a hundred times what start and file take on a laptop."""
NOT_FOR_IT = ("not supported", "unknown dirp", "not an R-JPEG", "cannot be measured")
"""Words with which the program says that it does not know a camera; other words are of a fault."""
XMP_FIELDS = {
    "Emissivity": "emissivity",
    "ReflectedTemperatureC": "reflected_c",
    "Distance": "distance_m",
    "Humidity": "humidity_pct",
}
Reading = tuple[NDArray[np.float32], MeasurementParameters]
"""Temperatures, float32 (H, W) in °C, and all parameters they were computed with."""


def find_program() -> Path | None:
    """Return the program that the variable ``DD_LIVM_DJI_PROGRAM`` names, else the one on the PATH; or None."""
    named = os.environ.get(PROGRAM_VARIABLE) or shutil.which(PROGRAM)
    return Path(named).expanduser() if named else None


def find_kept_folder() -> Path | None:
    """Return the folder that the variable ``DD_LIVM_TEMPERATURES`` names, or None."""
    named = os.environ.get(KEPT_VARIABLE)
    return Path(named) if named else None


@lru_cache(maxsize=4)
def program_version(program: Path) -> str:
    """Return the program's version, such as ``1.4.0``.

    Raises
    ------
    InputError
        It does not run.
    """
    said = _run([str(program), "--version"], START_LIMIT_S).split()
    if not said:
        raise InputError(f"the version of {PROGRAM}", "nothing", program, TODO)
    return said[-1]


def read_with_program(
    content: bytes, path: Path, program: Path, parameters: MeasurementParameters
) -> Reading | str:
    """Return the temperatures of a DJI R-JPEG, or the reason why the program has none of this camera.

    Parameters
    ----------
    parameters
        Take the place of the file's own, where they are not None.

    Raises
    ------
    InputError
        The program does not run or takes too long, or it refuses the file or the parameters.
    """
    name, folder = _name_of(content, program, parameters), find_kept_folder()
    if folder is not None and (folder / name).exists():
        try:
            return _read_output(folder / name)
        except InputError:
            (folder / name).unlink(missing_ok=True)  # damaged: made anew
    with tempfile.TemporaryDirectory(prefix="dd-livm-dji-") as work:
        outputs, refusals = _convert({name: content}, program, parameters, Path(work))
        if name in outputs:
            reading = _read_output(outputs[name])
            if folder is not None:
                with suppress(OSError):  # a full disk costs time later, not the frame
                    _keep(outputs[name], folder / name)
            return reading
    reason = refusals.get(name, "no result, and no reason")
    if any(words in reason for words in NOT_FOR_IT):
        return f"{PROGRAM} {program_version(program)} has no temperatures of this file: {reason}"
    todo = "Copy the file anew, or use a newer version."
    if reason.startswith("refused"):
        todo = f"Set other values than {parameters} for the mission."
    raise InputError(f"an R-JPEG that {PROGRAM} reads", reason, path, todo)


def keep_all(
    contents: Iterable[bytes], program: Path, parameters: MeasurementParameters, folder: Path
) -> None:
    """Read several files in one call of the program and keep the results in a folder; files kept before are left out.

    Raises
    ------
    InputError
        The program does not run, or takes too long.
    """
    named = {_name_of(content, program, parameters): content for content in contents}
    missing = {name: named[name] for name in named if not (folder / name).exists()}
    if not missing:
        return
    with tempfile.TemporaryDirectory(prefix="dd-livm-dji-") as work:
        outputs, _ = _convert(missing, program, parameters, Path(work))
        for name, output in outputs.items():
            _keep(output, folder / name)


def _name_of(content: bytes, program: Path, parameters: MeasurementParameters) -> str:
    """Return the name of a kept result: it tells content, parameters and version of the program."""
    read_with = f"{program_version(program)} {vars(parameters)}".encode()
    return f"{hashlib.sha256(content).hexdigest()}-{hashlib.sha256(read_with).hexdigest()[:8]}.tiff"


def _keep(output: Path, target: Path) -> None:
    """Copy a result to where it is kept, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{uuid4().hex}.tmp")  # two threads may keep the same file
    try:
        shutil.copyfile(output, unfinished)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _convert(
    contents: Mapping[str, bytes], program: Path, parameters: MeasurementParameters, work: Path
) -> tuple[dict[str, Path], dict[str, str]]:
    """Return the program's output files, and its reasons for the files that have none, by the names of the contents."""
    source, target = work / "in", work / "out"
    source.mkdir()
    stems = {Path(name).stem: name for name in contents}
    for stem, name in stems.items():
        (source / f"{stem}.jpg").write_bytes(contents[name])
    command = [str(program), "process", f"--input-dir={source}", f"--output-dir={target}"]
    command += ["--output=temp_c:tiff", "--jobs=1", "--quiet", *_options(parameters)]
    said = _run(command, START_LIMIT_S + FILE_LIMIT_S * len(contents))
    outputs = {name: target / f"{stem}_temp_c.tiff" for stem, name in stems.items()}
    skipped = re.findall(r"^\[skip, (.*)\] (.*)$", said, re.MULTILINE)
    refusals = {Path(where).stem: reason for reason, where in skipped}
    return (
        {name: output for name, output in outputs.items() if output.exists()},
        {stems[stem]: reason for stem, reason in refusals.items() if stem in stems},
    )


def _options(parameters: MeasurementParameters) -> list[str]:
    """Return the program's options; without a distance the file's own is taken, as the SDK does."""
    distance = "embedded" if parameters.distance_m is None else repr(parameters.distance_m)
    humidity = parameters.relative_humidity
    given = {
        "distance": distance,
        "humidity": None if humidity is None else 100 * humidity,
        "emissivity": parameters.emissivity,
        "reflected-temp": parameters.reflected_c,
    }
    return [f"--{name}={value}" for name, value in given.items() if value is not None]


def _run(command: list[str], limit_s: float) -> str:
    """Return what a command writes, or raise an InputError where it does not start, end in time or succeed."""
    own_python = {
        "PYTHONPATH",
        "PYTHONHOME",
    }  # of this process: the program has a Python of its own
    environment = {name: value for name, value in os.environ.items() if name not in own_python}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit_s,
            env={**environment, "PYTHONUTF8": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise InputError(
            f"an answer of {PROGRAM} within {limit_s:.0f} s", "none", command[0], "Try it by hand."
        ) from error
    except OSError as error:
        raise InputError(
            f"{PROGRAM}, a program that starts", str(error), command[0], TODO
        ) from error
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["nothing more"]
        found = f"exit code {done.returncode}: {lines[-1][:300]}"
        raise InputError(f"{PROGRAM} at work", found, command[0], TODO)
    return done.stdout.decode("utf-8", "replace")


def _read_output(path: Path) -> Reading:
    """Return what a TIFF of the program holds, or raise an InputError where it is damaged."""
    content = path.read_bytes()
    frame = read_tiff_frame(content, path)
    texts = read_xmp(content, XMP_FIELDS).texts
    numbers = ((XMP_FIELDS[name], parse_number(text)) for name, text in texts.items())
    said = {name: number for name, number in numbers if number is not None}
    if frame.stored_dtype != "float32" or frame.values.ndim != 2 or len(said) != len(XMP_FIELDS):
        found = f"{frame.stored_dtype}, parameters {sorted(said)}"
        raise InputError(f"float32 and parameters from {PROGRAM}", found, path, TODO)
    humidity = said.pop("humidity_pct") / 100
    used = MeasurementParameters(**said, relative_humidity=humidity)
    return frame.values.astype(np.float32), used
