"""Where everything lies under one root folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dd_livm_core.camera_files.dji_program import KEPT_VARIABLE
from dd_livm_core.errors import InputError


@dataclass(frozen=True)
class Workspace:
    """The folders of one installation; all paths are below ``root``."""

    root: Path

    @classmethod
    def at(cls, root: str | Path) -> "Workspace":
        """Return the workspace at a folder, which must exist."""
        resolved = Path(root).expanduser().resolve()
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
        """Everything that can be made again."""
        return self.root / ".dd_livm"

    @property
    def tracking_uri(self) -> str:
        """MLflow's SQLite store."""
        return f"sqlite:///{self.root / 'mlruns' / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.root / "mlruns" / "artifacts"

    def step_folder(self, step: str, key: str) -> Path:
        """Where the finished output of one step with one key lies."""
        return self.derived / "steps" / step / key[:20]

    @contextmanager
    def lock(self, name: str, *, wait_s: float, purpose: str) -> Iterator[None]:
        """Hold a lock between processes while the block runs.

        Raises
        ------
        InputError
            The lock was not free within ``wait_s`` seconds.
        """
        folder = self.derived / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f"{name}.lock")
        try:
            lock.acquire(timeout=wait_s)
        except Timeout:
            raise InputError(
                f"to be alone at {purpose}",
                f"another process at it for over {wait_s:.0f} s",
                lock.lock_file,
                "Wait for it to end, then run the same command again.",
            ) from None
        try:
            yield
        finally:
            lock.release()


def keep_temperatures_in(workspace: Workspace) -> None:
    """Have temperatures that other programs computed kept in the workspace, for this process and those it starts."""
    os.environ.setdefault(KEPT_VARIABLE, str(workspace.derived / "temperatures"))


def prefect_environment(workspace: Workspace) -> None:
    """Give Prefect an embedded default: a server on demand, its SQLite file and results in the workspace.

    A server named by ``PREFECT_API_URL``, or the one that ``dd-livm ui`` left running, is used instead.
    """
    environment = os.environ
    home = workspace.derived / "prefect"
    home.mkdir(parents=True, exist_ok=True)
    environment.setdefault("PREFECT_HOME", str(home))
    environment.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "120")
    environment.setdefault("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "true")
