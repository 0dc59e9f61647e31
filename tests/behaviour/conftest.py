"""One Prefect server, one rendered fleet and one retraining, shared by the behaviour tests: all real."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.surroundings import RETRAIN, Machine, Trained, answers, free_port, wait_until

QUICK = """
[quick.training]
epochs_stage_1 = 1
epochs_stage_2 = 3
epochs_stage_3 = 1
"""


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Yield what commands run in, with a Prefect server of its own."""
    home = tmp_path_factory.mktemp("prefect")
    port = free_port()
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")},
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "DO_NOT_TRACK": "1",
    }
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "prefect",
                "server",
                "start",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
            ],
            env=environment,
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(
            lambda: answers(f"http://127.0.0.1:{port}/api/health"), 120, "the Prefect server"
        )
        yield Machine(environment)
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="session")
def rendered(simulated_fleet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with three simulated stations and a quick configuration, not yet trained."""
    root = tmp_path_factory.mktemp("rendered")
    shutil.copytree(simulated_fleet, root / "data")
    for mission in sorted((root / "data").glob("*/*/mission.json")):
        keep_first(mission.parent, 10)
    (root / "quick.toml").write_text(QUICK)
    return root


def keep_first(mission: Path, pairs: int) -> None:
    """Shorten a mission to its first pairs: behaviour does not need them all."""
    for folder in ("infrared", "visible"):
        for path in sorted((mission / folder).iterdir())[pairs:]:
            path.unlink()


@pytest.fixture(scope="session")
def trained(machine: Machine, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return a copy of the rendered workspace after one retraining."""
    root = tmp_path_factory.mktemp("trained") / "workspace"
    shutil.copytree(rendered, root)
    run = machine.dd_livm(root, *RETRAIN)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-8000:]
    return Trained(root, run.stdout + run.stderr)
