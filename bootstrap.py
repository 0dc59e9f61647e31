#!/usr/bin/env python3
"""Set DD-LIVM up in .venv once, then run it.

    python3.11 bootstrap.py demo            # set up, run the main job on simulated stations
    python3.11 bootstrap.py test            # set up, pass the tests
    python3.11 bootstrap.py retrain --help  # any dd-livm command

Needs Python 3.11 and nothing else. A second call finds the environment unchanged and starts at once.
"""

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
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
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


def main() -> int:
    """Set up what the command needs, then hand over to it."""
    if sys.version_info[:2] != (3, 11):
        return sys.exit(
            f"DD-LIVM needs Python 3.11; this is {sys.version.split()[0]}. Try: python3.11 bootstrap.py ..."
        )
    command, arguments = (sys.argv[1] if len(sys.argv) > 1 else "--help"), sys.argv[2:]
    if command == "test":
        set_up("dev")
        return run_tests(arguments)
    set_up("")
    return subprocess.run([str(PYTHON), "-m", "flows.cli", command, *arguments]).returncode


if __name__ == "__main__":
    sys.exit(main())
