"""Shared by all tests: where real drone files are, and nothing leaves the machine."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tasks.telemetry import silence

silence()
# The same examples in every run: what passes here passes there. Wider searches are benchmarks.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def simulated_fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder of three simulated stations, with the truth beside; never to be changed."""
    from dd_livm_core.fleet.missions.writing import write_fleet

    root = tmp_path_factory.mktemp("simulated") / "data"
    write_fleet(root, size="tiny", seed=7, processes=2, truth_root=root.parent / "truth")
    return root


@pytest.fixture
def simulated_mission(simulated_fleet: Path, tmp_path: Path) -> Path:
    """Return a copy of one simulated mission, cut to five pairs."""
    mission = sorted(simulated_fleet.glob("*/*/mission.json"))[0].parent
    copied = tmp_path / "simulated_mission"
    shutil.copytree(mission, copied)
    for folder in ("infrared", "visible"):
        for path in sorted((copied / folder).iterdir())[5:]:
            path.unlink()
    return copied


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real drone files, or skip."""
    folder = os.environ.get("DD_LIVM_REAL_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("needs real drone files: set DD_LIVM_REAL_DATA to their folder")
    return Path(folder)
