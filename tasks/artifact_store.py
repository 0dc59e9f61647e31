"""Where MLflow's artifacts lie: beside its database, wherever the workspace is.

MLflow writes the absolute folder of its artifacts into every run and model. A workspace that was moved would
lose them, and a copy would write into the one it came from. The scheme ``dd-livm:`` names the folder of the
database instead; ``pyproject.toml`` makes it known to every MLflow of this Python, the pages' server included.
"""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from dd_livm_core.errors import InputError

SCHEME = "dd-livm"
ARTIFACTS = f"{SCHEME}:/artifacts"
"""The artifact folder of every workspace."""
LOCATIONS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""Tables of MLflow that say where artifacts lie, with the column that does."""
SQLITE = "sqlite:///"
DATABASE_TODO = (
    "Bring the file back from a backup. Moved away, a new one is begun: data/ and finished steps stay, "
    "past runs and registered models are no longer listed."
)


def open_beside_database(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> LocalArtifactRepository:
    """Return MLflow's own repository of local files for a ``dd-livm:`` address.

    Raises
    ------
    InputError
        MLflow's records are not an SQLite file, so that nothing lies beside it.
    """
    database = tracking_uri or mlflow.get_tracking_uri()
    if not database.startswith(SQLITE):
        raise InputError(
            f"records in an SQLite file to find {artifact_uri} beside",
            database,
            "MLflow's tracking address",
            "Set it to sqlite:///<workspace>/mlruns/mlflow.db.",
        )
    folder = Path(database.removeprefix(SQLITE)).absolute().parent
    place = folder / unquote(urlsplit(artifact_uri).path).lstrip("/")
    return LocalArtifactRepository(place.as_uri(), tracking_uri, registry_uri)


_artifact_repository_registry.register(SCHEME, open_beside_database)
"""Also where an older installation does not have the entry point yet."""


def use_database(tracking_uri: str) -> None:
    """Point this process at a workspace's records; MLflow keeps in mind by a run's id alone where its files lie."""
    if mlflow.get_tracking_uri() != tracking_uri:
        _artifact_repos_cache.clear()  # a copy holds runs of the same ids
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)


@cache
def require_sound_database(database: Path) -> None:
    """Check an SQLite file, which need not exist.

    Raises
    ------
    InputError
        The file is damaged.
    """
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):  # in use is not damaged
            return
        found = str(error)
    if found != "ok":
        raise InputError("MLflow's database", f"a damaged one ({found})", database, DATABASE_TODO)


def name_artifacts_beside_database(database: Path) -> None:
    """Take absolute artifact folders out of a database: those of the first workspaces, and MLflow's own default.

    Each experiment says in which folder its artifacts were; what lies below it is named by the scheme.
    """
    with closing(sqlite3.connect(database, timeout=60)) as connection, connection:
        absolute = connection.execute(
            "SELECT artifact_location FROM experiments WHERE artifact_location NOT LIKE ?",
            (f"{SCHEME}:%",),
        ).fetchall()
        for (former,) in absolute:
            for table, column in LOCATIONS.items():
                _rename(connection, table, column, former)


def _rename(connection: sqlite3.Connection, table: str, column: str, former: str) -> None:
    """Put `ARTIFACTS` in place of a former folder, in every row of a column that begins with it."""
    connection.execute(
        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
        (ARTIFACTS, len(former) + 1, former, len(former) + 1, f"{former}/"),
    )
