"""DJI's temperatures through the real dji-thermal-cli, where it is installed; and what happens where it fails."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dd_livm_core.camera_files import dji_program
from dd_livm_core.camera_files.dji import keep_dji_temperatures
from dd_livm_core.camera_files.radiometry import read_infrared
from dd_livm_core.errors import InputError
from dd_livm_core.missions.ingestion import ingest_mission
from dd_livm_core.missions.manifest import build_manifest
from dd_livm_core.missions.sites import write_site
from dd_livm_core.records import FROM_FILE, MeasurementParameters, Mission, Site
from tests import drone_files as made

SDK = os.environ.get("DD_LIVM_DJI_SDK")
MODELS = ["H20N", "H20T", "H30T", "M2EA", "M30T", "M3T", "M3TD", "M4T", "XTS"]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a script that notes each call in ``calls`` beside it and hands it to the real program."""
    found = dji_program.find_program()
    if found is None:
        pytest.skip("needs dji-thermal-cli: on the PATH, or named by DD_LIVM_DJI_PROGRAM")
    noting = f'#!/bin/sh\necho "$1" >> {shlex.quote(str(tmp_path / "calls"))}\n'
    return install(tmp_path, monkeypatch, f'{noting}exec {shlex.quote(str(found))} "$@"\n')


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    path = made.put(folder / "dji-program", script.encode())
    path.chmod(0o755)
    monkeypatch.setenv("DD_LIVM_DJI_PROGRAM", str(path))
    monkeypatch.setenv("DD_LIVM_TEMPERATURES", str(folder / "kept"))
    monkeypatch.delenv("DD_LIVM_DJI_SDK", raising=False)
    return path


def calls(program: Path) -> list[str]:
    noted = program.parent / "calls"
    return noted.read_text().split() if noted.exists() else []


def model_file(real_data: Path, model: str) -> Path:
    return sorted((real_data / "radiometric/camera_models" / model).glob("*_R.JPG"))[0]


