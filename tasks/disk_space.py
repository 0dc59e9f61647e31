"""A full disk: told before much is written, named where it happens, and nothing finished is lost by it."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dd_livm_core.errors import InputError
from tasks.workspace import Workspace

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SAYS_FULL = (*(os.strerror(code).lower() for code in FULL), "database or disk is full")
"""What libraries make of it: safetensors and SQLite have errors of their own."""
SPARE_B = 200 * 2**20
"""For everything beside the aligned stores: databases, weights, pages; several times what a retraining leaves."""
TODO = (
    "Free some room, then run the same command again: what is finished is kept. Everything below "
    ".dd_livm/steps can be made again."
)


def require_space(folder: Path, needed_b: int) -> None:
    """Check that a folder's disk has room for so many bytes and `SPARE_B` more.

    Raises
    ------
    InputError
        It has not.
    """
    free_b = shutil.disk_usage(folder).free
    if free_b < needed_b + SPARE_B:
        raise InputError(
            f"room for {_megabytes(needed_b + SPARE_B)}", f"{_megabytes(free_b)}", folder, TODO
        )


@contextmanager
def explain_full_disk(workspace: Workspace) -> Iterator[None]:
    """Turn an error of a full disk, whichever library raised it, into one that says so.

    Raises
    ------
    InputError
        The disk ran full while the block ran.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, InputError) or not (cause := _find_full_disk(error)):
            raise
        free_b = shutil.disk_usage(workspace.root).free
        raise InputError(
            "room on the disk",
            f"{_megabytes(free_b)} free ({str(cause)[:300]})",
            getattr(cause, "filename", None) or workspace.root,
            TODO,
        ) from error


def _find_full_disk(error: BaseException | None) -> BaseException | None:
    """Return the error among a chain of causes that tells of a full disk, or None."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return error
        if any(words in str(error).lower() for words in SAYS_FULL):
            return error
        error = error.__cause__ or error.__context__
    return None


def _megabytes(size_b: int) -> str:
    return f"{size_b / 1e6:,.0f} MB"
