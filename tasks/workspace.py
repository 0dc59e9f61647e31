"""The folders of a workspace, its locks, and Prefect's settings for it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dd_livm_core.errors import InputError

KEY_CHARACTERS = 20
"""Of a step's hash, in the names of its folders: 80 bits do not collide, and paths stay short."""


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
            There is no such folder.
        """
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
        """Results, checkpoints, locks and logs; also the pins of all snapshots and DVC's local remote."""
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
        """Return the folder of a step's finished output for one key."""
        return self.derived / "steps" / step / key[:KEY_CHARACTERS]

    @contextmanager
    def lock(self, name: str, *, wait_s: float, purpose: str) -> Iterator[None]:
        """Hold a lock between processes while the block runs; ``purpose`` says in the error what for.

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
                f"another process still at it after {wait_s:.0f} s",
                lock.lock_file,
                "Wait for it to end, then run the same command again.",
            ) from None
        try:
            yield
        finally:
            lock.release()


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
