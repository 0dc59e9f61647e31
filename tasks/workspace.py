"""The folders of a workspace, its locks, and Prefect's settings for it."""

import logging
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dd_livm_core.camera_files.dji_program import KEPT_VARIABLE
from dd_livm_core.errors import InputError

KEY_CHARACTERS = 20
"""Of a step's hash, in the names of its folders: 80 bits do not collide, and paths stay short."""
LOG = logging.getLogger(__name__)
WAIT_UNTOLD_S = 2.0
"""Waiting for longer than this is told."""
DATA_WAIT_S = 24 * 3600.0
"""Longer than a retraining takes."""


@dataclass(frozen=True)
class Workspace:
    """One folder to work in, ``root``, and the paths below it."""

    root: Path

    @classmethod
    def at(cls, root: str | Path) -> "Workspace":
        """Return the workspace at a folder.

        Raises
        ------
        InputError
            There is no such folder, or its path is no text, or holds a ``?``, where the address of MLflow's database
            would end.
        """
        resolved = Path(root).expanduser().resolve()
        require_text(resolved)
        if "?" in str(resolved):
            raise InputError(
                "a folder without ? in its path", "one", resolved, "Rename it, or name another."
            )
        if not resolved.is_dir():
            raise InputError(
                "a folder to work in", "none", resolved, "Create it, or name another workspace."
            )
        return cls(resolved)

    @property
    def data(self) -> Path:
        """Missions, one folder per site; pinned by ``data.dvc``."""
        return self.root / "data"

    @property
    def pinned(self) -> Path:
        """DVC's pin of ``data/``."""
        return self.root / "data.dvc"

    @property
    def quarantine(self) -> Path:
        """References to pairs set aside, with reasons."""
        return self.root / "quarantine"

    @property
    def derived(self) -> Path:
        """Results, checkpoints, locks and logs; also the pins of all snapshots and DVC's local remote."""
        return self.root / ".dd_livm"

    @property
    def tracking_database(self) -> Path:
        """MLflow's records, an SQLite file."""
        return self.root / "mlruns" / "mlflow.db"

    @property
    def tracking_uri(self) -> str:
        """MLflow's SQLite store."""
        return f"sqlite:///{self.tracking_database}"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.root / "mlruns" / "artifacts"

    def step_folder(self, step: str, key: str) -> Path:
        """Return the folder of a step's finished output for one key."""
        return self.derived / "steps" / step / key[:KEY_CHARACTERS]

    @contextmanager
    def lock(self, name: str, *, wait_s: float, purpose: str) -> Iterator[None]:
        """Hold a lock between processes while the block runs; waiting for it is told in the log.

        Raises
        ------
        InputError
            The lock was not free within ``wait_s`` seconds.
        """
        folder = self.derived / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            try:
                lock.acquire(timeout=min(wait_s, WAIT_UNTOLD_S))
            except Timeout:
                if wait_s > WAIT_UNTOLD_S:
                    LOG.warning("Waiting for another process to end, to be alone at %s", purpose)
                lock.acquire(timeout=max(wait_s - WAIT_UNTOLD_S, 0))
        except Timeout:
            raise InputError(
                f"to be alone at {purpose}",
                f"another process still at it after {wait_s:.0f} s",
                lock.lock_file,
                "Wait for it to end, then run the same command again.",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def data_lock(self, purpose: str) -> AbstractContextManager[None]:
        """Hold ``data/`` while the block runs: what changes it and what is made from it wait for each other."""
        return self.lock("data", wait_s=DATA_WAIT_S, purpose=purpose)


def require_text(path: Path) -> None:
    """Raise an InputError for a path that is no UTF-8: flows hand their folders on as text."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise InputError("a path in UTF-8", "other bytes", shown, "Rename that folder.") from error


def keep_temperatures_in(workspace: Workspace) -> None:
    """Have temperatures that other programs computed kept in the workspace, for this process and those it starts."""
    os.environ.setdefault(KEPT_VARIABLE, str(workspace.derived / "temperatures"))


def set_prefect_defaults(workspace: Workspace) -> None:
    """Let Prefect start a server of its own when it needs one, and keep its database and results in the workspace.

    Variables that the user has set stay; a server named by ``PREFECT_API_URL`` is used instead. Prefect reads its
    settings once: call this before it is imported.
    """
    environment = os.environ
    home = workspace.derived / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    environment.setdefault("PREFECT_HOME", str(home))
    environment.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    environment.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true")
