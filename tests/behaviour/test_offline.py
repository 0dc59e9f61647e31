"""Importing the product reaches nothing outside the machine."""

import os
import subprocess
import sys
from pathlib import Path

WATCHED = """
import socket, sys
tried = []
allowed = {"127.0.0.1", "::1", "localhost", "0.0.0.0", None, ""}
connect = socket.socket.connect
def watched_connect(self, address):
    if isinstance(address, tuple) and address[0] not in allowed:
        tried.append(address); raise OSError("refused by the test")
    return connect(self, address)
socket.socket.connect = watched_connect
look_up = socket.getaddrinfo
def watched_look_up(host, *rest, **more):
    if host not in allowed:
        tried.append(host); raise OSError("refused by the test")
    return look_up(host, *rest, **more)
socket.getaddrinfo = watched_look_up
"""
PROGRAM = """
import time
import flows.cli, flows.retrain, flows.inspect_mission, flows.evaluate_sites, flows.demo
import albumentations, great_expectations, dvc.repo
from prefect.settings import get_current_settings
assert get_current_settings().server.analytics_enabled is False
from dvc.analytics import is_enabled
assert not is_enabled()
from mlflow.telemetry.utils import is_telemetry_disabled
assert is_telemetry_disabled()
time.sleep(1)  # a version check would run in a thread
assert not tried, tried
print("silent")
"""


def test_importing_everything_reaches_nothing(tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k in {"PATH", "HOME", "LANG"}}
    run = subprocess.run(
        [sys.executable, "-c", WATCHED + PROGRAM],
        env={**environment, "PREFECT_HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert run.stdout.strip().endswith("silent"), run.stderr
