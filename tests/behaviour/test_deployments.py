"""Deployments on a plain Prefect server with a process worker: a schedule fires, an event fires."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.behaviour.surroundings import Machine, Trained, wait_until

ROOT = Path(__file__).parents[2]
LIMIT_S = 240
BUSY = {429, 502, 503}
"""Status codes at which Prefect's clients try again by default."""


@pytest.fixture(scope="module")
def project(machine: Machine, trained: Trained) -> Iterator[Path]:
    """Yield the trained workspace with its deployments applied and a worker running."""
    shutil.copy(ROOT / "prefect.yaml", trained.root)
    shutil.copytree(ROOT / "flows", trained.root / "flows", dirs_exist_ok=True)
    prefect(machine, trained.root, "work-pool", "create", "dd-livm", "--type", "process")
    prefect(machine, trained.root, "--no-prompt", "deploy", "--all")
    with (trained.root / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", "--pool", "dd-livm"],
            env={**machine.environment, "PREFECT_WORKER_QUERY_SECONDS": "2"},
            cwd=trained.root,
            stdout=log,
            stderr=log,
            # A shell's background job ignores SIGINT, which Prefect's worker stops itself by.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    yield trained.root
    worker.terminate()
    worker.wait(60)


def prefect(machine: Machine, cwd: Path, *arguments: str) -> str:
    """Run a command of Prefect and return what it printed."""
    run = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments],
        env=machine.environment,
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def ask(machine: Machine, path: str, body: dict[str, Any], method: str = "POST") -> Any:
    """Return the server's answer; ask again while it is busy, as Prefect's clients do: SQLite has one writer."""
    request = Request(
        machine.environment["PREFECT_API_URL"] + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method,
    )
    answers: list[Any] = []

    def answered() -> bool:
        try:
            with urlopen(request, timeout=30) as answer:
                answers.append(json.loads(answer.read() or b"null"))
        except HTTPError as error:
            if error.code not in BUSY:
                raise
        except TimeoutError:
            pass  # the server was busy for that long
        return bool(answers)

    wait_until(answered, LIMIT_S, f"an answer to {method} {path}")
    return answers[0]


def list_deployments(machine: Machine) -> dict[str, Any]:
    """Return name → deployment."""
    return {d["name"]: d for d in ask(machine, "/deployments/filter", {})}


def wait_for_run(machine: Machine, name: str, **parameters: Any) -> Any:
    """Wait until a run of a deployment with these parameters has ended, and return it."""
    found: list[Any] = []

    def done() -> bool:
        runs = ask(machine, "/flow_runs/filter", {"deployments": {"name": {"any_": [name]}}})
        found[:] = [
            run
            for run in runs
            if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED"}
            and parameters.items() <= run["parameters"].items()
        ]
        return bool(found)

    wait_until(done, LIMIT_S, f"a run of {name} with {parameters}")
    return found[0]


def test_deployments_have_typed_forms_and_a_weekly_schedule(
    machine: Machine, project: Path
) -> None:
    deployments = list_deployments(machine)
    assert {"retrain", "evaluate_sites", "inspect_mission"} <= set(deployments)
    schema = deployments["retrain"]["parameter_openapi_schema"]
    training = schema["definitions"]["TrainingConfig"]["properties"]
    assert training["epochs_stage_1"]["type"] == "integer"
    assert "description" in training["epochs_stage_1"]
    assert [s["schedule"]["cron"] for s in deployments["retrain"]["schedules"]] == ["0 3 * * 1"]


def test_the_event_of_a_new_station_retrains(machine: Machine, project: Path) -> None:
    deployment = list_deployments(machine)["retrain"]
    quick = {"training": {"epochs_stage_1": 1, "epochs_stage_2": 3, "epochs_stage_3": 1}}
    quick_runs = {"parameters": {"configuration": quick}}
    ask(machine, f"/deployments/{deployment['id']}", quick_runs, "PATCH")
    prefect(
        machine, project, "event", "emit", "pv-station.online", "--resource-id", "pv-station.new"
    )
    run = wait_for_run(machine, "retrain", reason="pv-station.online pv-station.new")
    assert run["state_type"] == "COMPLETED", run["state"]["message"]


def test_a_schedule_in_the_near_future_fires(machine: Machine, project: Path) -> None:
    # Where the machine is slower than this to create the schedule, the next time is half a minute later.
    soon = (datetime.now(UTC) + timedelta(seconds=15)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    prefect(
        machine,
        project,
        *("deployment", "schedule", "create", "evaluate_sites/evaluate_sites"),
        *("--interval", "30", "--anchor-date", soon),
    )
    run = wait_for_run(machine, "evaluate_sites")
    assert run["auto_scheduled"]
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
