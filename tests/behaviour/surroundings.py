"""Run commands as behaviour tests need them."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RETRAIN = ("retrain", "--config", "quick.toml", "--profile", "quick", "--processes", "2")


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Machine:
    """Runs commands in one environment."""

    environment: dict[str, str]

    def dd_livm(
        self, workspace: Path, *arguments: str, limit_s: float = 600
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in a workspace to its end, for ``limit_s`` seconds at most."""
        return subprocess.run(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=workspace,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=limit_s,
        )

    def start(self, workspace: Path, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command in a workspace, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *arguments],
            cwd=workspace,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@dataclass(frozen=True)
class Trained:
    """A workspace after one retraining, and what the retraining printed."""

    root: Path
    output: str


def answers(url: str) -> bool:
    """Return whether a page answers with status 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(condition: Callable[[], object], limit_s: float, what: str) -> None:
    """Wait until a condition holds; fail after ``limit_s`` seconds, saying what was waited for."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit_s, f"waited {limit_s:.0f} s for {what}"
        time.sleep(0.25)
