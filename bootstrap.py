#!/usr/bin/env python3
"""Set DD-LIVM up in .venv once, then run it.

    python3 bootstrap.py demo            # set up, run the main job on simulated stations
    python3 bootstrap.py test            # set up, pass the tests
    python3 bootstrap.py retrain --help  # any dd-livm command

Needs Python 3.11, 3.12 or 3.13 and nothing else; the environment is of the one it is started with. A second call
finds the environment unchanged and starts at once; one with another Python makes it anew.
"""

from __future__ import annotations  # so that an old Python comes as far as being refused by name

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
TORCH = "torch==2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PYTHONS = ("3.11", "3.12", "3.13")
"""What the constraints were installed on; as `requires-python` in pyproject.toml."""


def fingerprint(extra: str) -> str:
    """Hash everything that decides what gets installed."""
    wanted = hashlib.sha256(f"{sys.version}{extra}{ROOT}".encode())
    for name in ("pyproject.toml", "constraints.txt", "bootstrap.py"):
        wanted.update((ROOT / name).read_bytes())
    return wanted.hexdigest()


def pip(*arguments: str, quiet: bool = False) -> bool:
    """Run pip inside the environment; True when it succeeded."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, stderr=subprocess.DEVNULL if quiet else None).returncode == 0


def install_torch() -> None:
    """Prefer PyTorch's CPU build where there is no NVIDIA GPU: the default one draws in several GB of CUDA."""
    constraint = ("-q", "-c", str(ROOT / "constraints.txt"))
    if sys.platform == "linux" and not shutil.which("nvidia-smi"):
        if pip("install", *constraint, f"{TORCH}+cpu", quiet=True):
            return
        if pip(
            "install", *constraint, f"{TORCH}+cpu", "--extra-index-url", TORCH_CPU_INDEX, quiet=True
        ):
            return
        print(
            "No CPU build of PyTorch within reach: taking the default one (several GB).", flush=True
        )
    if not pip("install", *constraint, TORCH):
        sys.exit(
            f"Could not install {TORCH}: see pip's message above (no network, or no package index?)."
        )


def python_of_environment() -> str | None:
    """Return the version of the Python that `.venv` was made with, such as ``3.11``; None without an environment."""
    try:
        lines = (VENV / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    said = dict(line.replace(" ", "").split("=", 1) for line in lines if "=" in line)
    return ".".join(said.get("version", "").split(".")[:2])


def make_environment() -> None:
    """Make `.venv` for the Python that runs, in place of one of another version; keep one of its own."""
    there, wanted = python_of_environment(), running_python()
    if there == wanted and PYTHON.exists():
        return
    if there not in (None, wanted):
        print(f"{VENV} is of Python {there}: making it anew for {wanted}.", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def set_up(extra: str) -> None:
    """Create the environment and install the project, unless that was done for the same inputs."""
    stamp = VENV / f".installed-{extra or 'base'}"
    wanted = fingerprint(extra)
    # The test environment holds the base one: after `test`, `demo` needs no second installation.
    if any(
        s.exists() and s.read_text(encoding="utf-8") == fingerprint(e)
        for e in {extra, "dev"}
        for s in [VENV / f".installed-{e or 'base'}"]
    ):
        return
    print(f"Setting up {VENV} (once, a few minutes) ...", flush=True)
    started = time.monotonic()
    make_environment()
    install_torch()
    project = f"{ROOT}[{extra}]" if extra else str(ROOT)
    if not pip("install", "-q", "-c", str(ROOT / "constraints.txt"), "-e", project):
        sys.exit(
            "Could not install the project: see pip's message above, then run the same command again."
        )
    stamp.write_text(wanted, encoding="utf-8")
    print(f"Set up in {time.monotonic() - started:.0f} s.", flush=True)


def run_tests(arguments: list[str]) -> int:
    """Run the linter, the type checker and the tests; stop at the first that fails."""
    checks = [
        ["ruff", "format", "--check", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["pytest", "--numprocesses", "2", "--no-loadscope-reorder", *arguments],
    ]
    for check in checks:
        print("$", " ".join(check), flush=True)
        code = subprocess.run([str(PYTHON), "-m", *check], cwd=ROOT).returncode
        if code:
            return code
    return 0


def running_python() -> str:
    """Return the version of the Python that runs this, such as ``3.11``."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def starts(python: str) -> bool:
    """Return whether a Python of that name is there and starts; pyenv's stand-ins of inactive versions do not."""
    if not shutil.which(python):
        return False
    return subprocess.run([python, "--version"], capture_output=True).returncode == 0


def require_known_python() -> None:
    """Exit with what to do where the Python that runs this is none of `PYTHONS`."""
    if running_python() in PYTHONS:
        return
    there = [f"python{version}" for version in PYTHONS if starts(f"python{version}")]
    what = f"Found on this machine: {', '.join(there)}." if there else "Install one of them first."
    sys.exit(
        f"DD-LIVM runs on Python {', '.join(PYTHONS[:-1])} and {PYTHONS[-1]}; this is {sys.version.split()[0]} "
        f"({sys.executable}).\n{what} Then: {(there or [f'python{PYTHONS[0]}'])[-1]} bootstrap.py "
        + " ".join(sys.argv[1:])
    )


def main() -> int:
    """Set up what the command needs, then hand over to it."""
    require_known_python()
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else "--help"), sys.argv[2:]
    if command == "test":
        set_up("dev")
        return run_tests(arguments)
    set_up("")
    return subprocess.run([str(PYTHON), "-m", "flows.cli", command, *arguments]).returncode


if __name__ == "__main__":
    sys.exit(main())