@pytest.mark.real_data
@pytest.mark.parametrize("model", MODELS)
def test_temperatures_and_parameters_are_those_that_the_program_lists(
    program: Path, real_data: Path, model: str
) -> None:
    path = model_file(real_data, model)
    thermogram = read_infrared(path, require_temperature=True)
    command = [program, "list", "--input-dir", path, "--format", "json", "--jobs", "1"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(command, capture_output=True, check=True, timeout=60, env=environment)
    (listed,) = json.loads(done.stdout)
    assert thermogram.values.shape == (listed["camera"]["height"], listed["camera"]["width"])
    assert thermogram.values.min() == pytest.approx(listed["temperature"]["min"], abs=0.01)
    assert thermogram.values.max() == pytest.approx(listed["temperature"]["max"], abs=0.01)
    own = listed["thermal"]["measurement_params"]
    assert thermogram.emissivity == pytest.approx(own["emissivity"], abs=1e-3)
    assert thermogram.reflected_c == pytest.approx(own["reflection"], abs=0.01)
    assert thermogram.distance_m == pytest.approx(own["distance"])
    assert thermogram.relative_humidity == pytest.approx(own["humidity"] / 100)


@pytest.mark.real_data
def test_many_files_take_one_call_and_are_read_once(
    program: Path, real_data: Path, tmp_path: Path
) -> None:
    paths = [model_file(real_data, model) for model in MODELS[3:6]]
    picture = made.put(tmp_path / "a.jpg", made.jpeg(made.picture()))
    keep_dji_temperatures([*paths, picture, tmp_path / "missing.jpg"], FROM_FILE)
    assert calls(program) == ["--version", "process"]
    first = [read_infrared(path, require_temperature=True).values for path in paths]
    assert calls(program) == ["--version", "process"]
    copied = tmp_path / "of another name.JPG"
    shutil.copyfile(paths[0], copied)
    np.testing.assert_array_equal(read_infrared(copied).values, first[0])
    assert calls(program) == ["--version", "process"]


@pytest.mark.real_data
def test_a_damaged_kept_result_is_made_anew(program: Path, real_data: Path, tmp_path: Path) -> None:
    path = model_file(real_data, "M3T")
    right = read_infrared(path).values
    (kept,) = (tmp_path / "kept").iterdir()
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 16
    kept.write_bytes(content)
    np.testing.assert_array_equal(read_infrared(path).values, right)
    assert calls(program).count("process") == 2
    assert kept.read_bytes() != content


@pytest.mark.real_data
def test_a_poor_emitter_below_a_cold_sky_is_warmer_than_the_file_says(
    program: Path, real_data: Path
) -> None:
    path = model_file(real_data, "M3T")
    given = MeasurementParameters(emissivity=0.85, reflected_c=-30.0)
    own, other = read_infrared(path), read_infrared(path, parameters=given)
    assert (other.values > own.values + 1).all()
    assert (other.emissivity, other.reflected_c) == (pytest.approx(0.85), -30)
    assert (other.distance_m, other.relative_humidity) == (own.distance_m, own.relative_humidity)
    np.testing.assert_array_equal(read_infrared(path).values, own.values)
    with pytest.raises(InputError, match=r"distance=80 is outside.*distance_m 80"):
        read_infrared(path, parameters=MeasurementParameters(distance_m=80.0))


@pytest.mark.real_data
def test_a_mission_of_a_dji_camera_holds_temperatures(
    program: Path, real_data: Path, tmp_path: Path
) -> None:
    for number, model in enumerate(MODELS[3:6], 1):
        infrared = model_file(real_data, model).read_bytes()
        made.put(tmp_path / f"in/DJI_{number:04d}_T.JPG", infrared)
        made.put(tmp_path / f"in/DJI_{number:04d}_V.JPG", made.jpeg(made.picture(number)))
    data = tmp_path / "data"
    write_site(data, Site(site_id="a"))
    medians = []
    for name, emissivity in (("as_it_is", None), ("declared", 0.8)):
        mission = Mission(site_id="a", mission_id=name, emissivity=emissivity, reflected_c=-20)
        report = ingest_mission(tmp_path / "in", data, mission)
        assert (report.added, report.quarantined, report.without_temperatures) == (3, (), ())
        rows = build_manifest(data)
        rows = rows[rows["mission_id"] == name]
        assert rows["radiometric"].all()
        medians.append(rows["infrared_median_c"].to_numpy())
    assert (medians[1] > medians[0]).all()
    assert calls(program).count("process") == 2


def test_a_program_that_does_not_know_the_camera_leaves_a_picture(
    program: Path, tmp_path: Path
) -> None:
    counts = np.full((512, 640), 64 * 300, np.uint16)
    thermogram = read_infrared(made.put(tmp_path / "a.jpg", made.dji_rjpeg(counts)))
    assert not thermogram.radiometric
    assert "dji-thermal-cli" in str(thermogram.reason)


ANSWER = '#!/bin/sh\nif [ "$1" = --version ]; then echo dji-thermal-cli 1.0; exit; fi\n'


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"{ANSWER}echo out of luck >&2\nexit 3\n", "exit code 3: out of luck"),
        (f"{ANSWER}exec sleep 30\n", "within 1 s; found none"),
        (f"{ANSWER}echo done\n", "no result, and no reason"),
        (f"{ANSWER}echo '[skip, the raw frame is cut] x'\n", "no result, and no reason"),
        ("#!/nowhere\n", "a program that starts"),
        ("#!/bin/sh\nexit 0\n", "the version"),
    ],
)
def test_a_program_that_fails_costs_its_file_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    install(tmp_path, monkeypatch, script)
    dji_program.program_version.cache_clear()
    monkeypatch.setattr(dji_program, "START_LIMIT_S", 0.5)
    monkeypatch.setattr(dji_program, "FILE_LIMIT_S", 0.5)
    path = made.put(tmp_path / "a.jpg", made.dji_rjpeg(np.zeros((512, 640), np.uint16)))
    keep_dji_temperatures([path], FROM_FILE)
    with pytest.raises(InputError, match=said):
        read_infrared(path)


@pytest.mark.real_data
def test_both_readers_of_dji_files_agree(
    program: Path, real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if SDK is None:
        pytest.skip("needs DJI's SDK: set DD_LIVM_DJI_SDK to its libdirp.so")
    monkeypatch.setenv("DD_LIVM_DJI_SDK", SDK)
    for model in MODELS:
        thermogram = read_infrared(model_file(real_data, model), require_temperature=True)
        assert thermogram.remark is None, model
