"""The command line: every command has help, and bad input ends in one clear message."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dd_livm_core.fleet

PROFILES = Path(dd_livm_core.fleet.__file__).with_name("profiles")


def dd_livm(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, without a Prefect server."""
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200", "PREFECT_API_URL": ""} | {"TERM": "dumb"},
    )


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "simulate",
        "ingest",
        "retrain",
        "inspect",
        "evaluate",
        "restore",
        "runs",
        "ui",
        "sites",
        "data diff",
        "labels export",
        "doctor",
    ],
)
def test_every_command_has_help_of_some_length(command: str, tmp_path: Path) -> None:
    run = dd_livm(*command.split(), "--help", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert len(run.stdout) > 300


def test_an_undeclared_site_is_refused_with_the_command_to_declare_it(tmp_path: Path) -> None:
    (tmp_path / "flight").mkdir()
    run = dd_livm("ingest", "flight", "--site", "nowhere", cwd=tmp_path)
    assert run.returncode == 2
    assert "dd-livm sites add nowhere" in run.stderr


@pytest.mark.parametrize("arguments", [("../up",), ("home", "--latitude", "123")])
def test_a_site_out_of_bounds_is_refused(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    run = dd_livm("sites", "add", *arguments, cwd=tmp_path)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr
    assert "found" in run.stderr
    assert not (tmp_path / "data").exists()


def test_a_broken_station_profile_is_named_with_its_key(tmp_path: Path) -> None:
    bundled = (PROFILES / "roof_tile.toml").read_text()
    (tmp_path / "windy.toml").write_text(re.sub(r"wind_m_s = .*", "wind_m_s = [-2, 3]", bundled))
    run = dd_livm("simulate", "--station", "windy.toml", cwd=tmp_path)
    assert run.returncode == 2
    assert "windy.toml" in run.stderr
    assert "weather.wind_m_s" in run.stderr
    assert not (tmp_path / "data").exists()


def test_ingesting_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flight").mkdir()
    assert dd_livm("sites", "add", "home", cwd=tmp_path).returncode == 0
    run = dd_livm("ingest", "flight", "--site", "home", cwd=tmp_path)
    assert run.returncode == 2
    assert "flight" in run.stderr
    assert "infrared images" in run.stderr


def test_an_unknown_key_is_named_with_its_file(tmp_path: Path) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[quick.training]\nepoch = 3\n")
    run = dd_livm("retrain", "--config", str(config), "--profile", "quick", cwd=tmp_path)
    assert run.returncode == 2
    assert "quick.training.epoch" in run.stderr
    assert "mine.toml" in run.stderr


def test_an_unknown_profile_lists_the_known_ones(tmp_path: Path) -> None:
    run = dd_livm("retrain", "--profile", "fastest", cwd=tmp_path)
    assert run.returncode == 2
    assert "demo" in run.stderr
    assert "standard" in run.stderr


def test_inspecting_without_a_model_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "flight").mkdir()
    run = dd_livm("inspect", "flight", cwd=tmp_path)
    assert run.returncode == 2
    assert "dd-livm retrain" in run.stderr
    assert "inspect_mission.py" not in run.stderr  # no traceback through our code
    assert "Starting temporary server" not in run.stdout + run.stderr  # refused before it is needed


def test_inspecting_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    run = dd_livm("inspect", "flight", cwd=tmp_path)
    assert run.returncode == 2
    assert "'flight' does not exist" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_demo_leaves_missions_without_labels_alone(tmp_path: Path) -> None:
    mission = tmp_path / "data" / "home" / "monday"
    mission.mkdir(parents=True)
    (mission / "mission.json").write_text("{}")
    run = dd_livm("demo", cwd=tmp_path)
    assert run.returncode == 2
    assert "--workspace" in run.stderr
    assert [path.name for path in mission.iterdir()] == ["mission.json"]


def test_restoring_an_unknown_run_is_refused(tmp_path: Path) -> None:
    run = dd_livm("restore", "0123456789abcdef", cwd=tmp_path)
    assert run.returncode == 2
    assert "dd-livm runs" in run.stderr


def test_comparing_unknown_runs_is_refused(tmp_path: Path) -> None:
    run = dd_livm("data", "diff", "0123456789abcdef", "fedcba", cwd=tmp_path)
    assert run.returncode == 2
    assert "dd-livm runs" in run.stderr


def test_bad_files_are_set_aside_and_originals_untouched(
    tmp_path: Path, simulated_mission: Path
) -> None:
    flight = tmp_path / "flight"
    shutil.copytree(simulated_mission / "infrared", flight / "infrared")
    shutil.copytree(simulated_mission / "visible", flight / "visible")
    visible = sorted((flight / "visible").iterdir())
    visible[0].unlink()  # one half missing
    visible[1].write_bytes(visible[1].read_bytes()[:20_000])  # truncated
    before = {p: p.read_bytes() for p in flight.rglob("*") if p.is_file()}
    assert dd_livm("sites", "add", "home", cwd=tmp_path).returncode == 0
    run = dd_livm("ingest", "flight", "--site", "home", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert visible[0].stem in run.stdout
    assert visible[1].stem in run.stdout
    taken = list((tmp_path / "data" / "home" / "flight" / "visible").iterdir())
    assert len(taken) == len(visible) - 2
    assert {p: p.read_bytes() for p in flight.rglob("*") if p.is_file()} == before


def test_doctor_says_how_to_get_the_readers_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DD_LIVM_DJI_SDK", "DD_LIVM_DJI_PROGRAM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    run = dd_livm("doctor", cwd=tmp_path)
    assert run.returncode == 0
    assert "pipx install dji-thermal-cli" in run.stdout
    assert "set DD_LIVM_DJI_SDK" in run.stdout
    assert "never a ΔT" in run.stdout
    assert not list(tmp_path.iterdir())


def test_doctor_tries_the_readers_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho dji-thermal-cli 1.7.2\n")
    program.chmod(0o755)
    monkeypatch.setenv("DD_LIVM_DJI_PROGRAM", str(program))
    monkeypatch.setenv("DD_LIVM_DJI_SDK", str(program))
    run = dd_livm("doctor", cwd=tmp_path)
    assert run.returncode == 0
    assert f"version 1.7.2 at {program}" in run.stdout
    assert "does not work" in run.stdout
    assert "never a ΔT" not in run.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_without_room_ends_in_one_clear_message_and_loses_nothing(tmp_path: Path) -> None:
    dd_livm("sites", "add", "alpha", cwd=tmp_path)
    before = (tmp_path / "data" / "sites.json").read_bytes()
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10));"
        "from flows.cli import main; sys.argv[1:] = ['sites', 'add', 'beta']; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", limited], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 2
    assert re.search(r"sites\.json: expected room on the disk", run.stderr)
    assert "Traceback" not in run.stderr
    assert (tmp_path / "data" / "sites.json").read_bytes() == before
