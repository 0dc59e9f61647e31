"""Types of the flows' folders: ``~`` is the home folder, also where no shell expands it, as on Prefect's page."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, DirectoryPath


def _expand_home(given: Any) -> Any:
    """Return a path with ``~`` or ``~name`` at its start expanded; anything else as it is, for its type to refuse.

    Raises
    ------
    ValueError
        There is no such user, or no home folder.
    """
    if not isinstance(given, str | Path):
        return given
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{given}: {error}") from error


ExistingFolder = Annotated[DirectoryPath, BeforeValidator(_expand_home)]
AnyFolder = Annotated[Path, BeforeValidator(_expand_home)]
