"""Pin ``data/`` with DVC, and restore any pinned state."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml
from prefect import get_run_logger, task

from dd_livm_core.errors import InputError
from dd_livm_core.files import atomic
from tasks.workspace import Workspace

LOCK_WAIT_S = 300.0
"""Longest wait for DVC's lock, which another command may hold while it pins a large data/. Chosen."""
RETRY_S = 1.0
"""Time between two tries for it. Chosen."""
REMOTE = "local"
"""Name of the DVC remote that is made where none is configured."""
NOT_SEARCHED = ("/.dd_livm", "/.venv", "/mlruns", "/quarantine")
"""Folders that DVC does not search for pins: some hold copies of pins, none a pin of its own."""


def run_dvc(workspace: Workspace, *arguments: str, wait_s: float = LOCK_WAIT_S) -> str:
    """Run DVC in the workspace and return what it printed.

    DVC has one lock for the whole repository, and gives up at once when another process holds it: this tries again
    for up to ``wait_s`` seconds.

    Raises
    ------
    InputError
        DVC failed, or the lock did not become free.
    """
    started = time.monotonic()
    while True:
        run = subprocess.run(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=workspace.root,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, "DVC_NO_ANALYTICS": "1", "PYTHONUTF8": "1"},
        )
        if run.returncode == 0:
            return run.stdout
        message = run.stderr.strip() or run.stdout.strip()
        if "acquire lock" not in message.lower():
            raise InputError(
                f"`dvc {' '.join(arguments)}` to succeed",
                message,
                workspace.root,
                "See DVC's message.",
            )
        if time.monotonic() - started > wait_s:
            raise InputError(
                "DVC's repository lock to become free",
                f"it held for over {wait_s:.0f} s",
                workspace.root / ".dvc" / "tmp" / "lock",
                "Let the other DVC process end, then run the same command again.",
            )
        time.sleep(RETRY_S)


def prepare_dvc(workspace: Workspace) -> None:
    """Make the workspace a DVC repository with a remote and without analytics; keep what is configured."""
    if not (workspace.root / ".dvc").is_dir():
        versioned = (workspace.root / ".git").exists()
        run_dvc(workspace, "init", *([] if versioned else ["--no-scm"]))
    ignore = workspace.root / ".dvcignore"
    known = ignore.read_text(encoding="utf-8").splitlines() if ignore.exists() else []
    if missing := [line for line in NOT_SEARCHED if line not in known]:
        ignore.write_text("\n".join([*known, *missing]) + "\n", encoding="utf-8")
    config = workspace.root / ".dvc" / "config"
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    if "analytics" not in text:
        run_dvc(workspace, "config", "core.analytics", "false")
    if "remote" not in text:
        run_dvc(workspace, "remote", "add", "--default", REMOTE, ".dd_livm/dvc_remote")


def snapshot_id(pinned: Path) -> str:
    """Return the content hash that a ``data.dvc`` file pins.

    Raises
    ------
    InputError
        The file is missing, or no pin of one output.
    """
    try:
        return str(yaml.safe_load(pinned.read_text(encoding="utf-8"))["outs"][0]["md5"])
    except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError) as error:
        raise InputError(
            "a DVC pin with one output",
            repr(error),
            pinned,
            "Run `dd-livm retrain` to pin data/ anew.",
        ) from error


def pin(workspace: Workspace) -> str:
    """Pin ``data/`` as it is now, push it to the remote and return its content hash.

    A copy of the pin is kept in ``.dd_livm/snapshots``, so that no state is lost when nobody commits ``data.dvc``.

    Raises
    ------
    InputError
        DVC failed.
    """
    prepare_dvc(workspace)
    run_dvc(workspace, "add", "data")
    run_dvc(workspace, "push", "data.dvc")
    identity = snapshot_id(workspace.pinned)
    kept = workspace.derived / "snapshots" / f"{identity}.pin"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(workspace.pinned, kept)
    return identity


def restore(workspace: Workspace, pinned: Path) -> str:
    """Bring ``data/`` to the state that the file ``pinned`` names.

    What is there now is pinned first, and brought back where the restoring fails.

    Returns
    -------
    Content hash of what was there before; "" where ``data/`` was missing or empty.

    Raises
    ------
    InputError
        ``pinned`` is no pin, or DVC cannot bring its state back.
    """
    prepare_dvc(workspace)
    before = pin(workspace) if workspace.data.is_dir() and any(workspace.data.iterdir()) else ""
    identity = snapshot_id(pinned)
    with atomic(workspace.pinned) as unfinished:
        shutil.copyfile(pinned, unfinished)
    try:
        run_dvc(workspace, "pull", "--force", "data.dvc")
    except InputError:
        if before:
            kept = workspace.derived / "snapshots" / f"{before}.pin"
            shutil.copyfile(kept, workspace.pinned)
            run_dvc(workspace, "checkout", "--force", "data.dvc")
        raise
    if snapshot_id(workspace.pinned) != identity:
        raise InputError(
            f"data/ at {identity}",
            snapshot_id(workspace.pinned),
            workspace.pinned,
            "Run the same command again.",
        )
    return before


@task(
    name="snapshot", version="1", task_run_name="snapshot data/", retries=1, retry_delay_seconds=5
)
def snapshot(workspace: Workspace) -> str:
    """Pin ``data/`` and return the snapshot's content hash; never cached, as it looks at the disk."""
    identity = pin(workspace)
    get_run_logger().info("data/ is pinned as %s", identity)
    return identity
