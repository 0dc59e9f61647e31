"""Shared by all tests: where real drone files are, and nothing leaves the machine."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from tasks.telemetry import silence
from tasks.threads import wait_passively

silence()
wait_passively()
# The same examples in every run: what passes here passes there. Wider searches are benchmarks.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Give each process whole files, and one of them all behaviour tests: they share a server and a retraining."""
    from xdist.scheduler.loadscope import LoadScopeScheduling

    class WholeFiles(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return "behaviour" if file.startswith("tests/behaviour/") else file

    return WholeFiles(config, log)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all processes of this test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def simulated_fleet(shared_folder: Path) -> Path:
    """Return a data folder of three simulated stations, with the truth beside; never to be changed."""
    from dd_livm_core.fleet.missions.writing import write_fleet

    whole = shared_folder / "simulated"
    with FileLock(shared_folder / "simulated.lock"):
        if not whole.exists():
            begun = shared_folder / "simulated_begun"
            truth = begun / "truth"
            write_fleet(begun / "data", size="tiny", seed=7, processes=2, truth_root=truth)
            begun.rename(whole)
    return whole / "data"


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
